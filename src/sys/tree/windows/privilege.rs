//! The right to make symbolic links: whoever has it must take it into use first.

use std::sync::OnceLock;

use windows_sys::Win32::Foundation::{CloseHandle, ERROR_SUCCESS, GetLastError, LUID};
use windows_sys::Win32::Security::{
    AdjustTokenPrivileges, LUID_AND_ATTRIBUTES, LookupPrivilegeValueW, SE_PRIVILEGE_ENABLED,
    TOKEN_ADJUST_PRIVILEGES, TOKEN_PRIVILEGES,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

/// Takes it into use for the whole process, once; nothing happens where the process does not have it.
pub(super) fn to_make_links() {
    static TAKEN: OnceLock<bool> = OnceLock::new();
    TAKEN.get_or_init(|| take("SeCreateSymbolicLinkPrivilege"));
}

fn take(name: &str) -> bool {
    let name: Vec<u16> = name.encode_utf16().chain(Some(0)).collect();
    let mut luid = LUID::default();
    let mut token = std::ptr::null_mut();
    // SAFETY: the name ends with zero; both calls write to nothing but what they are given.
    let found = unsafe {
        LookupPrivilegeValueW(std::ptr::null(), name.as_ptr(), &raw mut luid) != 0
            && OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &raw mut token) != 0
    };
    if !found {
        return false;
    }
    let wanted = TOKEN_PRIVILEGES {
        PrivilegeCount: 1,
        Privileges: [LUID_AND_ATTRIBUTES { Luid: luid, Attributes: SE_PRIVILEGE_ENABLED }],
    };
    // SAFETY: the token was opened just now and is closed once; the structure outlives the call. What cannot be taken is
    // told of by the last error alone.
    unsafe {
        let set =
            AdjustTokenPrivileges(token, 0, &raw const wanted, 0, std::ptr::null_mut(), std::ptr::null_mut());
        let taken = set != 0 && GetLastError() == ERROR_SUCCESS;
        CloseHandle(token);
        taken
    }
}
