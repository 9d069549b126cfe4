//! What a worker takes from the queue.

use std::ffi::OsString;
use std::ops::Range;
use std::sync::{Arc, Weak};

use super::Turn;
use super::pair::{InTarget, Pair, Whose};
use crate::copy::EntryKind;
use crate::copy::native::large::Share;
use crate::copy::native::node::Node;

/// A piece of the work, which any worker takes.
pub(super) enum Job<D> {
    Top {
        node: Arc<Node<D>>,
    },
    Visit {
        parent: Arc<Node<D>>,
        name: OsString,
        in_target: InTarget,
        failed: u32,
    },
    Piece {
        node: Arc<Node<D>>,
        pair: Arc<Pair>,
        range: Range<usize>,
    },
    Folders {
        node: Arc<Node<D>>,
        pair: Arc<Pair>,
        whose: Whose,
        from: usize,
    },
    Entry {
        node: Arc<Node<D>>,
        name: OsString,
        turn: Turn,
    },
    Extra {
        node: Arc<Node<D>>,
        name: OsString,
        kind: EntryKind,
        failed: u32,
    },
    /// All below a new directory is done, and only its name is missing.
    Name {
        node: Arc<Node<D>>,
        failed: u32,
    },
    Help {
        share: Weak<Share>,
    },
}

impl<D> Job<D> {
    /// The directory that is not left before the job is done. The top and a directory that lacks its name are kept by
    /// being at work; a file that is helped with is kept by who asks for help.
    pub(super) fn held(&self) -> Option<&Node<D>> {
        match self {
            Self::Top { .. } | Self::Name { .. } | Self::Help { .. } => None,
            Self::Visit { parent: node, .. }
            | Self::Piece { node, .. }
            | Self::Folders { node, .. }
            | Self::Entry { node, .. }
            | Self::Extra { node, .. } => Some(node),
        }
    }

    /// Whether it may still find files.
    pub(super) fn lists(&self) -> bool {
        match self {
            Self::Top { .. } | Self::Visit { .. } | Self::Piece { .. } => true,
            Self::Folders { whose, .. } => *whose == Whose::Source,
            Self::Entry { .. } | Self::Extra { .. } | Self::Name { .. } | Self::Help { .. } => false,
        }
    }
}
