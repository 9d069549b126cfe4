//! Who carries out a pass: movebook itself, or a program that people trust, with movebook around it.
//!
//! Whoever copies, the target tree is the same, and so is what a run does with it: the trees are surveyed first, the
//! extras are judged from that list, and after a pass that must be clean they are looked at again. What a program says of
//! itself is told and never believed alone.

pub mod external;
pub mod rclone;
mod robocopy;

use crate::copy::native::Native;
use crate::copy::{Engine, EngineName};
use crate::plan::CopyAction;
use external::External;
use robocopy::Robocopy;

/// The engine of a copy step.
pub fn of(action: &CopyAction) -> Box<dyn Engine> {
    match action.engine {
        EngineName::Native => Box::new(Native),
        EngineName::Robocopy => Box::new(External::new(Robocopy::of(action))),
        EngineName::Rclone => rclone::of(action),
    }
}
