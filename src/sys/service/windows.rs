//! The service control manager, of this machine or of another. Checked for its types only: it has not run on Windows yet.

use std::io;
use std::ptr;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_DEPENDENT_SERVICES_RUNNING, ERROR_SERVICE_ALREADY_RUNNING,
    ERROR_SERVICE_CANNOT_ACCEPT_CTRL, ERROR_SERVICE_DISABLED, ERROR_SERVICE_DOES_NOT_EXIST,
    ERROR_SERVICE_NOT_ACTIVE,
};
use windows_sys::Win32::System::Services::{
    CloseServiceHandle, ControlService, GetServiceKeyNameW, OpenSCManagerW, OpenServiceW, QueryServiceStatus,
    SC_HANDLE, SC_MANAGER_CONNECT, SERVICE_CONTINUE_PENDING, SERVICE_CONTROL_STOP, SERVICE_PAUSE_PENDING,
    SERVICE_PAUSED, SERVICE_QUERY_STATUS, SERVICE_RUNNING, SERVICE_START, SERVICE_START_PENDING,
    SERVICE_STATUS, SERVICE_STOP, SERVICE_STOP_PENDING, SERVICE_STOPPED, StartServiceW,
};

use super::{Manager, Patience, Problem, Status};

/// From `winerror.h`; the crate has it among all of remote procedure calls.
const RPC_S_SERVER_UNAVAILABLE: u32 = 1722;

/// A service by its key name (`MailStoreServer`) or by the name that the services console shows (`MailStore Server`).
pub struct ServiceControl {
    name: String,
    host: Option<String>,
}

impl ServiceControl {
    pub fn new(name: &str, host: Option<&str>) -> Self {
        Self { name: name.to_owned(), host: host.map(str::to_owned) }
    }

    /// `None` where there is no such service.
    fn open(&self, access: u32) -> Result<Option<Handle>, Problem> {
        let machine = self.host.as_ref().map(|host| wide(&format!(r"\\{host}")));
        let machine_name = machine.as_ref().map_or(ptr::null(), |name| name.as_ptr());
        // SAFETY: the name is null or ends with zero, and outlives the call; null is the database of active services.
        let manager = Handle::take(unsafe { OpenSCManagerW(machine_name, ptr::null(), SC_MANAGER_CONNECT) })
            .map_err(|error| self.problem("cannot reach the service manager", &error))?;
        match open_service(&manager, &wide(&self.name), access) {
            Ok(service) => return Ok(Some(service)),
            Err(error) if !is(&error, ERROR_SERVICE_DOES_NOT_EXIST) => {
                return Err(self.problem("cannot open the service", &error));
            }
            Err(_) => {}
        }
        let Some(key) = key_name(&manager, &self.name) else { return Ok(None) };
        open_service(&manager, &key, access)
            .map(Some)
            .map_err(|error| self.problem("cannot open the service", &error))
    }

    fn open_existing(&self, access: u32) -> Result<Handle, Problem> {
        self.open(access)?.ok_or_else(|| Problem::failed("there is no such service any more"))
    }

    fn problem(&self, what: &str, error: &io::Error) -> Problem {
        let problem = Problem::failed(format!("{what}: {error}"));
        let code = error.raw_os_error().map(i32::cast_unsigned);
        match code {
            Some(ERROR_ACCESS_DENIED) => problem.hint("run movebook as an administrator of that machine"),
            Some(ERROR_SERVICE_DISABLED) => {
                problem.hint("set the service's start type to manual or automatic first")
            }
            Some(ERROR_DEPENDENT_SERVICES_RUNNING) => {
                problem.hint("stop the services that depend on it in a step before this one")
            }
            Some(RPC_S_SERVER_UNAVAILABLE) => problem
                .hint("check the host's name, and that its firewall lets remote service management through"),
            _ => problem,
        }
    }
}

impl Manager for ServiceControl {
    fn status(&self, _: Patience<'_>) -> Result<Status, Problem> {
        let Some(service) = self.open(SERVICE_QUERY_STATUS)? else { return Ok(Status::Missing) };
        let mut status = empty_status();
        // SAFETY: the handle is open and the structure outlives the call.
        if unsafe { QueryServiceStatus(service.0, &mut status) } == 0 {
            return Err(self.problem("cannot read the service's state", &io::Error::last_os_error()));
        }
        Ok(match status.dwCurrentState {
            SERVICE_RUNNING => Status::Running,
            SERVICE_STOPPED => Status::Stopped,
            SERVICE_START_PENDING => Status::Changing("starting".to_owned()),
            SERVICE_STOP_PENDING => Status::Changing("stopping".to_owned()),
            SERVICE_PAUSE_PENDING => Status::Changing("pausing".to_owned()),
            SERVICE_CONTINUE_PENDING => Status::Changing("continuing".to_owned()),
            SERVICE_PAUSED => Status::Paused,
            other => Status::Changing(format!("in state {other}")),
        })
    }

    fn start(&self, _: Patience<'_>) -> Result<(), Problem> {
        let service = self.open_existing(SERVICE_START)?;
        // SAFETY: the handle is open; a service may be started without arguments.
        if unsafe { StartServiceW(service.0, 0, ptr::null()) } != 0 {
            return Ok(());
        }
        match io::Error::last_os_error() {
            error if is(&error, ERROR_SERVICE_ALREADY_RUNNING) => Ok(()),
            error => Err(self.problem("cannot start the service", &error)),
        }
    }

    fn stop(&self, _: Patience<'_>) -> Result<(), Problem> {
        let service = self.open_existing(SERVICE_STOP)?;
        let mut status = empty_status();
        // SAFETY: the handle is open and the structure outlives the call.
        if unsafe { ControlService(service.0, SERVICE_CONTROL_STOP, &mut status) } != 0 {
            return Ok(());
        }
        match io::Error::last_os_error() {
            error if is(&error, ERROR_SERVICE_NOT_ACTIVE) => Ok(()),
            // It is just starting or stopping; the state is waited for in any case.
            error if is(&error, ERROR_SERVICE_CANNOT_ACCEPT_CTRL) => Ok(()),
            error => Err(self.problem("cannot stop the service", &error)),
        }
    }
}

/// Closes what it holds.
struct Handle(SC_HANDLE);

impl Handle {
    fn take(handle: SC_HANDLE) -> io::Result<Self> {
        if handle.is_null() { Err(io::Error::last_os_error()) } else { Ok(Self(handle)) }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle was opened by `take`'s caller and is closed once.
        unsafe { CloseServiceHandle(self.0) };
    }
}

/// The name ends with zero.
fn open_service(manager: &Handle, name: &[u16], access: u32) -> io::Result<Handle> {
    // SAFETY: the handle is open, the name ends with zero, and both outlive the call.
    Handle::take(unsafe { OpenServiceW(manager.0, name.as_ptr(), access) })
}

/// The key name, zero at its end, of a service that is shown under this name.
fn key_name(manager: &Handle, shown: &str) -> Option<Vec<u16>> {
    let shown = wide(shown);
    // A key name has at most 256 characters.
    let mut key = vec![0u16; 257];
    let mut length = 257;
    // SAFETY: the handle is open, the name ends with zero, the buffer holds `length` characters, and all outlive the call.
    let found = unsafe { GetServiceKeyNameW(manager.0, shown.as_ptr(), key.as_mut_ptr(), &mut length) } != 0;
    found.then_some(key)
}

fn empty_status() -> SERVICE_STATUS {
    SERVICE_STATUS {
        dwServiceType: 0,
        dwCurrentState: 0,
        dwControlsAccepted: 0,
        dwWin32ExitCode: 0,
        dwServiceSpecificExitCode: 0,
        dwCheckPoint: 0,
        dwWaitHint: 0,
    }
}

fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error() == Some(code.cast_signed())
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain(Some(0)).collect()
}
