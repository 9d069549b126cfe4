//! What a copy pass and its survey do with what the walk finds. Both decide by the same code; a survey only never acts.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use super::attributes::{Attributes, Mended, Verdict};
use super::compare::{Content, compare};
use super::decide::{Decision, agree, called, decide};
use super::distrust;
use super::failure::{Failure, Side};
use super::hard_links::{self, HardLinks, Leader, Linked, Meeting};
use super::large;
use super::node::{Node, Origin, TargetSide};
use super::temporary::{self, TemporaryNames};
use super::transfer::{Manner, State, name_is_taken, transfer, transfer_link};
use super::walk::{Found, Handler, InTarget, Lost, Next, Turn, Worker};
use crate::copy::account::{self, Bucket};
use crate::copy::{
    Compare, CopyPass, Directories, EntryKind, ErrorClass, ExtraEntry, Extras, FileError, Links, PassOutcome,
    PassSummary, Priority, Rule, Survey, names, windows_names,
};
use crate::sys::priority;
use crate::sys::tree::{Directory, FileIdentity, ListedFile, NameRules, Taken};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Copy,
    Survey,
}

pub(super) struct PassHandler<'a, D> {
    pub(super) pass: &'a CopyPass,
    pub(super) deed: Deed,
    pub(super) tolerance: Duration,
    pub(super) names: TemporaryNames,
    /// Where every name is written down with its bucket.
    pub(super) account: Option<&'a account::Writer>,
    pub(super) attributes: Attributes,
    pub(super) hard_links: HardLinks<D>,
}

/// One worker's part of the account.
#[derive(Default)]
pub(super) struct PassTally {
    summary: PassSummary,
    extras: Vec<ExtraEntry>,
    target_files: u64,
    source_files: u64,
    over_links: u64,
    links_same: u64,
    /// What a person should know though no file is concerned.
    warning: Option<String>,
    pub(super) page: account::Page,
    /// Smallest first.
    largest: Vec<(u64, String)>,
}

impl<D: Directory> Handler<D> for PassHandler<'_, D> {
    type Tally = PassTally;

    fn brings_links(&self) -> bool {
        self.pass.links == Links::Copy
    }

    fn begins(&self, tally: &mut PassTally) {
        if self.pass.priority == Priority::Gentle
            && let Err(error) = priority::lower_this_thread()
        {
            tally.warning = Some(format!("`gentle` has no effect, the pass does not give way: {error}"));
        }
    }

    fn entered(&self, worker: &mut Worker<'_, D, Self>, node: &Arc<Node<D>>) -> Result<(), Failure> {
        if node.parent.is_some() {
            has_a_name::<D>(&node.name)?;
        }
        // The top is made by every pass.
        if self.pass.directories == Directories::All || node.parent.is_none() {
            self.make(worker, node)?;
        }
        worker.tally.summary.directories += 1;
        Ok(())
    }

    fn is_same_as_listed(&self, source: &ListedFile, target: &ListedFile) -> bool {
        self.pass.compare == Compare::Metadata
            && !distrust::may_apply::<D>(self.pass.distrust)
            && agree(source, target, self.tolerance)
            && self.attributes.agree_as_listed(source, target)
    }

    fn same(&self, worker: &mut Worker<'_, D, Self>, size: u64, turn: &mut Turn) {
        self.know(worker, turn, 0);
        worker.tally.summary.same.add(size);
    }

    fn file(
        &self,
        worker: &mut Worker<'_, D, Self>,
        found: &Found<'_, D>,
        turn: &mut Turn,
    ) -> Result<Next, Failure> {
        has_a_name::<D>(found.name)?;
        let Some(group) = self.hard_links.group(&found.source) else {
            return self.alone(worker, found, turn).map(Handled::next);
        };
        if turn.leads.is_some_and(|other| other != group) {
            // Another file took the name meanwhile.
            self.step_down(worker, turn);
        }
        // Each round leaves one leader behind.
        while turn.leads.is_none() {
            match self.hard_links.meet(group, found, turn) {
                Meeting::Leads => turn.leads = Some(group),
                Meeting::Waits => return Ok(Next::Waits),
                Meeting::Follows(leader) => {
                    if self.follow(worker, found, turn, &leader)? == Linked::Done {
                        self.hard_links.followed(group, &found.source);
                        return Ok(Next::Done);
                    }
                    self.hard_links.forget(group, &leader);
                }
            }
        }
        let handled = self.alone(worker, found, turn)?;
        if let Handled::Done(decision, state) = handled
            && let Ok(target) = self.in_target(found, decision)
        {
            turn.leads = None;
            for parked in self.hard_links.arrived(group, found, state, target) {
                worker.walk.wake(parked);
            }
        }
        Ok(handled.next())
    }

    fn over(&self, worker: &mut Worker<'_, D, Self>, turn: &mut Turn) {
        self.step_down(worker, turn);
    }

    fn link(
        &self,
        worker: &mut Worker<'_, D, Self>,
        node: &Node<D>,
        name: &OsStr,
        turn: &Turn,
    ) -> Result<(), Failure> {
        let bucket = match self.pass.links {
            Links::Skip => {
                worker.tally.summary.skipped_links += 1;
                Bucket::SkippedLinks
            }
            Links::Fail => return Err(Failure::permanent("is a link, and the pass says `links: fail`")),
            Links::Copy => {
                has_a_name::<D>(name)?;
                let before = self.bring_link(node, name, turn)?;
                worker.tally.summary.links_copied += 1;
                worker.tally.links_same += u64::from(before == Before::TheSame);
                Bucket::LinksCopied
            }
        };
        worker.tally.page.note(self.account, bucket, &node.relative, name, 0);
        Ok(())
    }

    fn special(&self, tally: &mut PassTally, node: &Node<D>, name: &OsStr) {
        tally.summary.skipped_special += 1;
        tally.page.note(self.account, Bucket::SkippedSpecial, &node.relative, name, 0);
    }

    fn kept_out(&self, tally: &mut PassTally, node: &Node<D>, name: &OsStr, rule: Rule, bytes: u64) {
        tally.summary.filtered.entry(rule).or_default().add(bytes);
        tally.page.kept_out(self.account, &node.relative, name, rule, bytes);
    }

    fn extra(&self, tally: &mut PassTally, entry: ExtraEntry, judged: Result<(), Rule>) {
        match (judged, self.pass.extras) {
            // Listed ones are in no bucket yet: whoever judges the purge puts them there.
            (Ok(()), Extras::List) => tally.extras.push(entry),
            // A directory is no file of any sum, but for one that is kept out and could not be read.
            (Ok(()), _) if entry.kind == EntryKind::Directory => {}
            (Ok(()), Extras::Keep) => {
                tally.summary.kept.add(entry.bytes);
                tally.page.extra(self.account, Bucket::Kept, &entry, None);
            }
            (Err(rule), _) => {
                tally.summary.extra_filtered.add(entry.bytes);
                tally.page.extra(self.account, Bucket::ExtraFiltered, &entry, Some(rule));
            }
        }
    }

    fn target_files(&self, tally: &mut PassTally, files: u64) {
        tally.target_files += files;
    }

    fn leftover(
        &self,
        worker: &mut Worker<'_, D, Self>,
        source: Option<&D>,
        directory: &D,
        name: &OsStr,
        kind: EntryKind,
    ) {
        let wanted = || large::is_still_wanted(source, directory, name, self.pass.resume_over);
        if self.deed == Deed::Copy && !wanted() {
            // One that cannot be removed harms nobody: no pass ever takes it for a file of the user's.
            let _ = temporary::remove(directory, name, kind, &|| worker.walk.is_stopped());
        }
    }

    fn failed(&self, tally: &mut PassTally, lost: Lost) {
        match lost.class {
            ErrorClass::Vanished => tally.summary.vanished += 1,
            _ => tally.summary.failed.add(lost.bytes),
        }
        let bytes = lost.bytes;
        let error = error_of(lost);
        tally.page.failed(self.account, &error, bytes);
        list(&mut tally.summary, error);
    }

    fn unread(&self, tally: &mut PassTally, lost: Lost) {
        tally.summary.extra_unread += 1;
        let error = error_of(lost);
        tally.page.unread(self.account, &error);
        list(&mut tally.summary, error);
    }

    /// Gives a directory its permissions and its time, now that nothing is written into it any more.
    fn left(&self, worker: &mut Worker<'_, D, Self>, node: &Node<D>) {
        if self.deed == Deed::Survey {
            return;
        }
        let Some(side) = node.target() else { return };
        worker.tally.summary.directories_created += u64::from(side.origin == Origin::MadeByThisPass);
        if let Err(Failure::Entry { class, text }) = self.attributes.leave(node, side) {
            let path = format!("{}/", names::shown(&node.relative));
            let lost = Lost { path, class, text, attempts: 1, bytes: 0 };
            Handler::<D>::failed(self, &mut worker.tally, lost);
        }
    }
}

/// Refuses what the target's system has no name for.
fn has_a_name<D: Directory>(name: &OsStr) -> Result<(), Failure> {
    match D::NAMES {
        NameRules::OfTheVolume => Ok(()),
        NameRules::OfWindows => windows_names::why_not(name).map_or(Ok(()), |reason| {
            Err(Failure::permanent(format!(
                "Windows has no such name, for it {reason}: rename it in the source, or keep it out by the filter"
            )))
        }),
    }
}

fn error_of(Lost { path, class, text, attempts, .. }: Lost) -> FileError {
    FileError { path, class, attempts, error: text }
}

fn list(summary: &mut PassSummary, error: FileError) {
    if summary.errors.len() < PassSummary::LISTED_ERRORS {
        summary.errors.push(error);
    }
}

/// What the target had in the place of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    TheSame,
    Another,
}

/// What became of a file that is handled for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handled {
    OnItsOwn,
    Done(Decision, State),
}

impl Handled {
    fn next(self) -> Next {
        match self {
            Self::OnItsOwn => Next::OnItsOwn,
            Self::Done(..) => Next::Done,
        }
    }
}

impl<D: Directory> PassHandler<'_, D> {
    /// Compares a file, and copies or mends it where it differs.
    fn alone(
        &self,
        worker: &mut Worker<'_, D, Self>,
        found: &Found<'_, D>,
        turn: &mut Turn,
    ) -> Result<Handled, Failure> {
        let mut decision = decide(&found.source, found.target.as_ref(), self.tolerance);
        let verdict = match decision {
            Decision::Same => self.attributes.judge(found),
            _ => Ok(Verdict::Agree),
        };
        if matches!(verdict, Ok(Verdict::CopyAnew)) {
            decision = Decision::Changed;
        }
        let to_read = decision == Decision::Same
            && (self.pass.compare == Compare::Content
                || distrust::applies::<D>(self.pass.distrust, found.target.as_ref()));
        self.know(
            worker,
            turn,
            match decision {
                Decision::New | Decision::Changed => found.source.size,
                Decision::Same if to_read => found.source.size,
                Decision::Same | Decision::Mismatch(_) => 0,
            },
        );
        let verdict = verdict?;
        let moves =
            to_read || (self.deed == Deed::Copy && matches!(decision, Decision::New | Decision::Changed));
        if moves && found.source.size >= large::LARGE && !turn.on_its_own {
            return Ok(Handled::OnItsOwn);
        }
        if to_read
            && let Some(target) = &found.target
            && compare(worker, found, target, turn)? != Content::Same
        {
            decision = Decision::Changed;
        }
        let mut state = State::of(&found.source);
        match decision {
            Decision::Same => {
                let mended = match (verdict, self.deed) {
                    (Verdict::Mend, Deed::Copy) => self.attributes.mend(found)?,
                    (Verdict::Mend, Deed::Survey) => Mended::Yes,
                    _ => Mended::NotKept,
                };
                let summary = &mut worker.tally.summary;
                summary.same.add(found.source.size);
                summary.attributes_mended += u64::from(mended == Mended::Yes);
            }
            Decision::New | Decision::Changed => {
                let is_over_link = found.target.as_ref().is_some_and(|target| target.kind == EntryKind::Link);
                state = self.bring(worker, found, turn)?;
                self.count(worker, found, decision, state.size);
                worker.tally.over_links += u64::from(is_over_link);
                if turn.resumed > 0 {
                    worker.tally.summary.resumed.add(turn.resumed);
                }
            }
            Decision::Mismatch(kind) => return Err(hard_links::mismatch(kind)),
        }
        if turn.failed > 0 {
            worker.tally.summary.retried += 1;
        }
        Ok(Handled::Done(decision, state))
    }

    /// A name that leads no more, however its turn ended: those that waited for it go on by themselves.
    fn step_down(&self, worker: &mut Worker<'_, D, Self>, turn: &mut Turn) {
        let Some(group) = turn.leads.take() else { return };
        for parked in self.hard_links.stepped_down(group) {
            worker.walk.wake(parked);
        }
    }

    /// Links a name to the one of its file that was there first.
    fn follow(
        &self,
        worker: &mut Worker<'_, D, Self>,
        found: &Found<'_, D>,
        turn: &mut Turn,
        leader: &Leader<D>,
    ) -> Result<Linked, Failure> {
        let decision = leader.decide(found.target.as_ref());
        let bytes = found.source.size;
        // Nothing is moved for it.
        self.know(worker, turn, 0);
        match decision {
            Decision::Mismatch(kind) => return Err(hard_links::mismatch(kind)),
            Decision::Same => worker.tally.summary.same.add(bytes),
            Decision::New | Decision::Changed => {
                if self.deed == Deed::Survey {
                    worker.tally.summary.directories_created += found.node.want_target();
                } else if hard_links::link(found, turn, leader, &self.manner())? == Linked::NotHere {
                    return Ok(Linked::NotHere);
                }
                self.count(worker, found, decision, bytes);
                worker.tally.summary.linked.add(bytes);
            }
        }
        worker.tally.summary.retried += u64::from(turn.failed > 0);
        Ok(Linked::Done)
    }

    /// What the target's file is, now that it is there.
    fn in_target(&self, found: &Found<'_, D>, decision: Decision) -> std::io::Result<Option<FileIdentity>> {
        match (self.deed, decision) {
            (Deed::Survey, Decision::Same) => Ok(found.target.as_ref().and_then(|target| target.identity)),
            (Deed::Survey, _) => Ok(None),
            (Deed::Copy, _) => match found.node.target() {
                Some(side) => side.directory.status(found.name).map(|status| status.identity),
                None => Ok(None),
            },
        }
    }

    /// Tells progress of a file, once, with what is to be moved for it. Where nothing was to be at first (a name that then
    /// cannot be linked), it is told when it is known.
    fn know(&self, worker: &mut Worker<'_, D, Self>, turn: &mut Turn, bytes: u64) {
        if turn.known.is_none() {
            worker.tally.source_files += 1;
        }
        if turn.known.unwrap_or(0) == 0 {
            turn.known = Some(bytes);
            worker.know(bytes);
        }
    }

    fn manner(&self) -> Manner<'_> {
        Manner { names: &self.names, attributes: &self.attributes, resume_over: self.pass.resume_over }
    }

    fn make(&self, worker: &mut Worker<'_, D, Self>, node: &Node<D>) -> Result<(), Failure> {
        match self.deed {
            Deed::Survey => worker.tally.summary.directories_created += node.want_target(),
            Deed::Copy => {
                node.target_or_make(&self.manner())?;
            }
        }
        Ok(())
    }

    fn bring(
        &self,
        worker: &mut Worker<'_, D, Self>,
        found: &Found<'_, D>,
        turn: &mut Turn,
    ) -> Result<State, Failure> {
        match self.deed {
            Deed::Copy => {
                let walk = worker.walk;
                let moving = walk.under_way.begin(found.source.size, || names::shown(&found.path()));
                turn.moving = moving.large();
                transfer(worker, found, turn, &self.manner())
            }
            Deed::Survey => {
                worker.tally.summary.directories_created += found.node.want_target();
                let largest = &mut worker.tally.largest;
                if largest.len() < Survey::LARGEST
                    || largest.first().is_some_and(|smallest| smallest.0 < found.source.size)
                {
                    let entry = (found.source.size, names::shown(&found.path()));
                    let place = largest.partition_point(|other| *other < entry);
                    largest.insert(place, entry);
                    if largest.len() > Survey::LARGEST {
                        largest.remove(0);
                    }
                }
                Ok(State::of(&found.source))
            }
        }
    }

    fn bring_link(&self, node: &Node<D>, name: &OsStr, turn: &Turn) -> Result<Before, Failure> {
        let failed = |side, what, error| Failure::of(side, what, &node.path_of(name), error);
        let text =
            node.source.link_text(name).map_err(|error| failed(Side::Source, "read the link", error))?;
        let taken = match node.target().map(|side| (side, side.directory.status(name))) {
            // An attempt that failed may have made it.
            Some((_, Ok(_))) if turn.in_target == InTarget::Absent && turn.failed == 0 => {
                return Err(name_is_taken());
            }
            Some((side, Ok(status))) => match status.kind {
                EntryKind::Link if side.directory.link_text(name).is_ok_and(|there| there == text) => {
                    if self.deed == Deed::Copy {
                        self.finish_link(node, side, name, name)?;
                    }
                    return Ok(Before::TheSame);
                }
                EntryKind::Link => Taken::Replace,
                kind => {
                    return Err(Failure::permanent(format!(
                        "the source has a link here, the target {}: move that out of the way",
                        called(kind)
                    )));
                }
            },
            Some((_, Err(error))) if error.kind() != ErrorKind::NotFound => {
                return Err(failed(Side::Target, "look at it in the target", error));
            }
            _ => Taken::Refuse,
        };
        if self.deed == Deed::Survey {
            return Ok(Before::Another);
        }
        let side = node.target_or_make(&self.manner())?;
        transfer_link(
            side,
            name,
            &text,
            taken,
            &self.names,
            |error| failed(Side::Target, "make the link", error),
            |temporary| self.finish_link(node, side, name, temporary),
        )?;
        Ok(Before::Another)
    }

    fn finish_link(
        &self,
        node: &Node<D>,
        side: &TargetSide<D>,
        name: &OsStr,
        copy: &OsStr,
    ) -> Result<(), Failure> {
        self.attributes.finish_link(node, side, name, copy, self.tolerance)
    }

    /// Puts a file that was brought into its bucket.
    fn count(&self, worker: &mut Worker<'_, D, Self>, found: &Found<'_, D>, decision: Decision, bytes: u64) {
        let tally = &mut worker.tally;
        let bucket = if decision == Decision::New {
            tally.summary.new.add(bytes);
            tally.target_files += 1;
            Bucket::New
        } else {
            tally.summary.changed.add(bytes);
            Bucket::Changed
        };
        tally.page.note(self.account, bucket, &found.node.relative, found.name, bytes);
    }
}

/// Puts the workers' parts together.
pub(super) fn add_up(tallies: Vec<PassTally>) -> Survey {
    let mut whole = PassOutcome::default();
    let mut largest = Vec::new();
    for tally in tallies {
        merge(&mut whole.summary, tally.summary);
        whole.extras.extend(tally.extras);
        whole.target_files += tally.target_files;
        whole.source_files += tally.source_files;
        whole.over_links += tally.over_links;
        whole.links_same += tally.links_same;
        // All workers of a pass meet the same.
        whole.warning = whole.warning.or(tally.warning);
        largest.extend(tally.largest);
    }
    whole.summary.errors.sort_by(|one, other| one.path.cmp(&other.path));
    whole.summary.errors.truncate(PassSummary::LISTED_ERRORS);
    whole.extras.sort_by(in_purge_order);
    largest.sort_by(|one: &(u64, String), other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    largest.truncate(Survey::LARGEST);
    Survey { outcome: whole, largest: largest.into_iter().map(|(size, path)| (path, size)).collect() }
}

/// By path, but a directory after all that it holds.
fn in_purge_order(one: &ExtraEntry, other: &ExtraEntry) -> std::cmp::Ordering {
    // By letters and not by components: neighbours of a tree of ten thousand levels share nearly all of them.
    let (one, other) = (one.path.as_os_str().as_encoded_bytes(), other.path.as_os_str().as_encoded_bytes());
    let shared = names::shared_letters(one, other);
    // A name that ends comes before the names that it begins, but a whole path after those that go on below it.
    let rank = |path: &[u8]| match path.get(shared) {
        Some(letter) if std::path::is_separator(char::from(*letter)) => 0,
        Some(letter) => 1 + u16::from(*letter),
        None => 0,
    };
    match (one.get(shared), other.get(shared)) {
        (None, Some(letter)) if std::path::is_separator(char::from(*letter)) => std::cmp::Ordering::Greater,
        (Some(letter), None) if std::path::is_separator(char::from(*letter)) => std::cmp::Ordering::Less,
        _ => rank(one).cmp(&rank(other)),
    }
}

fn merge(whole: &mut PassSummary, part: PassSummary) {
    // Taken apart, so that a new bucket cannot be forgotten here.
    let PassSummary {
        new,
        changed,
        same,
        filtered,
        skipped_links,
        skipped_special,
        failed,
        vanished,
        purged,
        kept,
        extra_filtered,
        extra_unread,
        directories,
        directories_created,
        links_copied,
        attributes_mended,
        linked,
        retried,
        resumed,
        errors,
    } = part;
    whole.new.merge(new);
    whole.changed.merge(changed);
    whole.same.merge(same);
    for (rule, tally) in filtered {
        whole.filtered.entry(rule).or_default().merge(tally);
    }
    whole.skipped_links += skipped_links;
    whole.skipped_special += skipped_special;
    whole.failed.merge(failed);
    whole.vanished += vanished;
    whole.purged.merge(purged);
    whole.kept.merge(kept);
    whole.extra_filtered.merge(extra_filtered);
    whole.extra_unread += extra_unread;
    whole.directories += directories;
    whole.directories_created += directories_created;
    whole.links_copied += links_copied;
    whole.attributes_mended += attributes_mended;
    whole.linked.merge(linked);
    whole.retried += retried;
    whole.resumed.merge(resumed);
    whole.errors.extend(errors);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extras_come_in_an_order_in_which_they_can_be_taken_away() {
        let mut entries: Vec<_> = ["b", "a", "a/x", "a/x/1", "a/x 2", "a/b"]
            .into_iter()
            .map(|path| ExtraEntry { path: path.into(), kind: EntryKind::File, bytes: 0 })
            .collect();
        entries.sort_by(in_purge_order);
        let paths: Vec<_> = entries.iter().map(|entry| entry.path.to_str().unwrap()).collect();
        assert_eq!(paths, ["a/b", "a/x/1", "a/x", "a/x 2", "a", "b"]);
    }
}
