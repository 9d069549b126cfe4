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

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str, lineage: &[&str], missing: &[&str]) -> Place {
        Place {
            path: path.into(),
            lineage: lineage.iter().map(|identity| Identity((*identity).into())).collect(),
            missing: missing.iter().map(|name| (*name).to_string()).collect(),
        }
    }

    fn code(from: Place, to: Place) -> &'static str {
        judge_pair(&PairFacts { from, to }).map_or_else(|refusal| refusal.code, |()| "fine")
    }

    #[test]
    fn folders_beside_each_other_are_apart() {
        assert_eq!(code(place("/a", &["a", "/"], &[]), place("/b", &["b", "/"], &[])), "fine");
        assert_eq!(code(place("/a", &["a", "/"], &[]), place("/b/c", &["/"], &["b", "c"])), "fine");
    }

    #[test]
    fn one_folder_under_two_spellings_is_the_same() {
        assert_eq!(code(place("/a", &["a", "/"], &[]), place("/link", &["a", "/"], &[])), "same_folder");
        assert_eq!(
            code(place(r"D:\a", &["a", "d"], &[]), place(r"\\me\d$\a", &["a", "share"], &[])),
            "same_folder"
        );
    }

    #[test]
    fn a_target_inside_the_source_is_refused_whether_it_exists_or_not() {
        let source = || place("/a", &["a", "/"], &[]);
        assert_eq!(code(source(), place("/a/b", &["b", "a", "/"], &[])), "target_inside_source");
        assert_eq!(code(source(), place("/a/b/c", &["a", "/"], &["b", "c"])), "target_inside_source");
        assert_eq!(code(source(), place("/link/b", &["x", "a", "/"], &["b"])), "target_inside_source");
    }

    #[test]
    fn a_source_inside_the_target_is_refused() {
        assert_eq!(
            code(place("/a/b", &["b", "a", "/"], &[]), place("/a", &["a", "/"], &[])),
            "source_inside_target"
        );
    }

    #[test]
    fn what_does_not_exist_yet_is_judged_by_name_below_the_same_folder() {
        let missing = |names: &[&str]| place("/x", &["x", "/"], names);
        assert_eq!(code(missing(&["a"]), missing(&["A"])), "same_folder");
        assert_eq!(code(missing(&["a"]), missing(&["a", "b"])), "target_inside_source");
        assert_eq!(code(missing(&["a", "b"]), missing(&["a"])), "source_inside_target");
        assert_eq!(code(missing(&["a"]), missing(&["b"])), "fine");
        assert_eq!(code(missing(&["a"]), place("/y/a", &["y", "/"], &["a"])), "fine");
    }

    #[test]
    fn what_cannot_be_told_is_refused() {
        assert_eq!(code(place("/a", &[], &[]), place("/b", &["b", "/"], &[])), "unknown_identity");
        assert_eq!(code(place("/a", &["a", "/"], &[]), place("/b", &[], &["b"])), "unknown_identity");
    }
}
