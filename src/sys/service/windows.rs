//! The service control manager, of this machine or of another.
//!
//! Spoken to by the calls themselves and not through `windows-service`: that crate (0.8) cannot say which services depend
//! on one, and a stop that they block is told by their names here.
//!
//! Invariant: no call to a manager is waited for longer than the caller's patience. The manager of another machine may
//! take minutes to answer or to be found missing, so each conversation has a thread of its own.
//!
//! Runs under Wine 8, by `tests/windows_service.rs`: a slow start and stop, a service found by its shown name, one that takes
//! no stop, one that is missing or disabled or whose program is, a stop that never ends. Not yet run: services that keep
//! another from stopping, refused access, a paused service. Wine answers for any machine, so another one is not proven there.

use std::io;
use std::ptr;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{
    ERROR_DEPENDENT_SERVICES_RUNNING, ERROR_SERVICE_ALREADY_RUNNING, ERROR_SERVICE_CANNOT_ACCEPT_CTRL,
    ERROR_SERVICE_DOES_NOT_EXIST, ERROR_SERVICE_NOT_ACTIVE, ERROR_SERVICE_REQUEST_TIMEOUT,
    ERROR_SERVICE_SPECIFIC_ERROR, NO_ERROR,
};
use windows_sys::Win32::System::Services::{
    CloseServiceHandle, ControlService, ENUM_SERVICE_STATUSW, EnumDependentServicesW, GetServiceKeyNameW,
    OpenSCManagerW, OpenServiceW, QueryServiceStatusEx, SC_HANDLE, SC_MANAGER_CONNECT,
    SC_STATUS_PROCESS_INFO, SERVICE_ACTIVE, SERVICE_CONTINUE_PENDING, SERVICE_CONTROL_CONTINUE,
    SERVICE_CONTROL_STOP, SERVICE_ENUMERATE_DEPENDENTS, SERVICE_PAUSE_CONTINUE, SERVICE_PAUSE_PENDING,
    SERVICE_PAUSED, SERVICE_QUERY_STATUS, SERVICE_RUNNING, SERVICE_START, SERVICE_START_PENDING,
    SERVICE_STATUS, SERVICE_STATUS_PROCESS, SERVICE_STOP, SERVICE_STOP_PENDING, SERVICE_STOPPED,
    StartServiceW,
};

use super::advice::{self, Machine};
use super::{Changing, Manager, Patience, Problem, Status};

/// The longest time between two looks at the wish to stop.
const SLICE: Duration = Duration::from_millis(50);

/// A service by its key name (`MailStoreServer`) or by the name that the services console shows (`MailStore Server`).
#[derive(Clone)]
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
        let machine = self.host.as_deref().map_or(Machine::This, Machine::Other);
        let problem = Problem::failed(format!("{what}: {error}"));
        match error.raw_os_error().and_then(|code| advice::of(code.cast_unsigned(), machine)) {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }

    fn look(&self) -> Result<Status, Problem> {
        let Some(service) = self.open(SERVICE_QUERY_STATUS)? else { return Ok(Status::Missing) };
        let status =
            state_of(&service).map_err(|error| self.problem("cannot read the service's state", &error))?;
        Ok(status_of(status.dwCurrentState, status.dwProcessId))
    }

    /// A service that was started is on its way at once; stopped again means ended.
    fn ending(&self) -> Result<Option<String>, Problem> {
        let Some(service) = self.open(SERVICE_QUERY_STATUS)? else { return Ok(None) };
        let status =
            state_of(&service).map_err(|error| self.problem("cannot read the service's state", &error))?;
        let ended = status.dwCurrentState == SERVICE_STOPPED;
        Ok(ended.then(|| ending_of(status.dwWin32ExitCode, status.dwServiceSpecificExitCode)))
    }

    fn begin(&self) -> Result<(), Problem> {
        let service = self.open_existing(SERVICE_START)?;
        // SAFETY: the handle is open; a service may be started without arguments.
        if unsafe { StartServiceW(service.0, 0, ptr::null()) } != 0 {
            return Ok(());
        }
        match io::Error::last_os_error() {
            // One that pauses counts as started, too.
            error if is(&error, ERROR_SERVICE_ALREADY_RUNNING) => match self.look()? {
                Status::Paused => self.go_on(),
                _ => Ok(()),
            },
            error if is(&error, ERROR_SERVICE_REQUEST_TIMEOUT) => Err(Problem::TimedOut),
            error => Err(self.problem("cannot start the service", &error)),
        }
    }

    fn go_on(&self) -> Result<(), Problem> {
        let service = self.open_existing(SERVICE_PAUSE_CONTINUE)?;
        control(&service, SERVICE_CONTROL_CONTINUE)
            .map_err(|error| self.problem("cannot let the paused service go on", &error))
    }

    fn end(&self) -> Result<(), Problem> {
        let service = self.open_existing(SERVICE_STOP)?;
        match control(&service, SERVICE_CONTROL_STOP) {
            Ok(()) => Ok(()),
            Err(error) if is(&error, ERROR_SERVICE_NOT_ACTIVE) => Ok(()),
            // It is just starting or stopping; the state is waited for in any case.
            Err(error) if is(&error, ERROR_SERVICE_CANNOT_ACCEPT_CTRL) => Ok(()),
            // It may have heard all the same, and be slow.
            Err(error) if is(&error, ERROR_SERVICE_REQUEST_TIMEOUT) => Err(Problem::TimedOut),
            Err(error) if is(&error, ERROR_DEPENDENT_SERVICES_RUNNING) => Err(self.held_by_others(&error)),
            Err(error) => Err(self.problem("cannot stop the service", &error)),
        }
    }

    /// The names are asked for only now: that is a right of its own, which a stop does not need.
    fn held_by_others(&self, error: &io::Error) -> Problem {
        let names = self.open_existing(SERVICE_ENUMERATE_DEPENDENTS).ok().and_then(|service| {
            // Where they cannot be listed, what Windows said of the stop is told without them.
            dependents(&service).ok().filter(|names| !names.is_empty())
        });
        match names {
            Some(names) => advice::held_by(&names),
            None => self.problem("cannot stop the service", error),
        }
    }
}

impl Manager for ServiceControl {
    fn status(&self, patience: Patience<'_>) -> Result<Status, Problem> {
        within(patience, self, Self::look)
    }

    fn start(&self, patience: Patience<'_>) -> Result<(), Problem> {
        within(patience, self, Self::begin)
    }

    fn stop(&self, patience: Patience<'_>) -> Result<(), Problem> {
        within(patience, self, Self::end)
    }

    fn why_ended(&self, patience: Patience<'_>) -> Result<Option<String>, Problem> {
        within(patience, self, Self::ending)
    }
}

/// Has the conversation on a thread of its own, which is left to itself where it takes too long.
fn within<T: Send + 'static>(
    patience: Patience<'_>,
    control: &ServiceControl,
    conversation: fn(&ServiceControl) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let begun = Instant::now();
    let (answer, answers) = mpsc::channel();
    let control = control.clone();
    std::thread::Builder::new()
        .name("service manager".to_owned())
        .spawn(move || {
            // It fails where nobody waits any more, and then nobody wants to know.
            let _ = answer.send(conversation(&control));
        })
        .map_err(|error| Problem::failed(format!("cannot start a thread: {error}")))?;
    loop {
        let left = patience.limit.saturating_sub(begun.elapsed());
        match answers.recv_timeout(left.min(SLICE)) {
            Ok(answered) => return answered,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Problem::failed("the conversation with the service manager broke off"));
            }
            Err(RecvTimeoutError::Timeout) if patience.cancel.is_requested() => {
                return Err(Problem::Interrupted);
            }
            Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(Problem::TimedOut),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn status_of(state: u32, process: u32) -> Status {
    let changing = |word: &str| {
        Status::Changing(Changing { word: word.to_owned(), process: (process != 0).then_some(process) })
    };
    match state {
        SERVICE_RUNNING => Status::Running,
        SERVICE_STOPPED => Status::Stopped,
        SERVICE_START_PENDING => changing("starting"),
        SERVICE_STOP_PENDING => changing("stopping"),
        SERVICE_PAUSE_PENDING => changing("pausing"),
        SERVICE_CONTINUE_PENDING => changing("continuing"),
        SERVICE_PAUSED => Status::Paused,
        other => changing(&format!("in state {other}")),
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

fn state_of(service: &Handle) -> io::Result<SERVICE_STATUS_PROCESS> {
    let mut status = SERVICE_STATUS_PROCESS::default();
    let size = size_of::<SERVICE_STATUS_PROCESS>() as u32;
    let mut needed = 0;
    // SAFETY: the handle is open, the structure has the size that is told, and all outlive the call.
    let told = unsafe {
        QueryServiceStatusEx(service.0, SC_STATUS_PROCESS_INFO, (&raw mut status).cast(), size, &mut needed)
    };
    if told == 0 { Err(io::Error::last_os_error()) } else { Ok(status) }
}

fn control(service: &Handle, wanted: u32) -> io::Result<()> {
    let mut status = SERVICE_STATUS::default();
    // SAFETY: the handle is open and the structure outlives the call.
    if unsafe { ControlService(service.0, wanted, &mut status) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The services that depend on this one and are not stopped, by key name, in the order in which they can be stopped.
fn dependents(service: &Handle) -> io::Result<Vec<String>> {
    let (mut needed, mut count) = (0, 0);
    // SAFETY: the handle is open; an empty buffer is allowed and asks for the size alone.
    unsafe {
        EnumDependentServicesW(service.0, SERVICE_ACTIVE, ptr::null_mut(), 0, &mut needed, &mut count);
    }
    // The buffer begins with the structures, so it is made of them; their texts lie behind. It has one entry at least.
    let entries = (needed as usize).div_ceil(size_of::<ENUM_SERVICE_STATUSW>()).max(1);
    let mut buffer = vec![ENUM_SERVICE_STATUSW::default(); entries];
    let size = (buffer.len() * size_of::<ENUM_SERVICE_STATUSW>()) as u32;
    // SAFETY: the handle is open, the buffer has the size that is told, and all outlive the call.
    let listed = unsafe {
        EnumDependentServicesW(service.0, SERVICE_ACTIVE, buffer.as_mut_ptr(), size, &mut needed, &mut count)
    };
    if listed == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so each of the `count` structures points to a text in the buffer that ends with zero.
    let name = |entry: &ENUM_SERVICE_STATUSW| unsafe { text_at(entry.lpServiceName) };
    Ok(buffer.iter().take(count as usize).map(name).collect())
}

/// # Safety
/// The text ends with zero.
unsafe fn text_at(text: *const u16) -> String {
    let mut length = 0;
    // SAFETY: nothing behind the zero is looked at.
    while unsafe { *text.add(length) } != 0 {
        length += 1;
    }
    // SAFETY: so many characters were just read.
    String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, length) })
}

/// What a service's exit codes say; the second is its own, and counts only where the first says so.
fn ending_of(code: u32, own_code: u32) -> String {
    match code {
        NO_ERROR => "it ended by itself, without an error".to_owned(),
        ERROR_SERVICE_SPECIFIC_ERROR => format!("it ended with its own error {own_code}"),
        code => io::Error::from_raw_os_error(code.cast_signed()).to_string(),
    }
}

fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error() == Some(code.cast_signed())
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain(Some(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_told_by_whoever_set_its_code() {
        assert_eq!(ending_of(0, 7), "it ended by itself, without an error");
        assert_eq!(ending_of(1066, 7), "it ended with its own error 7");
        assert!(ending_of(1067, 7).contains("1067"), "{}", ending_of(1067, 7));
    }

    #[test]
    fn a_state_on_the_way_names_the_process_where_there_is_one() {
        let changing = |word: &str, process| Status::Changing(Changing { word: word.to_owned(), process });
        assert_eq!(status_of(SERVICE_STOP_PENDING, 42), changing("stopping", Some(42)));
        assert_eq!(status_of(SERVICE_START_PENDING, 0), changing("starting", None));
        assert_eq!(status_of(SERVICE_RUNNING, 42), Status::Running);
        assert_eq!(status_of(99, 0), changing("in state 99", None));
    }
}
