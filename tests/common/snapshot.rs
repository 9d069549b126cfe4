//! A text beside the one that is expected; `SNAPSHOTS=overwrite` writes that anew.

use std::path::Path;

use snapbox::{Assert, Data};

/// Puts the difference of the two, if there is one, to the others.
pub fn compare(snapshot: &Path, actual: String, differing: &mut Vec<String>) {
    let expected = Data::read_from(snapshot, None);
    let assert = Assert::new().action_env("SNAPSHOTS").normalize_paths(false);
    if let Err(error) = assert.try_eq(Some(&snapshot.display()), actual.into(), expected.raw()) {
        differing.push(error.to_string());
    }
}
