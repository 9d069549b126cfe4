//! Names of files and directories on robocopy's command line, as patterns of a filter.
//!
//! robocopy knows `*` and `?` alone: whatever else a filter's pattern has a meaning for stands for itself.

use super::Misuse;

const SEPARATORS: [char; 2] = ['/', '\\'];

/// Patterns of files to copy. Names alone; `*.*` and `*` are every file.
pub(super) fn included(names: &[String]) -> Result<Vec<String>, Misuse> {
    if let Some(path) = names.iter().find(|name| name.contains(SEPARATORS)) {
        return Err(Misuse::new(
            format!("`{path}` stands where a pattern of files is, and is a path"),
            "a path with a blank in it needs quotes; of source and target give one each, and behind them names like *.dat",
        ));
    }
    if names.iter().any(|name| matches!(name.as_str(), "*" | "*.*")) {
        return Ok(Vec::new());
    }
    Ok(names.iter().map(|name| pattern(name)).collect())
}

/// Patterns of what is kept out: names, or whole paths below the source or the target, which are given in all their
/// spellings. What is kept out is so on both sides; a path that is named on each is one pattern.
pub(super) fn excluded(names: &[String], switch: &str, roots: &[String]) -> Result<Vec<String>, Misuse> {
    let mut patterns = Vec::new();
    for name in names {
        let pattern = kept_out(name, switch, roots)?;
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    Ok(patterns)
}

/// Where the paths that are named below a root lie in it. Names alone are nowhere.
pub(super) fn named_below<'n>(names: &'n [String], roots: &[String]) -> Vec<Vec<&'n str>> {
    let paths = names.iter().map(|name| name.trim_end_matches(SEPARATORS));
    let paths = paths.filter(|path| path.contains(SEPARATORS));
    paths.filter_map(|path| roots.iter().find_map(|root| below(path, root))).collect()
}

fn kept_out(name: &str, switch: &str, roots: &[String]) -> Result<String, Misuse> {
    let trimmed = name.trim_end_matches(SEPARATORS);
    if !trimmed.contains(SEPARATORS) && !trimmed.is_empty() {
        return Ok(pattern(trimmed));
    }
    let below = roots.iter().find_map(|root| below(trimmed, root));
    match below {
        Some(parts) if !parts.is_empty() => {
            let patterns: Vec<String> = parts.into_iter().map(pattern).collect();
            Ok(format!("/{}", patterns.join("/")))
        }
        Some(_) => Err(Misuse::new(
            format!("`{name}` behind {switch} is the source or the target itself"),
            "leave it out, or give what is in it",
        )),
        None => Err(Misuse::new(
            format!("`{name}` behind {switch} is a path, and not one below the source or the target"),
            "write the name alone, which keeps it out wherever it is and on both sides, or a whole path that begins with the source or the target",
        )),
    }
}

/// The components of a path below a root.
fn below<'p>(path: &'p str, root: &str) -> Option<Vec<&'p str>> {
    let mut parts = path.split(SEPARATORS).filter(|part| !part.is_empty());
    for expected in root.split(SEPARATORS).filter(|part| !part.is_empty()) {
        if parts.next()?.to_lowercase() != expected.to_lowercase() {
            return None;
        }
    }
    Some(parts.collect())
}

fn pattern(name: &str) -> String {
    if name == "*.*" {
        // Of every name, with a dot or without.
        return "*".to_owned();
    }
    let mut pattern = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '*' if pattern.ends_with('*') => {}
            '[' | '{' | '}' => pattern.extend(['[', letter, ']']),
            letter => pattern.push(letter),
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept_out_by(name: &str) -> Result<String, Misuse> {
        kept_out(name, "/XF", &[r"C:\Mail Archive\".to_owned(), "/srv/old".to_owned()])
    }

    #[test]
    fn a_name_is_a_pattern_wherever_it_is() {
        assert_eq!(kept_out_by("index*").unwrap(), "index*");
        assert_eq!(kept_out_by(r"temp\").unwrap(), "temp");
    }

    #[test]
    fn a_path_below_the_source_is_meant_at_its_place_alone() {
        assert_eq!(kept_out_by(r"c:\mail archive\Temp\a.dat").unwrap(), "/Temp/a.dat");
        assert_eq!(kept_out_by(r"C:\Mail Archive\Temp\").unwrap(), "/Temp");
        assert_eq!(kept_out_by("/srv/old/d/a.dat").unwrap(), "/d/a.dat");
    }

    #[test]
    fn a_path_that_is_not_below_the_source_is_refused() {
        for path in [r"D:\new\temp", r"d\a.dat", r"C:\Mail Archive2\x", "/srv", "/srv/old/", "/"] {
            kept_out_by(path).unwrap_err();
        }
    }

    #[test]
    fn a_path_that_is_named_on_each_side_is_one_pattern() {
        let names = [r"C:\old\keep".to_owned(), r"D:\new\keep".to_owned()];
        let roots = [r"C:\old".to_owned(), r"D:\new\".to_owned()];
        assert_eq!(excluded(&names, "/XD", &roots).unwrap(), ["/keep"]);
        assert_eq!(named_below(&names, &roots[1..]), [["keep"]]);
        assert_eq!(named_below(&["keep".to_owned()], &roots), Vec::<Vec<&str>>::new());
    }

    #[test]
    fn what_is_a_pattern_in_a_filter_alone_stands_for_itself() {
        assert_eq!(pattern("a[1]{b}.dat"), "a[[]1][{]b[}].dat");
        assert_eq!(pattern("**.dat"), "*.dat");
    }

    #[test]
    fn every_name_has_a_pattern_of_its_own_alone() {
        use crate::filter::{Filter, Rules};

        for (name, others) in [("a[1].dat", ["a1.dat", "a.dat"]), ("{a,b}", ["a", "b"]), ("a]", ["a", "a]]"])]
        {
            let filter = Filter::new(Rules { include: vec![pattern(name)], ..Rules::default() }).unwrap();
            assert!(filter.judge_name(name.as_ref()).is_ok(), "{name}");
            assert!(others.iter().all(|other| filter.judge_name(other.as_ref()).is_err()), "{name}");
        }
    }

    #[test]
    fn star_dot_star_is_every_file() {
        let all = |name: &str| included(&[name.to_owned(), "a".to_owned()]).unwrap();
        assert!(all("*.*").is_empty() && all("*").is_empty());
        assert_eq!(pattern("*.*"), "*");
    }

    #[test]
    fn a_path_among_the_patterns_is_refused() {
        assert!(included(&[r"D:\new".to_owned()]).unwrap_err().message.contains(r"D:\new"));
    }
}
