//! A directory by its handle.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_CREATE, FILE_DIRECTORY_FILE, FILE_NON_DIRECTORY_FILE, FILE_OPEN, FILE_OPEN_REPARSE_POINT,
    FILE_SEQUENTIAL_ONLY, FileBothDirectoryInformation, FileCaseSensitiveInformation,
    FileDispositionInformation, FileIdBothDirectoryInformation,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ADD_FILE, FILE_ATTRIBUTE_ARCHIVE, FILE_ATTRIBUTE_HIDDEN, FILE_ATTRIBUTE_NOT_CONTENT_INDEXED,
    FILE_ATTRIBUTE_READONLY, FILE_ATTRIBUTE_SYSTEM, FILE_FLAG_BACKUP_SEMANTICS, FILE_GENERIC_WRITE,
    FILE_LIST_DIRECTORY, FILE_READ_ATTRIBUTES, FILE_READ_DATA, FILE_TRAVERSE, FILE_WRITE_ATTRIBUTES,
    SYNCHRONIZE,
};
use windows_sys::Win32::System::Ioctl::{FSCTL_GET_REPARSE_POINT, FSCTL_SET_REPARSE_POINT};

use super::calls::{self, Name, Opening, Place, Refusal};
use super::change::{self, Forms};
use super::links::{self, LeadsTo};
use super::look::{self, Marks};
use super::records::{self, DIRECTORY, Form, REPARSE_POINT, u32_at};
use crate::copy::{EntryKind, Preserved};
use crate::sys::attributes::{self, AttributeNames, Held, Object};
use crate::sys::privilege::{self, Privilege};
use crate::sys::tree::{
    Case, Directory, Durability, FileIdentity, Listed, Listings, Permissions, Presence, Renaming, Status,
    Taken, is_absence, is_out_of_reach,
};
use crate::sys::windows_errors::{self as errors, Class};

/// What looking, listing and going on below takes.
const TO_LIST: u32 = FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES;
/// The attributes that a file is made with and a directory is given.
const SETTABLE: u32 = FILE_ATTRIBUTE_READONLY
    | FILE_ATTRIBUTE_HIDDEN
    | FILE_ATTRIBUTE_SYSTEM
    | FILE_ATTRIBUTE_ARCHIVE
    | FILE_ATTRIBUTE_NOT_CONTENT_INDEXED;
/// What setting attributes takes of a held entry.
const TO_HOLD: u32 = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES;
/// A flag of `FILE_CASE_SENSITIVE_INFORMATION` (`FILE_CS_FLAG_CASE_SENSITIVE_DIR`).
const TELLS_CASES_APART: u32 = 1;
/// So much of a listing is asked for at once, in numbers of eight bytes: what a server sends in one answer.
const LISTED: usize = 64 * 1024 / 8;

/// An open directory.
#[derive(Debug)]
pub struct Handle {
    directory: File,
    volume: Arc<Volume>,
    /// Which directory it is, as of the first look at it.
    identity: OnceLock<Option<FileIdentity>>,
}

/// What all directories of a volume share.
#[derive(Debug)]
struct Volume {
    serial: Option<u64>,
    listings: Listings,
    forms: Forms,
    /// Whether its listings are known to hold no numbers of files.
    without_numbers: AtomicBool,
}

impl Volume {
    fn of(directory: &File) -> Arc<Self> {
        Arc::new(Self {
            serial: look::volume_of(directory),
            listings: look::listings_of(directory),
            forms: Forms::default(),
            without_numbers: AtomicBool::new(false),
        })
    }
}

impl Directory for Handle {
    const DURABILITY: Durability = Durability::EachFile;
    const RENAMING: Renaming = Renaming::Lost;

    const PRESERVED: &'static [Preserved] = attributes::PRESERVED;

    fn open(path: &Path) -> io::Result<Self> {
        // The standard library makes paths of any length, relative ones and those with `/` what the system takes.
        let open = |rights| {
            let mut options = OpenOptions::new();
            options.access_mode(rights | SYNCHRONIZE).custom_flags(FILE_FLAG_BACKUP_SEMANTICS);
            options.open(path)
        };
        let directory = match open(TO_LIST | FILE_TRAVERSE) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => open(TO_LIST),
            result => result,
        };
        let directory = directory.map_err(errors::told)?;
        if Marks::of(&directory)?.marks & DIRECTORY == 0 {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let volume = Volume::of(&directory);
        Ok(Self { directory, volume, identity: OnceLock::new() })
    }

    fn enter(&self, name: &OsStr) -> io::Result<Self> {
        let name = Name::of(name)?;
        let directory = self.enter_by(&name, FILE_OPEN_REPARSE_POINT)?;
        let marks = Marks::of(&directory)?;
        if !marks.is_reparse_point() {
            return Ok(Self { directory, volume: Arc::clone(&self.volume), identity: OnceLock::new() });
        }
        if marks.kind() != EntryKind::Directory {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let through = self.enter_by(&name, 0)?;
        is_the_same(&directory, &through)?;
        // What stands behind a filter may be another volume.
        let volume = Volume::of(&through);
        Ok(Self { directory: through, volume, identity: OnceLock::new() })
    }

    fn each_entry(&self, each: &mut dyn FnMut(&OsStr, Listed) -> io::Result<()>) -> io::Result<()> {
        self.each_seen(&mut |name, status| each(name, Listed::Status(status)))
    }

    fn listings(&self) -> Listings {
        self.volume.listings
    }

    /// One directory of a volume may differ from another (`fsutil file setCaseSensitiveInfo`).
    fn case(&self) -> Case {
        match calls::ask::<4>(&self.directory, FileCaseSensitiveInformation) {
            Ok(answer) if u32_at(&answer.0, 0) & TELLS_CASES_APART != 0 => Case::Distinct,
            // A volume that does not know the question has no such directories.
            Ok(_) | Err(_) => Case::Folded,
        }
    }

    fn status(&self, name: &OsStr) -> io::Result<Status> {
        let file = self.itself(&Name::of(name)?, FILE_READ_ATTRIBUTES)?;
        look::status_of(&file, self.volume.serial)
    }

    fn own_status(&self) -> io::Result<Status> {
        let counted = match look::counted(&self.directory, self.volume.serial) {
            Err(error) if is_out_of_reach(&error) => match self.anew(FILE_READ_ATTRIBUTES) {
                Some(directory) => {
                    directory.and_then(|directory| look::counted(&directory, self.volume.serial))
                }
                None => Err(error),
            },
            counted => counted,
        };
        if let Ok((status, _)) = &counted {
            self.identity.get_or_init(|| status.identity);
        }
        match counted {
            // There are volumes that count no names of directories at all.
            Ok((status, 0)) => match self.reopened(FILE_READ_ATTRIBUTES) {
                Ok(_) => Ok(status),
                Err(error) if is_absence(&error) => Ok(Status { presence: Presence::Removed, ..status }),
                Err(error) => Err(error),
            },
            Ok((status, _)) => Ok(status),
            // Of a directory that was removed while it was open, some volumes tell nothing else.
            Err(error) if is_absence(&error) => Ok(Status {
                presence: Presence::Removed,
                ..records::Record::of_marks(DIRECTORY).status(None)
            }),
            Err(error) => Err(error),
        }
    }

    fn file_status(file: &File) -> io::Result<Status> {
        look::status_of(file, look::volume_of(file))
    }

    fn read(&self, name: &OsStr) -> io::Result<File> {
        self.regular(name, FILE_READ_DATA | FILE_READ_ATTRIBUTES, FILE_SEQUENTIAL_ONLY)
    }

    fn reopen(&self, name: &OsStr) -> io::Result<File> {
        self.regular(name, FILE_READ_DATA | FILE_READ_ATTRIBUTES | FILE_GENERIC_WRITE, 0)
    }

    fn create(&self, name: &OsStr, permissions: &Permissions) -> io::Result<File> {
        // A read-only mark forbids others to write, and not the handle that made the file. Windows compresses only what may
        // be read too.
        let opening = Opening {
            rights: FILE_GENERIC_WRITE | FILE_READ_DATA | FILE_READ_ATTRIBUTES,
            disposition: FILE_CREATE,
            options: FILE_NON_DIRECTORY_FILE | FILE_OPEN_REPARSE_POINT,
            marks: permissions.marks() & SETTABLE,
        };
        let descriptor = attributes::windows::first_descriptor(permissions);
        Ok(calls::open_with(&self.directory, &Name::of(name)?, &opening, &descriptor)?)
    }

    /// It has what the one above hands down, unless it is to be its owner's alone.
    fn make_directory(&self, name: &OsStr, permissions: &Permissions) -> io::Result<()> {
        let opening = Opening {
            rights: FILE_READ_ATTRIBUTES,
            disposition: FILE_CREATE,
            options: FILE_DIRECTORY_FILE | FILE_OPEN_REPARSE_POINT,
            marks: 0,
        };
        let descriptor = attributes::windows::first_descriptor(permissions);
        calls::open_with(&self.directory, &Name::of(name)?, &opening, &descriptor)?;
        Ok(())
    }

    fn make_root(path: &Path, permissions: &Permissions) -> io::Result<()> {
        let above = path.parent().map_or(Ok(()), fs::create_dir_all);
        above.and_then(|()| fs::create_dir(path)).map_err(errors::told)?;
        attributes::windows::close_at(path, permissions)
    }

    fn make_link(&self, name: &OsStr, text: &OsStr) -> io::Result<()> {
        let text: Vec<u16> = text.encode_wide().collect();
        let link = links::link(&text)?;
        privilege::take_for_good(Privilege::MakeLinks);
        let kind = match link.leads_to {
            LeadsTo::File => FILE_NON_DIRECTORY_FILE,
            LeadsTo::Directory => FILE_DIRECTORY_FILE,
        };
        let opening = Opening {
            rights: DELETE | FILE_WRITE_ATTRIBUTES,
            disposition: FILE_CREATE,
            options: kind | FILE_OPEN_REPARSE_POINT,
            marks: 0,
        };
        let made = calls::open(&self.directory, &Name::of(name)?, &opening)?;
        calls::order(&made, FSCTL_SET_REPARSE_POINT, &link.bytes, &mut []).map(drop).map_err(|refusal| {
            // What was made is empty and nobody's; where it cannot be removed, its temporary name tells the next pass.
            let _ = calls::set(&made, FileDispositionInformation, &[1]);
            no_link(refusal)
        })
    }

    fn link_text(&self, name: &OsStr) -> io::Result<OsString> {
        let link = self.itself(&Name::of(name)?, FILE_READ_ATTRIBUTES)?;
        let marks = Marks::of(&link)?.marks;
        let mut answer = vec![0; links::LONGEST / 8];
        let length = calls::order(&link, FSCTL_GET_REPARSE_POINT, &[], &mut answer)?;
        let leads_to = if marks & DIRECTORY == 0 { LeadsTo::File } else { LeadsTo::Directory };
        links::text(&calls::bytes_of(&answer)[..length], leads_to).map(|text| OsString::from_wide(&text))
    }

    fn rename(&self, name: &OsStr, into: &Self, new_name: &OsStr, taken: Taken) -> io::Result<()> {
        let (name, new_name) = (Name::of(name)?, Name::of(new_name)?);
        // What has it as its short name is another file.
        if taken == Taken::Replace && into.is_only_short(&new_name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        change::rename(&into.volume.forms, &self.directory, &name, &into.directory, &new_name, taken)
    }

    fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        let name = Name::of(name)?;
        let file = match self.by(&name, DELETE | FILE_READ_ATTRIBUTES, FILE_NON_DIRECTORY_FILE) {
            // A link to a directory is a directory to the system.
            Err(refusal) if refusal.is_a_directory() => {
                let link = self.itself(&name, DELETE | FILE_READ_ATTRIBUTES)?;
                if Marks::of(&link)?.kind() == EntryKind::Directory {
                    return Err(refusal.into());
                }
                link
            }
            result => result?,
        };
        change::remove(&self.volume.forms, &file, &self.directory, &name)
    }

    fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
        let name = Name::of(name)?;
        let directory = self.by(&name, DELETE | FILE_READ_ATTRIBUTES, FILE_DIRECTORY_FILE)?;
        if Marks::of(&directory)?.kind() != EntryKind::Directory {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        change::remove(&self.volume.forms, &directory, &self.directory, &name)
    }

    fn set_own_permissions(&self, permissions: &Permissions) -> io::Result<()> {
        let itself = self.reopened(FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES)?;
        Object::file(&itself).set_permissions(permissions)
    }

    fn set_own_modified(&self, modified: SystemTime) -> io::Result<()> {
        let itself = self.reopened(FILE_WRITE_ATTRIBUTES)?;
        Ok(change::set_basic(&itself, records::ticks(modified)?, 0)?)
    }

    fn flush(&self) -> io::Result<()> {
        let itself = match self.reopened(FILE_ADD_FILE) {
            // Who may not write into it has flushed each file that he wrote below it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
            result => result?,
        };
        match itself.sync_all() {
            Err(error) if cannot_flush_directories(&error) => Ok(()),
            result => result.map_err(errors::told),
        }
    }

    fn hold(&self, name: &OsStr) -> io::Result<Held> {
        Ok(Held::open(self.itself(&Name::of(name)?, TO_HOLD)?))
    }

    /// To look at; who sets an owner or a list through it opens it anew for that.
    fn object(&self) -> io::Result<Object<'_>> {
        Ok(Object::file(&self.directory))
    }

    fn attribute_names(&self, name: &OsStr) -> io::Result<AttributeNames> {
        Object::file(&self.itself(&Name::of(name)?, FILE_READ_ATTRIBUTES)?).names()
    }

    fn attribute(&self, name: &OsStr, attribute: &[u8]) -> io::Result<Option<Vec<u8>>> {
        Object::file(&self.itself(&Name::of(name)?, FILE_READ_ATTRIBUTES)?).value(attribute)
    }
}

impl Handle {
    /// Tells of all entries but `.` and `..` with what the listing itself knows, in whatever order it has them. How many
    /// names a file has is not in it. What it says of a file with several names, or of one that is being written to, may be
    /// older than the file.
    pub fn each_seen(&self, each: &mut dyn FnMut(&OsStr, Status) -> io::Result<()>) -> io::Result<()> {
        let mut buffer = vec![0; LISTED];
        let again;
        let mut directory = &self.directory;
        let begun = self.begin_listing(directory, &mut buffer).map_err(io::Error::from);
        let begun = match begun {
            Err(error) if is_out_of_reach(&error) => match self.anew(TO_LIST) {
                Some(anew) => {
                    again = anew?;
                    directory = &again;
                    self.begin_listing(directory, &mut buffer).map_err(io::Error::from)
                }
                None => Err(error),
            },
            begun => begun,
        };
        let (form, mut filled) = begun?;
        while let Some(length) = filled {
            records::each_record(&calls::bytes_of(&buffer)[..length], form, &mut |name, record| {
                let name = OsString::from_wide(name);
                // Not every server tells of what kind a reparse point is.
                let status = match record.marks & REPARSE_POINT != 0 && record.tag == 0 {
                    false => record.status(self.volume.serial),
                    true => match self.status(&name) {
                        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                        status => status?,
                    },
                };
                each(&name, status)
            })?;
            filled = calls::list(directory, class(form), Place::WhereItStands, &mut buffer)?;
        }
        Ok(())
    }

    /// Begins at the top, in the best form that the volume has.
    fn begin_listing(&self, directory: &File, buffer: &mut [u64]) -> Result<(Form, Option<usize>), Refusal> {
        let mut begin = |form| {
            let filled = calls::list(directory, class(form), Place::TheTop, buffer)?;
            Ok((form, filled))
        };
        if !self.volume.without_numbers.load(Ordering::Relaxed) {
            match begin(Form::WithNumber) {
                Err(refusal) if Refusal::is_of_the_form(refusal) => {}
                result => return result,
            }
        }
        let begun = begin(Form::WithoutNumber)?;
        self.volume.without_numbers.store(true, Ordering::Relaxed);
        Ok(begun)
    }

    /// The directory, asked for anew: a server that was started anew has forgotten the handle, and may know the directory.
    /// `None` where it still does not answer. It is found by its path: where another directory has that by now (a server
    /// answers before it has mounted its volume), this one is absent.
    fn anew(&self, rights: u32) -> Option<io::Result<File>> {
        match self.reopened(rights) {
            Err(error) if is_absence(&error) => Some(Err(error)),
            Err(_) => None,
            Ok(directory) => {
                let plain = Marks::of(&directory).is_ok_and(|marks| marks.kind() == EntryKind::Directory);
                match (self.identity.get().copied().flatten(), look::identity_of(&directory)) {
                    (Some(before), Some(now)) if before != now => Some(Err(io::ErrorKind::NotFound.into())),
                    _ => plain.then_some(Ok(directory)),
                }
            }
        }
    }

    /// The directory itself with other rights, whatever its name is by now.
    pub(in crate::sys) fn reopened(&self, rights: u32) -> io::Result<File> {
        reopened(&self.directory, rights)
    }

    /// Opens what has a name, a link itself.
    fn by(&self, name: &Name, rights: u32, options: u32) -> Result<File, Refusal> {
        let options = options | FILE_OPEN_REPARSE_POINT;
        let opening = Opening { rights, disposition: FILE_OPEN, options, marks: 0 };
        let file = calls::open(&self.directory, name, &opening)?;
        if name.may_be_short() && !self.has_own(name) { Err(Refusal::ABSENT) } else { Ok(file) }
    }

    /// Whether a name is there only as the short one of something else.
    fn is_only_short(&self, name: &Name) -> bool {
        let look = Opening {
            rights: FILE_READ_ATTRIBUTES,
            disposition: FILE_OPEN,
            options: FILE_OPEN_REPARSE_POINT,
            marks: 0,
        };
        name.may_be_short() && calls::open(&self.directory, name, &look).is_ok() && !self.has_own(name)
    }

    /// Whether something has a name as its own. Where that cannot be asked, it is believed.
    fn has_own(&self, name: &Name) -> bool {
        let own = |units: &[u16]| String::from_utf16_lossy(units).to_lowercase();
        let mut buffer = vec![0; 1024];
        // A handle lists by one name for good.
        let Ok(directory) = self.reopened(FILE_LIST_DIRECTORY) else { return true };
        let class = class(Form::WithoutNumber);
        let Ok(Some(length)) = calls::list(&directory, class, Place::Name(name), &mut buffer) else {
            return true;
        };
        let mut found = false;
        let listed =
            records::each_record(&calls::bytes_of(&buffer)[..length], Form::WithoutNumber, &mut |seen, _| {
                found |= own(seen) == own(name.units());
                Ok(())
            });
        found || listed.is_err()
    }

    fn itself(&self, name: &Name, rights: u32) -> Result<File, Refusal> {
        self.by(name, rights, 0)
    }

    /// Opens a directory below; the right to traverse is asked for where it is given, since not every account needs it.
    fn enter_by(&self, name: &Name, options: u32) -> Result<File, Refusal> {
        let open = |rights| {
            let options = options | FILE_DIRECTORY_FILE;
            calls::open(&self.directory, name, &Opening { rights, disposition: FILE_OPEN, options, marks: 0 })
        };
        let directory = match open(TO_LIST | FILE_TRAVERSE) {
            Err(refusal) if refusal.is_denied() => open(TO_LIST),
            result => result,
        }?;
        if name.may_be_short() && !self.has_own(name) { Err(Refusal::ABSENT) } else { Ok(directory) }
    }

    /// Opens a regular file. One that a filter fills in is opened through it, and must be what was looked at.
    fn regular(&self, name: &OsStr, rights: u32, options: u32) -> io::Result<File> {
        let name = Name::of(name)?;
        let options = options | FILE_NON_DIRECTORY_FILE;
        let file = self.by(&name, rights, options)?;
        let marks = Marks::of(&file)?;
        if !marks.is_reparse_point() {
            return Ok(file);
        }
        if marks.kind() != EntryKind::File {
            return Err(no_regular());
        }
        let opening = Opening { rights, disposition: FILE_OPEN, options, marks: 0 };
        let through = calls::open(&self.directory, &name, &opening)?;
        is_the_same(&file, &through)?;
        Ok(through)
    }
}

fn class(form: Form) -> i32 {
    match form {
        Form::WithNumber => FileIdBothDirectoryInformation,
        Form::WithoutNumber => FileBothDirectoryInformation,
    }
}

/// An open object with other rights, whatever its name is by now.
pub(in crate::sys) fn reopened(file: &File, rights: u32) -> io::Result<File> {
    let opening = Opening { rights, disposition: FILE_OPEN, options: FILE_OPEN_REPARSE_POINT, marks: 0 };
    Ok(calls::open(file, &Name::itself(), &opening)?)
}

/// What was opened through a filter must be what was looked at: a link that took its place would lead elsewhere.
fn is_the_same(looked_at: &File, through: &File) -> io::Result<()> {
    let directory = |file| Marks::of(file).map(|marks| marks.marks & DIRECTORY);
    let same = look::are_one(looked_at, through) && directory(looked_at)? == directory(through)?;
    if same { Ok(()) } else { Err(no_regular()) }
}

fn no_regular() -> io::Error {
    io::Error::other("is no regular file any more")
}

/// Why no link was made, and what to do.
fn no_link(refusal: Refusal) -> io::Error {
    let error = io::Error::from(refusal);
    let what = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "the account lacks the right to make symbolic links (SeCreateSymbolicLinkPrivilege); run as an administrator, \
             or leave links out"
        }
        io::ErrorKind::Unsupported => "the volume has no links; leave them out",
        _ => return error,
    };
    io::Error::new(error.kind(), what)
}

/// Whether an error of a flush says that this volume flushes no directories, as FAT and many servers do.
fn cannot_flush_directories(error: &io::Error) -> bool {
    // ERROR_INVALID_PARAMETER.
    error.raw_os_error().is_some_and(|code| {
        code == 87 || matches!(errors::class(code), Some(Class::Denied | Class::Unsupported))
    })
}
