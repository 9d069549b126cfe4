//! What differs between operating systems, and nothing else.

pub mod private_file;
