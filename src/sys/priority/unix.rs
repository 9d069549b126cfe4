//! Priorities on Linux; on other Unix systems nothing is asked for.
//!
//! For the disks it is the last level of the best-effort class (`ionice -c 2 -n 7`) and not the idle class (`-c 3`): an
//! idle thread gets nothing at all while anybody else reads, and holds the locks of the directories that it is in
//! meanwhile. A pass that gives way must still come to its end on a server that is never idle. For the processor it is
//! what `nice` gives where it is told no number.

use std::io;

use super::Lowered;

#[cfg(target_os = "linux")]
pub(super) fn lower_this_thread() -> io::Result<Lowered> {
    // One that is refused is no reason not to ask for the other.
    let disk = linux::lower_disk();
    linux::lower_processor()?;
    disk?;
    Ok(Lowered::Yes)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn lower_this_thread() -> io::Result<Lowered> {
    Ok(Lowered::NoSuchThing)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;

    use rustix::process::{getpriority_process, setpriority_process};

    /// `nice` without a number.
    const NICE: i32 = 10;

    // From the kernel's `linux/ioprio.h`.
    const WHO_PROCESS: i32 = 1;
    const CLASS_SHIFT: i32 = 13;
    const IDLE: i32 = 3;
    const BEST_EFFORT: i32 = 2;
    const LAST_LEVEL: i32 = 7;

    pub(super) fn lower_disk() -> io::Result<()> {
        // A thread that was started as an idle one is lower already.
        if disk()? >> CLASS_SHIFT == IDLE {
            return Ok(());
        }
        let priority = BEST_EFFORT << CLASS_SHIFT | LAST_LEVEL;
        // SAFETY: takes three numbers and touches no memory; process 0 is the calling thread.
        let result = unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, 0, priority) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    pub(super) fn lower_processor() -> io::Result<()> {
        // To Linux, process 0 is the calling thread here too, and no other thread of the program is changed.
        if getpriority_process(None)? < NICE {
            setpriority_process(None, NICE)?;
        }
        Ok(())
    }

    /// Class and level of the calling thread.
    pub(super) fn disk() -> io::Result<i32> {
        // SAFETY: takes two numbers and touches no memory; process 0 is the calling thread.
        let priority = unsafe { libc::syscall(libc::SYS_ioprio_get, WHO_PROCESS, 0) };
        if priority < 0 { Err(io::Error::last_os_error()) } else { Ok(priority as i32) }
    }

    #[cfg(test)]
    mod tests {
        use super::super::{Lowered, lower_this_thread};
        use super::*;

        /// Both priorities of the calling thread: disk class, disk level, processor.
        fn own() -> (i32, i32, i32) {
            let disk = disk().unwrap();
            (disk >> CLASS_SHIFT, disk & 7, getpriority_process(None).unwrap())
        }

        #[test]
        fn a_lowered_thread_has_the_priorities_that_ionice_and_nice_give_and_others_keep_theirs() {
            let before = own();
            let inside = std::thread::spawn(|| {
                assert_eq!(lower_this_thread().unwrap(), Lowered::Yes);
                // A second time changes nothing, and needs no rights.
                assert_eq!(lower_this_thread().unwrap(), Lowered::Yes);
                own()
            });
            assert_eq!(inside.join().unwrap(), (BEST_EFFORT, LAST_LEVEL, NICE.max(before.2)));
            assert_eq!(own(), before);
        }
    }
}
