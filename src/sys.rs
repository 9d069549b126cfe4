//! What differs between operating systems, and nothing else.

pub mod place;
pub mod private_file;
pub mod process;
pub mod service;
pub mod who;
