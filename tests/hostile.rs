//! A runbook from a stranger neither hangs nor crashes movebook.

use movebook::report::diagnostics::{Colour, Format, print};
use movebook::runbook;
use proptest::prelude::*;

const EVERYTHING: &str = include_str!("everything.yaml");

/// Reads a text and prints what is wrong in every format. What comes out does not matter: that it ends does.
fn survive(text: &str) {
    if let Err(problems) = runbook::read("x.yaml", &|_| Ok(text.to_owned())) {
        assert!(!problems.diagnostics.is_empty());
        for diagnostic in &problems.diagnostics {
            for label in &diagnostic.labels {
                let text = &problems.sources.get(label.span.file).text;
                assert!(text.get(label.span.start..label.span.end).is_some(), "{:?}", label.span);
            }
        }
        let problems = [problems];
        for format in [Format::Human, Format::Json, Format::Github] {
            assert!(!print(&problems, format, Colour::Never).is_empty());
        }
    }
}

fn char_boundary(text: &str, near: usize) -> usize {
    text.floor_char_boundary(near % (text.len() + 1))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}") {
        survive(&text);
    }

    #[test]
    fn any_mixture_of_what_yaml_and_templates_are_made_of_is_survived(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "movebook: 1\n", "name: x\n", "phases:\n", "  - id: a\n", "    steps:\n", "{{", "}}", "{%", "%}", "'", "\"",
                "&a ", "*a", "!tag ", "- ", ": ", "? ", "|\n", ">\n", "[", "]", "{", "}", ",", "#", "\t", " ", "\n", "\r\n",
                "---\n", "...\n", "\u{feff}", "ü", "\\", "\\x", "<<: ", "answers.a-b", "0x1F", "1e999", ".nan", "~", "@", "`", "%",
            ]),
            0..60,
        ),
    ) {
        survive(&parts.concat());
    }

    #[test]
    fn a_runbook_with_a_piece_replaced_is_survived(
        at in 0usize..10_000,
        length in 0usize..30,
        piece in prop::sample::select(vec![
            "", "\n", "\t", "{{ ", " }}", "'", "\"", "&a ", "*a", ": ", "- ", "[", "}", "\u{0}", "\u{202e}", "ß", "\\", "!x ", "\r",
        ]),
    ) {
        let start = char_boundary(EVERYTHING, at);
        let end = char_boundary(EVERYTHING, start + length).max(start);
        survive(&format!("{}{piece}{}", &EVERYTHING[..start], &EVERYTHING[end..]));
    }
}

#[test]
fn aliases_of_long_texts_do_not_add_up_to_gigabytes() {
    let long = "x".repeat(200_000);
    let mut text = format!("movebook: 1\nx-a: &a '{long}'\n");
    let mut before = 'a';
    for name in 'b'..='f' {
        let items = vec![format!("*{before}"); 20].join(", ");
        text.push_str(&format!("x-{name}: &{name} [{items}]\n"));
        before = name;
    }
    let problems = runbook::read("x.yaml", &|_| Ok(text.clone())).unwrap_err();
    assert_eq!(problems.diagnostics[0].code, "movebook::too_many_aliases");
}

#[test]
fn ten_thousand_levels_are_refused_in_every_style() {
    for text in [
        format!("x-a: {}", "[".repeat(10_000)),
        format!("x-a: {}", "{a: ".repeat(10_000)),
        "- ".repeat(10_000),
        (0..10_000).map(|level| format!("{}a:\n", " ".repeat(level.min(2_000)))).collect(),
    ] {
        let problems = runbook::read("x.yaml", &|_| Ok(text.clone())).unwrap_err();
        assert!(!problems.diagnostics.is_empty());
        survive(&text);
    }
}

#[test]
fn a_template_nested_too_deeply_is_refused() {
    let nested = format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000));
    survive(&EVERYTHING.replace("'{{ old }}'", &format!("'{{{{ {nested} }}}}'")));
    let condition = format!("{}true", "not ".repeat(5_000));
    survive(&EVERYTHING.replace("engine == 'native'", &condition));
}

#[test]
fn a_file_that_is_too_large_is_not_scanned() {
    let text = format!("movebook: 1\n# {}\n", "x".repeat(5 << 20));
    let problems = runbook::read("x.yaml", &|_| Ok(text.clone())).unwrap_err();
    assert_eq!(problems.diagnostics[0].code, "movebook::too_large");
}

#[test]
fn includes_that_never_end_are_refused() {
    let files = std::cell::Cell::new(0);
    let fetch = |_: &str| {
        files.set(files.get() + 1);
        Ok(format!("movebook: 1\nname: x\nphases:\n  - include: x{}.yaml\n", files.get()))
    };
    let problems = runbook::read("x.yaml", &fetch).unwrap_err();
    assert!(problems.diagnostics.iter().any(|diagnostic| diagnostic.code == "movebook::too_many_includes"));
    assert!(files.get() < 200);
}
