//! The privileges in the token of this process.

use std::io;

use windows_sys::Win32::Foundation::{CloseHandle, ERROR_NOT_ALL_ASSIGNED, GetLastError, LUID};
use windows_sys::Win32::Security::{
    AdjustTokenPrivileges, LUID_AND_ATTRIBUTES, LookupPrivilegeValueW, SE_BACKUP_NAME,
    SE_CREATE_SYMBOLIC_LINK_NAME, SE_PRIVILEGE_ENABLED, SE_RESTORE_NAME, SE_SECURITY_NAME,
    TOKEN_ADJUST_PRIVILEGES, TOKEN_PRIVILEGES, TOKEN_QUERY,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::{Enabled, Privilege};

pub fn enable(privilege: Privilege, enabled: Enabled) -> io::Result<()> {
    let name = match privilege {
        Privilege::Backup => SE_BACKUP_NAME,
        Privilege::Restore => SE_RESTORE_NAME,
        Privilege::Security => SE_SECURITY_NAME,
        Privilege::MakeLinks => SE_CREATE_SYMBOLIC_LINK_NAME,
    };
    let mut number = LUID::default();
    // SAFETY: the name is a constant that ends with zero, and the number outlives the call.
    if unsafe { LookupPrivilegeValueW(std::ptr::null(), name, &mut number) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let mut token = std::ptr::null_mut();
    let access = TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY;
    // SAFETY: this process's own handle needs no closing, and the token outlives the call.
    if unsafe { OpenProcessToken(GetCurrentProcess(), access, &mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let attributes = if enabled == Enabled::Yes { SE_PRIVILEGE_ENABLED } else { 0 };
    let wanted = TOKEN_PRIVILEGES {
        PrivilegeCount: 1,
        Privileges: [LUID_AND_ATTRIBUTES { Luid: number, Attributes: attributes }],
    };
    // SAFETY: the token is open, the structure holds as many privileges as it says, and nothing is asked for.
    let adjusted = unsafe {
        AdjustTokenPrivileges(token, 0, &raw const wanted, 0, std::ptr::null_mut(), std::ptr::null_mut())
    };
    // SAFETY: the call touches no memory; it is made before anything else can set another error.
    let code = unsafe { GetLastError() };
    // SAFETY: the token was opened above and is closed once.
    unsafe { CloseHandle(token) };
    match (adjusted, code) {
        (0, code) => Err(io::Error::from_raw_os_error(code as i32)),
        // The call succeeds also where the user has not got the privilege.
        (_, ERROR_NOT_ALL_ASSIGNED) => {
            Err(io::Error::new(io::ErrorKind::PermissionDenied, io::Error::from_raw_os_error(code as i32)))
        }
        _ => Ok(()),
    }
}
