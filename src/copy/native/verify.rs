//! What a verification does with what the walk finds.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::Duration;

use super::compare::{Content, compare, compare_and_hash};
use super::decide::{agree, apart, called};
use super::failure::Failure;
use super::large;
use super::node::Node;
use super::walk::{FirstLook, Found, Handler, Lost, Next, Turn, Worker};
use crate::copy::verify::manifest::Manifest;
use crate::copy::verify::{Difference, DifferenceKind, Verification, VerifyPass};
use crate::copy::{EntryKind, Extra, ExtraEntry, Method, Rule, names};
use crate::sys::tree::{Directory, ListedFile, Status};

pub(super) struct VerifyHandler<'a> {
    pub(super) pass: &'a VerifyPass,
    pub(super) tolerance: Duration,
    pub(super) manifest: Option<Manifest>,
}

#[derive(Default)]
pub(super) struct VerifyTally(pub(super) Verification);

impl VerifyTally {
    fn differ(&mut self, path: String, kind: DifferenceKind, detail: impl Into<String>) {
        *self.0.counts.entry(kind).or_default() += 1;
        if self.0.differences.len() < Verification::LISTED {
            self.0.differences.push(Difference { path, kind, detail: detail.into() });
        }
    }
}

impl<D: Directory> Handler<D> for VerifyHandler<'_> {
    type Tally = VerifyTally;

    fn first_look(&self) -> FirstLook {
        match self.pass.method {
            Method::Blake3 => FirstLook::Open,
            Method::Size | Method::Mtime => FirstLook::Closed,
        }
    }

    fn entered(&self, worker: &mut Worker<'_, D, Self>, node: &Arc<Node<D>>) -> Result<(), Failure> {
        worker.tally.0.directories += 1;
        // Under a filter an empty directory may be missing rightly.
        if node.target().is_none() && self.pass.filter.is_everything() {
            let path = format!("{}/", names::shown(&node.relative));
            worker.tally.differ(path, DifferenceKind::Missing, "a directory that the target lacks");
        }
        Ok(())
    }

    fn is_same_as_listed(&self, source: &ListedFile, target: &ListedFile) -> bool {
        match self.pass.method {
            Method::Size => source.size == target.size,
            Method::Mtime => agree(source, target, self.tolerance),
            Method::Blake3 => false,
        }
    }

    fn same(&self, worker: &mut Worker<'_, D, Self>, size: u64, turn: &mut Turn) {
        self.count(worker, size, turn);
        worker.tally.0.equal += 1;
    }

    fn file(
        &self,
        worker: &mut Worker<'_, D, Self>,
        found: &Found<'_, D>,
        turn: &mut Turn,
    ) -> Result<Next, Failure> {
        let source = &found.source;
        self.count(worker, source.size, turn);
        let path = || names::shown(&found.path());
        let Some(target) = &found.target else {
            worker.tally.differ(path(), DifferenceKind::Missing, "a file that the target lacks");
            return Ok(Next::Done);
        };
        if target.kind != EntryKind::File {
            let detail = format!("a file in the source, {} in the target", called(target.kind));
            worker.tally.differ(path(), DifferenceKind::Kind, detail);
            return Ok(Next::Done);
        }
        if self.pass.method >= Method::Blake3 && source.size >= large::LARGE && !turn.on_its_own {
            return Ok(Next::OnItsOwn);
        }
        let mut differences = Vec::new();
        if source.size != target.size {
            let detail = format!("{} bytes in the source, {} in the target", source.size, target.size);
            differences.push((DifferenceKind::Size, detail));
        }
        if self.pass.method >= Method::Mtime && apart(source.modified, target.modified) > self.tolerance {
            differences.push((DifferenceKind::Mtime, stamps(source, target)));
        }
        if self.pass.method >= Method::Blake3 {
            let walk = worker.walk;
            let moving = walk.under_way.begin(source.size, path);
            turn.moving = moving.large();
            // The manifest holds what the target holds, so its side is read even where the sizes differ.
            let content = match &self.manifest {
                Some(manifest) => {
                    let (content, hash) = compare_and_hash(worker, found, target, turn)?;
                    manifest
                        .add(&found.path(), hash)
                        .map_err(|error| Failure::Ends(manifest.failed("write", error)))?;
                    worker.tally.0.manifest_files += 1;
                    content
                }
                None if source.size == target.size => compare(worker, found, target, turn)?,
                // That they differ is said by their sizes.
                None => Content::Same,
            };
            if let Content::PartsAt(place) = content
                && source.size == target.size
            {
                differences.push((
                    DifferenceKind::Content,
                    format!("the first byte that differs is number {place}, from 0"),
                ));
            }
        }
        if differences.is_empty() {
            worker.tally.0.equal += 1;
        }
        for (kind, detail) in differences {
            worker.tally.differ(path(), kind, detail);
        }
        Ok(Next::Done)
    }

    fn link(
        &self,
        worker: &mut Worker<'_, D, Self>,
        _node: &Node<D>,
        _name: &OsStr,
        _turn: &Turn,
    ) -> Result<(), Failure> {
        worker.tally.0.skipped += 1;
        Ok(())
    }

    fn special(&self, tally: &mut VerifyTally, _node: &Node<D>, _name: &OsStr) {
        tally.0.skipped += 1;
    }

    fn kept_out(&self, tally: &mut VerifyTally, _: &Node<D>, _name: &OsStr, _rule: Rule, _bytes: u64) {
        tally.0.filtered += 1;
    }

    fn extra(&self, tally: &mut VerifyTally, entry: ExtraEntry, judged: Result<(), Rule>) {
        if judged.is_err() || self.pass.extra == Extra::Ignore {
            tally.0.extra_ignored += u64::from(entry.kind == EntryKind::File);
            return;
        }
        let ending = match entry.kind {
            // An empty directory tells of nothing that the filter asked for.
            EntryKind::Directory if !self.pass.filter.is_everything() => return,
            EntryKind::Directory => "/",
            _ => "",
        };
        let path = format!("{}{ending}", names::shown(&entry.path));
        tally.differ(path, DifferenceKind::Extra, format!("{} that only the target has", called(entry.kind)));
    }

    fn target_files(&self, _tally: &mut VerifyTally, _files: u64) {}

    fn leftover(
        &self,
        _worker: &mut Worker<'_, D, Self>,
        _source: Option<&D>,
        _directory: &D,
        _name: &OsStr,
        _kind: EntryKind,
    ) {
    }

    fn failed(&self, tally: &mut VerifyTally, lost: Lost) {
        tally.differ(lost.path, DifferenceKind::Unreadable, lost.text);
    }

    fn left(&self, _worker: &mut Worker<'_, D, Self>, _node: &Node<D>) {}
}

impl VerifyHandler<'_> {
    /// Counts a file that takes part, once.
    fn count<D: Directory>(&self, worker: &mut Worker<'_, D, Self>, size: u64, turn: &mut Turn) {
        if turn.known.is_none() {
            turn.known = Some(size);
            worker.know(size);
            worker.tally.0.files += 1;
            worker.tally.0.bytes += size;
        }
    }
}

fn stamps(source: &Status, target: &Status) -> String {
    let shown = |status: &Status| {
        jiff::Timestamp::try_from(status.modified)
            .map_or_else(|_| "a time outside the calendar".to_owned(), |stamp| stamp.to_string())
    };
    format!("{} in the source, {} in the target", shown(source), shown(target))
}

/// Puts the workers' parts together.
pub(super) fn add_up(tallies: Vec<VerifyTally>) -> Verification {
    let mut whole = Verification::default();
    for VerifyTally(part) in tallies {
        // Taken apart, so that a new figure cannot be forgotten here.
        let Verification {
            files,
            bytes,
            equal,
            directories,
            skipped,
            filtered,
            extra_ignored,
            counts,
            differences,
            manifest_files,
        } = part;
        whole.files += files;
        whole.bytes += bytes;
        whole.equal += equal;
        whole.directories += directories;
        whole.skipped += skipped;
        whole.filtered += filtered;
        whole.extra_ignored += extra_ignored;
        whole.manifest_files += manifest_files;
        whole.differences.extend(differences);
        for (kind, count) in counts {
            *whole.counts.entry(kind).or_default() += count;
        }
    }
    whole.differences.sort();
    whole.differences.truncate(Verification::LISTED);
    whole
}
