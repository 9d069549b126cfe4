//! Whether a pass clears a debt. A pass that may not have looked at a file of it never does.

use crate::state::record::Debt;

/// How a later pass over the same pair went, for [`clears`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassResult {
    /// No file failed, none vanished, and all of the target could be read.
    Clean,
    Unclean,
}

/// What decides whether a pass looked at every file of a debt.
pub struct Looked<'a> {
    /// Whether the filter lets every file in.
    pub filter: Breadth<'a>,
    pub result: PassResult,
}

/// How much a filter lets in.
pub enum Breadth<'a> {
    /// Every file.
    Everything,
    /// Those whose path below the root is admitted; no age or size matters.
    Named(&'a dyn Fn(&str) -> bool),
    /// An age or a size matters, which the names of a debt do not tell.
    Limited,
}

/// Whether a pass clears a debt: it is clean, over the same pair, and looked at every file of it.
///
/// A debt lists a bounded number of its files; where the list is not whole, only an unfiltered pass clears it.
pub fn clears(debt: &Debt, from: &str, to: &str, looked: &Looked<'_>) -> bool {
    if looked.result == PassResult::Unclean || debt.from != from || debt.to != to {
        return false;
    }
    match &looked.filter {
        Breadth::Everything => true,
        Breadth::Limited => false,
        Breadth::Named(admits) => {
            debt.errors.len() as u64 == debt.files && debt.errors.iter().all(|error| admits(&error.path))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::sample;

    fn debt() -> Debt {
        sample::debt(&["a/one.dat", "two.dat"])
    }

    fn named(admits: &dyn Fn(&str) -> bool) -> Looked<'_> {
        Looked { filter: Breadth::Named(admits), result: PassResult::Clean }
    }

    const ALL: Looked<'static> = Looked { filter: Breadth::Everything, result: PassResult::Clean };

    #[test]
    fn a_clean_unfiltered_pass_over_the_pair_clears() {
        assert!(clears(&debt(), "/old", "/new", &ALL));
    }

    #[test]
    fn an_unclean_pass_clears_nothing() {
        let looked = Looked { filter: Breadth::Everything, result: PassResult::Unclean };
        assert!(!clears(&debt(), "/old", "/new", &looked));
    }

    #[test]
    fn a_pass_over_another_pair_clears_nothing() {
        assert!(!clears(&debt(), "/old", "/other", &ALL));
        assert!(!clears(&debt(), "/other", "/new", &ALL));
    }

    #[test]
    fn a_filter_that_lets_in_every_file_of_the_debt_clears() {
        assert!(clears(&debt(), "/old", "/new", &named(&|path| path.ends_with(".dat"))));
    }

    #[test]
    fn a_filter_that_leaves_one_file_out_does_not_clear() {
        assert!(!clears(&debt(), "/old", "/new", &named(&|path| path.contains('/'))));
    }

    #[test]
    fn a_pass_with_an_age_or_a_size_does_not_clear() {
        let looked = Looked { filter: Breadth::Limited, result: PassResult::Clean };
        assert!(!clears(&debt(), "/old", "/new", &looked));
    }

    #[test]
    fn a_debt_whose_list_is_not_whole_is_cleared_by_an_unfiltered_pass_only() {
        let debt = Debt { files: 3, ..debt() };
        assert!(!clears(&debt, "/old", "/new", &named(&|_| true)));
        assert!(clears(&debt, "/old", "/new", &ALL));
    }
}
