//! The calls of the system itself: all that is unsafe about directory handles is here.
//!
//! Every handle that is made here is synchronous: each call is over when it returns, so that no buffer outlives it.

use std::ffi::{OsStr, c_void};
use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle};

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_OPEN_FOR_BACKUP_INTENT, FILE_SYNCHRONOUS_IO_NONALERT, NtCreateFile, NtFsControlFile,
    NtQueryDirectoryFile, NtQueryInformationFile, NtQueryVolumeInformationFile, NtSetInformationFile,
};
use windows_sys::Win32::Foundation::{
    ERROR_DELETE_PENDING, ERROR_DIRECTORY_NOT_SUPPORTED, ERROR_NO_SUCH_DEVICE, HANDLE, NTSTATUS,
    OBJ_CASE_INSENSITIVE, RtlNtStatusToDosError, STATUS_ACCESS_DENIED, STATUS_BUFFER_OVERFLOW,
    STATUS_CANNOT_DELETE, STATUS_DELETE_PENDING, STATUS_FILE_DELETED, STATUS_FILE_IS_A_DIRECTORY,
    STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_INFO_CLASS, STATUS_INVALID_LEVEL, STATUS_INVALID_PARAMETER,
    STATUS_NO_MORE_FILES, STATUS_NO_SUCH_DEVICE, STATUS_NO_SUCH_FILE, STATUS_NOT_IMPLEMENTED,
    STATUS_NOT_SUPPORTED, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_SYNTAX_BAD,
    STATUS_SHARING_VIOLATION, UNICODE_STRING,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, SYNCHRONIZE,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use super::records::is_plain;
use crate::sys::privilege;
use crate::sys::windows_errors as errors;

/// What the system answered instead of doing what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal(NTSTATUS);

impl Refusal {
    pub(super) const ABSENT: Self = Self(STATUS_OBJECT_NAME_NOT_FOUND);

    /// Whether it says that the system, its volume or its server has no such form of the call.
    pub(super) fn is_of_the_form(self) -> bool {
        matches!(
            self.0,
            STATUS_INVALID_INFO_CLASS
                | STATUS_INVALID_PARAMETER
                | STATUS_NOT_SUPPORTED
                | STATUS_NOT_IMPLEMENTED
                | STATUS_INVALID_DEVICE_REQUEST
                | STATUS_INVALID_LEVEL
        )
    }

    /// Whether it says so in words that say nothing else: what is wrong with a call may also be the entry's.
    pub(super) fn is_of_the_form_alone(self) -> bool {
        self.is_of_the_form() && !matches!(self.0, STATUS_INVALID_PARAMETER | STATUS_INVALID_DEVICE_REQUEST)
    }

    /// Whether it says that the name is no path that could be gone.
    pub(super) fn is_of_the_path(self) -> bool {
        self.0 == STATUS_OBJECT_PATH_SYNTAX_BAD
    }

    pub(super) fn is_denied(self) -> bool {
        matches!(self.0, STATUS_ACCESS_DENIED | STATUS_CANNOT_DELETE)
    }

    pub(super) fn is_in_use(self) -> bool {
        self.0 == STATUS_SHARING_VIOLATION
    }

    #[cfg(test)]
    pub(super) fn of(status: NTSTATUS) -> Self {
        Self(status)
    }

    pub(super) fn is_a_directory(self) -> bool {
        self.0 == STATUS_FILE_IS_A_DIRECTORY
    }
}

impl From<Refusal> for io::Error {
    fn from(Refusal(status): Refusal) -> Self {
        let code = match status {
            // The system's own translation of these says "access denied", and "file not found" of a device.
            STATUS_DELETE_PENDING | STATUS_FILE_DELETED => ERROR_DELETE_PENDING,
            STATUS_FILE_IS_A_DIRECTORY => ERROR_DIRECTORY_NOT_SUPPORTED,
            STATUS_NO_SUCH_DEVICE => ERROR_NO_SUCH_DEVICE,
            // SAFETY: it takes a number and gives one.
            status => unsafe { RtlNtStatusToDosError(status) },
        };
        errors::told(Self::from_raw_os_error(code.cast_signed()))
    }
}

/// So many letters has a short name: eight, a dot, three.
const SHORT: usize = 12;

/// A plain name, as the system wants it.
pub(super) struct Name(Vec<u16>);

impl Name {
    pub(super) fn of(name: &OsStr) -> io::Result<Self> {
        let units: Vec<u16> = name.encode_wide().collect();
        if is_plain(&units) && units.len() < usize::from(u16::MAX) / 2 {
            Ok(Self(units))
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidFilename, "Windows has no such name"))
        }
    }

    /// The one that stands for the object that it is relative to.
    pub(super) fn itself() -> Self {
        Self(Vec::new())
    }

    pub(super) fn units(&self) -> &[u16] {
        &self.0
    }

    /// Whether it may be one of those that Windows makes for old programs (`LONGNA~1.TXT`).
    pub(super) fn may_be_short(&self) -> bool {
        self.0.len() <= SHORT && self.0.contains(&u16::from(b'~'))
    }

    /// For a call that is over before the name is.
    fn text(&self) -> UNICODE_STRING {
        // Names are shorter than what the number holds.
        let length = (self.0.len() * 2) as u16;
        UNICODE_STRING { Length: length, MaximumLength: length, Buffer: self.0.as_ptr().cast_mut() }
    }
}

/// How something is opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    pub(super) rights: u32,
    /// `FILE_OPEN`, or `FILE_CREATE`.
    pub(super) disposition: u32,
    /// Beside those that all have.
    pub(super) options: u32,
    /// The attributes of what is made.
    pub(super) marks: u32,
}

/// Opens or makes what has a name in a directory, or the object itself anew. Others may read, write and remove it meanwhile.
pub(super) fn open(directory: &File, name: &Name, opening: &Opening) -> Result<File, Refusal> {
    open_with(directory, name, opening, &[])
}

/// The same; what is made has this security descriptor from the start, in the self-relative form. None at all: what the
/// directory hands down.
pub(super) fn open_with(
    directory: &File,
    name: &Name,
    opening: &Opening,
    descriptor: &[u8],
) -> Result<File, Refusal> {
    open_among(directory, name, opening, descriptor, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
}

/// The same with nobody else: refused where anybody has it open, to whatever end.
pub(super) fn open_alone(directory: &File, name: &Name, opening: &Opening) -> Result<File, Refusal> {
    open_among(directory, name, opening, &[], 0)
}

/// What others may do with it meanwhile is `shared`.
fn open_among(
    directory: &File,
    name: &Name,
    opening: &Opening,
    descriptor: &[u8],
    shared: u32,
) -> Result<File, Refusal> {
    let text = name.text();
    let words = aligned(descriptor);
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: directory.as_raw_handle(),
        ObjectName: &raw const text,
        Attributes: OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: if words.is_empty() { std::ptr::null() } else { words.as_ptr().cast() },
        SecurityQualityOfService: std::ptr::null(),
    };
    // Not without being asked: the server of a share has these rights of its administrators in use.
    let backup = if privilege::backup_intent() { FILE_OPEN_FOR_BACKUP_INTENT } else { 0 };
    let mut handle = std::ptr::null_mut();
    let mut block = IO_STATUS_BLOCK::default();
    // SAFETY: the structures and what they point to (a name; a whole descriptor, if there is one) outlive the call, which writes to none but `handle` and
    // `block`; the directory is open.
    let status = unsafe {
        NtCreateFile(
            &raw mut handle,
            opening.rights | SYNCHRONIZE,
            &raw const attributes,
            &raw mut block,
            std::ptr::null(),
            opening.marks,
            shared,
            opening.disposition,
            opening.options | FILE_SYNCHRONOUS_IO_NONALERT | backup,
            std::ptr::null(),
            0,
        )
    };
    judged(status)?;
    // SAFETY: the call made the handle just now, and nobody else has it.
    Ok(unsafe { File::from_raw_handle(handle) })
}

/// An answer of so many bytes at most, laid out as the system wants it.
#[repr(C, align(8))]
pub(super) struct Answer<const N: usize>(pub(super) [u8; N]);

/// Asks something about an open object. What does not fit into the answer is left out.
pub(super) fn ask<const N: usize>(file: &File, class: i32) -> Result<Answer<N>, Refusal> {
    answered(NtQueryInformationFile, file, class)
}

/// The same about the volume that it is on.
pub(super) fn ask_volume<const N: usize>(file: &File, class: i32) -> Result<Answer<N>, Refusal> {
    answered(NtQueryVolumeInformationFile, file, class)
}

/// A call of the system's that answers a question of some class about an open object.
type Question = unsafe extern "system" fn(HANDLE, *mut IO_STATUS_BLOCK, *mut c_void, u32, i32) -> NTSTATUS;

fn answered<const N: usize>(question: Question, file: &File, class: i32) -> Result<Answer<N>, Refusal> {
    let mut answer = Answer([0; N]);
    let mut block = IO_STATUS_BLOCK::default();
    // SAFETY: the call writes to `block` and to no more than `N` bytes of the answer, which holds plain bytes.
    let status = unsafe {
        question(file.as_raw_handle(), &raw mut block, answer.0.as_mut_ptr().cast(), N as u32, class)
    };
    judged(status).map(|()| answer)
}

/// Changes something of an open object.
pub(super) fn set(file: &File, class: i32, wanted: &[u8]) -> Result<(), Refusal> {
    let words = aligned(wanted);
    let mut block = IO_STATUS_BLOCK::default();
    // SAFETY: the call writes to `block` alone, and reads as many bytes as there are.
    let status = unsafe {
        NtSetInformationFile(
            file.as_raw_handle(),
            &raw mut block,
            words.as_ptr().cast(),
            wanted.len() as u32,
            class,
        )
    };
    judged(status)
}

/// Where a listing goes on.
#[derive(Clone, Copy)]
pub(super) enum Place<'n> {
    TheTop,
    WhereItStands,
    /// It is of what has this name alone, whether it is its own or a short one.
    Name(&'n Name),
}

/// Fills the buffer with the next records of a listing, and says how many bytes they are; `None` at the end.
pub(super) fn list(
    directory: &File,
    class: i32,
    from: Place<'_>,
    buffer: &mut [u64],
) -> Result<Option<usize>, Refusal> {
    let text = if let Place::Name(name) = from { Some(name.text()) } else { None };
    let begins = !matches!(from, Place::WhereItStands);
    let mut block = IO_STATUS_BLOCK::default();
    // SAFETY: the call writes to `block` and to no more of the buffer than it has; the directory is open, and
    // synchronous, so that nothing is written once it has returned; the name outlives it.
    let status = unsafe {
        NtQueryDirectoryFile(
            directory.as_raw_handle(),
            std::ptr::null_mut(),
            None,
            std::ptr::null(),
            &raw mut block,
            buffer.as_mut_ptr().cast(),
            size_of_val(buffer) as u32,
            class,
            false,
            text.as_ref().map_or(std::ptr::null(), std::ptr::from_ref),
            begins,
        )
    };
    match status {
        STATUS_NO_MORE_FILES => Ok(None),
        // Of a directory without even its dots.
        STATUS_NO_SUCH_FILE if begins => Ok(None),
        status => judged(status).map(|()| Some(block.Information.min(size_of_val(buffer)))),
    }
}

/// The bytes of a buffer that a call filled.
pub(super) fn bytes_of(buffer: &[u64]) -> &[u8] {
    // SAFETY: any byte of an initialised number is an initialised byte, and bytes may lie anywhere.
    unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast(), size_of_val(buffer)) }
}

/// Gives an order to the file system (`FSCTL_…`), and says how many bytes it answered.
pub(super) fn order(file: &File, code: u32, input: &[u8], answer: &mut [u64]) -> Result<usize, Refusal> {
    let input_words = aligned(input);
    let mut block = IO_STATUS_BLOCK::default();
    // SAFETY: the call reads as many bytes of the input as there are, and writes to `block` and to no more of the answer
    // than it has.
    let status = unsafe {
        NtFsControlFile(
            file.as_raw_handle(),
            std::ptr::null_mut(),
            None,
            std::ptr::null(),
            &raw mut block,
            code,
            input_words.as_ptr().cast(),
            input.len() as u32,
            answer.as_mut_ptr().cast(),
            size_of_val(answer) as u32,
        )
    };
    judged(status).map(|()| block.Information.min(size_of_val(answer)))
}

fn judged(status: NTSTATUS) -> Result<(), Refusal> {
    // What was left out of an answer was not asked for.
    if status >= 0 || status == STATUS_BUFFER_OVERFLOW { Ok(()) } else { Err(Refusal(status)) }
}

/// The same bytes where the system takes them: structures that it reads begin at a multiple of eight.
fn aligned(bytes: &[u8]) -> Vec<u64> {
    let words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_ne_bytes(word)
    });
    words.collect()
}
