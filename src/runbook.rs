//! Text → [`model::Runbook`]: parsed once, checked against the schema, every leaf with its place.
//!
//! Nothing after this module sees YAML.

pub mod diagnostics;
pub mod model;
pub mod source;
