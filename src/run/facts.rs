//! Gathers from the file system what the guards judge, and nothing else: no decision is made here.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::error::Result;
use crate::guard::{self, ClaimVerdict};
use crate::guard::{
    ClaimFacts, FoundNow, Identity, PairFacts, PathStyle, Place, Protected, Purges, Refusal, TargetFacts,
    judge_claim, judge_pair, judge_path, judge_target,
};
use crate::plan::{Action, CopyAction, Plan, VerifyAction, Work};
use crate::state::fold::RunState;
use crate::sys::place;
use crate::sys::who;

/// How many entries of a full target are counted for a question.
const COUNTED: u64 = 100_000;

/// Judges every pass of a plan whose values are known, before the run touches anything.
///
/// # Errors
/// The first refusal, with exit code 7.
pub(super) fn judge_plan(plan: &Plan, state: Option<&RunState>) -> Result<()> {
    for step in plan.steps() {
        if state.is_some_and(|state| state.status(&step.id).is_final()) {
            continue;
        }
        match &step.work {
            Work::Ready(Action::Copy(action)) => {
                judge_copy(action)?;
                if let (None, guard::Purges::Yes) = (state, purges_in(plan, &action.to))
                    && let Some(refusal) = foreign(action)
                {
                    return Err(refusal.into());
                }
            }
            Work::Ready(Action::Verify(action)) => judge_verify(action)?,
            _ => {}
        }
    }
    Ok(())
}

/// Judges the paths of one pass, as it is about to begin.
pub(super) fn judge_copy(action: &CopyAction) -> Result<(), Refusal> {
    for path in [&action.from, &action.to] {
        judge_path(&text(path), PathStyle::native())?;
    }
    judge_target(&target_facts(&action.to))?;
    judge_pair(&PairFacts { from: place(&action.from), to: place(&action.to) })
}

pub(super) fn judge_verify(action: &VerifyAction) -> Result<(), Refusal> {
    for path in [Some(&action.from), Some(&action.to), action.manifest.as_ref()].into_iter().flatten() {
        judge_path(&text(path), PathStyle::native())?;
    }
    judge_pair(&PairFacts { from: place(&action.from), to: place(&action.to) })
}

/// A target that a later pass would purge, and that is somebody else's, is refused before the first pass fills it.
fn foreign(action: &CopyAction) -> Option<Refusal> {
    let (identity, found) = found(&action.to).ok()?;
    let facts = ClaimFacts {
        path: text(&action.to),
        identity,
        found,
        claimed: None,
        owned: false,
        purges: Purges::Yes,
        adopt: action.adopt,
        agreed: false,
    };
    match judge_claim(&facts) {
        ClaimVerdict::Refuse(refusal) => Some(refusal),
        _ => None,
    }
}

/// What decides whose a target is.
pub(super) fn claim(action: &CopyAction, state: &RunState, purges: Purges) -> io::Result<ClaimFacts> {
    let (identity, found) = found(&action.to)?;
    let path = text(&action.to);
    let known = identity.as_ref().map(|identity| identity.0.as_str());
    Ok(ClaimFacts {
        claimed: state.targets.get(&path).map(|target| Identity(target.identity.clone())),
        owned: known.is_some_and(|identity| state.owns(identity)),
        agreed: known.is_some_and(|identity| state.adoption_agreed(identity)),
        path,
        identity,
        found,
        purges,
        adopt: action.adopt,
    })
}

/// Whether any step of the plan purges in this target.
pub(super) fn purges_in(plan: &Plan, target: &Path) -> Purges {
    let purges = plan.steps().any(|step| {
        matches!(&step.work, Work::Ready(Action::Copy(copy)) if copy.to == target && copy.purge.is_some())
    });
    if purges { Purges::Yes } else { Purges::No }
}

/// Makes a target folder that is absent, with those above it, and says which folder it is.
pub(super) fn make_target(path: &Path) -> io::Result<Identity> {
    fs::create_dir_all(path)?;
    Ok(Identity(place::Identity::of(path)?.to_string()))
}

/// Which folder a path leads to now, if any.
pub(super) fn identity(path: &Path) -> Option<Identity> {
    place::Identity::of(path).ok().map(|identity| Identity(identity.to_string()))
}

/// What is at a path now.
fn found(path: &Path) -> io::Result<(Option<Identity>, FoundNow)> {
    let mut entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((None, FoundNow::Absent)),
        Err(error) => return Err(error),
    };
    let identity = Identity(place::Identity::of(path)?.to_string());
    let found = match entries.next().transpose()? {
        None => FoundNow::Empty,
        Some(_) => FoundNow::Full { files: count(path) },
    };
    Ok((Some(identity), found))
}

/// Regular files below a folder, up to [`COUNTED`]; what cannot be read does not count.
fn count(path: &Path) -> u64 {
    let files = walkdir::WalkDir::new(path).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    files.take(COUNTED as usize).count() as u64
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
        identity: identity(path),
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
