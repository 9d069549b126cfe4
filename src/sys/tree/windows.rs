//! Directory handles on Windows: every call is relative to an open directory (`NtCreateFile` with a root directory) and
//! follows no link.
//!
//! A link is a reparse point that stands for another name: a symbolic link, a junction, a place of a distributed name
//! space. Other reparse points (deduplicated files, compressed ones, those of a cloud) are plain files and directories that
//! a filter fills in: they are opened through it, and what was opened must be what was looked at.
//!
//! Names are taken as they are: a blank or a dot at the end belongs to them, and no name of a device is anything but a
//! name. A short name that Windows made for old programs (`LONGNA~1.TXT`) is no name: what is to have it in earnest would
//! else replace the other file. What is no single name, and what would be a stream of a file (`a:b`), is never asked for.
//!
//! # What is on the disk when
//!
//! Each file is brought to the disk by `FlushFileBuffers` before it gets its name, which "causes all buffered data to be
//! written to a file" and, by the documentation of `NtFlushBuffersFileEx`, its metadata, and has the device write its cache.
//! At the end the target's top directory is flushed in the same way, through a handle that may write into it; the call is
//! documented for directories as for files, "file data and metadata in the file cache will be written, and the underlying
//! storage is synchronized". NTFS writes its log up to that point then, and the renames before it are in that log.
//!
//! What that promises: after a power cut no file has its final name without its content, on volumes whose devices obey.
//! What it does not: the documentation promises only by a flush of the volume's own handle, which takes an
//! administrator, that all names are on the disk; that the log holds earlier renames is how NTFS works and no promise.
//! FAT, many servers and Wine flush no directory and say so: there a power cut soon after a pass can take away names that
//! it gave, and the next pass copies those files again. On a share the server decides what a flush is worth. A flush that
//! fails for any other reason is an error.

mod links;
mod records;

#[cfg(windows)]
mod calls;
#[cfg(windows)]
mod change;
#[cfg(windows)]
mod handle;
#[cfg(windows)]
mod look;
#[cfg(all(test, windows))]
mod tests;

#[cfg(windows)]
pub use handle::Handle;
