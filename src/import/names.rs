//! Names for what a runbook holds: ids of steps, names of filters and variables, made from what they name.

use std::collections::HashSet;
use std::time::Duration;

use crate::filter::Rules;
use crate::runbook::template;
use crate::values;

/// Longer names are no names.
const LONGEST: usize = 60;

/// Words of the template language and of YAML, and what they have for other things.
const RESERVED: &[&str] = &[
    "answers",
    "env",
    "item",
    "loop",
    "run",
    "self",
    "steps",
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "elif",
    "endif",
    "for",
    "endfor",
    "set",
    "endset",
    "true",
    "false",
    "none",
    "null",
    "recursive",
    "raw",
    "endraw",
    "filter",
    "endfilter",
    "with",
    "endwith",
    "macro",
    "endmacro",
    "call",
    "endcall",
    "do",
    "block",
    "endblock",
    "extends",
    "include",
    "import",
    "from",
    "autoescape",
    "endautoescape",
    "super",
    "caller",
    "varargs",
    "kwargs",
    "break",
    "continue",
];

/// Names that were given, so that none is given twice.
#[derive(Clone, Debug, Default)]
pub struct Taken(HashSet<String>);

impl Taken {
    /// For variables: what the template language has for other things is taken.
    pub fn by_templates() -> Self {
        let environment = template::environment();
        let functions = environment.globals().map(|(name, _)| name.to_owned());
        Self(RESERVED.iter().map(|word| (*word).to_owned()).chain(functions).collect())
    }

    /// The name itself, or with the first number behind it that makes it a new one.
    pub fn give(&mut self, name: &str, joined_by: char) -> String {
        let mut given = name.to_owned();
        let mut number = 2;
        while !self.0.insert(given.clone()) {
            given = format!("{name}{joined_by}{number}");
            number += 1;
        }
        given
    }
}

/// Small letters, digits and hyphens; nothing where the text has no letter and no digit.
pub fn id(text: &str) -> String {
    let mut id = String::new();
    for letter in text.to_lowercase().chars() {
        match letter {
            'a'..='z' | '0'..='9' => id.push(letter),
            'ä' => id.push_str("ae"),
            'ö' => id.push_str("oe"),
            'ü' => id.push_str("ue"),
            'ß' => id.push_str("ss"),
            _ if id.is_empty() || id.ends_with('-') => {}
            _ => id.push('-'),
        }
        if id.len() >= LONGEST {
            break;
        }
    }
    id.trim_end_matches('-').to_owned()
}

/// A variable's name; it begins with a letter.
pub fn variable(text: &str) -> String {
    let name = id(text).replace('-', "_");
    match name.chars().next() {
        None => "value".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("value_{name}"),
        Some(_) => name,
    }
}

/// What a filter lets in and keeps out, in its name: `only-dat-no-index-aged-1d`.
pub fn filter(rules: &Rules) -> String {
    let Rules {
        include,
        exclude,
        exclude_directories,
        min_age,
        max_age,
        min_size,
        max_size,
        max_depth,
        case: _,
    } = rules;
    let mut parts = Vec::new();
    for (word, patterns) in [("only", include), ("no", exclude), ("not-below", exclude_directories)] {
        // Keeping a name out as a file and as a folder is one thing to people.
        if word == "not-below" && patterns == exclude {
            continue;
        }
        parts.extend(patterned(word, patterns));
    }
    for (word, age) in [("aged", min_age), ("within", max_age)] {
        parts.extend(age.map(|age: Duration| format!("{word}-{}", id(&values::written(age)))));
    }
    for (word, bytes) in [("from", min_size), ("up-to", max_size)] {
        parts.extend(bytes.map(|bytes| format!("{word}-{}", id(&values::written_size(bytes)))));
    }
    parts.extend(max_depth.map(|levels| format!("top-{levels}")));
    let name = parts.join("-");
    if name.len() > LONGEST || name.is_empty() { "filter".to_owned() } else { name }
}

fn patterned(word: &str, patterns: &[String]) -> Option<String> {
    let names: Vec<String> =
        patterns.iter().map(|pattern| id(pattern)).filter(|name| !name.is_empty()).collect();
    match names.as_slice() {
        [] if patterns.is_empty() => None,
        [] => Some(format!("{word}-some")),
        [one] => Some(format!("{word}-{one}")),
        [one, two] => Some(format!("{word}-{one}-{two}")),
        [one, ..] => Some(format!("{word}-{one}-and-others")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_what_they_name() {
        assert_eq!(id("MailStore Server"), "mailstore-server");
        assert_eq!(id("Büro & Straße.cmd"), "buero-strasse-cmd");
        assert_eq!([id("%"), id("--"), id("\u{202e}")], [""; 3]);
        assert_eq!([variable("OLD"), variable("2"), variable("é")].join(" "), "old value_2 value");
        assert!(id(&"x".repeat(1000)).len() <= LONGEST + 1);
    }

    #[test]
    fn a_filter_is_named_after_its_rules() {
        let list = |patterns: &[&str]| patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let day = Some(Duration::from_secs(86_400));
        let rules =
            Rules { include: list(&["*.dat"]), exclude: list(&["index*"]), min_age: day, ..Rules::default() };
        assert_eq!(filter(&rules), "only-dat-no-index-aged-1d");
        let rules = Rules { exclude: list(&["*.fdb"]), ..Rules::default() };
        assert_eq!(filter(&rules), "no-fdb");
        let rules =
            Rules { exclude_directories: list(&["a", "b", "c"]), max_depth: Some(2), ..Rules::default() };
        assert_eq!(filter(&rules), "not-below-a-and-others-top-2");
        let rules = Rules { exclude: list(&["~$*"]), ..Rules::default() };
        assert_eq!(filter(&rules), "no-some");
    }

    #[test]
    fn no_name_is_given_twice_and_none_that_templates_have() {
        let mut taken = Taken::by_templates();
        assert_eq!(
            ["source", "source", "in", "range"].map(|name| taken.give(name, '_')),
            ["source", "source_2", "in_2", "range_2"]
        );
    }
}
