//! What differs between operating systems, and nothing else.

pub mod attributes;
pub mod console;
pub mod hold;
pub mod interruption;
#[cfg(target_os = "linux")]
pub mod mounts;
pub mod place;
pub mod priority;
pub mod private_file;
pub mod privilege;
pub mod process;
pub mod service;
pub mod tree;
#[cfg(test)]
pub mod trial;
pub mod volume;
pub mod wakefulness;
pub mod who;
pub mod windows_errors;
