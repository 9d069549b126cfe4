//! The demo's live server: a process of its own that works on an archive until it is asked to stop.
//!
//! Whether it runs is told by a lock in its control folder, which the operating system gives back however the process
//! ends; its process number and its heartbeat there are only for people. Between the end of [`serve`] and the next
//! [`start`] nothing changes the archive. It ends by itself when the control folder vanishes or after [`LIFETIME`].

mod control;
mod work;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, ExitCode, Result};
use control::{Control, Wish};
use work::Work;

/// A server that nobody stopped does not outlive this.
pub const LIFETIME: Duration = Duration::from_secs(600);

/// The time between two pieces of work.
const TICK: Duration = Duration::from_millis(100);
/// How long [`start`] and [`stop`] wait for what they asked for.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time between two looks while waiting.
const GLANCE: Duration = Duration::from_millis(20);

/// Whether a server runs, as its control folder tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerStatus {
    Running {
        /// Absent for the moment between taking the lock and being up.
        pid: Option<u32>,
    },
    Stopped,
    /// There is no control folder: no server was ever set up here.
    Missing,
}

impl ServerStatus {
    /// What a `status` command ends with, as LSB init scripts do: 0 running, 3 stopped, 4 no such service.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Running { .. } => 0,
            Self::Stopped => 3,
            Self::Missing => 4,
        }
    }
}

/// What [`start`] found or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    Now { pid: u32 },
    Already,
}

/// What [`stop`] found or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    Now,
    Already,
}

/// Looks whether a server runs; changes nothing.
pub fn status(control: &Path) -> Result<ServerStatus> {
    Control::at(control).status()
}

/// Starts `EXE demo-server run` as a process of its own and waits until it is up. One that runs already is left alone.
pub fn start(exe: &Path, archive: &Path, control: &Path) -> Result<Started> {
    fs::create_dir_all(control).map_err(|error| {
        Error::new(ExitCode::StepFailed, format!("cannot make the control folder {}", control.display()))
            .caused_by(error)
    })?;
    let control = Control::at(control);
    if let ServerStatus::Running { .. } = control.status()? {
        return Ok(Started::Already);
    }
    let mut child = spawn(exe, archive, &control)?;
    let began = Instant::now();
    loop {
        // Its own number, not just any: the file of a server that was killed may still lie there.
        if control.status()? == (ServerStatus::Running { pid: Some(child.id()) }) {
            return Ok(Started::Now { pid: child.id() });
        }
        let ended = child.try_wait().map_err(|error| cannot_start(exe).caused_by(error))?;
        if ended.is_some() {
            let said = fs::read_to_string(control.log()).unwrap_or_default();
            return Err(cannot_start(exe).caused_by(format!("it ended at once: {}", said.trim())));
        }
        if began.elapsed() > PATIENCE {
            return Err(cannot_start(exe).hint(format!("what it said is in {}", control.log().display())));
        }
        thread::sleep(GLANCE);
    }
}

fn spawn(exe: &Path, archive: &Path, control: &Control) -> Result<Child> {
    let log = File::create(control.log()).map_err(|error| {
        Error::new(ExitCode::StepFailed, format!("cannot write {}", control.log().display())).caused_by(error)
    })?;
    // None of the caller's streams is passed on: whoever reads them to their end would wait for the server's end.
    Command::new(exe)
        .args(["demo-server", "run", "--archive"])
        .arg(archive)
        .arg("--control")
        .arg(control.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(|error| cannot_start(exe).caused_by(error))
}

fn cannot_start(exe: &Path) -> Error {
    Error::new(ExitCode::StepFailed, format!("cannot start the demo's server with {}", exe.display()))
}

/// Asks a server to stop and waits until it is gone. It is never killed: its databases would stay open.
pub fn stop(control: &Path) -> Result<Stopped> {
    let control = Control::at(control);
    if !matches!(control.status()?, ServerStatus::Running { .. }) {
        return Ok(Stopped::Already);
    }
    let began = Instant::now();
    while let ServerStatus::Running { pid } = control.status()? {
        // Asked again each time: a server that has just begun forgets the wishes from before it.
        control.ask_to_stop()?;
        if began.elapsed() > PATIENCE {
            let who = pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
            let message = format!("the demo's server{who} did not stop within {} s", PATIENCE.as_secs());
            return Err(Error::new(ExitCode::StepFailed, message)
                .hint(format!("what it said is in {}", control.log().display())));
        }
        thread::sleep(GLANCE);
    }
    control.forget_wish()?;
    Ok(Stopped::Now)
}

/// Works on the archive until it is asked to stop, and leaves the databases closed.
///
/// This is the server itself; the process that runs it should call [`outlive_the_terminal`] first.
pub fn serve(archive: &Path, control: &Path) -> Result<()> {
    let control = Control::at(control);
    // Held to the end of this function: it is what `status` looks at.
    let _held = control.hold()?;
    control.forget_wish()?;
    let mut work = Work::open(archive)?;
    control.announce()?;
    let began = Instant::now();
    let mut beats = 0_u64;
    while control.wish() == Wish::GoOn && began.elapsed() < LIFETIME {
        work.tick()?;
        control.beat(beats);
        beats += 1;
        thread::sleep(TICK);
    }
    work.close()?;
    control.leave();
    Ok(())
}

/// Lets this process go on when Ctrl-C is pressed in, or a hang-up comes from, the terminal that it was started from.
///
/// A real service does not belong to the terminal of whoever moves its data; this one shares the process group of the
/// run, and a run that is interrupted must find its server as it left it.
pub fn outlive_the_terminal() -> Result<()> {
    crate::sys::interruption::outlive_the_terminal().map_err(|error| {
        Error::new(ExitCode::StepFailed, "cannot detach the demo's server from the terminal").caused_by(error)
    })
}
