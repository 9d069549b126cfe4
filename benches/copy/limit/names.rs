//! The names of one directory, sorted.

use std::ffi::CStr;
use std::mem::MaybeUninit;

use rustix::fd::OwnedFd;
use rustix::fs::{FileType, RawDir};
use rustix::io::Errno;

/// What a listing is read into.
pub struct Listing(Vec<MaybeUninit<u8>>);

impl Default for Listing {
    fn default() -> Self {
        Self(vec![MaybeUninit::uninit(); 64 << 10])
    }
}

/// In one buffer, NUL at the end of each.
#[derive(Default)]
pub struct Names {
    bytes: Vec<u8>,
    entries: Vec<(u32, u32, FileType)>,
}

impl Names {
    pub fn read(&mut self, directory: &OwnedFd, listing: &mut Listing) -> Result<(), Errno> {
        self.bytes.clear();
        self.entries.clear();
        let mut listing = RawDir::new(directory, &mut listing.0);
        while let Some(entry) = listing.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes_with_nul();
            if !matches!(name, b".\0" | b"..\0") {
                self.entries.push((self.bytes.len() as u32, name.len() as u32, entry.file_type()));
                self.bytes.extend_from_slice(name);
            }
        }
        let bytes = &self.bytes;
        self.entries.sort_unstable_by(|one, other| name(bytes, one).cmp(name(bytes, other)));
        Ok(())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&[u8], FileType)> {
        self.entries.iter().map(|entry| (name(&self.bytes, entry), entry.2))
    }
}

fn name<'a>(bytes: &'a [u8], (at, length, _): &(u32, u32, FileType)) -> &'a [u8] {
    &bytes[*at as usize..(*at + *length) as usize]
}

pub fn as_name(bytes: &[u8]) -> &CStr {
    CStr::from_bytes_with_nul(bytes).expect("names are kept with their NUL")
}
