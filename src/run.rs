//! The step loop, and an action a file.

pub mod check;
pub mod command;
pub mod outcome;
pub mod output;
pub mod service;
pub mod wait;
