//! What a test must know of Windows: whether it runs on it, or on Wine, which does not do all that Windows does.

use std::ffi::{CStr, c_char, c_void};

// Both are of Windows itself, so no crate is needed for them.
#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetModuleHandleA(name: *const c_char) -> *mut c_void;
    fn GetProcAddress(module: *mut c_void, name: *const c_char) -> *const c_void;
}

/// Wine's own `ntdll` has a function more.
pub fn is_wine() -> bool {
    let has = |module: &CStr, function: &CStr| {
        // SAFETY: both names end with zero; every process has `ntdll` loaded until its end.
        unsafe { !GetProcAddress(GetModuleHandleA(module.as_ptr()), function.as_ptr()).is_null() }
    };
    has(c"ntdll.dll", c"wine_get_version")
}

/// Whether Windows itself is here to show a fact; where it is Wine, says that the fact is not proven.
///
/// `tests/windows/run` lists what was said.
pub fn can_show(fact: &str) -> bool {
    if is_wine() {
        println!("not proven here: {fact}: Wine does not do this as Windows does");
    }
    !is_wine()
}
