//! The names that Windows gives, and whether this process has an administrator's rights. It ran under Wine
//! 8, where everybody is an administrator, not on Windows itself.

use std::ptr;

use windows_sys::Win32::Foundation::CloseHandle;
use windows_sys::Win32::Security::{GetTokenInformation, TOKEN_ELEVATION, TOKEN_QUERY, TokenElevation};
use windows_sys::Win32::System::SystemInformation::{ComputerNamePhysicalDnsHostname, GetComputerNameExW};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};
use windows_sys::Win32::System::WindowsProgramming::GetUserNameW;

use super::Rights;

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

pub fn rights() -> Rights {
    let mut token = ptr::null_mut();
    // SAFETY: this process's own handle needs no closing, and the token outlives the call.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &mut token) } == 0 {
        return Rights::Unknown;
    }
    let mut elevation = TOKEN_ELEVATION::default();
    let size = size_of::<TOKEN_ELEVATION>() as u32;
    let mut needed = 0;
    // SAFETY: the token is open, the structure has the size that is told, and all outlive the call.
    let told =
        unsafe { GetTokenInformation(token, TokenElevation, (&raw mut elevation).cast(), size, &mut needed) };
    // SAFETY: the token was opened above and is closed once.
    unsafe { CloseHandle(token) };
    match (told, elevation.TokenIsElevated) {
        (0, _) => Rights::Unknown,
        (_, 0) => Rights::Ordinary,
        (_, _) => Rights::Administrator,
    }
}
