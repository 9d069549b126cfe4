//! Whether robocopy calls extra what a purge would take away, by its own list (`/l`). Pure.
//!
//! Two who disagree about a deletion delete nothing. Links are movebook's affair alone: robocopy is told to leave them out,
//! or copies them, and does not name them among the extras.

use std::collections::{HashMap, HashSet};

use super::output::text::UNKNOWN;
use super::output::{Side, Told, can_be};
use crate::copy::{EntryKind, ExtraEntry, names};
use crate::filter::{Filter, Rules};

/// What the two say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opinion {
    /// What the purge would take away and robocopy does not call extra.
    pub disputed: Vec<String>,
    /// Files that robocopy calls extra, and that would stay though the filter lets them in.
    pub staying: Vec<String>,
    /// How many marked entries have no place in the lists, so that nobody can tell.
    pub unread: u64,
}

/// Compares the lists. `deep` says whether the pass enters directories at all.
pub fn compare(told: &Told, extras: &[ExtraEntry], filter: &Filter, deep: Deep) -> Opinion {
    let marked: Vec<&str> = told
        .marked
        .iter()
        .filter(|place| place.side == Side::Target)
        .map(|place| place.path.trim_end_matches('/'))
        .filter(|path| !path.is_empty())
        .collect();
    let known: HashSet<String> = marked.iter().map(|path| path.to_lowercase()).collect();
    let torn = Torn::of(marked.iter().copied().filter(|path| path.contains(['?', UNKNOWN])));
    let is_marked = |path: &str| known.contains(&path.to_lowercase()) || torn.have(path);
    let ours: Vec<(String, EntryKind)> =
        extras.iter().map(|extra| (names::shown(&extra.path), extra.kind)).collect();
    let disputed = ours
        .iter()
        .filter(|(_, kind)| matches!(kind, EntryKind::File | EntryKind::Directory))
        .filter(|(path, _)| !with_those_above(path).any(is_marked))
        .map(|(path, _)| path.clone())
        .collect();
    let going: HashSet<String> = ours.iter().map(|(path, _)| path.to_lowercase()).collect();
    let staying = told
        .marked
        .iter()
        .filter(|place| place.side == Side::Target && !place.path.ends_with('/'))
        .map(|place| place.path.as_str())
        .filter(|path| !path.contains(['?', UNKNOWN]) && !going.contains(&path.to_lowercase()))
        .filter(|path| lets_in(filter, path, deep))
        .map(str::to_owned)
        .collect();
    Opinion { disputed, staying, unread: told.marked_in_all - told.marked.len() as u64 }
}

/// Paths that lost letters on their way, by what is left of them: there may be as many of them as there are paths.
struct Torn<'a>(HashMap<String, HashSet<&'a str>>);

impl<'a> Torn<'a> {
    fn of(paths: impl Iterator<Item = &'a str>) -> Self {
        let mut torn: HashMap<String, HashSet<&str>> = HashMap::new();
        for path in paths {
            torn.entry(certain(path)).or_default().insert(path);
        }
        Self(torn)
    }

    fn have(&self, path: &str) -> bool {
        self.0.get(&certain(path)).is_some_and(|torn| torn.iter().any(|torn| can_be(torn, path)))
    }
}

/// What no code page loses of a path: its ASCII letters, with one mark for each run of others.
fn certain(path: &str) -> String {
    let mut kept = String::with_capacity(path.len());
    for letter in path.chars() {
        match letter.is_ascii() && letter != '?' {
            true => kept.push(letter.to_ascii_lowercase()),
            false if kept.ends_with(UNKNOWN) => {}
            false => kept.push(UNKNOWN),
        }
    }
    kept
}

/// Whether a pass goes below the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deep {
    Top,
    All,
}

/// A path and the directories that it lies in.
fn with_those_above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(above, _)| above))
}

fn lets_in(filter: &Filter, path: &str, deep: Deep) -> bool {
    let Rules { min_age, max_age, min_size, max_size, .. } = filter.rules();
    // robocopy's list does not say how old a file is.
    let has_limits = min_age.is_some() || max_age.is_some() || min_size.is_some() || max_size.is_some();
    // What movebook keeps for itself is in no pass.
    let is_own = path.split('/').any(|name| name.starts_with(".movebook-"));
    let is_reached = deep == Deep::All || !path.contains('/');
    !has_limits && !is_own && is_reached && filter.admits_by_name(&names::path_of(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::robocopy::output::{Reading, Roots};

    fn told(lines: &[&str]) -> Told {
        let mut reading = Reading::new(Roots::new(r"C:\old", r"D:\new"));
        lines.iter().for_each(|line| reading.feed(format!("\t*x\t\t5\t{line}\r\n").as_bytes()));
        reading.finish()
    }

    fn extra(path: &str, kind: EntryKind) -> ExtraEntry {
        ExtraEntry { path: path.into(), kind, bytes: 5 }
    }

    fn opinion(lines: &[&str], extras: &[ExtraEntry], rules: Rules) -> Opinion {
        compare(&told(lines), extras, &Filter::new(rules).unwrap(), Deep::All)
    }

    #[test]
    fn two_lists_that_say_the_same_leave_nothing_to_say() {
        use EntryKind::{Directory, File, Link};
        let extras = [
            extra("a.dat", File),
            extra("weg/tief/b.dat", File),
            extra("weg/tief", Directory),
            extra("weg", Directory),
            extra("link", Link),
        ];
        let lines = [r"D:\new\A.DAT", r"d:\NEW\weg\"];
        assert_eq!(opinion(&lines, &extras, Rules::default()), Opinion::default());
    }

    #[test]
    fn what_robocopy_does_not_call_extra_is_disputed() {
        let extras =
            [extra("a", EntryKind::File), extra("b", EntryKind::File), extra("ab", EntryKind::Directory)];
        // In the source it is a mismatch, and no extra.
        let lines = [r"D:\new\a", r"C:\old\b", r"D:\newer\ab\"];
        assert_eq!(opinion(&lines, &extras, Rules::default()).disputed, ["b", "ab"]);
    }

    #[test]
    fn a_name_that_lost_a_letter_on_its_way_can_be_the_one() {
        let extras = [extra("größe", EntryKind::File), extra("große", EntryKind::File)];
        // No code page loses an `o`.
        assert_eq!(opinion(&[r"D:\new\gr??e"], &extras, Rules::default()).disputed, ["große"]);
        assert_eq!(opinion(&[r"D:\new\gr?sse"], &extras, Rules::default()).disputed.len(), 2);
    }

    #[test]
    fn torn_names_are_looked_for_by_what_is_left_of_them() {
        let paths: Vec<String> = (0..100).map(|number| format!("gr??e-{number}")).collect();
        let torn = Torn::of(paths.iter().map(String::as_str));
        assert_eq!(torn.0.len(), 100);
        assert!(torn.0.values().all(|names| names.len() == 1));
        assert!(torn.have("größe-99") && !torn.have("größe-100") && !torn.have("gräßen-9"));
        // A letter that came is certain, too.
        assert!(!Torn::of(["gr\u{E4}?e"].into_iter()).have("größe"));
    }

    #[test]
    fn what_would_stay_is_told_where_the_filter_lets_it_in() {
        let lines = [r"D:\new\x.tmp", r"D:\new\temp\y", r"D:\new\z", r"D:\new\.movebook-quarantine\run\a"];
        let rules = Rules {
            exclude: vec!["*.tmp".into()],
            exclude_directories: vec!["temp".into()],
            ..Rules::default()
        };
        assert_eq!(opinion(&lines, &[], rules.clone()).staying, ["z"]);
        let aged = Rules { min_size: Some(1), ..rules };
        assert!(opinion(&lines, &[], aged).staying.is_empty());
    }

    #[test]
    fn a_mark_without_a_place_is_counted() {
        assert_eq!(opinion(&[r"E:\elsewhere\x"], &[], Rules::default()).unread, 1);
    }
}
