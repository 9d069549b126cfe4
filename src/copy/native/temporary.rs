//! The names under which files are written before they are whole.
//!
//! A name of this form belongs to movebook: a pass never copies it, never calls it extra, and removes it from the
//! target (a directory with all that it holds), since it can only be what a killed pass left. Two passes into one
//! target at the same time are kept apart by the run's lock, not here.
//!
//! A name is of this form whatever the case of its letters: to a volume that folds case it is the same name.
//!
//! The names of a copy that can be gone on with are made of its final name, so that the next pass finds them again:
//! the copy ends in `-resumable.part`, the record of what of it is durable in `-resumable.record`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::copy::EntryKind;
use crate::sys::tree::{self, Directory, Taken};

const PREFIX: &str = ".movebook-";
const SUFFIX: &str = ".part";
/// Sixteen digits for the pass, a dash, eight for the file.
const MIDDLE: usize = 16 + 1 + 8;

const RESUMABLE: &str = "-resumable.part";
const RECORD: &str = "-resumable.record";
/// Sixteen digits for the final name.
const DIGITS: usize = 16;

/// The names of one copy that can be gone on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResumableNames {
    pub(super) part: OsString,
    pub(super) record: OsString,
}

impl ResumableNames {
    /// Those of a copy that is to have this name. Two names that fall together are told apart by the record.
    pub(super) fn of(name: &OsStr) -> Self {
        Self::with(&blake3::hash(name.as_encoded_bytes()).to_hex()[..DIGITS])
    }

    /// Both names, if this is one of them.
    pub(super) fn containing(name: &OsStr) -> Option<Self> {
        let name = name.to_str()?.to_ascii_lowercase();
        let rest = name.strip_prefix(PREFIX)?;
        let digits = rest.strip_suffix(RESUMABLE).or_else(|| rest.strip_suffix(RECORD))?;
        (digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| Self::with(digits))
    }

    fn with(digits: &str) -> Self {
        Self {
            part: format!("{PREFIX}{digits}{RESUMABLE}").into(),
            record: format!("{PREFIX}{digits}{RECORD}").into(),
        }
    }
}

/// Gives out names that no other pass gives out.
pub(super) struct TemporaryNames {
    pass: u64,
    next: AtomicU64,
}

impl TemporaryNames {
    pub(super) fn new() -> Self {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
        // Time and process make two passes differ; names are made with "must not exist" besides.
        let pass = clock.rotate_left(20) ^ u64::from(std::process::id());
        Self { pass, next: AtomicU64::new(0) }
    }

    pub(super) fn next(&self) -> OsString {
        let number = self.next.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff;
        format!("{PREFIX}{:016x}-{number:08x}{SUFFIX}", self.pass).into()
    }
}

/// Whether a name is one of these, of whichever pass.
pub(super) fn is_temporary(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    // Nearly all names are none, and are known so by their first letters.
    let Some((prefix, rest)) = bytes.split_at_checked(PREFIX.len()) else { return false };
    if !prefix.eq_ignore_ascii_case(PREFIX.as_bytes()) {
        return false;
    }
    if ResumableNames::containing(name).is_some() {
        return true;
    }
    let Some((middle, suffix)) = rest.split_at_checked(MIDDLE) else { return false };
    suffix.eq_ignore_ascii_case(SUFFIX.as_bytes())
        && middle[16] == b'-'
        && middle.iter().enumerate().all(|(index, byte)| index == 16 || byte.is_ascii_hexdigit())
}

/// Whether some file system refuses the name, for its letters or for how it ends: a directory of such a name has it from
/// the start, since to find that only once it is filled would be too late.
pub(super) fn may_be_refused(name: &OsStr) -> bool {
    let refused = |letter: char| letter.is_control() || "<>:\"|?*\\".contains(letter);
    name.to_str().is_none_or(|name| name.contains(refused) || name.ends_with(['.', ' ']))
}

/// Whether an entry of a target is what a killed pass left: a file, a directory, or a link where links are copied.
pub(super) fn is_leftover(name: &OsStr, kind: EntryKind) -> bool {
    kind != EntryKind::Special && is_temporary(name)
}

/// Removes what a killed pass left, unless `stopped` says so: what is there yet then still has its temporary name. No
/// link is followed, and folders in it that forbid writing are made writable.
///
/// A folder in it is moved to its top before it is emptied, so that a tree of any depth takes few handles and no stack.
pub(super) fn remove<D: Directory>(
    directory: &D,
    name: &OsStr,
    kind: EntryKind,
    stopped: &dyn Fn() -> bool,
) -> io::Result<()> {
    if kind != EntryKind::Directory {
        return directory.remove_file(name);
    }
    let top = directory.enter(name)?;
    open_up(&top);
    let free = TemporaryNames::new();
    // What a share keeps of a removed file, or somebody puts there meanwhile, is no reason for another round.
    while empty(&top, &free, stopped)? > 0 {}
    drop(top);
    directory.remove_directory(name)
}

/// Removes what a directory holds, but for the folders of its folders: those are moved up. Tells how many.
fn empty<D: Directory>(top: &D, free: &TemporaryNames, stopped: &dyn Fn() -> bool) -> io::Result<u64> {
    let go_on = || if stopped() { Err(io::ErrorKind::Interrupted.into()) } else { Ok::<_, io::Error>(()) };
    let mut lifted = 0;
    let names = top.names()?;
    for index in 0..names.len() {
        go_on()?;
        let name = names.name(index);
        if names.kind(index) != EntryKind::Directory {
            top.remove_file(name)?;
            continue;
        }
        let inner = top.enter(name)?;
        open_up(&inner);
        let held = inner.names()?;
        for index in 0..held.len() {
            go_on()?;
            if held.kind(index) == EntryKind::Directory {
                lift(&inner, held.name(index), top, &free.next())?;
                lifted += 1;
            } else {
                inner.remove_file(held.name(index))?;
            }
        }
        drop(inner);
        top.remove_directory(name)?;
    }
    Ok(lifted)
}

fn lift<D: Directory>(inner: &D, name: &OsStr, top: &D, free: &OsStr) -> io::Result<()> {
    let rename = || inner.rename(name, top, free, Taken::Refuse);
    match rename() {
        // A folder that gets another parent is written to itself.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(&inner.enter(name)?);
            rename()
        }
        result => result,
    }
}

/// Lets the owner write into a folder.
fn open_up<D: Directory>(folder: &D) {
    if let Ok(status) = folder.own_status()
        && let Some(wider) = tree::writable(&status.permissions)
    {
        // Where that is refused, what is done next in the folder is refused too, and says so.
        let _ = folder.set_own_permissions(&wider);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_are_known_again_and_users_names_are_not() {
        let names = TemporaryNames::new();
        let (one, other) = (names.next(), names.next());
        assert!(is_temporary(&one) && is_temporary(&other));
        assert_ne!(one, other);
        assert!(is_temporary(&one.to_ascii_uppercase()), "to a volume that folds case it is the same name");
        for name in [".movebook-quarantine", ".movebook-notes.part", "a.part", ".movebook-.part", ""] {
            assert!(!is_temporary(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn the_names_of_a_resumable_copy_are_found_again_by_its_final_name_and_by_each_other() {
        let names = ResumableNames::of(OsStr::new("mail.dat"));
        assert_eq!(names, ResumableNames::of(OsStr::new("mail.dat")));
        assert_ne!(names, ResumableNames::of(OsStr::new("mail.dau")));
        for name in [&names.part, &names.record] {
            assert!(is_temporary(name));
            assert_eq!(ResumableNames::containing(name), Some(names.clone()));
            assert_eq!(ResumableNames::containing(&name.to_ascii_uppercase()), Some(names.clone()));
        }
        for name in [".movebook--resumable.part", ".movebook-0123456789abcdez-resumable.part", "mail.dat"] {
            assert_eq!(ResumableNames::containing(OsStr::new(name)), None, "{name}");
        }
    }
}
