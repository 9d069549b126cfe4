//! movebook carries out migration runbooks.
#![deny(unsafe_op_in_unsafe_fn)]

pub mod cancel;
pub mod cli;
pub mod copy;
pub mod demo;
pub mod error;
pub mod event;
pub mod filter;
pub mod guard;
pub mod plan;
pub mod render;
pub mod report;
pub mod run;
pub mod runbook;
pub mod secret;
pub mod state;
pub mod sys;
pub mod values;
pub mod vars;
