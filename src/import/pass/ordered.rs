//! Filters in order, of which the first that matches decides, as rclone and rsync have them → the rules of a filter, in which
//! what is kept out always wins.
//!
//! Only lists that mean the same in both forms are carried over; the others are refused.

use super::Rules;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    In,
    Out,
}

/// What one filter of the list is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    Everything,
    /// Files that a pattern of the language matches.
    Files(String),
    /// Directories that a pattern matches, with all that is in them.
    Directories(String),
    /// Files and directories, where a pattern says nothing of the kind.
    Both(String),
}

/// One filter of the list, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered {
    pub sign: Sign,
    pub about: About,
    pub written: String,
}

/// Puts the list into the rules.
///
/// # Errors
/// The list lets nothing in, or has an exception that the rules cannot say.
pub fn put(list: &[Ordered], rules: &mut Rules) -> Result<(), String> {
    let end = list.iter().position(|filter| filter.about == About::Everything);
    let is_closed = end.is_some_and(|end| list[end].sign == Sign::Out);
    let list = &list[..end.unwrap_or(list.len())];
    let first_in = list.iter().position(|filter| filter.sign == Sign::In).unwrap_or(list.len());
    if is_closed && first_in == list.len() {
        return Err("its filters let nothing in: leave the last one out".to_owned());
    }
    let (outs, rest) = list.split_at(first_in);
    let last_in = rest.iter().rposition(|filter| filter.sign == Sign::In);
    let out_between = rest.iter().position(|filter| filter.sign == Sign::Out);
    // Behind the last that lets in, what keeps out is nothing new where the list is closed; else it has exceptions.
    let is_exception = match (out_between, is_closed) {
        (None, _) => false,
        (Some(_), false) => true,
        (Some(out), true) => last_in.is_some_and(|last| out < last),
    };
    if let (true, Some(out)) = (is_exception, out_between) {
        return Err(format!(
            "`{}` in front of `{}` is an exception, and in a filter what is kept out always wins: write two passes",
            rest[0].written, rest[out].written
        ));
    }
    for filter in outs {
        match &filter.about {
            About::Files(pattern) => rules.exclude.push(pattern.clone()),
            About::Directories(pattern) => rules.exclude_directories.push(pattern.clone()),
            About::Both(pattern) => {
                rules.exclude.push(pattern.clone());
                rules.exclude_directories.push(pattern.clone());
            }
            About::Everything => {}
        }
    }
    // Without an end, what is let in makes no difference: all else is, too.
    for filter in rest.iter().filter(|filter| is_closed && filter.sign == Sign::In) {
        match &filter.about {
            About::Files(pattern) => rules.include.push(pattern.clone()),
            About::Directories(pattern) => rules.include.push(format!("{}/**", anywhere(pattern))),
            About::Both(pattern) => {
                rules.include.extend([pattern.clone(), format!("{}/**", anywhere(pattern))]);
            }
            About::Everything => {}
        }
    }
    Ok(())
}

/// A name at any depth, as a path.
fn anywhere(pattern: &str) -> String {
    if pattern.contains('/') { pattern.to_owned() } else { format!("**/{pattern}") }
}

/// A pattern that matches at the end of a path, as a pattern of the language, which matches names or whole paths.
///
/// # Errors
/// It says something that no pattern of the language does.
pub fn pattern(written: &str) -> Result<String, String> {
    let refused = |why: &str| Err(format!("`{written}` {why}: write the filter by hand"));
    if written.contains('\\') {
        return refused("has a backslash in it");
    }
    if written.contains("{{") {
        return refused("holds a regular expression");
    }
    let below_root = written.starts_with('/');
    let inner = written.trim_start_matches('/');
    if inner.replace("**/", "").contains("**") && !inner.ends_with("/**") {
        return refused("has `**` within a name");
    }
    Ok(match (below_root, inner.contains('/')) {
        (true, _) => format!("/{inner}"),
        (false, true) if !inner.starts_with("**/") => format!("**/{inner}"),
        (false, _) => inner.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(list: &[&str]) -> Result<Rules, String> {
        let filters: Vec<Ordered> = list
            .iter()
            .map(|written| {
                let (sign, text) = written.split_at(2);
                let about = match text {
                    "**" => About::Everything,
                    text => match text.strip_suffix('/') {
                        Some(folder) => About::Directories(folder.to_owned()),
                        None => About::Files(text.to_owned()),
                    },
                };
                let sign = if sign == "+ " { Sign::In } else { Sign::Out };
                Ordered { sign, about, written: (*written).to_owned() }
            })
            .collect();
        let mut rules = Rules::default();
        put(&filters, &mut rules).map(|()| rules)
    }

    #[test]
    fn lists_that_mean_the_same_are_carried_over() {
        let found = rules(&["- index*", "- tmp/", "+ *.dat", "- **"]).unwrap();
        assert_eq!(
            (found.include, found.exclude, found.exclude_directories),
            (vec!["*.dat".to_owned()], vec!["index*".to_owned()], vec!["tmp".to_owned()])
        );
        assert_eq!(rules(&["+ *.dat", "- index*", "- **"]).unwrap().exclude, Vec::<String>::new());
        assert_eq!(rules(&["- a", "+ b"]).unwrap().include, Vec::<String>::new());
        assert_eq!(rules(&["+ a/", "- **", "- b"]).unwrap().include, ["**/a/**"]);
    }

    #[test]
    fn exceptions_and_lists_that_let_nothing_in_are_refused() {
        for list in
            [&["+ keep.dat", "- *.dat"][..], &["+ a", "- b", "+ c", "- **"], &["- a", "- **"], &["- **"]]
        {
            rules(list).unwrap_err();
        }
    }

    #[test]
    fn patterns_match_where_they_did() {
        for (written, expected) in [
            ("*.dat", "*.dat"),
            ("/a", "/a"),
            ("a/b", "**/a/b"),
            ("/a/b/*.x", "/a/b/*.x"),
            ("a/**", "**/a/**"),
            ("**/a", "**/a"),
        ] {
            assert_eq!(pattern(written).as_deref(), Ok(expected));
        }
        for written in ["a**b", r"a\*", "{{x}}"] {
            pattern(written).unwrap_err();
        }
    }
}
