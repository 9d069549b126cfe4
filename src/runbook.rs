//! Text → [`Runbook`]: scanned once, every leaf with its place, all problems in one go.
//!
//! Nothing after this module sees YAML. Only [`load`] touches the file system, and only to read.
//!
//! ```text
//! text ──scan──▶ tree ──written, entry──▶ entries ──lower──▶ model, includes resolved ──check──▶ Runbook
//! ```

mod check;
pub mod declaration;
pub mod diagnostics;
pub mod entry;
mod include;
mod lower;
pub mod model;
mod scalar;
pub mod scan;
pub mod schema;
pub mod source;
pub mod template;
mod written;

use std::path::Path;

pub use diagnostics::Diagnostic;
pub use include::{load, read};
pub use model::Runbook;
pub use source::Sources;

/// Everything that is wrong, and the texts it is shown in.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    pub sources: Sources,
    pub diagnostics: Vec<Diagnostic>,
}

impl Problems {
    /// A problem that has no place in a file.
    pub fn one(sources: Sources, diagnostic: Diagnostic) -> Self {
        Self { sources, diagnostics: vec![diagnostic] }
    }
}

/// The path as diagnostics show it.
fn shown_path(path: &Path) -> String {
    path.display().to_string()
}
