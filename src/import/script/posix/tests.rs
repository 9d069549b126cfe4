use super::*;

fn found(text: &str) -> Vec<(usize, String)> {
    let mut unknowns = Unknowns::default();
    let script = read(text, 0, &mut unknowns);
    let word = |part: &Part| match part {
        Part::Pipeline(programs) => {
            programs.iter().map(|words| words.join("·")).collect::<Vec<_>>().join(" | ")
        }
        Part::Left(why) => format!("left: {}", why.split(':').next().unwrap()),
        other => format!("{other:?}"),
    };
    let lines = script.lines.iter().flat_map(|line| line.parts.iter().map(move |part| (line.number, part)));
    lines.map(|(number, part)| (number, unknowns.shown(&word(part)))).collect()
}

fn programs(text: &str) -> Vec<String> {
    found(text).into_iter().map(|(_, word)| word).collect()
}

#[test]
fn assignments_are_followed() {
    let text = "OLD=/srv/old NEW='/srv/new'\nexport OPTS=\"-a --delete\"\nA=(x \"y z\")\nP=q rsync $OPTS \"$OLD/\" $NEW \"${A[@]}\"\n";
    assert_eq!(programs(text), ["rsync·-a·--delete·/srv/old/·/srv/new·x·y z"]);
}

#[test]
fn constructs_are_left_whole_and_what_they_set_is_forgotten() {
    let text = "if [ -d /x ]; then\n  OLD=/y\n  rsync a b\nelse\n for i in 1; do rsync $i c; done\nfi\nrsync $OLD d\n";
    let found = found(text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[1], (7, "rsync·$OLD·d".to_owned()));
    let found = programs(
        "f() {\n rsync a b\n}\nfunction g\n{\n x\n}\ncase $1 in\n a) if x; then y; fi;;\nesac\nrsync c d",
    );
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(found[3], "rsync·c·d");
}

#[test]
fn what_depends_on_something_is_told_so() {
    assert_eq!(programs("[ -d /x ] && rsync a b"), ["[·-d·/x·]", "AndThen", "rsync·a·b"]);
    assert!(programs("rsync a b || start c")[1].starts_with("left: what happens after an error"));
    assert!(programs("rsync a b || exit 1")[1].starts_with("OrEnds"));
    assert!(programs("rsync a b &")[0].starts_with("left: it runs beside"));
    assert!(programs("exit 0\nrsync a b")[0].starts_with("left: it stands behind line 1"));
}

#[test]
fn a_construct_is_left_whole_wherever_it_begins() {
    for text in [
        "cleanup(){\n rsync a b\n}",
        "cleanup(){ rsync a b; }",
        "function f(){\n rsync a b\n}",
        "f() { if x; then y; fi; rsync a b; }",
        "find /x | while read l; do\n rsync $l b\ndone",
        "find /x | \\\n while read l; do\n rsync $l b\ndone",
        "case $1 in a) rsync a b ;; esac",
        "case $1 in a|b) if x; then y; fi; rsync a b ;; esac",
        "coproc while x; do\n rsync a b\ndone",
    ] {
        let found = programs(&format!("{text}\nrsync c d"));
        assert_eq!(found.last().unwrap(), "rsync·c·d", "{text}");
        let others = &found[..found.len() - 1];
        assert!(
            !others.is_empty() && others.iter().all(|part| part.starts_with("left")),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn what_may_have_been_set_since_is_not_known() {
    for text in [
        "unset OLD",
        "eval x",
        "printf -v OLD x",
        ". /etc/backup.conf",
        "source x",
        "[ -d /x ] && OLD=/y",
        "[ -d /x ] || OLD=/y",
        "if x; then . /etc/y; fi",
        "read A OLD",
    ] {
        let found = programs(&format!("OLD=/x\n{text}\nrsync $OLD b"));
        assert_eq!(found.last().unwrap(), "rsync·$OLD·b", "{text}");
    }
    let found = programs("f() {\n OLD=/y\n}\nOLD=/x\nf\nrsync $OLD b");
    assert_eq!(found.last().unwrap(), "rsync·$OLD·b");
}

#[test]
fn a_question_that_ends_the_script_does_not_end_the_reading() {
    let found = programs("[ -f /lock ] && exit 0\nrsync a b");
    assert_eq!(found.last().unwrap(), "rsync·a·b");
    assert!(programs("rsync a b && exit 0\nrsync c d").last().unwrap().starts_with("left"));
}

#[test]
fn a_question_is_told_with_its_text() {
    assert!(programs("read -rp 'Where? ' OLD")[0].contains("Where?"));
    assert_eq!(programs("read"), ["read"]);
}
