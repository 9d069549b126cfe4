//! What people and scripts see. It never sees `run`: an event, a record or a diagnostic is all it is given.

pub mod account;
pub mod commands;
pub mod diagnostics;
pub mod json;
pub mod marks;
pub mod out;
pub mod passes;
pub mod plain;
pub mod plan;
mod progress;
pub mod quarantine;
pub mod status;
pub mod terminal;
pub mod words;
