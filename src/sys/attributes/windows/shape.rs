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
            Some(ERROR_MORE_DATA) if given == size => {}
            Some(
                ERROR_MORE_DATA | ERROR_INVALID_FUNCTION | ERROR_NOT_SUPPORTED | ERROR_INVALID_PARAMETER,
            ) => return all,
            _ => return Err(error),
        }
    } else if given == 0 {
        return Ok(None);
    }
    Ok(Some(range(place, found.FileOffset, found.Length)))
}

/// Where the first data behind a place is by this answer; all that follows where the answer makes no sense. What is taken
/// for a hole is not copied, so nothing is that is not surely one.
fn range(place: u64, from: i64, length: i64) -> Range<u64> {
    match (u64::try_from(from), u64::try_from(length)) {
        (Ok(from), Ok(length)) if length > 0 && from.saturating_add(length) > place => {
            from.max(place)..from.saturating_add(length)
        }
        _ => place..u64::MAX,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_makes_no_sense_is_no_hole() {
        assert_eq!(range(10, 4096, 100), 4096..4196);
        assert_eq!(range(5000, 4096, 2000), 5000..6096);
        for (from, length) in [(0, 0), (4096, 0), (0, 10), (-1, 100), (0, -1)] {
            assert_eq!(range(10, from, length), 10..u64::MAX, "{from} {length}");
        }
    }
}
