//! Trees as process groups.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use process_wrap::std::{ChildWrapper, CommandWrap, ProcessGroup};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use super::End;
use crate::copy::Priority;

/// How long a tree may take to end by itself after it was asked to.
pub const GRACE: Duration = Duration::from_millis(400);

/// Its own group is also what keeps the terminal's Ctrl-C away.
pub fn own_tree(wrap: &mut CommandWrap, _: Priority) {
    wrap.wrap(ProcessGroup::leader());
}

pub fn of_system(name: &str) -> String {
    name.to_owned()
}

pub fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(line);
    command
}

pub fn end_of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, Some(signal)) => End::Killed(signal),
        // A status that tells of a stop or a continuation is never asked for.
        (None, None) => End::Killed(0),
    }
}

pub fn ask_to_end(child: &dyn ChildWrapper) {
    if let Some(group) = group(child) {
        // A group that is gone already has nothing left to be asked.
        let _ = kill_process_group(group, Signal::TERM);
    }
}

pub fn tree_lives(child: &dyn ChildWrapper) -> bool {
    group(child).is_some_and(|group| test_kill_process_group(group).is_ok())
}

pub fn kill_tree(child: &mut dyn ChildWrapper) -> io::Result<()> {
    match group(child).map(|group| kill_process_group(group, Signal::KILL)) {
        Some(Err(error)) if error != rustix::io::Errno::SRCH => Err(error.into()),
        _ => Ok(()),
    }
}

/// The child leads its group, so they have the same number.
fn group(child: &dyn ChildWrapper) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}
