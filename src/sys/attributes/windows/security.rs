//! Owner, access list and audit list of an open object.
//!
//! They are set by the kernel's own call: the one of the library above it goes on to change whatever lies below a folder.

use std::fs::File;
use std::io;
use std::os::windows::io::AsRawHandle;

use windows_sys::Win32::Foundation::{
    ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_OWNER, ERROR_INVALID_PRIMARY_GROUP, ERROR_PRIVILEGE_NOT_HELD,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION, GetKernelObjectSecurity,
    OWNER_SECURITY_INFORMATION, SACL_SECURITY_INFORMATION, SetKernelObjectSecurity,
};
use windows_sys::Win32::Storage::FileSystem::{READ_CONTROL, WRITE_DAC, WRITE_OWNER};

use super::again;
use crate::sys::attributes::descriptor::{self, List};
use crate::sys::attributes::{ACCESS, AUDIT, OWNER};

/// The right to an audit list, which only a privilege gives.
const ACCESS_SYSTEM_SECURITY: u32 = 0x0100_0000;
/// What most descriptors fit into.
const SHORT: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Owner,
    Access,
    Audit,
}

impl Part {
    pub fn named(name: &[u8]) -> Option<Self> {
        [(OWNER, Self::Owner), (ACCESS, Self::Access), (AUDIT, Self::Audit)]
            .into_iter()
            .find(|(own, _)| *own == name)
            .map(|(_, part)| part)
    }

    fn information(self) -> u32 {
        match self {
            Self::Owner => OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION,
            Self::Access => DACL_SECURITY_INFORMATION,
            Self::Audit => SACL_SECURITY_INFORMATION,
        }
    }

    fn to_read(self) -> u32 {
        match self {
            Self::Owner | Self::Access => READ_CONTROL,
            Self::Audit => ACCESS_SYSTEM_SECURITY,
        }
    }

    fn to_set(self) -> u32 {
        match self {
            Self::Owner => WRITE_OWNER,
            Self::Access => WRITE_DAC,
            Self::Audit => ACCESS_SYSTEM_SECURITY,
        }
    }
}

/// The value of a part. An object without an audit list has one without entries, so that it can be told to have none; one
/// that the system does not show (another machine's, to whom is nobody special there) has no value. An access list that is
/// not there, which lets everybody in, is an empty value: it is never set.
pub fn read(file: &File, part: Part) -> io::Result<Option<Vec<u8>>> {
    let read = again(file, part.to_read()).and_then(|file| bytes_of(&file, part.information()));
    let bytes = match read.map_err(explained) {
        Err(error) if part == Part::Audit && error.kind() == io::ErrorKind::PermissionDenied => {
            return Ok(None);
        }
        read => read?,
    };
    let wrong = || io::Error::other("the system gave a security descriptor that is none");
    let parts = descriptor::parts(&bytes).ok_or_else(wrong)?;
    let lacks = |what| io::Error::other(format!("it has no {what}"));
    match part {
        Part::Owner => parts.owner.ok_or_else(|| lacks("owner")).map(Some),
        Part::Access => Ok(Some(parts.access.unwrap_or_default())),
        Part::Audit => Ok(Some(parts.audit.unwrap_or_else(descriptor::no_entries))),
    }
}

pub fn set(file: &File, part: Part, value: &[u8]) -> io::Result<()> {
    let bytes = match part {
        Part::Owner => descriptor::with_owner(value),
        Part::Access => descriptor::with_list(List::Access, value),
        Part::Audit => descriptor::with_list(List::Audit, value),
    };
    let bytes = match bytes {
        None if part == Part::Access && value.is_empty() => {
            let text = "the source has no access list, which lets everybody in: give it one, or leave `acls` out of `preserve`";
            return Err(io::Error::other(text));
        }
        bytes => bytes.ok_or(io::ErrorKind::InvalidInput)?,
    };
    let file = again(file, part.to_set()).map_err(explained)?;
    set_bytes(&file, part.information(), &bytes).map_err(explained)
}

/// Lets nobody but the owner, administrators and the system do anything with an object, whatever the folder above hands
/// down; what is made in a folder gets the same.
pub fn close_to_others(file: &File) -> io::Result<()> {
    let file = again(file, WRITE_DAC)?;
    set_bytes(&file, DACL_SECURITY_INFORMATION, &owner_only())
}

/// The descriptor with that list, in the self-relative form.
pub fn owner_only() -> Vec<u8> {
    // Inherited by files and folders; all rights of a file.
    const ENTRY: [u8; 4] = [0, 3, 0, 0];
    const ALL: [u8; 4] = 0x001f_01ff_u32.to_le_bytes();
    // OWNER RIGHTS, SYSTEM, Administrators.
    const OWNER_RIGHTS: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0];
    const SYSTEM: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    const ADMINISTRATORS: &[u8] = &[1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0];
    let mut list = vec![2, 0, 0, 0, 3, 0, 0, 0];
    for sid in [OWNER_RIGHTS, SYSTEM, ADMINISTRATORS] {
        let begun = list.len();
        list.extend(ENTRY);
        list.extend(ALL);
        list.extend(sid);
        let length = (list.len() - begun) as u16;
        list[begun + 2..begun + 4].copy_from_slice(&length.to_le_bytes());
    }
    let length = list.len() as u16;
    list[2..4].copy_from_slice(&length.to_le_bytes());
    let value = [descriptor::DACL_PROTECTED.to_le_bytes().as_slice(), &list].concat();
    descriptor::with_list(List::Access, &value).unwrap_or_default()
}

fn bytes_of(file: &File, information: u32) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0u32; SHORT / 4];
    loop {
        let size = (buffer.len() * 4) as u32;
        let mut needed = 0;
        // SAFETY: the file is open, the buffer is aligned as a descriptor must be and has the size that is told.
        let read = unsafe {
            GetKernelObjectSecurity(
                file.as_raw_handle(),
                information,
                buffer.as_mut_ptr().cast(),
                size,
                &mut needed,
            )
        };
        if read != 0 {
            return Ok(buffer.iter().flat_map(|word| word.to_le_bytes()).collect());
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(ERROR_INSUFFICIENT_BUFFER as i32) || needed <= size {
            return Err(error);
        }
        buffer.resize((needed as usize).div_ceil(4), 0);
    }
}

fn set_bytes(file: &File, information: u32, bytes: &[u8]) -> io::Result<()> {
    let mut buffer: Vec<u32> = bytes
        .chunks(4)
        .map(|chunk| chunk.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)))
        .collect();
    // SAFETY: the file is open, and the buffer holds a whole descriptor, aligned as one must be.
    let set =
        unsafe { SetKernelObjectSecurity(file.as_raw_handle(), information, buffer.as_mut_ptr().cast()) };
    if set == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A right that the process has not got is a refusal, whatever number the system has for it.
fn explained(error: io::Error) -> io::Error {
    let refusals = [ERROR_PRIVILEGE_NOT_HELD, ERROR_INVALID_OWNER, ERROR_INVALID_PRIMARY_GROUP];
    match error.raw_os_error() {
        Some(code) if refusals.contains(&(code as u32)) => {
            io::Error::new(io::ErrorKind::PermissionDenied, error)
        }
        _ => error,
    }
}
