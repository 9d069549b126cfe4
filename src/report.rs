//! What people and scripts see. It never sees `run`: an event, a record or a diagnostic is all it is given.

pub mod diagnostics;
