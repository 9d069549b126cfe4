//! What a pass carries over of a file beside its content, its times and its permissions.
//!
//! Pure: what is to be kept is said here, how it is kept is the engine's.
//!
//! Alternate data streams (Windows) are in no list: they go with every file that is copied, as robocopy takes them with the
//! data (`/copy:D`), and are not compared. What that means is said in `copy/native/streams.rs`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// One thing of a file that is carried over only where a pass asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preserved {
    /// Owner and group (`robocopy /copy:o`, `rsync -og`). On Windows it takes `backup: true` to give a file to another user.
    Owner,
    /// Extended attributes (`rsync -X`).
    Xattrs,
    /// Access control lists (`robocopy /copy:s`, `rsync -A`); on Windows with `backup: true`, and where the user may see
    /// them, also what is recorded of accesses (`robocopy /copy:u`).
    Acls,
    /// Names of one file stay names of one file (`rsync -H`).
    HardLinks,
}

impl Preserved {
    const ALL: [Preserved; 4] = [Preserved::Owner, Preserved::Xattrs, Preserved::Acls, Preserved::HardLinks];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The set of what a pass carries over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preserve(u8);

impl Preserve {
    /// Content, times and permissions alone, which every pass carries over.
    pub const NOTHING_MORE: Self = Self(0);

    pub const fn with(self, thing: Preserved) -> Self {
        Self(self.0 | thing.bit())
    }

    pub const fn holds(self, thing: Preserved) -> bool {
        self.0 & thing.bit() != 0
    }

    pub const fn is_nothing_more(self) -> bool {
        self.0 == 0
    }

    /// What it holds, in the order of the documentation.
    pub fn iter(self) -> impl Iterator<Item = Preserved> {
        Preserved::ALL.into_iter().filter(move |thing| self.holds(*thing))
    }
}

impl FromIterator<Preserved> for Preserve {
    fn from_iter<I: IntoIterator<Item = Preserved>>(things: I) -> Self {
        things.into_iter().fold(Self::NOTHING_MORE, Self::with)
    }
}

/// As it is written: a list of words.
impl Serialize for Preserve {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let set = Preserve::NOTHING_MORE.with(Preserved::Owner).with(Preserved::HardLinks);
        assert!(set.holds(Preserved::Owner) && set.holds(Preserved::HardLinks));
        assert!(!set.holds(Preserved::Xattrs) && !set.holds(Preserved::Acls));
        assert!(Preserve::NOTHING_MORE.is_nothing_more() && !set.is_nothing_more());
    }

    #[test]
    fn a_set_is_written_in_one_order_and_without_repetition() {
        let set: Preserve =
            [Preserved::HardLinks, Preserved::Owner, Preserved::HardLinks].into_iter().collect();
        assert_eq!(serde_json::to_string(&set).unwrap(), r#"["owner","hard-links"]"#);
    }
}
