//! Whether a folder may be a target at all, and whether it is this run's own.
//!
//! A target that held files before the run began is never the run's own unless a person agreed to that.

use super::path::{Parts, Root};
use super::{Identity, PathStyle, Refusal};
use crate::plan::Adopt;
use crate::state::record::{Found, Question};

/// A folder that nothing may be copied over: the root, a home, what the system is made of.
#[derive(Clone, Debug)]
pub struct Protected {
    /// For people: `the home directory`.
    pub what: String,
    pub path: String,
    /// Its own identity first, then those of its ancestors. Empty where it does not exist or cannot be looked at.
    pub lineage: Vec<Identity>,
}

#[derive(Clone, Debug)]
pub struct TargetFacts {
    /// As the plan has it.
    pub path: String,
    /// With all links resolved, as far as it exists.
    pub resolved: String,
    pub style: PathStyle,
    /// Its own identity, if it exists.
    pub identity: Option<Identity>,
    /// Folders of this machine that are known from its environment: homes, `%SystemRoot%`, `%ProgramFiles%`.
    pub protected: Vec<Protected>,
}

/// Refuses a drive or share root, a home, a system folder, and whatever lies above one of them.
pub fn judge_target(facts: &TargetFacts) -> Result<(), Refusal> {
    for text in [&facts.path, &facts.resolved] {
        let parts = Parts::split(text, facts.style)?;
        if parts.below_root().is_empty() {
            return Err(root(&facts.path, &parts.root));
        }
        if let Some(what) = system_folder(&parts) {
            return Err(protected(&facts.path, &what));
        }
        for folder in &facts.protected {
            let Ok(its_parts) = Parts::split(&folder.path, facts.style) else { continue };
            if is_at_or_above(&parts, &its_parts) {
                return Err(protected(&facts.path, &format!("{} ({})", folder.what, folder.path)));
            }
        }
    }
    let Some(identity) = &facts.identity else { return Ok(()) };
    match facts.protected.iter().find(|folder| folder.lineage.contains(identity)) {
        Some(folder) => Err(protected(&facts.path, &format!("{} ({})", folder.what, folder.path))),
        None => Ok(()),
    }
}

/// Folders that are the system's own with all that is in them.
const UNIX_SYSTEM: &[&str] = &[
    "bin",
    "boot",
    "dev",
    "etc",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "proc",
    "run",
    "sbin",
    "sys",
    "usr/bin",
    "usr/include",
    "usr/lib",
    "usr/lib32",
    "usr/lib64",
    "usr/libexec",
    "usr/sbin",
    "usr/share",
    "System",
    "Library",
    "Applications",
];
/// Folders that hold what others need; a folder of one's own may lie in them.
const UNIX_SHARED: &[&str] = &[
    "home",
    "media",
    "opt",
    "private",
    "root",
    "tmp",
    "usr",
    "usr/local",
    "var",
    "var/cache",
    "var/lib",
    "var/log",
    "var/spool",
    "var/tmp",
    "Users",
    "Volumes",
];
const WINDOWS_SYSTEM: &[&str] =
    &["windows", "$recycle.bin", "system volume information", "recovery", "boot", "efi"];
const WINDOWS_SHARED: &[&str] =
    &["program files", "program files (x86)", "programdata", "users", "documents and settings"];

fn system_folder(parts: &Parts<'_>) -> Option<String> {
    let below = parts.below_root();
    let (style, system, shared) = match parts.root {
        Root::Unix => (PathStyle::Unix, UNIX_SYSTEM, UNIX_SHARED),
        // The administrative shares of a drive (`\\server\c$`) are that drive.
        Root::Drive(_) | Root::Volume(_) | Root::Share(..) => {
            (PathStyle::Windows, WINDOWS_SYSTEM, WINDOWS_SHARED)
        }
    };
    if let Root::Share(_, share) = parts.root
        && !is_drive_share(share)
    {
        return None;
    }
    let within = |folder: &str| starts_with(below, &folder.split('/').collect::<Vec<_>>(), style);
    let at_or_above = |folder: &str| starts_with(&folder.split('/').collect::<Vec<_>>(), below, style);
    let found = system
        .iter()
        .find(|folder| within(folder))
        .or_else(|| system.iter().chain(shared).find(|folder| at_or_above(folder)))?;
    Some(format!("the system directory `{found}`"))
}

fn is_drive_share(share: &str) -> bool {
    share.eq_ignore_ascii_case("admin$")
        || matches!(share.as_bytes(), [letter, b'$'] if letter.is_ascii_alphabetic())
}

fn is_at_or_above(outer: &Parts<'_>, inner: &Parts<'_>) -> bool {
    let same_root = match (&outer.root, &inner.root) {
        (Root::Unix, Root::Unix) => {
            return starts_with(inner.below_root(), outer.below_root(), PathStyle::Unix);
        }
        (Root::Drive(one), Root::Drive(other)) => one == other,
        (Root::Volume(one), Root::Volume(other)) => one.eq_ignore_ascii_case(other),
        (Root::Share(server, share), Root::Share(other_server, other_share)) => {
            server.eq_ignore_ascii_case(other_server) && share.eq_ignore_ascii_case(other_share)
        }
        _ => false,
    };
    same_root && starts_with(inner.below_root(), outer.below_root(), PathStyle::Windows)
}

fn starts_with(path: &[&str], beginning: &[&str], style: PathStyle) -> bool {
    path.len() >= beginning.len()
        && path.iter().zip(beginning).all(|(one, other)| match style {
            PathStyle::Unix => one == other,
            PathStyle::Windows => one.to_lowercase() == other.to_lowercase(),
        })
}

/// How a target is found now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundNow {
    Absent,
    Empty,
    /// It holds something; the count may stop at a bound.
    Full {
        files: u64,
    },
}

/// Whether any pass of the run purges in this target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purges {
    No,
    Yes,
}

#[derive(Clone, Debug)]
pub struct ClaimFacts {
    pub path: String,
    /// What is there now; `None` if nothing is.
    pub identity: Option<Identity>,
    pub found: FoundNow,
    /// The identity that the journal has for this path, if the run claimed it before.
    pub claimed: Option<Identity>,
    /// Whether the run owns a folder of this identity under whatever path.
    pub owned: bool,
    pub purges: Purges,
    pub adopt: Adopt,
    /// Whether a person agreed to take over the folder of this very identity.
    pub agreed: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ClaimVerdict {
    /// It is this run's own.
    Own,
    /// It becomes so: the journal is to say it before anything is copied.
    Claim(Found),
    /// It is somebody else's; the pass only adds to it, and nothing is ever purged there.
    Foreign,
    Ask(Question),
    Refuse(Refusal),
}

/// Judges a target before a pass.
pub fn judge_claim(facts: &ClaimFacts) -> ClaimVerdict {
    if let Some(claimed) = &facts.claimed
        && facts.identity.as_ref() != Some(claimed)
    {
        return ClaimVerdict::Refuse(other_folder(facts));
    }
    if facts.claimed.is_some() || facts.owned {
        return ClaimVerdict::Own;
    }
    let files = match facts.found {
        FoundNow::Absent => return ClaimVerdict::Claim(Found::Absent),
        FoundNow::Empty => return ClaimVerdict::Claim(Found::Empty),
        FoundNow::Full { files } => files,
    };
    match (&facts.identity, facts.adopt, facts.purges) {
        (None, ..) => ClaimVerdict::Refuse(unknown(&facts.path)),
        (Some(_), Adopt::Ask, _) if facts.agreed => ClaimVerdict::Claim(Found::Adopted),
        (Some(identity), Adopt::Ask, _) => ClaimVerdict::Ask(Question::Adopt {
            path: facts.path.clone(),
            identity: identity.0.clone(),
            files,
        }),
        (Some(_), Adopt::No, Purges::Yes) => ClaimVerdict::Refuse(foreign(&facts.path)),
        (Some(_), Adopt::No, Purges::No) => ClaimVerdict::Foreign,
    }
}

fn root(path: &str, root: &Root<'_>) -> Refusal {
    let what = match root {
        Root::Unix => "the root of the file system",
        Root::Drive(_) | Root::Volume(_) => "the root of a drive",
        Root::Share(..) => "the root of a share",
    };
    Refusal::new(
        "target_is_root",
        format!("the target {path} is {what}"),
        "give a folder of its own below it",
    )
}

fn protected(path: &str, what: &str) -> Refusal {
    Refusal::new(
        "target_is_protected",
        format!("the target {path} is, holds or lies in {what}"),
        "give a folder that is for the copy alone",
    )
}

fn other_folder(facts: &ClaimFacts) -> Refusal {
    let what = if facts.identity.is_some() { "is another folder than" } else { "is gone since" };
    Refusal::new(
        "target_changed",
        format!("the target {} {what} the run began there", facts.path),
        "see that the right drive or share is mounted; for another target begin a new run with another state file",
    )
}

fn unknown(path: &str) -> Refusal {
    Refusal::new(
        "unknown_identity",
        format!("cannot tell which folder the target {path} is"),
        "see that it can be read",
    )
}

pub(super) fn foreign(path: &str) -> Refusal {
    Refusal::new(
        "foreign_target",
        format!(
            "the target {path} held files before this run began, and a purge would delete what is not its own"
        ),
        "give an empty or new folder, or set `adopt: true` on the step and confirm it when asked",
    )
}

#[cfg(test)]
mod tests;
