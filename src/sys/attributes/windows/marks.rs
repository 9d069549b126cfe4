//! Setting marks on an open object.

use std::fs::File;
use std::io;
use std::os::windows::fs::MetadataExt;
use std::os::windows::io::AsRawHandle;

use windows_sys::Win32::Storage::FileSystem::{FILE_BASIC_INFO, FileBasicInfo, SetFileInformationByHandle};

use crate::sys::attributes::marks;

/// Gives an object the marks that are carried over; times and all other marks stay.
pub fn set(file: &File, wanted: u32) -> io::Result<()> {
    let now = file.metadata()?.file_attributes();
    let marks = marks::set_over(now, wanted);
    if marks == marks::set_over(now, now) {
        return Ok(());
    }
    // A time of 0 is one that is left alone.
    let basic = FILE_BASIC_INFO { FileAttributes: marks, ..FILE_BASIC_INFO::default() };
    // SAFETY: the file is open, and the structure is the one of this class, of the size that is told.
    let set = unsafe {
        SetFileInformationByHandle(
            file.as_raw_handle(),
            FileBasicInfo,
            (&raw const basic).cast(),
            size_of::<FILE_BASIC_INFO>() as u32,
        )
    };
    if set == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
