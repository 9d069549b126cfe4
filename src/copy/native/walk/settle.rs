//! What becomes of an entry whose handling failed: it is tried again later, given up and told of, or the pass ends.
//!
//! No failure is believed before the roots were seen to be there, and to be those that the pass began with: by its path
//! another may be found after an outage. A root that is there no more ends the pass at once. One that does not answer, or
//! lets this account in no more, is another machine's, or the way to it: what failed meanwhile is tried again as often as
//! the pass may, whatever it looked like, and only a root that does not come back ends the pass.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::{Handler, Job, Lost, PROGRESS, Walk, Worker};
use crate::copy::native::failure::Failure;
use crate::copy::native::node::Node;
use crate::copy::native::root::{self, Root};
use crate::copy::{ErrorClass, PassError};
use crate::sys::tree::{Directory, FileIdentity};

/// A failed job that may be tried again, and what is said of it if not.
pub(super) struct Again<D> {
    job: Job<D>,
    path: String,
    bytes: u64,
}

impl<D> Again<D> {
    pub(super) fn new(job: Job<D>, path: &Path, ending: &str, bytes: u64) -> Self {
        Self { job, path: format!("{}{ending}", crate::copy::names::shown(path)), bytes }
    }
}

/// Which directories the roots were when the pass began; `None` where the system does not tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identities {
    pub(super) source: Option<FileIdentity>,
    pub(super) target: Option<FileIdentity>,
}

/// What the roots are, as seen right now.
enum Roots {
    Here,
    /// One does not answer.
    OutOfReach(&'static str, io::Error),
    Lost(PassError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    TriedAgain,
    Lost,
    Stopped,
}

impl<D: Directory, H: Handler<D>> Walk<'_, D, H> {
    /// Tries again later, or gives up.
    pub(super) fn settle(
        &self,
        worker: &mut Worker<'_, D, H>,
        failure: Failure,
        failed: u32,
        node: &Arc<Node<D>>,
        mut again: Again<D>,
    ) -> Settled {
        let (mut class, text) = match failure {
            Failure::Entry { class, text } => (class, text),
            failure => {
                self.end_by(failure);
                return Settled::Stopped;
            }
        };
        // A share that does not answer would hold up whoever wants to stop.
        if self.is_stopped() {
            return Settled::Stopped;
        }
        match self.roots(node) {
            Roots::Here => {}
            // What fails on a share that does not answer fails for no other reason.
            Roots::OutOfReach(..) if failed < self.orders.retries => class = ErrorClass::Transient,
            Roots::OutOfReach(side, error) => {
                self.stop(root::out_of_reach(side, error));
                return Settled::Stopped;
            }
            Roots::Lost(why) => {
                self.stop(why);
                return Settled::Stopped;
            }
        }
        if class == ErrorClass::Transient && failed < self.orders.retries {
            if let Job::Entry { turn, .. } = &mut again.job {
                turn.waits = true;
                self.meter.retry_begins();
            }
            self.register(&again.job);
            self.queue.push_later(again.job, Instant::now() + self.orders.wait);
            return Settled::TriedAgain;
        }
        self.give_up(worker, class, text, failed + 1, again);
        Settled::Lost
    }

    /// Counts what is not tried again after so many attempts.
    pub(super) fn give_up(
        &self,
        worker: &mut Worker<'_, D, H>,
        class: ErrorClass,
        text: String,
        attempts: u32,
        again: Again<D>,
    ) {
        self.meter.fail();
        let lost = Lost { path: again.path, class, text, attempts, bytes: again.bytes };
        match again.job {
            Job::Extra { .. } => self.handler.unread(&mut worker.tally, lost),
            _ => self.handler.failed(&mut worker.tally, lost),
        }
    }

    /// A new directory did not get its name, after so many attempts that failed before. It is tried again later; at last
    /// the pass ends, since what was counted as new in it is in no place where anybody looks for it.
    pub(super) fn settle_name(&self, node: &Arc<Node<D>>, failure: Failure, failed: u32) {
        let try_again = || {
            let again = Job::Name { node: Arc::clone(node), failed: failed + 1 };
            self.queue.push_later(again, Instant::now() + self.orders.wait);
        };
        if matches!(failure, Failure::Entry { .. }) {
            match self.roots(node) {
                Roots::Here => {}
                Roots::OutOfReach(..) if failed < self.orders.retries => return try_again(),
                Roots::OutOfReach(side, error) => return self.stop(root::out_of_reach(side, error)),
                Roots::Lost(why) => return self.stop(why),
            }
        }
        match failure {
            Failure::Entry { class: ErrorClass::Transient, .. } if failed < self.orders.retries => {
                try_again();
            }
            Failure::Entry { text, .. } => self.stop(PassError::Fatal {
                what: format!("the new directory cannot get its name: {text}"),
                path: format!("{}/", crate::copy::names::shown(&node.relative)),
                hint: "see to that directory in the target, and go on with the run: it is copied anew".into(),
                source: None,
            }),
            failure => self.end_by(failure),
        }
    }

    pub(super) fn end_by(&self, failure: Failure) {
        match failure {
            Failure::Ends(why) => self.stop(why),
            Failure::Interrupted | Failure::Entry { .. } => self.stop(PassError::Interrupted),
        }
    }

    /// Whether what was seen can be believed to the end: a root that is there no more, or does not come back though it is
    /// waited for, may have hidden anything.
    pub(super) fn lost_root(&self, root: &Arc<Node<D>>) -> Option<PassError> {
        let mut failed = 0;
        loop {
            match self.roots(root) {
                Roots::Here => return None,
                Roots::Lost(why) => return Some(why),
                Roots::OutOfReach(side, error) if failed >= self.orders.retries => {
                    return Some(root::out_of_reach(side, error));
                }
                Roots::OutOfReach(..) => {
                    failed += 1;
                    self.pause();
                    // Each look at a share that is down takes as long as its client waits.
                    if self.is_stopped() {
                        return Some(PassError::Interrupted);
                    }
                }
            }
        }
    }

    /// Waits as long as between two attempts, unless the pass is to end.
    fn pause(&self) {
        let end = Instant::now() + self.orders.wait;
        while !self.is_stopped() {
            match end.checked_duration_since(Instant::now()) {
                Some(rest) if !rest.is_zero() => std::thread::sleep(rest.min(PROGRESS)),
                _ => return,
            }
        }
    }

    /// Looks whether an entry may have failed because the whole tree is not there: then nothing that follows can be believed.
    fn roots(&self, node: &Arc<Node<D>>) -> Roots {
        let mut top = node;
        while let Some(parent) = &top.parent {
            top = parent;
        }
        let Identities { source, target } = self.identities;
        let sides = [
            ("source", Some(&top.source), source),
            ("target", top.target().map(|side| &side.directory), target),
        ];
        for (side, directory, identity) in sides {
            match directory.map_or(Root::Here, |directory| root::look(directory, identity)) {
                Root::Here | Root::Unknown(_) => {}
                Root::OutOfReach(error) => return Roots::OutOfReach(side, error),
                Root::Removed => return Roots::Lost(root::removed(side)),
                Root::Another => return Roots::Lost(root::another(side)),
            }
        }
        Roots::Here
    }
}
