//! Gathers from the file system what the guards judge, and nothing else: no decision is made here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::rights;
use crate::cancel::Cancel;
use crate::copy::PassError;
use crate::engine::rclone::place::{Found, Question, sum};
use crate::error::{Error, Result};
use crate::guard::{
    ClaimFacts, ClaimVerdict, FoundNow, Identity, PairFacts, PathStyle, Place, Protected, Purges, Refusal,
    TargetFacts, judge_claim, judge_pair, judge_path, judge_target,
};
use crate::plan::{Action, Adopt, Condition, CopyAction, Plan, PlannedStep, VerifyAction};
use crate::rclone::environment::kind_of;
use crate::rclone::remote::{self, Remote};
use crate::state::fold::RunState;
use crate::sys::{place, private_file, tree, who};

/// How many files of a full target are counted for a question.
const COUNTED: usize = 100_000;

/// Judges every pass that is sure to take place and whose values are known, before the run touches anything. What is
/// known only later is judged when its step begins.
///
/// # Errors
/// The first refusal, with exit code 7 and the step it is about.
pub(super) fn judge_plan(plan: &Plan, state: Option<&RunState>) -> Result<()> {
    for step in steps_that(plan, |condition| matches!(condition, Condition::Always)) {
        if state.is_some_and(|state| state.status(&step.id).is_final()) {
            continue;
        }
        let judged = match step.ready() {
            Some(Action::Copy(action)) => {
                judge_copy(action).and_then(|()| match (state, purges_in(plan, &action.to)) {
                    (None, Purges::Yes) => judge_found(plan, action),
                    _ => Ok(()),
                })
            }
            Some(Action::Verify(action)) => judge_verify(action),
            _ => Ok(()),
        };
        judged.map_err(|refusal| {
            Error::new(crate::error::ExitCode::Refused, format!("step {}: {}", step.id, refusal.reason))
                .hint(refusal.hint)
        })?;
    }
    Ok(())
}

/// Judges the paths of one pass, as it is about to begin.
pub fn judge_copy(action: &CopyAction) -> Result<(), Refusal> {
    let _rights = rights::to_look(action);
    match is_remote(&action.from, &action.to) {
        true => judge_remotes(action, Looked::Yes),
        false => judge_roots(&action.from, &action.to),
    }
}

/// Whether a side is a remote. Which engines reach one was judged by the plan.
fn is_remote(from: &Path, to: &Path) -> bool {
    [from, to].into_iter().any(|path| Remote::at(path).is_some())
}

/// Whether folders of this machine are looked at, or judged by their words alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looked {
    Yes,
    No,
}

/// Judges a pair of which a side is a remote. A remote and a folder are apart: whether the one leads to the other by some
/// server cannot be told. A remote whose storage is this machine is a folder.
fn judge_remotes(action: &CopyAction, looked: Looked) -> Result<(), Refusal> {
    let (from, to) = (action.from.as_path(), action.to.as_path());
    for path in [from, to] {
        if let Some(remote) = Remote::at(path) {
            remote.judge()?;
        }
    }
    let folders = [from, to].map(|path| folder_behind(path, &action.environment));
    for folder in folders.iter().flatten() {
        let style = if looked == Looked::Yes { PathStyle::native() } else { style_of(&text(folder)) };
        judge_path(&text(folder), style)?;
    }
    if let [_, Some(target)] = &folders {
        judge_target(&match looked {
            Looked::Yes => target_facts(target),
            Looked::No => target_facts_by_words(target),
        })?;
    }
    match &folders {
        [Some(source), Some(target)] => judge_pair(&pair_of(source, target, looked)),
        [_, None] => {
            let Some(target) = Remote::at(to) else { return Ok(()) };
            remote::judge_target(&target, kind_of(&action.environment, &target))?;
            Remote::at(from).map_or(Ok(()), |source| remote::judge_pair(&source, &target))
        }
        [None, Some(_)] => Ok(()),
    }
}

/// The folder of this machine that a side of a pass is, also where it is written as a remote.
fn folder_behind(path: &Path, environment: &IndexMap<String, String>) -> Option<PathBuf> {
    let Some(remote) = Remote::at(path) else { return Some(path.to_owned()) };
    (kind_of(environment, &remote) == Some("local")).then(|| remote.path_below().to_owned())
}

fn pair_of(from: &Path, to: &Path, looked: Looked) -> PairFacts {
    match looked {
        Looked::Yes => PairFacts { from: place(from), to: place(to) },
        Looked::No => PairFacts { from: place_by_words(text(from)), to: place_by_words(text(to)) },
    }
}

/// Judges a source and a target, as a pass is about to begin.
pub(super) fn judge_roots(from: &Path, to: &Path) -> Result<(), Refusal> {
    judge_spelling(from, to)?;
    judge_target(&target_facts(to))?;
    judge_pair(&PairFacts { from: place(from), to: place(to) })
}

/// Judges how the paths of a pass are spelled, without a look at them.
pub fn judge_paths(action: &CopyAction) -> Result<(), Refusal> {
    if is_remote(&action.from, &action.to) {
        return judge_remotes(action, Looked::No);
    }
    judge_spelling(&action.from, &action.to)
}

/// Judges the paths of a pass by their words alone, each in the style that it is written in: for a command that a person
/// types on any machine.
pub fn judge_words(action: &CopyAction) -> Result<(), Refusal> {
    if is_remote(&action.from, &action.to) {
        return judge_remotes(action, Looked::No);
    }
    let [from, to] = [&action.from, &action.to].map(|path| text(path));
    for path in [&from, &to] {
        judge_path(path, style_of(path))?;
    }
    judge_target(&target_facts_by_words(&action.to))?;
    judge_pair(&PairFacts { from: place_by_words(from), to: place_by_words(to) })
}

fn target_facts_by_words(to: &Path) -> TargetFacts {
    let to = text(to);
    let protected = who::home()
        .map(|home| Protected {
            what: "the home directory".to_owned(),
            path: text(&home),
            lineage: Vec::new(),
        })
        .into_iter()
        .collect();
    TargetFacts { style: style_of(&to), resolved: to.clone(), identity: None, protected, path: to }
}

/// A drive or a share is Windows', on any system.
fn style_of(path: &str) -> PathStyle {
    let has_drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    if has_drive || path.starts_with('\\') { PathStyle::Windows } else { PathStyle::Unix }
}

/// All of a path as if nothing of it were there, below one root for each style.
fn place_by_words(path: String) -> Place {
    let (root, separators) = match style_of(&path) {
        PathStyle::Windows => ("windows", &['\\', '/'][..]),
        PathStyle::Unix => ("unix", &['/'][..]),
    };
    // `\\?\` says how a path is read, and not where it leads.
    let missing = path.split(separators).filter(|part| !matches!(*part, "" | "." | "?")).map(str::to_owned);
    Place { missing: missing.collect(), lineage: vec![Identity(root.to_owned())], path }
}

fn judge_spelling(from: &Path, to: &Path) -> Result<(), Refusal> {
    [from, to].into_iter().try_for_each(|path| judge_path(&text(path), PathStyle::native()))
}

pub(super) fn judge_verify(action: &VerifyAction) -> Result<(), Refusal> {
    let _rights = rights::to_look_at(action);
    if is_remote(&action.from, &action.to) {
        // Both are only read, so that a root may be one, too.
        let remotes = [&action.from, &action.to].map(|path| Remote::at(path));
        for (path, remote) in [&action.from, &action.to].into_iter().zip(&remotes) {
            match remote {
                Some(remote) => remote.judge()?,
                None => judge_path(&text(path), PathStyle::native())?,
            }
        }
        let folders = [&action.from, &action.to].map(|path| folder_behind(path, &action.environment));
        return match (&folders, &remotes) {
            ([Some(from), Some(to)], _) => judge_pair(&pair_of(from, to, Looked::Yes)),
            (_, [Some(from), Some(to)]) => remote::judge_pair(from, to),
            _ => Ok(()),
        };
    }
    for path in [Some(&action.from), Some(&action.to), action.manifest.as_ref()].into_iter().flatten() {
        judge_path(&text(path), PathStyle::native())?;
    }
    judge_pair(&PairFacts { from: place(&action.from), to: place(&action.to) })
}

/// A target that a pass of this plan purges, and that is somebody else's, is refused before the first pass fills it.
pub fn judge_found(plan: &Plan, action: &CopyAction) -> Result<(), Refusal> {
    // What cannot be looked at yet is judged when the pass begins.
    let _rights = rights::to_look(action);
    let Ok((identity, found)) = found(action, &Cancel::new()) else { return Ok(()) };
    let facts = ClaimFacts {
        path: text(&action.to),
        identity,
        found,
        claimed: None,
        owned: false,
        purges: purges_in(plan, &action.to),
        adopt: adopted_in(plan, &action.to),
        agreed: false,
    };
    match judge_claim(&facts) {
        ClaimVerdict::Refuse(refusal) => Err(refusal),
        _ => Ok(()),
    }
}

/// What decides whose a target is.
pub(super) fn claim(
    plan: &Plan,
    action: &CopyAction,
    state: &RunState,
    cancel: &Cancel,
) -> io::Result<ClaimFacts> {
    let (identity, found) = found(action, cancel)?;
    let path = text(&action.to);
    let known = names_of(&action.to);
    let claimed = state.targets.get(&path).map(|target| Identity(target.identity.clone()));
    let purges = if action.purge.is_some() { Purges::Yes } else { purges_in(plan, &action.to) };
    let adopt = if action.adopt == Adopt::Ask { Adopt::Ask } else { adopted_in(plan, &action.to) };
    Ok(ClaimFacts {
        claimed: match claimed {
            Some(claimed) if known.contains(&claimed.0) => identity.clone(),
            claimed => claimed,
        },
        owned: known.iter().any(|identity| state.owns(identity)),
        agreed: known.iter().any(|identity| state.adoption_agreed(identity)),
        path,
        identity,
        found,
        purges,
        adopt,
    })
}

/// Whether any step of the plan purges in this target. A step whose target is known only later may.
fn purges_in(plan: &Plan, target: &Path) -> Purges {
    let purges = passes_into(plan, target).any(|step| match step.ready() {
        Some(Action::Copy(copy)) => copy.purge.is_some(),
        _ => step.detail["purge"].is_object(),
    });
    if purges { Purges::Yes } else { Purges::No }
}

/// Whether any step of the plan may take over this target.
fn adopted_in(plan: &Plan, target: &Path) -> Adopt {
    let asks = passes_into(plan, target)
        .any(|step| matches!(step.ready(), Some(Action::Copy(copy)) if copy.adopt == Adopt::Ask));
    if asks { Adopt::Ask } else { Adopt::No }
}

/// The copy steps that go into a target, or may.
fn passes_into<'p>(plan: &'p Plan, target: &'p Path) -> impl Iterator<Item = &'p PlannedStep> {
    let may_take_place = |condition: &Condition| !matches!(condition, Condition::Never { .. });
    steps_that(plan, may_take_place).filter(move |step| match step.ready() {
        Some(Action::Copy(copy)) => copy.to == target,
        Some(_) => false,
        None => {
            let to = step.detail["to"].as_str().unwrap_or_default();
            step.action == "copy" && (Path::new(to) == target || to.starts_with("(known after"))
        }
    })
}

/// The steps of which both their own and their phase's condition are of a kind.
fn steps_that<'p>(
    plan: &'p Plan,
    fits: impl Fn(&Condition) -> bool + Copy + 'p,
) -> impl Iterator<Item = &'p PlannedStep> {
    plan.phases
        .iter()
        .filter(move |phase| fits(&phase.condition))
        .flat_map(|phase| &phase.steps)
        .filter(move |step| fits(&step.condition))
}

/// Makes a target folder that is absent, with those above it, and says which folder it is. The disk has it when this
/// returns: the journal is about to name it, and a power cut must not take away what the journal names.
pub(super) fn make_target(action: &CopyAction, cancel: &Cancel) -> io::Result<Identity> {
    let path = action.to.as_path();
    if let Some(remote) = Remote::at(path) {
        question(action, cancel).and_then(|place| place.make()).map_err(io_error)?;
        return Ok(Identity(remote.identity()));
    }
    let mut made = Vec::new();
    for folder in path.ancestors() {
        match fs::metadata(folder) {
            // A share that does not answer has perhaps all of it.
            Err(error) if tree::is_out_of_reach(&error) => return Err(error),
            Err(_) => made.push(folder),
            Ok(_) => break,
        }
    }
    fs::create_dir_all(path)?;
    for above in made.iter().filter_map(|folder| folder.parent()) {
        private_file::sync_folder(above)?;
    }
    place::lasting_identity(path).map(Identity)
}

/// Which folder a path leads to now, if any, in the word that a journal keeps.
pub(super) fn identity(path: &Path) -> Option<Identity> {
    if let Some(remote) = Remote::at(path) {
        return Some(Identity(remote.identity()));
    }
    place::lasting_identity(path).ok().map(Identity)
}

/// Whether the folder that a path leads to is a run's own.
pub(super) fn owned(state: &RunState, path: &Path) -> bool {
    names_of(path).iter().any(|identity| state.owns(identity))
}

/// All words by which a journal may know the folder: the lasting one, and device and number, as earlier versions wrote it.
fn names_of(path: &Path) -> Vec<String> {
    if let Some(remote) = Remote::at(path) {
        return vec![remote.identity()];
    }
    let plain = place::Identity::of(path).map(|identity| identity.to_string());
    [place::lasting_identity(path), plain].into_iter().flatten().collect()
}

/// What is at a path now. Only the first entry is looked at.
fn found(action: &CopyAction, cancel: &Cancel) -> io::Result<(Option<Identity>, FoundNow)> {
    let path = action.to.as_path();
    if let Some(remote) = Remote::at(path) {
        // By its name: what is behind it is known to rclone alone.
        let identity = Some(Identity(remote.identity()));
        return match question(action, cancel).and_then(|place| place.found()).map_err(io_error)? {
            Found::Absent => Ok((None, FoundNow::Absent)),
            Found::Empty => Ok((identity, FoundNow::Empty)),
            Found::Full => Ok((identity, FoundNow::Full { files: 1 })),
        };
    }
    let mut entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if tree::is_absence(&error) => return Ok((None, FoundNow::Absent)),
        Err(error) => return Err(error),
    };
    let identity = Identity(place::lasting_identity(path)?);
    let found = match entries.next().transpose()? {
        None => FoundNow::Empty,
        Some(_) => FoundNow::Full { files: 1 },
    };
    Ok((Some(identity), found))
}

/// Regular files below a folder, up to a bound, for a person to judge by; what cannot be read does not count.
pub(super) fn count(action: &CopyAction, cancel: &Cancel) -> u64 {
    let path = action.to.as_path();
    if Remote::at(path).is_some() {
        let listing = question(action, cancel).and_then(|place| place.list()).ok().flatten();
        return listing.map_or(0, |listing| sum(&listing).files.min(COUNTED as u64));
    }
    let files = walkdir::WalkDir::new(path).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    files.take(COUNTED).take_while(|_| !cancel.is_requested()).count() as u64
}

/// The target of a step, as rclone is asked for it.
fn question<'a>(action: &CopyAction, cancel: &'a Cancel) -> Result<Question<'a>, PassError> {
    Question::new(&action.to, &action.environment, cancel)
}

fn io_error(error: PassError) -> io::Error {
    io::Error::other(error.to_string())
}

fn target_facts(path: &Path) -> TargetFacts {
    let located = place::Place::of(path).ok();
    let resolved = located.as_ref().map_or_else(
        || path.to_path_buf(),
        |located| {
            located.missing().iter().fold(located.nearest().to_path_buf(), |path, name| path.join(name))
        },
    );
    TargetFacts {
        path: text(path),
        resolved: text(&resolved),
        style: PathStyle::native(),
        identity: place::Identity::of(path).ok().map(|identity| Identity(identity.to_string())),
        protected: protected(),
    }
}

/// The home of the one who runs this. The system's own folders are known to the guard by name.
fn protected() -> Vec<Protected> {
    let Some(home) = who::home() else { return Vec::new() };
    let lineage = place(&home).lineage;
    vec![Protected { what: "the home directory".to_owned(), path: text(&home), lineage }]
}

fn place(path: &Path) -> Place {
    match place::Place::of(path) {
        Ok(located) => Place {
            path: text(path),
            lineage: located.identities().iter().map(|identity| Identity(identity.to_string())).collect(),
            missing: located.missing().iter().map(|name| name.to_string_lossy().into_owned()).collect(),
        },
        // Without a lineage the guard refuses: what cannot be told is not let through.
        Err(_) => Place { path: text(path), lineage: Vec::new(), missing: Vec::new() },
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
