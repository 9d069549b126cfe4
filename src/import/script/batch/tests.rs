use super::*;

fn parts(text: &str) -> Vec<Part> {
    let mut unknowns = Unknowns::default();
    read(text, 0, &mut unknowns).lines.into_iter().flat_map(|line| line.parts).collect()
}

fn programs(text: &str) -> Vec<String> {
    let words = |part: Part| match part {
        Part::Pipeline(programs) => {
            programs.iter().map(|words| words.join("·")).collect::<Vec<_>>().join(" | ")
        }
        other => format!("{other:?}"),
    };
    parts(text).into_iter().map(words).collect()
}

#[test]
fn variables_are_filled_in_whatever_their_case() {
    let text = "@set OLD=\\\\srv\\c$\n@set \"New=D:\\Mail Archive\"\nrobocopy %old%\\a \"%NEW%\" 100%%\n";
    assert_eq!(programs(text), [r"robocopy·\\srv\c$\a·D:\Mail Archive·100%"]);
}

#[test]
fn a_line_goes_on_behind_a_caret_and_keeps_its_number() {
    let mut unknowns = Unknowns::default();
    let script = read("rem x ^\nrobocopy a b ^\n  /e ^\n  /purge\npause", 0, &mut unknowns);
    let numbers: Vec<_> = script.lines.iter().map(|line| (line.number, line.text.as_str())).collect();
    assert_eq!(numbers, [(1, "rem x ^"), (2, "robocopy a b /e /purge"), (5, "pause")]);
}

#[test]
fn redirections_are_taken_away_and_pipes_are_kept() {
    assert_eq!(programs("robocopy a b /e >> \"c d.log\" 2>&1"), ["robocopy·a·b·/e"]);
    assert_eq!(programs("echo y|net stop x>nul"), ["echo·y | net·stop·x"]);
    assert_eq!(programs("a ^& b & c && d"), ["a·&·b", "c", "AndThen", "d"]);
}

#[test]
fn what_is_done_on_a_condition_is_left_whole() {
    let text = "if exist D:\\x (\n  robocopy a b\n) else (\n  set OLD=x\n)\nrobocopy %OLD% d";
    let parts = parts(text);
    assert_eq!(parts[0], Part::Left(why::ON_CONDITION.to_owned()));
    assert!(
        matches!(&parts[1], Part::Pipeline(programs) if crate::import::unknown::has_stand_in(&programs[0][1]))
    );
    assert_eq!(parts.len(), 2);
    assert!(programs("robocopy a b || net start x")[1].contains("Left"));
    assert!(programs("robocopy a b || exit /b 1")[1].contains("OrEnds"));
    let found = programs("net stop x & if exist y net stop z & net stop w");
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn a_block_that_begins_behind_something_is_left_whole() {
    for text in [
        "robocopy a b || (\nnet start y\ndel z\n)",
        "robocopy a b && (\nrobocopy c d /mir\n)",
        "robocopy a b & if exist y (\nnet stop w\n)",
        "robocopy a b & echo :) & if exist y (\nnet stop w\n) else (\nnet stop v\n)",
        "robocopy a b || (echo x & net stop y)",
        "robocopy a b & type x | (\nnet stop y\n)",
    ] {
        let found = programs(&format!("{text}\nnet stop z"));
        assert_eq!(
            (found[0].as_str(), found.last().unwrap().as_str()),
            ("robocopy·a·b", "net·stop·z"),
            "{text}"
        );
        assert!(
            !found[1..found.len() - 1]
                .iter()
                .any(|part| part.starts_with("net") || part.starts_with("robocopy")),
            "{text}: {found:?}"
        );
        assert!(found.iter().any(|part| part.contains("Left")), "{text}: {found:?}");
    }
    assert_eq!(
        programs("robocopy a b || (\n echo failed\n exit /b 1\n)\nnet stop x"),
        ["robocopy·a·b", "OrEnds", "net·stop·x"]
    );
}

#[test]
fn what_only_a_jump_leads_to_is_left() {
    let parts = parts("net stop x\ngoto :eof\n:fail\nnet start x\n");
    assert!(matches!(&parts[1], Part::Left(why) if why.contains("behind line 2")), "{parts:?}");
    assert_eq!(parts.len(), 2);
}

#[test]
fn arguments_and_variables_that_nobody_set_have_letters() {
    let mut unknowns = Unknowns::default();
    let script = read("robocopy %1 \"%~2\" %~dp0x %TEMP%", 0, &mut unknowns);
    let Part::Pipeline(programs) = &script.lines[0].parts[0] else { panic!("{script:?}") };
    let shown: Vec<_> = programs[0].iter().map(|word| unknowns.shown(word)).collect();
    assert_eq!(shown, ["robocopy", "%1", "%~2", "%~dp0x", "%TEMP%"]);
}

#[test]
fn what_may_have_been_set_since_is_not_known() {
    for text in ["call set OLD=y", "call config.cmd", "if exist x call config.cmd", "dir x && set OLD=y"] {
        let mut unknowns = Unknowns::default();
        let script = read(&format!("set OLD=x\n{text}\nrobocopy %OLD% b"), 0, &mut unknowns);
        let Some(Part::Pipeline(programs)) = script.lines[2].parts.last() else { panic!("{script:?}") };
        assert_eq!(unknowns.shown(&programs[0][1]), "%OLD%", "{text}");
    }
    let mut unknowns = Unknowns::default();
    let text = "set OLD=x\ncall :prepare\nrobocopy %OLD% b\nexit /b\n:prepare\nset OLD=y\nexit /b\n";
    let script = read(text, 0, &mut unknowns);
    let Part::Pipeline(found) = &script.lines[2].parts[0] else { panic!("{script:?}") };
    assert_eq!(unknowns.shown(&found[0][1]), "%OLD%");
    let scoped = "set OLD=x\nsetlocal\nset OLD=y\nendlocal\nrobocopy %OLD% b";
    assert_eq!(programs(scoped), ["robocopy·x·b"]);
}

#[test]
fn a_question_that_ends_the_script_does_not_end_the_reading() {
    let found = programs("find \"x\" y && exit /b\nnet stop x");
    assert_eq!(found.last().unwrap(), "net·stop·x");
    let found = programs("net stop x && goto ok\nnet start x\nexit /b 1\n:ok\nnet stop y");
    assert_eq!(found.last().unwrap(), "net·stop·y");
    assert!(!found.contains(&"net·start·x".to_owned()), "{found:?}");
}

#[test]
fn a_question_is_told_with_its_text() {
    let parts = parts("set /p OLD=Where is it? ");
    assert!(matches!(&parts[0], Part::Question { ask, .. } if ask == "Where is it?"));
}
