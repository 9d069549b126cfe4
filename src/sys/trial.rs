//! What a unit test can show on this system; the suites in `tests/` ask the same.

#[cfg(windows)]
#[path = "../../tests/common/windows.rs"]
mod windows;

#[cfg(windows)]
pub use windows::can_show;

/// Elsewhere the system itself is always here.
#[cfg(not(windows))]
pub fn can_show(_fact: &str) -> bool {
    true
}
