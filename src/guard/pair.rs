//! Whether source and target are apart: not the same, and none inside the other.
//!
//! Judged by identity and not by spelling: two spellings, a link, a mount or a share can lead to one folder.

use super::{Identity, Refusal};

/// One side of a pair.
#[derive(Clone, Debug)]
pub struct Place {
    /// As the plan has it, for people.
    pub path: String,
    /// The identity of the nearest folder that exists, at or above the path, and of all its ancestors up to the root.
    pub lineage: Vec<Identity>,
    /// The components below that folder which do not exist; empty if the path itself exists.
    pub missing: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct PairFacts {
    pub from: Place,
    pub to: Place,
}

/// Refuses a pair of which one is the other or lies inside it, and one of which that cannot be told.
pub fn judge_pair(facts: &PairFacts) -> Result<(), Refusal> {
    let PairFacts { from, to } = facts;
    for place in [from, to] {
        if place.lineage.is_empty() {
            return Err(unknown_identity(place));
        }
    }
    match (holds(from, to), holds(to, from)) {
        (true, true) => Err(same(from, to)),
        (true, false) => Err(inside("target_inside_source", "target", to, from)),
        (false, true) => Err(inside("source_inside_target", "source", from, to)),
        (false, false) => Ok(()),
    }
}

/// Whether `inner` is `outer` or lies inside it.
fn holds(outer: &Place, inner: &Place) -> bool {
    let [nearest, ..] = outer.lineage.as_slice() else { return true };
    if outer.missing.is_empty() {
        return inner.lineage.contains(nearest);
    }
    // What does not exist has no identity: below one and the same folder the names decide, without regard to case,
    // since the file system may have none.
    inner.lineage.first() == Some(nearest)
        && inner.missing.len() >= outer.missing.len()
        && outer
            .missing
            .iter()
            .zip(&inner.missing)
            .all(|(one, other)| one.to_lowercase() == other.to_lowercase())
}

fn unknown_identity(place: &Place) -> Refusal {
    Refusal::new(
        "unknown_identity",
        format!("cannot tell which folder {} is, and so not whether source and target are apart", place.path),
        "see that the path or the folder above it exists and can be read",
    )
}

fn same(from: &Place, to: &Place) -> Refusal {
    Refusal::new(
        "same_folder",
        format!("source {} and target {} are the same folder", from.path, to.path),
        "give two folders; look at links, mounts and shares if the spellings differ",
    )
}

fn inside(code: &'static str, what: &str, inner: &Place, outer: &Place) -> Refusal {
    Refusal::new(
        code,
        format!("the {what} {} lies inside {}", inner.path, outer.path),
        "give two folders of which none holds the other",
    )
}
