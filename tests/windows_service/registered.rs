//! A service that is registered for one test. By the calls themselves: the `sc` of Wine 8 knows neither `config` nor
//! `queryex`.

use std::io;
use std::path::Path;
use std::process::Command;
use std::ptr;

use windows_sys::Win32::Foundation::ERROR_SERVICE_EXISTS;
use windows_sys::Win32::Storage::FileSystem::DELETE;
use windows_sys::Win32::System::Services::{
    ChangeServiceConfigW, CloseServiceHandle, CreateServiceW, DeleteService, OpenSCManagerW, OpenServiceW,
    QueryServiceStatusEx, SC_HANDLE, SC_MANAGER_ALL_ACCESS, SC_STATUS_PROCESS_INFO, SERVICE_ALL_ACCESS,
    SERVICE_DEMAND_START, SERVICE_DISABLED, SERVICE_ERROR_IGNORE, SERVICE_NO_CHANGE, SERVICE_STATUS_PROCESS,
    SERVICE_WIN32_OWN_PROCESS,
};

pub struct Service {
    pub name: &'static str,
    handle: SC_HANDLE,
}

impl Service {
    /// `None`, and said so, where there is no such service to try.
    pub fn registered(name: &'static str, arguments: &str) -> Option<Self> {
        Self::depending_on(name, arguments, None)
    }

    pub fn depending_on(name: &'static str, arguments: &str, other: Option<&str>) -> Option<Self> {
        let Some(program) = std::env::var_os("MOVEBOOK_TEST_SERVICE") else {
            println!(
                "not proven here: MOVEBOOK_TEST_SERVICE does not name the built tests/windows/service.c"
            );
            return None;
        };
        let command = format!("\"{}\" {arguments}", Path::new(&program).display());
        let handle = match create(name, &command, other) {
            // What an earlier, broken run left behind.
            Err(error) if error.raw_os_error() == Some(ERROR_SERVICE_EXISTS.cast_signed()) => {
                drop(Self { name, handle: open(name) });
                create(name, &command, other)
            }
            created => created,
        };
        Some(Self { name, handle: handle.unwrap() })
    }

    pub fn disable(&self) {
        self.configure(SERVICE_DISABLED, None);
    }

    pub fn lose_program(&self) {
        self.configure(SERVICE_NO_CHANGE, Some(r"C:\no\such\program.exe"));
    }

    /// Takes the right to stop it from everybody; what is deleted with it needs another.
    pub fn let_nobody_stop_it(&self) {
        let rights = "D:(D;;WP;;;WD)(A;;CCLCSWRPDTLOCRSDRCWDWO;;;BA)(A;;CCLCSWRPDTLOCRSDRCWDWO;;;SY)";
        let set = Command::new("sc.exe").args(["sdset", self.name, rights]).status().unwrap();
        assert!(set.success(), "{set}");
    }

    fn configure(&self, start: u32, program: Option<&str>) {
        let program = program.map(wide);
        let changed = unsafe {
            ChangeServiceConfigW(
                self.handle,
                SERVICE_NO_CHANGE,
                start,
                SERVICE_NO_CHANGE,
                program.as_ref().map_or(ptr::null(), |program| program.as_ptr()),
                ptr::null(),
                ptr::null_mut(),
                ptr::null(),
                ptr::null(),
                ptr::null(),
                ptr::null(),
            )
        };
        assert_ne!(changed, 0, "{}", io::Error::last_os_error());
    }

    /// Its state and the number of its process, as the service manager tells them.
    pub fn told(&self) -> (u32, u32) {
        let mut status = SERVICE_STATUS_PROCESS::default();
        let (size, mut needed) = (size_of::<SERVICE_STATUS_PROCESS>() as u32, 0);
        let buffer = (&raw mut status).cast();
        let told =
            unsafe { QueryServiceStatusEx(self.handle, SC_STATUS_PROCESS_INFO, buffer, size, &mut needed) };
        assert_ne!(told, 0, "{}", io::Error::last_os_error());
        (status.dwCurrentState, status.dwProcessId)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // One that hangs in its stop is ended by its process; the next test must not meet it.
        let (_, process) = self.told();
        if process != 0 {
            let ended = Command::new("taskkill").args(["/f", "/pid", &process.to_string()]).output();
            println!("ended process {process}: {}", ended.is_ok());
        }
        unsafe {
            DeleteService(self.handle);
            CloseServiceHandle(self.handle);
        }
    }
}

fn services() -> SC_HANDLE {
    let services = unsafe { OpenSCManagerW(ptr::null(), ptr::null(), SC_MANAGER_ALL_ACCESS) };
    assert!(!services.is_null(), "these tests need an administrator: {}", io::Error::last_os_error());
    services
}

fn create(name: &str, command: &str, depends_on: Option<&str>) -> io::Result<SC_HANDLE> {
    let services = services();
    let (key, shown, command) = (wide(name), wide(&format!("{name} shown")), wide(command));
    // A list of names, each and the whole ended by zero.
    let dependencies = depends_on.map(|other| wide(&format!("{other}\0")));
    let handle = unsafe {
        CreateServiceW(
            services,
            key.as_ptr(),
            shown.as_ptr(),
            SERVICE_ALL_ACCESS | DELETE,
            SERVICE_WIN32_OWN_PROCESS,
            SERVICE_DEMAND_START,
            SERVICE_ERROR_IGNORE,
            command.as_ptr(),
            ptr::null(),
            ptr::null_mut(),
            dependencies.as_ref().map_or(ptr::null(), |names| names.as_ptr()),
            ptr::null(),
            ptr::null(),
        )
    };
    let error = io::Error::last_os_error();
    unsafe { CloseServiceHandle(services) };
    if handle.is_null() { Err(error) } else { Ok(handle) }
}

fn open(name: &str) -> SC_HANDLE {
    let services = services();
    let handle = unsafe { OpenServiceW(services, wide(name).as_ptr(), SERVICE_ALL_ACCESS | DELETE) };
    assert!(!handle.is_null(), "{}", io::Error::last_os_error());
    unsafe { CloseServiceHandle(services) };
    handle
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain(Some(0)).collect()
}
