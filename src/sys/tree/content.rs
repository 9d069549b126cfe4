//! The content of open files: reads and writes at a place, so that several workers share one file, and where its data is.

use std::fs::File;
use std::io;
use std::ops::Range;

use super::Permissions;

/// Reads at a place, leaving alone where the file stands (on Unix); fewer bytes than asked for may come.
pub fn read_at(file: &File, block: &mut [u8], place: u64) -> io::Result<usize> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::read_at(file, block, place);
    #[cfg(windows)]
    return std::os::windows::fs::FileExt::seek_read(file, block, place);
}

/// Writes all of a block at a place.
pub fn write_at(file: &File, block: &[u8], place: u64) -> io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::write_all_at(file, block, place);
    #[cfg(windows)]
    {
        let mut written = 0;
        while written < block.len() {
            let place = place + written as u64;
            match std::os::windows::fs::FileExt::seek_write(file, &block[written..], place) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The first data at or behind a place; `None` if only a hole follows. Where the file system does not tell, all is data.
pub fn data_from(file: &File, place: u64) -> io::Result<Option<Range<u64>>> {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_vendor = "apple"))]
    {
        use rustix::fs::SeekFrom;
        use rustix::io::Errno;
        let start = match rustix::fs::seek(file, SeekFrom::Data(place)) {
            Ok(start) => start,
            Err(Errno::NXIO) => return Ok(None),
            Err(Errno::INVAL | Errno::NOTSUP | Errno::NOSYS) => return Ok(Some(place..u64::MAX)),
            Err(error) => return Err(error.into()),
        };
        match rustix::fs::seek(file, SeekFrom::Hole(start)) {
            Ok(end) => Ok(Some(start..end)),
            // It became shorter just now; who reads on finds out.
            Err(Errno::NXIO) => Ok(Some(start..u64::MAX)),
            Err(error) => Err(error.into()),
        }
    }
    #[cfg(windows)]
    return crate::sys::attributes::windows::shape::data_from(file, place);
    #[cfg(not(any(
        windows,
        target_os = "linux",
        target_os = "android",
        target_os = "freebsd",
        target_vendor = "apple"
    )))]
    {
        let _unused = file;
        Ok(Some(place..u64::MAX))
    }
}

/// Lets an empty copy be kept on its volume as its source is: on Windows compressed, or with holes. Where the volume cannot,
/// it is kept plain; that the two are kept otherwise never makes a file differ. Elsewhere nothing need be asked for.
pub fn take_shape(copy: &File, source: &Permissions) {
    #[cfg(windows)]
    crate::sys::attributes::windows::shape::take(copy, source.marks());
    #[cfg(not(windows))]
    let _unused = (copy, source);
}

/// Gives an open copy the permissions that files are made with.
pub fn set_permissions(file: &File, permissions: &Permissions) -> io::Result<()> {
    #[cfg(unix)]
    return super::unix::set_file_permissions(file, permissions);
    #[cfg(not(unix))]
    crate::sys::attributes::Object::file(file).set_permissions(permissions)
}

/// The same permissions with the owner allowed to write, so that the file can be opened again.
pub fn reopenable(permissions: &Permissions) -> Permissions {
    #[cfg(unix)]
    return super::unix::writable(permissions).unwrap_or(*permissions);
    #[cfg(not(unix))]
    super::first_permissions(permissions)
}
