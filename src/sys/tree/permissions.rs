//! What a system lets be done with an entry, as one number that is compared, kept and set: the permission bits of Unix,
//! the attributes of Windows (`FILE_ATTRIBUTE_READONLY` and the others).
//!
//! The standard library's own type can be had on Windows only from an entry that was opened; this one also from what a
//! listing says.

use std::fs::Metadata;

/// An entry's permission bits or attributes, without its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions(u32);

impl Permissions {
    #[cfg(unix)]
    pub fn of(metadata: &Metadata) -> Self {
        Self::from_mode(std::os::unix::fs::MetadataExt::mode(metadata))
    }

    #[cfg(windows)]
    pub fn of(metadata: &Metadata) -> Self {
        Self(std::os::windows::fs::MetadataExt::file_attributes(metadata))
    }

    #[cfg(unix)]
    pub(in crate::sys) const fn from_mode(mode: u32) -> Self {
        Self(mode & 0o7777)
    }

    #[cfg(unix)]
    pub(in crate::sys) const fn mode(self) -> u32 {
        self.0
    }

    #[cfg(any(windows, test))]
    pub(in crate::sys) const fn from_marks(marks: u32) -> Self {
        Self(marks)
    }

    #[cfg(windows)]
    pub(in crate::sys) const fn marks(self) -> u32 {
        self.0
    }

    /// As it is kept for a while.
    pub(in crate::sys) const fn number(self) -> u32 {
        self.0
    }

    pub(in crate::sys) const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// For the calls of the standard library, made of what the entry has now. On Windows they know the read-only mark alone.
    #[cfg(unix)]
    pub(in crate::sys) fn in_place_of(self, mut now: std::fs::Permissions) -> std::fs::Permissions {
        std::os::unix::fs::PermissionsExt::set_mode(&mut now, self.0);
        now
    }
}
