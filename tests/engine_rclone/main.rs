//! `engine: rclone` with the real rclone: folders of this machine, Windows' shares by a Samba on loopback, and a WebDAV
//! server that rclone itself serves.
//!
//! | promise | module |
//! | --- | --- |
//! | between folders it gives the same tree as the native engine, with movebook's purge and quarantine | `folders` |
//! | a share is read, checked, copied, purged against and proven byte by byte; its password is seen by nobody | `shares` |
//! | a remote is a target as well as a source; one that goes away ends the pass clearly, and the run goes on | `webdav` |
//! | what rclone would do otherwise than the runbook says is refused before anything is touched | `refused` |
//! | an rclone that is missing, too old, or says what is not so, is told of | `stand_ins` |
//!
//! rclone and Samba are installed by `tests/install`. Where they are not, or cannot be started, a test says
//! `not proven here: why`, and proves nothing. Stand-ins are named as such.
#![cfg(target_os = "linux")]

#[path = "../common/mod.rs"]
mod common;

mod folders;
mod refused;
mod served;
mod shares;
mod stand_ins;
mod webdav;

/// Ends a test that cannot prove anything here.
macro_rules! or_not_proven {
    ($have:expr) => {
        match $have {
            Ok(have) => have,
            Err(why) => {
                println!("not proven here: {why}");
                return;
            }
        }
    };
}
pub(crate) use or_not_proven;

/// The real rclone is here, or why it is not.
fn rclone() -> Result<(), String> {
    common::rclone::missing().map_or(Ok(()), Err)
}
