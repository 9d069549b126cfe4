//! The account of a pass, held against a listing that knows nothing of the engine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::{ENGINES, Trees, put, quiet};
use crate::copy::{CopyPass, Extras, Rule, Tally};
use crate::filter::{Candidate, Filter, Rules};

/// What an entry of a random tree is like on each side.
#[derive(Clone, Debug)]
struct Entry {
    path: String,
    source: Option<(u8, u8)>,
    target: Option<(u8, u8)>,
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let path =
        prop_oneof!["[ab]", "[ab]/[ab]\\.(dat|fdb)", "temp/[a-c]\\.dat", "[c-f]\\.(dat|fdb)", "c/d/[a-e]"];
    // Few sizes and times, so that both sides often agree.
    let side = proptest::option::of((0u8..3, 0u8..2));
    let entry = (path, side.clone(), side).prop_map(|(path, source, target)| Entry { path, source, target });
    proptest::collection::vec(entry, 0..40)
}

fn rules() -> impl Strategy<Value = Rules> {
    let some = |pattern: &'static str| {
        proptest::bool::ANY.prop_map(move |on| if on { vec![pattern.to_owned()] } else { Vec::new() })
    };
    let size = proptest::option::weighted(0.3, 0u64..3);
    let depth = proptest::option::weighted(0.3, 1u32..4);
    (some("*.dat"), some("*.fdb"), some("temp"), size, depth).prop_map(
        |(include, exclude, exclude_directories, max_size, max_depth)| Rules {
            include,
            exclude,
            exclude_directories,
            max_size,
            max_depth,
            ..Rules::default()
        },
    )
}

/// Makes a tree; an entry in whose way another is, is left out.
fn make(root: &Path, path: &str, side: (u8, u8)) {
    let place = root.join(path);
    let blocked = place.is_dir() || place.ancestors().skip(1).any(Path::is_file);
    if !blocked {
        put(&place, &"x".repeat(side.0.into()), side.1.into());
    }
}

/// Counts by a plain listing.
#[derive(Debug, Default, PartialEq, Eq)]
struct Account {
    new: Tally,
    changed: Tally,
    same: Tally,
    mismatch: u64,
    filtered: BTreeMap<Rule, Tally>,
    kept: Tally,
    extra_filtered: Tally,
    extras: Vec<std::path::PathBuf>,
    target_files: u64,
}

fn account(trees: &Trees, filter: &Filter) -> Account {
    let mut account = Account::default();
    let judge = |root: &Path, path: &Path| {
        let metadata = fs::metadata(root.join(path)).unwrap();
        let candidate = Candidate { path, size: metadata.len(), modified: metadata.modified().unwrap() };
        (filter.judge(&candidate, jiff::Timestamp::now()), metadata)
    };
    let mut source = walkdir::WalkDir::new(&trees.from).min_depth(1).into_iter();
    while let Some(entry) = source.next() {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(&trees.from).unwrap();
        let there = fs::metadata(trees.to.join(path)).ok();
        if entry.file_type().is_dir() {
            if let Err(rule) = filter.judge_directory(path) {
                account.filtered.entry(rule).or_default().add(0);
                source.skip_current_dir();
            } else if there.is_some_and(|there| !there.is_dir()) {
                account.mismatch += 1;
                source.skip_current_dir();
            }
            continue;
        }
        let (judged, here) = judge(&trees.from, path);
        match (judged, there) {
            (Err(rule), _) => account.filtered.entry(rule).or_default().add(here.len()),
            (Ok(()), None) => account.new.add(here.len()),
            (Ok(()), Some(there)) if there.is_dir() => account.mismatch += 1,
            (Ok(()), Some(there)) => {
                let same = there.len() == here.len() && there.modified().unwrap() == here.modified().unwrap();
                if same { &mut account.same } else { &mut account.changed }.add(here.len());
            }
        }
    }
    for entry in walkdir::WalkDir::new(&trees.to).min_depth(1) {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(&trees.to).unwrap();
        // What is in the place of something else, or below a folder that no pass enters, is not looked at.
        let unseen = path.ancestors().skip(1).any(|above| {
            let source = trees.from.join(above);
            source.is_file()
                || (source.is_dir()
                    && !above.as_os_str().is_empty()
                    && filter.judge_directory(above).is_err())
        });
        if unseen || entry.file_type().is_dir() {
            continue;
        }
        account.target_files += 1;
        if trees.from.join(path).exists() {
            continue;
        }
        let pruned = path
            .ancestors()
            .skip(1)
            .any(|above| !above.as_os_str().is_empty() && filter.judge_directory(above).is_err());
        let (judged, metadata) = judge(&trees.to, path);
        if pruned || judged.is_err() {
            account.extra_filtered.add(metadata.len());
        } else {
            account.kept.add(metadata.len());
            account.extras.push(path.to_owned());
        }
    }
    account.target_files += account.new.files;
    account.extras.sort();
    account
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_file_is_in_exactly_one_bucket(entries in entries(), rules in rules()) {
        for engine in &ENGINES {
            let trees = Trees::new(&[]);
            fs::create_dir(&trees.to).unwrap();
            for entry in &entries {
                if let Some(side) = entry.source {
                    make(&trees.from, &entry.path, side);
                }
                if let Some(side) = entry.target {
                    make(&trees.to, &entry.path, side);
                }
            }
            let filter = Filter::new(rules.clone()).unwrap();
            let expected = account(&trees, &filter);
            let pass = CopyPass { filter, extras: Extras::List, ..trees.pass() };
            let surveyed = quiet(|watch| (engine.survey)(&pass, watch)).unwrap().outcome;
            let outcome = quiet(|watch| (engine.copy)(&pass, watch)).unwrap();
            prop_assert_eq!(&surveyed.summary, &outcome.summary);
            let summary = outcome.summary;
            let keep = CopyPass { extras: Extras::Keep, ..pass };
            let kept = quiet(|watch| (engine.survey)(&keep, watch)).unwrap().outcome.summary.kept;
            let mut extras: Vec<_> = outcome
                .extras
                .into_iter()
                .filter(|entry| entry.kind == crate::copy::EntryKind::File)
                .map(|entry| entry.path)
                .collect();
            extras.sort();
            let found = Account {
                new: summary.new,
                changed: summary.changed,
                same: summary.same,
                mismatch: summary.failed.files,
                filtered: summary.filtered,
                kept,
                extra_filtered: summary.extra_filtered,
                extras,
                target_files: outcome.target_files,
            };
            prop_assert_eq!(&expected, &found);
        }
    }
}
