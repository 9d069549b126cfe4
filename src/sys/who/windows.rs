//! The names that Windows gives. Checked for its types only: it has not run on Windows yet.

use windows_sys::Win32::System::SystemInformation::{ComputerNamePhysicalDnsHostname, GetComputerNameExW};
use windows_sys::Win32::System::WindowsProgramming::GetUserNameW;

pub fn host() -> Option<String> {
    let mut name = [0u16; 256];
    let mut length = 256;
    // SAFETY: the buffer holds `length` characters, and both outlive the call.
    let found =
        unsafe { GetComputerNameExW(ComputerNamePhysicalDnsHostname, name.as_mut_ptr(), &mut length) } != 0;
    // On success the length does not count the final zero.
    found.then(|| String::from_utf16_lossy(&name[..length as usize]))
}

pub fn user() -> Option<String> {
    let mut name = [0u16; 257];
    let mut length = 257;
    // SAFETY: the buffer holds `length` characters (UNLEN + 1), and both outlive the call.
    let found = unsafe { GetUserNameW(name.as_mut_ptr(), &mut length) } != 0;
    // Here the length counts the final zero.
    found.then(|| String::from_utf16_lossy(&name[..(length as usize).saturating_sub(1)]))
}
