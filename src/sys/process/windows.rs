//! Trees as job objects. It ran under Wine 8, not on Windows itself.

use std::io;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use process_wrap::std::{ChildWrapper, CommandWrap};
#[cfg(windows)]
use process_wrap::std::{CommandWrapper, JobObject};

use super::End;
use crate::copy::Priority;

/// None, since [`ask_to_end`] cannot ask.
pub const GRACE: Duration = Duration::ZERO;

/// `CREATE_SUSPENDED`: the child must not run before it is in its job.
#[cfg(windows)]
const SUSPENDED: u32 = 0x0000_0004;
/// `CREATE_NEW_PROCESS_GROUP`: the console's Ctrl-C does not reach it.
#[cfg(windows)]
const NEW_PROCESS_GROUP: u32 = 0x0000_0200;
/// `IDLE_PRIORITY_CLASS`, as `start /low` gives it; what the child starts has it, too.
#[cfg(windows)]
const IDLE: u32 = 0x0000_0040;

#[cfg(windows)]
pub fn own_tree(wrap: &mut CommandWrap, priority: Priority) {
    wrap.wrap(JobObject).wrap(OwnGroup(priority));
}

#[cfg(not(windows))]
pub fn own_tree(_: &mut CommandWrap, _: Priority) {}

/// Sets its flags after [`JobObject`] has set its own, since a later call replaces the flags of an earlier one.
/// The job resumes the child in any case.
#[cfg(windows)]
#[derive(Debug)]
struct OwnGroup(Priority);

#[cfg(windows)]
impl CommandWrapper for OwnGroup {
    fn pre_spawn(&mut self, command: &mut Command, _: &CommandWrap) -> io::Result<()> {
        use std::os::windows::process::CommandExt;
        let class = if self.0 == Priority::Gentle { IDLE } else { 0 };
        command.creation_flags(SUSPENDED | NEW_PROCESS_GROUP | class);
        Ok(())
    }
}

pub fn of_system(name: &str) -> String {
    let root = std::env::var("SystemRoot").unwrap_or_else(|_| r"C:\Windows".to_owned());
    format!(r"{root}\System32\{name}.exe")
}

/// The line reaches `cmd` as it is: its rules for quotes are not those by which arguments are quoted otherwise.
pub fn shell(line: &str) -> Command {
    let mut command = Command::new("cmd.exe");
    // With `/s` the outermost quotes are taken off and the rest stays; `/d` leaves AutoRun commands of the user out.
    raw_argument(&mut command, &format!("/d /s /c \"{line}\""));
    command
}

#[cfg(windows)]
fn raw_argument(command: &mut Command, text: &str) {
    use std::os::windows::process::CommandExt;
    command.raw_arg(text);
}

#[cfg(not(windows))]
fn raw_argument(command: &mut Command, text: &str) {
    command.arg(text);
}

pub fn end_of(status: ExitStatus) -> End {
    // Windows knows no signals: there is always a code.
    status.code().map_or(End::Killed(0), End::Exited)
}

/// Windows has no way to ask the processes of a job to end.
pub fn ask_to_end(_: &dyn ChildWrapper) {}

/// Unknown, so the job is ended in any case.
pub fn tree_lives(_: &dyn ChildWrapper) -> bool {
    true
}

pub fn kill_tree(child: &mut dyn ChildWrapper) -> io::Result<()> {
    child.start_kill()
}
