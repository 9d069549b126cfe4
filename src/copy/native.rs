//! The built-in engine: it walks source and target together, directory by directory, with many workers.
//!
//! What it never does, whatever it meets:
//! - follow a link below a root, on either side: all calls are relative to open directories;
//! - give a file its final name before its content is whole, or open an old good file for writing;
//! - delete anything to make room for something else; only [`purge`](Engine::purge) takes away, and only what it is told;
//! - write anything at all in a survey.
//!
//! How it gets fast: a queue over directories with the newest first, so that few are open; directories with many names
//! are split; large files are jobs of their own, which those help with who have nothing else to do; small files go
//! through one reused buffer by plain read and write, with no calls but look, open, read, open, write, look, set the
//! time, close, close (and rename, where the directory was there before); one flush at the end.

mod attributes;
mod compare;
mod decide;
mod distrust;
mod failure;
mod hard_links;
mod large;
mod meter;
mod node;
mod pass;
mod purge;
mod queue;
mod root;
mod streams;
mod temporary;
mod throttle;
mod transfer;
mod under_way;
mod verify;
mod walk;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::verify::manifest::Manifest;
use super::verify::{Verification, VerifyPass};
use super::{
    CopyPass, Directories, Disposal, Engine, ExtraEntry, Method, OnErrors, PassError, PassOutcome, Preserved,
    Priority, Purged, Survey, Watch, names,
};
use crate::sys::hold::{self, Held};
use crate::sys::priority;
use crate::sys::tree::{self, Directory, Here};
use crate::sys::volume;
use attributes::Attributes;
use hard_links::HardLinks;
use node::{Origin, TargetSide};
use pass::{Deed, PassHandler};
use temporary::TemporaryNames;
use throttle::Throttle;
use verify::VerifyHandler;
use walk::{Depth, OldListings, Orders};

/// The engine that a run uses unless told otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native;

impl Engine for Native {
    fn survey(&self, pass: &CopyPass, watch: &Watch<'_>) -> Result<Survey, PassError> {
        survey::<Here>(pass, watch)
    }

    fn copy(&self, pass: &CopyPass, watch: &Watch<'_>) -> Result<PassOutcome, PassError> {
        copy::<Here>(pass, watch)
    }

    fn purge(
        &self,
        pass: &CopyPass,
        extras: &[ExtraEntry],
        disposal: &Disposal,
        watch: &Watch<'_>,
    ) -> Result<Purged, PassError> {
        let _held = hold(&pass.to)?;
        at(pass.priority, || purge::purge::<Here>(pass, extras, disposal, watch))
    }
}

impl Native {
    /// Says what is left of a pass that must be clean, and believes no listing that may be older than what was done.
    pub fn survey_afresh(&self, pass: &CopyPass, watch: &Watch<'_>) -> Result<Survey, PassError> {
        let source = open::<Here>(&pass.from, "source")?;
        let target = open_target::<Here>(&pass.to)?;
        go(pass, Deed::Survey, OldListings::WaitedOut, source, target, watch)
    }
}

/// Gives way as the workers of a pass do: on a thread that ends with the work, since none takes a lower priority back.
fn at<T: Send>(wanted: Priority, work: impl FnOnce() -> T + Send) -> T {
    match wanted {
        Priority::Normal => work(),
        Priority::Gentle => std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                // The pass before has said that it does not give way, and why.
                let _ = priority::lower_this_thread();
                work()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        }),
    }
}

pub(super) fn verify(pass: &VerifyPass, watch: &Watch<'_>) -> Result<Verification, PassError> {
    verify_with::<Here>(pass, watch)
}

fn survey<D: Directory>(pass: &CopyPass, watch: &Watch<'_>) -> Result<Survey, PassError> {
    let source = open::<D>(&pass.from, "source")?;
    let target = open_target::<D>(&pass.to)?;
    go(pass, Deed::Survey, OldListings::Believed, source, target, watch)
}

fn copy<D: Directory>(pass: &CopyPass, watch: &Watch<'_>) -> Result<PassOutcome, PassError> {
    // Before anything is made: what is asked for and cannot be done is refused.
    let attributes = Attributes::new::<D>(pass.preserve, &pass.to)?;
    let source = open::<D>(&pass.from, "source")?;
    let target = match open_target::<D>(&pass.to)? {
        Some(side) => side,
        None => {
            let like =
                source.own_status().map_err(|error| fatal("cannot look at the source", &pass.from, error))?;
            let origin = match D::make_root(&pass.to, &attributes.first_permissions(&like)) {
                Ok(()) => Origin::MadeByThisPass,
                // Someone was faster.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Origin::Found,
                Err(error) => return Err(fatal("cannot make the target", &pass.to, error)),
            };
            TargetSide::new(open::<D>(&pass.to, "target")?, origin)
        }
    };
    let ground = Ground::<D>::take(&pass.to)?;
    let old_listings = match pass.errors {
        OnErrors::Tolerate => OldListings::Believed,
        OnErrors::Fail => OldListings::WaitedOutInSource,
    };
    let survey = go(pass, Deed::Copy, old_listings, source, Some(target), watch)?;
    ground.flush()?;
    Ok(survey.outcome)
}

fn go<D: Directory>(
    pass: &CopyPass,
    deed: Deed,
    old_listings: OldListings,
    source: D,
    target: Option<TargetSide<D>>,
    watch: &Watch<'_>,
) -> Result<Survey, PassError> {
    tree::allow_many_handles();
    let orders = Orders {
        filter: &pass.filter,
        started: pass.started,
        depth: if pass.directories == Directories::None { Depth::Top } else { Depth::All },
        old_listings,
        retries: pass.retries,
        wait: pass.wait,
        threads: pass.threads,
        throttle: Throttle::new(pass.bandwidth.as_ref()),
    };
    let attributes = Attributes::new::<D>(pass.preserve, &pass.to)?;
    let hard_links = if pass.preserve.holds(Preserved::HardLinks) {
        hard_links::Wanted::Yes
    } else {
        hard_links::Wanted::No
    };
    let handler = PassHandler {
        pass,
        deed,
        tolerance: tolerance(pass.mtime_tolerance, &pass.to),
        names: TemporaryNames::new(),
        account: watch.account,
        attributes,
        hard_links: HardLinks::new(hard_links),
    };
    let mut tallies = walk::walk(source, target, orders, &handler, watch)?;
    tallies.iter_mut().for_each(|tally| tally.page.turn(handler.account));
    let waiting = handler.hard_links.waiting();
    if waiting > 0 {
        // Never seen; but a name that was forgotten must not look like one that was copied.
        return Err(PassError::Fatal {
            what: format!("{waiting} hard links were left waiting for their files"),
            path: names::shown(&pass.to),
            hint: "go on with the run: the pass is done again; leave `hard-links` out of `preserve` if this comes again".into(),
            source: None,
        });
    }
    let mut survey = pass::add_up(tallies);
    let warnings = [survey.outcome.warning.take(), handler.attributes.streams.warning()];
    survey.outcome.warning = warnings.into_iter().flatten().reduce(|one, other| format!("{one}; {other}"));
    Ok(survey)
}

fn verify_with<D: Directory>(pass: &VerifyPass, watch: &Watch<'_>) -> Result<Verification, PassError> {
    tree::allow_many_handles();
    let source = open::<D>(&pass.from, "source")?;
    let target = TargetSide::new(open::<D>(&pass.to, "target")?, Origin::Found);
    let orders = Orders {
        filter: &pass.filter,
        started: pass.started,
        depth: Depth::All,
        old_listings: OldListings::WaitedOut,
        retries: 1,
        wait: Duration::from_millis(500),
        threads: pass.threads,
        throttle: Throttle::none(),
    };
    let handler = VerifyHandler {
        pass,
        tolerance: tolerance(pass.mtime_tolerance, &pass.to),
        manifest: pass.manifest.as_deref().filter(|_| pass.method >= Method::Blake3).map(Manifest::new),
    };
    let verification = verify::add_up(walk::walk(source, Some(target), orders, &handler, watch)?);
    if let Some(manifest) = handler.manifest {
        manifest.finish()?;
    }
    Ok(verification)
}

/// How far stamps may lie apart: as told, or what the target's file system keeps.
fn tolerance(told: Option<Duration>, target: &Path) -> Duration {
    // A target whose kind cannot be asked for is taken to be exact: at worst a file is copied again.
    told.or_else(|| volume::stamp_tolerance(target).ok()).unwrap_or_default()
}

fn open<D: Directory>(root: &Path, side: &str) -> Result<D, PassError> {
    D::open(root).map_err(|error| fatal(&format!("cannot open the {side}"), root, error))
}

/// The target where it exists.
fn open_target<D: Directory>(root: &Path) -> Result<Option<TargetSide<D>>, PassError> {
    match D::open(root) {
        Ok(directory) => Ok(Some(TargetSide::new(directory, Origin::Found))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fatal("cannot open the target", root, error)),
    }
}

/// Keeps other passes out of the target.
fn hold(target: &Path) -> Result<Held, PassError> {
    hold::take(target).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => PassError::Fatal {
            what: "another pass is at work in the target".into(),
            path: names::shown(target),
            hint: "wait until the other run has ended, then go on with this one".into(),
            source: None,
        },
        _ => fatal("cannot open the target", target, error),
    })
}

/// A target that a pass writes to, whoever carries it out: other passes are kept out until it is dropped.
pub struct Ground<D = Here> {
    directory: D,
    root: PathBuf,
    _held: Held,
}

impl<D: Directory> Ground<D> {
    /// Before anything is written there: a handle is told only of what failed to reach the disk since it was opened.
    pub fn take(root: &Path) -> Result<Self, PassError> {
        let held = hold(root)?;
        Ok(Self { directory: open::<D>(root, "target")?, root: root.to_owned(), _held: held })
    }

    /// Brings all that was written to the disk.
    pub fn flush(&self) -> Result<(), PassError> {
        flush(&self.directory, &self.root)
    }
}

fn flush<D: Directory>(directory: &D, root: &Path) -> Result<(), PassError> {
    directory.flush().map_err(|error| fatal("cannot bring the copied data to the disk", root, error))
}

fn fatal(what: &str, path: &Path, error: std::io::Error) -> PassError {
    let hint = match error.kind() {
        ErrorKind::NotFound => "check the path, and that the volume or share is there",
        ErrorKind::NotADirectory => "give a directory",
        ErrorKind::PermissionDenied => "run as a user who may, or change the permissions",
        ErrorKind::StorageFull => "make room on the volume, then go on with the run",
        _ => "look at the volume, then go on with the run",
    };
    PassError::Fatal { what: what.into(), path: names::shown(path), hint: hint.into(), source: Some(error) }
}

#[cfg(test)]
mod tests;
