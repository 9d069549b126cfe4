//! The proof that the engines mean the same: random passes over random pairs of trees, each done by every engine on a copy
//! of the same target, and the targets compared by name, size, content and time.
//!
//! The engines are the native one, the real rclone by the arguments of `rclone::arguments`, and robocopy by those of
//! `robocopy::arguments`: the real one on Windows. Elsewhere `movebook robocopy` **stands in for it**: what is proved there
//! is that a pass comes back from robocopy's words as what it was, and not what Microsoft's program makes of them.
//!
//! A combination that a program cannot be told is in `Spelled` by the name of its field. Its engine is left out of such a
//! case, and the case is counted under that name: nothing is left out in silence, and nothing else is left out.
//!
//! - A campaign's cases are those of the seeds from its own on: `MOVEBOOK_SEED=S MOVEBOOK_CASES=1` does the case S again.
//!   Without a seed they are always the same; `MOVEBOOK_SEED=$RANDOM` draws others.
//! - Without `MOVEBOOK_CASES` it goes on until each engine has taken part in 2,000.
//! - A difference is made smaller before it is told, by leaving away what it does not hang on.
//!
//! What is not compared: times of directories in rclone's targets (it brings none before version 1.66), permissions and
//! attributes, and what stands in a file's place as a directory, which each engine refuses in words of its own.

mod campaign;
mod case;
mod engines;
mod names;
mod pass;
mod shrink;
mod tree;

use campaign::Campaign;

#[test]
fn every_engine_leaves_the_same_tree() {
    Campaign::from_environment().run();
}
