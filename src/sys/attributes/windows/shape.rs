//! How a volume keeps a content: compressed, sparse, and where its data is.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::windows::io::AsRawHandle;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_FUNCTION, ERROR_INVALID_PARAMETER, ERROR_MORE_DATA, ERROR_NOT_SUPPORTED,
};
use windows_sys::Win32::Storage::FileSystem::COMPRESSION_FORMAT_DEFAULT;
use windows_sys::Win32::System::IO::DeviceIoControl;
use windows_sys::Win32::System::Ioctl::{
    FILE_ALLOCATED_RANGE_BUFFER, FSCTL_QUERY_ALLOCATED_RANGES, FSCTL_SET_COMPRESSION, FSCTL_SET_SPARSE,
};

use crate::sys::attributes::marks::{COMPRESSED, SPARSE};

/// Lets an empty copy be kept as its source is. Where the volume cannot, it is kept plain: the content is the same.
pub fn take(copy: &File, marks: u32) {
    if marks & COMPRESSED != 0 {
        let _ = control(copy, FSCTL_SET_COMPRESSION, &COMPRESSION_FORMAT_DEFAULT.to_le_bytes());
    }
    if marks & SPARSE != 0 {
        let _ = control(copy, FSCTL_SET_SPARSE, &[]);
    }
}

/// The first data at or behind a place; `None` if only a hole follows.
pub fn data_from(file: &File, place: u64) -> io::Result<Option<Range<u64>>> {
    let all = Ok(Some(place..u64::MAX));
    let Ok(start) = i64::try_from(place) else { return all };
    let asked = FILE_ALLOCATED_RANGE_BUFFER { FileOffset: start, Length: i64::MAX - start };
    let mut found = FILE_ALLOCATED_RANGE_BUFFER::default();
    let size = size_of::<FILE_ALLOCATED_RANGE_BUFFER>() as u32;
    let mut given = 0;
    // SAFETY: the file is open, both structures are of the size that is told, and all outlive the call.
    let told = unsafe {
        DeviceIoControl(
            file.as_raw_handle(),
            FSCTL_QUERY_ALLOCATED_RANGES,
            (&raw const asked).cast(),
            size,
            (&raw mut found).cast(),
            size,
            &mut given,
            std::ptr::null_mut(),
        )
    };
    if told == 0 {
        let error = io::Error::last_os_error();
        match error.raw_os_error().map(|code| code as u32) {
            // There are more ranges behind the first.
            Some(ERROR_MORE_DATA) => {}
            Some(ERROR_INVALID_FUNCTION | ERROR_NOT_SUPPORTED | ERROR_INVALID_PARAMETER) => return all,
            _ => return Err(error),
        }
    }
    if given < size {
        return Ok(None);
    }
    let from = u64::try_from(found.FileOffset).unwrap_or_default();
    let length = u64::try_from(found.Length).unwrap_or_default();
    Ok(Some(from.max(place)..from.saturating_add(length).max(place)))
}

fn control(file: &File, code: u32, input: &[u8]) -> io::Result<()> {
    let mut given = 0;
    // SAFETY: the file is open, the input has the length that is told, and nothing is asked for.
    let done = unsafe {
        DeviceIoControl(
            file.as_raw_handle(),
            code,
            input.as_ptr().cast(),
            input.len() as u32,
            std::ptr::null_mut(),
            0,
            &mut given,
            std::ptr::null_mut(),
        )
    };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
