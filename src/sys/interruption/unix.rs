//! SIGINT, SIGTERM and SIGHUP. None of them ends a process that listens, so each counts as asked for.

use std::io;

use super::{Cause, Heard};

pub fn listen(mut heard: Heard) -> io::Result<()> {
    ctrlc::set_handler(move || heard(Cause::Asked)).map_err(io::Error::other)
}

pub fn outlive_the_terminal() -> io::Result<()> {
    listen(Box::new(|_| {}))
}
