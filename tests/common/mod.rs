//! What the end-to-end tests share: a scene (a folder with a runbook and trees), the real program at work in it, and what
//! it leaves behind.
//!
//! Nothing outlives its test: folders and processes go with the values that stand for them.

// Each test file is a crate of its own and uses its own part of this.
#![allow(dead_code, unused_imports)]

pub mod journal;
pub mod mailstore;
pub mod ports;
pub mod rclone;
pub mod running;
#[cfg(unix)]
pub mod samba;
pub mod scene;
#[cfg(unix)]
pub mod screen;
pub mod snapshot;
pub mod tree;
#[cfg(windows)]
pub mod windows;

use std::time::Duration;

/// No command of these tests takes long: one that has not ended by then hangs, and is ended. Nothing is measured by it.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub use running::{Ended, Running};
pub use scene::Scene;
