//! Names that the target's system does not have: told before a pass, and errors of their entries in it.

use super::trouble::{Trouble, Troubled};
use super::*;
use crate::copy::{ErrorClass, FileError};
use crate::sys::tree::NameRules;

struct Windows;

impl Trouble for Windows {
    const NAMES: NameRules = NameRules::OfWindows;
}

fn told(errors: &[FileError]) -> Vec<(&str, ErrorClass)> {
    errors.iter().map(|error| (error.path.as_str(), error.class)).collect()
}

#[test]
fn names_that_windows_does_not_have_are_told_by_a_survey_and_not_lost_in_a_pass() {
    let trees = Trees::new(&["good", "mail.", "aux.dat", "folder /below", "d/nul", "d/good", "kept:out"]);
    let filter = Filter::new(Rules { exclude: vec!["kept*".into()], ..Rules::default() }).unwrap();
    let pass = CopyPass { filter, ..trees.pass() };
    let cancel = Cancel::new();
    let watch = Watch { progress: &|_| {}, cancel: &cancel, account: None };
    let expected = ["aux.dat", "d/nul", "folder /", "mail."].map(|path| (path, ErrorClass::Permanent));
    let before = survey::<Troubled<Windows>>(&pass, &watch).unwrap();
    assert_eq!(told(&before.outcome.summary.errors), expected);
    let outcome = copy::<Troubled<Windows>>(&pass, &watch).unwrap();
    assert_eq!(told(&outcome.summary.errors), expected);
    assert!(outcome.summary.errors[3].error.contains("it ends with a dot: rename it in the source"));
    assert_eq!(outcome.summary.new.files, 2);
    let there = walkdir::WalkDir::new(&trees.to).min_depth(1).sort_by_file_name();
    let there: Vec<_> = there
        .into_iter()
        .map(|entry| entry.unwrap().path().strip_prefix(&trees.to).unwrap().to_owned())
        .collect();
    assert_eq!(there, ["d", "d/good", "good"].map(PathBuf::from));
}
