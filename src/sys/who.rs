//! Who runs movebook and where: what the journal writes down beside a deed.
//!
//! Nothing here fails: what cannot be known is said to be unknown, since a run must not stop for it.

use std::path::PathBuf;

#[cfg(not(windows))]
mod unix;
#[cfg(not(windows))]
use unix as system;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

const UNKNOWN: &str = "unknown";

/// This machine's name.
pub fn host() -> String {
    system::host().filter(|name| !name.is_empty()).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// The name of the user in whose rights this process acts.
pub fn user() -> String {
    system::user().filter(|name| !name.is_empty()).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// The user's home directory.
pub fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|path| !path.as_os_str().is_empty())
}

/// What this process may do beside what its user may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Windows: elevated, as by `Run as administrator`.
    Administrator,
    /// Windows: not elevated, even where the user is an administrator.
    Ordinary,
    /// Nobody can tell, or the system gives rights in another way (systemd asks polkit).
    Unknown,
}

pub fn rights() -> Rights {
    system::rights()
}

pub fn pid() -> u32 {
    std::process::id()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_user_have_names() {
        assert_ne!(host(), UNKNOWN);
        assert_ne!(user(), UNKNOWN);
    }
}
