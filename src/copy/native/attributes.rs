//! What a copy carries beside content and time: permission bits (on Windows marks, see `sys::attributes`) in every pass;
//! owner and group, extended attributes and access lists where the pass asks for them (`preserve:`).
//!
//! - An entry is *same* only if these agree too. Where they alone differ, they are mended on the file as it is: nothing
//!   is copied, and the file is never opened for writing.
//! - All is set on an open object, and on an existing one only after it was seen to be the one that was compared: a name
//!   that leads elsewhere by now changes nothing there.
//! - A file with more names than this pass knows of is not mended but copied anew: its other names (a snapshot made of
//!   hard links) keep what they have.
//! - What was asked for and cannot be kept is an error of that file, which then gets no copy: one without its access list
//!   could be read by others.
//!
//! What comes last matters: changing an owner drops set-user-ID bits and the rights of executables, setting an access
//! list changes permission bits, and narrower permissions can forbid setting attributes. So: owner, attributes, access
//! lists, permission bits, and then the time.
//!
//! Numbers stand for users and groups, as with `rsync --numeric-ids`: names may mean others on the new machine. Of
//! extended attributes, `user.` is carried over, and with the rights to it `trusted.` and `security.capability`; what
//! the target has of these and the source lacks is removed; others (`security.selinux`) belong to the machine.
//!
//! On Windows marks take the place of permission bits and come last, since a read-only file is not written to. Owner and
//! access list are attributes there. A copy that is to get a list is its owner's, the administrators' and the system's alone
//! from before its content is written until the list is set; one that is not has what its directory hands down. A source
//! without a list, or on a volume without any, is an error of the file: no list would let everybody in.
//!
//! A volume that keeps no permission bits (FAT, some shares) is known by the first file whose bits do not change when
//! they are set; from then on a pass leaves them alone.

mod extended;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::decide::apart;
use super::failure::{Failure, Side};
use super::node::{HandsDown, Node, Origin, TargetSide};
use super::streams::Streams;
use super::temporary::TemporaryNames;
use super::walk::Found;
use crate::copy::{EntryKind, ErrorClass, PassError, Preserve, Preserved, names};
use crate::sys::attributes::{self, Object};
use crate::sys::tree::{self, Directory, ListedFile, Owner, Permissions, SetId, Status};
use extended::{Change, Extended, Kept, changes};

/// What a pass carries over, and what it found out about the target's volume.
#[derive(Debug)]
pub(super) struct Attributes {
    preserve: Preserve,
    kept: Kept,
    /// Set once a file's permission bits did not change by being set.
    no_permissions: AtomicBool,
    /// What goes with each copy of a file.
    pub(super) streams: Streams,
}

/// What is to be done with a file whose content is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Agree,
    Mend,
    /// It has names that this pass knows nothing of.
    CopyAnew,
}

/// Whether mending changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mended {
    Yes,
    /// The volume keeps no permission bits, and nothing else differed.
    NotKept,
}

/// What an entry is to have; `None` and nothing at all are left as they are.
struct Wanted {
    owner: Option<Owner>,
    permissions: Option<Permissions>,
    extended: Extended,
}

impl Attributes {
    /// Refuses what these handles cannot carry over.
    pub(super) fn new<D: Directory>(preserve: Preserve, target: &Path) -> Result<Self, PassError> {
        if let Some(thing) = preserve.iter().find(|thing| !D::PRESERVED.contains(thing)) {
            let word = word(thing);
            return Err(PassError::Fatal {
                what: format!("`preserve: [{word}]` is not possible on this system yet"),
                path: names::shown(target),
                hint: format!("leave `{word}` out of `preserve`, or let the step run on Linux"),
                source: None,
            });
        }
        let kept = Kept::new(preserve, attributes::settable());
        let streams = Streams::default();
        Ok(Self { preserve, kept, no_permissions: AtomicBool::new(false), streams })
    }

    /// Whether anything is set on each copy beyond what making it gives it.
    fn is_more(&self) -> bool {
        self.preserve.holds(Preserved::Owner) || !self.kept.is_nothing()
    }

    /// The permission bits that a copy of a file or directory is made with: none for others until its owner and access
    /// list are right. Where the source has a list, its bits for the group are those that the list allows at most.
    ///
    /// Where an owner is an attribute (Windows), only a list that is to come makes it so: without one a copy has what its
    /// directory hands down, and has it from the start.
    pub(super) fn first_permissions(&self, source: &Status) -> Permissions {
        let first = tree::first_permissions(&source.permissions);
        let is_closed = match attributes::OWNER_IS_ATTRIBUTE {
            true => self.preserve.holds(Preserved::Acls),
            false => self.is_more(),
        };
        if is_closed { tree::owner_only(&first) } else { first }
    }

    /// Compares what two files of the same content carry.
    pub(super) fn judge<D: Directory>(&self, found: &Found<'_, D>) -> Result<Verdict, Failure> {
        let (Some(target), Some(side)) = (&found.target, found.node.target()) else {
            return Ok(Verdict::Agree);
        };
        // What a listing does not tell is compared only where it is asked for: so both ways of comparing agree.
        let agree = self.listed_agree(&(&found.source).into(), &target.into())
            && (self.preserve.is_nothing_more() || self.more_agrees(found, target, side)?);
        Ok(match agree {
            true => Verdict::Agree,
            false if target.names > self.known_names(&found.source) => Verdict::CopyAnew,
            false => Verdict::Mend,
        })
    }

    /// Whether two files of the same content carry the same by what their listings tell. Where the pass carries over more
    /// than a listing tells of, that says nothing.
    pub(super) fn agree_as_listed(&self, source: &ListedFile, target: &ListedFile) -> bool {
        self.preserve.is_nothing_more() && self.listed_agree(source, target)
    }

    /// Gives a file of the target what its source has.
    pub(super) fn mend<D: Directory>(&self, found: &Found<'_, D>) -> Result<Mended, Failure> {
        let (Some(target), Some(side)) = (&found.target, found.node.target()) else {
            return Ok(Mended::NotKept);
        };
        let path = found.path();
        let failed = |error| Failure::of(Side::Target, "look at its attributes in the target", &path, error);
        let held = side.directory.hold(found.name).map_err(failed)?;
        let object = held.object();
        let there = object.status().map_err(failed)?;
        // The count alone says of a file that lost this name meanwhile, and is somebody else's by its last, that it has no
        // other: by its own name it must be what it is by its handle, with nothing changed about its names in between.
        //
        // A rename that is under way counts the file's names before it takes this one away. The system lets nobody remove a
        // name in the directory meanwhile: to ask for that, of a name that nobody has, waits for its end.
        let _ = side.directory.remove_file(&TemporaryNames::new().next());
        let is_named = |named: Status| {
            is_one_file(target, &named) && (named.names, named.changed) == (there.names, there.changed)
        };
        if !is_one_file(target, &there)
            || there.names > self.known_names(&found.source)
            || !side.directory.status(found.name).is_ok_and(is_named)
        {
            return Err(Failure::transient("the target's file was replaced while it was compared"));
        }
        let wanted = Wanted {
            owner: self.owner(&found.source),
            permissions: Some(self.permissions(&found.source)),
            extended: self
                .extended_below(&found.node.source, found.name)
                .map_err(|error| Failure::of(Side::Source, "read its attributes", &path, error))?,
        };
        let result = self.apply(object, &there, &wanted).map_err(|fault| fault.failure(&path))?;
        if result == Mended::NotKept {
            self.no_permissions.store(true, Ordering::Relaxed);
        }
        Ok(result)
    }

    /// Gives a finished copy, before it gets its time and its name, what its source has.
    pub(super) fn finish<D: Directory>(
        &self,
        found: &Found<'_, D>,
        side: &TargetSide<D>,
        status: &Status,
        source: &File,
        copy: &File,
    ) -> Result<(), Failure> {
        let path = || found.path();
        let object = Object::file(copy);
        if !self.is_more() {
            if side.hands_down() == HandsDown::Nothing && !tree::PERMISSIONS_COME_LAST {
                return Ok(());
            }
            return match object.set_permissions(&self.permissions(status)) {
                Err(error) if error.kind() == ErrorKind::Unsupported => Ok(()),
                set => set.map_err(|error| Fault { of: Part::Permissions, error }.failure(&path())),
            };
        }
        let read = self.extended(Object::file(source));
        let wanted = Wanted {
            owner: self.owner(status),
            permissions: Some(self.permissions(status)),
            extended: read
                .map_err(|error| Failure::of(Side::Source, "read its attributes", &path(), error))?,
        };
        let object = Object::file(copy);
        let applied =
            object.status().map_err(Fault::looking).and_then(|there| self.apply(object, &there, &wanted));
        applied.map(drop).map_err(|fault| fault.failure(&path()))
    }

    /// Gives a link of the target the owner, the attributes and the time of the source's.
    pub(super) fn finish_link<D: Directory>(
        &self,
        node: &Node<D>,
        side: &TargetSide<D>,
        name: &OsStr,
        copy: &OsStr,
        tolerance: Duration,
    ) -> Result<(), Failure> {
        let path = node.path_of(name);
        let source = |error| Failure::of(Side::Source, "read the link's attributes", &path, error);
        let target = |error| Failure::of(Side::Target, "set the link's attributes", &path, error);
        let status = node.source.status(name).map_err(source)?;
        let held = side.directory.hold(copy).map_err(target)?;
        let object = held.object();
        let there = object.status().map_err(target)?;
        if status.kind != EntryKind::Link || there.kind != EntryKind::Link {
            return Err(Failure::transient("the link was replaced while it was looked at"));
        }
        let extended = self.extended_below(&node.source, name).map_err(source)?;
        let wanted = Wanted { owner: self.owner(&status), permissions: None, extended };
        self.apply(object, &there, &wanted).map_err(|fault| fault.failure(&path))?;
        if apart(status.modified, there.modified) <= tolerance {
            return Ok(());
        }
        match object.set_modified(status.modified) {
            // A volume that keeps no times of links keeps the link all the same.
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(()),
            result => result.map_err(target),
        }
    }

    /// Gives a directory what its source has, now that nothing is written into it any more.
    pub(super) fn leave<D: Directory>(&self, node: &Node<D>, side: &TargetSide<D>) -> Result<(), Failure> {
        if self.is_more() {
            self.leave_as_asked(node, side)?;
        }
        leave(node, side, &self.permissions(&node.source_status)).map_err(|error| {
            Failure::permanent(format!("cannot set the directory's time and permissions: {error}"))
        })
    }

    fn leave_as_asked<D: Directory>(&self, node: &Node<D>, side: &TargetSide<D>) -> Result<(), Failure> {
        let source =
            |error| Failure::of(Side::Source, "read the directory's attributes", &node.relative, error);
        let target = |fault: Fault| fault.failure(&node.relative);
        let read = node.source.object().and_then(|object| self.extended(object));
        let wanted = Wanted {
            owner: self.owner(&node.source_status),
            permissions: None,
            extended: read.map_err(source)?,
        };
        let object = side.directory.object().map_err(Fault::looking).map_err(target)?;
        let there = object.status().map_err(Fault::looking).map_err(target)?;
        self.apply(object, &there, &wanted).map(drop).map_err(target)
    }

    /// Sets what differs, in the one order in which nothing undoes what was set before.
    fn apply(&self, object: Object<'_>, there: &Status, wanted: &Wanted) -> Result<Mended, Fault> {
        if let Some(owner) = wanted.owner.filter(|owner| *owner != there.owner) {
            object.set_owner(owner).map_err(|error| Fault { of: Part::Owner(owner), error })?;
        }
        if !self.kept.is_nothing() {
            let now = self.extended(object).map_err(Fault::looking)?;
            for change in changes(&wanted.extended, &now) {
                self.change(object, change)?;
            }
        }
        let Some(permissions) = &wanted.permissions else { return Ok(Mended::Yes) };
        let now = object.status().map_err(Fault::looking)?.permissions;
        if tree::same_permissions(permissions, &now) {
            return Ok(Mended::Yes);
        }
        match object.set_permissions(permissions) {
            Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(Mended::NotKept),
            result => result.map_err(|error| Fault { of: Part::Permissions, error })?,
        }
        let now = object.status().map_err(Fault::looking)?.permissions;
        // Who is not of the group loses the set-group-ID bit, whatever the volume keeps.
        let plain = |permissions| tree::kept_permissions(EntryKind::File, permissions, SetId::Drop);
        Ok(match tree::same_permissions(&plain(permissions), &plain(&now)) {
            true => Mended::Yes,
            false => Mended::NotKept,
        })
    }

    fn change(&self, object: Object<'_>, change: Change<'_>) -> Result<(), Fault> {
        let carry_out = || match change {
            Change::Set { name, value } => object.set(name, value),
            Change::Remove { name } => object.remove(name),
        };
        let result = match carry_out() {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                as_writer(object, carry_out).unwrap_or(Err(error))
            }
            result => result,
        };
        result.map_err(|error| {
            let part = self.kept.part(change.name()).unwrap_or(Preserved::Xattrs);
            Fault { of: Part::Attribute(part, change.name().into()), error }
        })
    }

    /// Whether two files carry the same of what a listing tells.
    fn listed_agree(&self, source: &ListedFile, target: &ListedFile) -> bool {
        let set_id = if self.preserve.holds(Preserved::Owner) { SetId::Keep } else { SetId::Drop };
        let wanted = tree::kept_permissions(EntryKind::File, &source.permissions, set_id);
        tree::same_permissions(&wanted, &target.permissions) || self.no_permissions.load(Ordering::Relaxed)
    }

    /// Whether two files carry the same of what the pass is asked to carry over besides.
    fn more_agrees<D: Directory>(
        &self,
        found: &Found<'_, D>,
        target: &Status,
        side: &TargetSide<D>,
    ) -> Result<bool, Failure> {
        let owners_agree = self.owner(&found.source).is_none_or(|owner| owner == target.owner);
        Ok(owners_agree && self.extended_agree(found, side)?)
    }

    fn extended_agree<D: Directory>(
        &self,
        found: &Found<'_, D>,
        side: &TargetSide<D>,
    ) -> Result<bool, Failure> {
        if self.kept.is_nothing() {
            return Ok(true);
        }
        let failed = |side, error| Failure::of(side, "read its attributes", &found.path(), error);
        let source = self
            .extended_below(&found.node.source, found.name)
            .map_err(|error| failed(Side::Source, error))?;
        let target =
            self.extended_below(&side.directory, found.name).map_err(|error| failed(Side::Target, error))?;
        Ok(changes(&source, &target).iter().all(|change| change.is_left_alone()))
    }

    fn owner(&self, source: &Status) -> Option<Owner> {
        self.preserve.holds(Preserved::Owner).then_some(source.owner)
    }

    fn permissions(&self, source: &Status) -> Permissions {
        let set_id = if self.preserve.holds(Preserved::Owner) { SetId::Keep } else { SetId::Drop };
        tree::kept_permissions(source.kind, &source.permissions, set_id)
    }

    /// How many names a file of the target may have so that all of them are this pass's.
    fn known_names(&self, source: &Status) -> u64 {
        if self.preserve.holds(Preserved::HardLinks) { source.names } else { 1 }
    }

    fn extended(&self, object: Object<'_>) -> io::Result<Extended> {
        if self.kept.is_nothing() {
            return Ok(Extended::default());
        }
        self.collect(object.names(), |name| object.value(name))
    }

    fn extended_below<D: Directory>(&self, directory: &D, name: &OsStr) -> io::Result<Extended> {
        if self.kept.is_nothing() {
            return Ok(Extended::default());
        }
        self.collect(directory.attribute_names(name), |attribute| directory.attribute(name, attribute))
    }

    fn collect(
        &self,
        names: io::Result<attributes::AttributeNames>,
        value: impl Fn(&[u8]) -> io::Result<Option<Vec<u8>>>,
    ) -> io::Result<Extended> {
        let names = match names {
            // A volume that stores none has none.
            Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(Extended::default()),
            names => names?,
        };
        let mut attributes = Vec::new();
        for name in names.iter().filter(|name| self.kept.part(name).is_some()) {
            // One that went since it was listed is not there.
            if let Some(value) = value(name)? {
                attributes.push((name.to_vec(), value));
            }
        }
        Ok(Extended::new(attributes))
    }
}

/// Tries again with the right to write: an owner may set attributes only where it has that. The permission bits are put
/// right afterwards, or at once if that did not help. `None` if the owner may write already.
fn as_writer(object: Object<'_>, carry_out: impl Fn() -> io::Result<()>) -> Option<io::Result<()>> {
    let before = object.status().ok()?.permissions;
    let wider = tree::writable(&before)?;
    object.set_permissions(&wider).ok()?;
    let result = carry_out();
    if result.is_err() {
        // It was allowed a moment ago; if it no longer is, the next pass finds the bits that differ.
        let _ = object.set_permissions(&before);
    }
    Some(result)
}

/// Gives a directory its permissions and its time.
fn leave<D: Directory>(node: &Node<D>, side: &TargetSide<D>, permissions: &Permissions) -> io::Result<()> {
    let modified = node.source_status.modified;
    let made = side.origin == Origin::MadeByThisPass;
    let own = side.directory.own_status();
    let top = match &own {
        Ok(own) if node.parent.is_none() => Some(tree::top_permissions(permissions, &own.permissions)),
        _ => None,
    };
    let permissions = top.as_ref().unwrap_or(permissions);
    // Also one that was there before: an interrupted pass made it, and could not give it its permissions.
    let differs = own.as_ref().is_ok_and(|own| !tree::same_permissions(&own.permissions, permissions));
    let permissions = (made || differs || side.narrow().is_some()).then_some(permissions);
    let stamped = match &own {
        Ok(own) if own.modified == modified => Ok(()),
        _ => side.directory.set_own_modified(modified),
    };
    match (stamped, permissions) {
        // Those of a directory that was there before, and that belongs to someone else, are left to them.
        (Err(_), _) if !made => Ok(()),
        (Err(error), _) => Err(error),
        (Ok(()), None) => Ok(()),
        (Ok(()), Some(permissions)) => match side.directory.set_own_permissions(permissions) {
            Err(_) if !made => Ok(()),
            result => result,
        },
    }
}

/// Whether what is held is the file that was compared.
fn is_one_file(seen: &Status, held: &Status) -> bool {
    held.kind == EntryKind::File
        && seen.identity.is_none_or(|identity| held.identity == Some(identity))
        && seen.size == held.size
        && seen.modified == held.modified
}

/// What could not be set, and why.
#[derive(Debug)]
struct Fault {
    of: Part,
    error: io::Error,
}

#[derive(Debug)]
enum Part {
    Look,
    Owner(Owner),
    Permissions,
    Attribute(Preserved, Vec<u8>),
}

impl Fault {
    fn looking(error: io::Error) -> Self {
        Self { of: Part::Look, error }
    }

    /// Says it with what to do. What the volume cannot store is the file's own error, whatever word the system has for it.
    fn failure(self, path: &Path) -> Failure {
        let Self { of, error } = self;
        let (what, class, advice) = match (&of, error.kind()) {
            (Part::Owner(_), ErrorKind::PermissionDenied) => {
                let advice = format!("{}, or leave `owner` out of `preserve`", attributes::MIGHTY);
                (None, ErrorClass::Denied, advice)
            }
            (Part::Owner(_), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
                let advice = "the target knows no such owner: leave `owner` out of `preserve`, or choose another target";
                (None, ErrorClass::Permanent, advice.to_owned())
            }
            (Part::Permissions, ErrorKind::PermissionDenied) => (
                None,
                ErrorClass::Denied,
                format!("run as the owner of the target's file, or {}", attributes::MIGHTY),
            ),
            (Part::Attribute(part, _), ErrorKind::Unsupported) => {
                let word = word(*part);
                let what = format!("the target's file system does not store its {}", called(*part));
                let advice = format!("leave `{word}` out of `preserve`, or choose a target that stores them");
                (Some(what), ErrorClass::Permanent, advice)
            }
            (Part::Attribute(part, name), kind) if is_too_much(kind) => {
                let what = format!("the target's file system has no room for its attribute {}", shown(name));
                let advice = format!(
                    "leave `{}` out of `preserve`, or choose a target with more room for them",
                    word(*part)
                );
                (Some(what), ErrorClass::Permanent, advice)
            }
            (Part::Attribute(part, _), ErrorKind::PermissionDenied) => {
                let advice = format!("{}, or leave `{}` out of `preserve`", attributes::MIGHTY, word(*part));
                (None, ErrorClass::Denied, advice)
            }
            _ => return Failure::of(Side::Target, &of.described(), path, error),
        };
        let what = what.unwrap_or_else(|| format!("cannot {}", of.described()));
        Failure::Entry { class, text: format!("{what}: {error}; {advice}") }
    }
}

impl Part {
    /// Completes "cannot …".
    fn described(&self) -> String {
        match self {
            Self::Look => "look at its attributes in the target".to_owned(),
            Self::Owner(owner) => format!("give it its owner (user {}, group {})", owner.user, owner.group),
            Self::Permissions => "give it its permissions".to_owned(),
            Self::Attribute(Preserved::Owner, _) => "give it its owner".to_owned(),
            Self::Attribute(Preserved::Acls, name) if *name == attributes::ACCESS => {
                "give it its access list".to_owned()
            }
            Self::Attribute(_, name) => format!("give it its attribute {}", shown(name)),
        }
    }
}

/// Ext4 says "no space" where a file's attributes are too many for the block that it has for them.
fn is_too_much(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::StorageFull | ErrorKind::ArgumentListTooLong)
}

fn shown(name: &[u8]) -> String {
    names::shown(Path::new(&tree::name_from_bytes(name.to_vec())))
}

/// The word for it in a runbook.
fn word(part: Preserved) -> &'static str {
    match part {
        Preserved::Owner => "owner",
        Preserved::Xattrs => "xattrs",
        Preserved::Acls => "acls",
        Preserved::HardLinks => "hard-links",
    }
}

/// What it is called in a sentence.
fn called(part: Preserved) -> &'static str {
    match part {
        Preserved::Owner => "owner",
        Preserved::Xattrs => "extended attributes",
        Preserved::Acls => "access list",
        Preserved::HardLinks => "other names",
    }
}
