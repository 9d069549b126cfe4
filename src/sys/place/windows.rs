//! Volume serial number and file index. It ran under Wine 8, not on Windows itself.

use std::io;
use std::path::Path;

use windows_sys::Win32::Foundation::{CloseHandle, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, CreateFileW, FILE_FLAG_BACKUP_SEMANTICS, FILE_SHARE_DELETE, FILE_SHARE_READ,
    FILE_SHARE_WRITE, GetFileInformationByHandle, OPEN_EXISTING,
};

use super::{Identity, Names};

pub const NAMES: Names = Names::IgnoreCase;

/// The serial number that [`identity`] gives is the volume's own.
pub fn lasting_volume(_: &Path, _: u64) -> Option<String> {
    None
}

pub fn identity(path: &Path) -> io::Result<Identity> {
    let name = wide(path);
    // SAFETY: the name ends with zero and outlives the call. No right is asked for, so that what others hold open can be
    // looked at as well; without `FILE_FLAG_BACKUP_SEMANTICS` no directory could be opened.
    let handle = unsafe {
        CreateFileW(
            name.as_ptr(),
            0,
            FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
            std::ptr::null(),
            OPEN_EXISTING,
            FILE_FLAG_BACKUP_SEMANTICS,
            std::ptr::null_mut(),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: all its fields are numbers, for which zero is a value.
    let mut information: BY_HANDLE_FILE_INFORMATION = unsafe { std::mem::zeroed() };
    // SAFETY: the handle is open and the structure outlives the call.
    let result = match unsafe { GetFileInformationByHandle(handle, &mut information) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(Identity {
            volume: u64::from(information.dwVolumeSerialNumber),
            number: (u64::from(information.nFileIndexHigh) << 32) | u64::from(information.nFileIndexLow),
        }),
    };
    // SAFETY: the handle was opened above and is used no more.
    unsafe { CloseHandle(handle) };
    result
}

#[cfg(windows)]
fn wide(path: &Path) -> Vec<u16> {
    use std::os::windows::ffi::OsStrExt;
    path.as_os_str().encode_wide().chain(Some(0)).collect()
}

/// Stands in where the types are checked on another system.
#[cfg(not(windows))]
fn wide(path: &Path) -> Vec<u16> {
    path.to_string_lossy().encode_utf16().chain(Some(0)).collect()
}
