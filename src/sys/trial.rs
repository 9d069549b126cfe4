//! What a unit test can show on this system.

/// Whether the system itself is here to show a fact; where it is Wine in the place of Windows, says that the fact is not
/// proven. `tests/windows/run` lists what was said.
pub fn can_show(fact: &str) -> bool {
    let wine = is_wine();
    if wine {
        println!("not proven here: {fact}: Wine does not do this as Windows does");
    }
    !wine
}

#[cfg(not(windows))]
fn is_wine() -> bool {
    false
}

/// Wine's own `ntdll` has a function more.
#[cfg(windows)]
fn is_wine() -> bool {
    use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleA, GetProcAddress};
    // SAFETY: both names end with zero; every process has `ntdll` loaded until its end.
    unsafe {
        GetProcAddress(GetModuleHandleA(c"ntdll.dll".as_ptr().cast()), c"wine_get_version".as_ptr().cast())
    }
    .is_some()
}
