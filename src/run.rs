//! Carries out a plan, step by step, and writes down all that happens.
//!
//! Order is everything here: the intent is in the journal before a step touches anything, and what a step did is in
//! the journal before anybody sees it. A process that ends at any instant leaves a journal from which the next one
//! goes on without skipping a step and without doing a finished one again.

pub mod answer;
pub mod check;
pub mod command;
mod debt;
mod expectation;
mod facts;
pub mod operator;
pub mod outcome;
mod output;
mod pass;
mod progress;
mod proof;
mod purge;
mod question;
mod rights;
pub mod robocopy;
pub mod service;
mod session;
mod stage;
mod step;
pub mod wait;

pub use facts::{judge_copy, judge_found, judge_paths, judge_words};
pub use operator::{Ask, Given, GivenAnswer, Operator, Reply};
pub use pass::pass_of;
pub use rights::to_look as rights_to_look;
pub use session::{Begin, Commands, Consent, Ended, OnDrift, Request, Start, Who, run};
