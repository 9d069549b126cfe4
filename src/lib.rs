//! movebook carries out migration runbooks: a YAML file says what is copied, checked, stopped, asked and proved, and the
//! program does it, writes down each step, and goes on from any interruption.
//!
//! # Architecture
//!
//! Stages are types, and each consumes the one before:
//!
//! ```text
//! text ──runbook──▶ Runbook ──plan──▶ Plan ──run──▶ journal + events ──report──▶ terminal, lines, JSON
//! ```
//!
//! In reading order:
//!
//! 1. **What can go wrong** is in [`error`]: kinds, hints, and the table of exit codes. [`cancel`] is the wish to stop,
//!    [`secret`] the values that must not be seen, [`values`] the durations, sizes and choices that people write.
//! 2. **The language.** [`runbook`] scans a text once, keeps the place of every leaf, checks it against the schema and
//!    against itself, and reports all problems in one go. [`vars`] gives every declared variable its value; [`render`]
//!    turns one leaf into one value, or says which steps it must wait for.
//! 3. **The plan.** [`plan`] renders a runbook for one customer: steps in order with every value known, or marked as known
//!    only later. A plan is pure: it reads no tree and changes nothing, and the same inputs always give the same digests.
//! 4. **What is refused.** [`guard`] judges paths, pairs, targets and purges as decisions over facts; [`filter`] says which
//!    files take part in a pass. Neither touches a file system.
//! 5. **Copying.** [`copy`] has a pass as a value and the engine that carries it out; `copy::account` names every file in
//!    its bucket, `copy::quarantine` gives back what a purge took away, and `copy::verify` reads both trees and names every
//!    difference. [`robocopy`] is robocopy's own language: its command line as a pass, its way to tell what was done,
//!    a copy step as its arguments, and what robocopy writes as what it says; [`rclone`] has a copy step as rclone's
//!    arguments, what its remotes are, what it lists and logs, and the comparison of two such lists. [`engine`] says who
//!    carries out a pass: movebook itself, or one of these programs with movebook around it. [`import`] makes a runbook of
//!    the scripts that people have, whose lines it reads by these languages.
//! 6. **The state file.** [`state`] is the append-only journal, its lock, the fold that makes it a state again, and the
//!    comparison with a runbook that changed.
//! 7. **Carrying out.** [`run`] is the step loop, and an action a file. It writes to the journal, asks an operator, and
//!    emits [`event`]s, which are all that it shares with reports.
//! 8. **What people see.** [`report`] prints events, plans, diagnostics and status; it never sees `run`. [`cli`] turns
//!    arguments into settings and makes one call a subcommand. [`demo`] makes an archive and plays the server on it.
//! 9. **Operating systems.** What differs between them is in [`sys`], and nothing else is.
//!
//! The direction of imports is `cli → run → {plan, state, event, engine, copy, sys}`, `plan → {runbook, vars, render, filter}` and
//! `cli → report → event`. Values that several stages speak of are used wherever they lie: those of `copy` (what an entry is,
//! how a pass is told), of `plan::action` (choices that a runbook may make) and of `state::record` (questions and answers). `runbook`, `render`, `plan`, `guard`, `filter` and `state::fold` are pure. `tests/architecture.rs`
//! reads the imports and fails on one that runs against this.
//!
//! # What holds everywhere
//!
//! - Intent is in the journal before a step touches anything; what it did is flushed and in the journal before it is shown.
//! - A file has its final name in a target only when it is whole. No link is followed, in either tree.
//! - What will be deleted is first a list that can be printed, judged and refused.
//! - `unsafe` is in `sys` alone.
#![deny(unsafe_code, unsafe_op_in_unsafe_fn)]

pub mod error;

pub mod cancel;
pub mod secret;
pub mod values;

pub mod render;
pub mod runbook;
pub mod vars;

pub mod plan;

pub mod filter;
pub mod guard;

pub mod copy;

pub mod engine;
pub mod rclone;
pub mod robocopy;

pub mod import;

pub mod state;

pub mod event;
pub mod run;

pub mod cli;
pub mod demo;
pub mod report;

#[allow(unsafe_code, reason = "system calls are made here and nowhere else")]
pub mod sys;
