//! The calls for alternate data streams.

use std::fs::File;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle};

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_NON_DIRECTORY_FILE, FILE_OPEN, FILE_OPEN_FOR_BACKUP_INTENT, FILE_OPEN_IF,
    FILE_SYNCHRONOUS_IO_NONALERT, NtCreateFile,
};
use windows_sys::Win32::Foundation::{
    ERROR_HANDLE_EOF, ERROR_INVALID_FUNCTION, ERROR_INVALID_LEVEL, ERROR_INVALID_PARAMETER, ERROR_MORE_DATA,
    ERROR_NOT_SUPPORTED, OBJ_CASE_INSENSITIVE, RtlNtStatusToDosError, UNICODE_STRING,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE,
    FileStreamInfo, GetFileInformationByHandleEx,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use super::{NAMED_STREAMS, abilities};
use crate::sys::attributes::streams::{Ability, Stream, parse};
use crate::sys::privilege;

/// What the list of most files fits into, and where one that grows is an error.
const SHORT: usize = 1024;
const LONGEST: usize = 16 * 1024 * 1024;

pub fn of(file: &File) -> io::Result<Vec<Stream>> {
    let mut buffer = vec![0u64; SHORT / 8];
    loop {
        let size = buffer.len() * 8;
        // SAFETY: the file is open, and the buffer is aligned as the list must be and has the size that is told.
        let told = unsafe {
            GetFileInformationByHandleEx(
                file.as_raw_handle(),
                FileStreamInfo,
                buffer.as_mut_ptr().cast(),
                size as u32,
            )
        };
        if told != 0 {
            let bytes: Vec<u8> = buffer.iter().flat_map(|word| word.to_le_bytes()).collect();
            return parse(&bytes);
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error().map(|code| code as u32) {
            Some(ERROR_MORE_DATA) if size < LONGEST => buffer.resize(buffer.len() * 8, 0),
            // No stream at all, as some volumes say of an empty file, or no such thing as streams.
            Some(
                ERROR_HANDLE_EOF
                | ERROR_INVALID_PARAMETER
                | ERROR_INVALID_FUNCTION
                | ERROR_INVALID_LEVEL
                | ERROR_NOT_SUPPORTED,
            ) => return Ok(Vec::new()),
            _ => return Err(error),
        }
    }
}

pub fn ability(file: &File) -> io::Result<Ability> {
    let has = abilities(file)? & NAMED_STREAMS != 0;
    Ok(if has { Ability::Has } else { Ability::HasNot })
}

pub fn open(file: &File, name: &[u16]) -> io::Result<File> {
    relative(file, name, FILE_GENERIC_READ, FILE_OPEN)
}

pub fn create(file: &File, name: &[u16]) -> io::Result<File> {
    // Overwriting would have to name the file's own attributes.
    let stream = relative(file, name, FILE_GENERIC_WRITE, FILE_OPEN_IF)?;
    stream.set_len(0)?;
    Ok(stream)
}

fn relative(file: &File, name: &[u16], access: u32, disposition: u32) -> io::Result<File> {
    let length = u16::try_from(name.len() * 2).map_err(|_| io::ErrorKind::InvalidInput)?;
    let name = UNICODE_STRING { Length: length, MaximumLength: length, Buffer: name.as_ptr().cast_mut() };
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: file.as_raw_handle(),
        ObjectName: &raw const name,
        Attributes: OBJ_CASE_INSENSITIVE,
        ..OBJECT_ATTRIBUTES::default()
    };
    let backup = if privilege::backup_intent() { FILE_OPEN_FOR_BACKUP_INTENT } else { 0 };
    let mut handle = std::ptr::null_mut();
    let mut block = IO_STATUS_BLOCK::default();
    // SAFETY: the file is open, the name and all structures outlive the call, and the name is only read.
    let status = unsafe {
        NtCreateFile(
            &mut handle,
            access,
            &raw const attributes,
            &mut block,
            std::ptr::null(),
            0,
            FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
            disposition,
            FILE_NON_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | backup,
            std::ptr::null(),
            0,
        )
    };
    if status < 0 {
        // SAFETY: the call takes a number and touches no memory.
        return Err(io::Error::from_raw_os_error(unsafe { RtlNtStatusToDosError(status) } as i32));
    }
    // SAFETY: the handle is new and nobody else's.
    Ok(unsafe { File::from_raw_handle(handle) })
}
