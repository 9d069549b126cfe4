//! Names that differ only in case: where they are one, and which those are.
//!
//! A volume has its own table of upper-case letters, written when it was formatted (`$UpCase` of NTFS: one 16-bit unit to
//! one, most of it from before Unicode 5.1). What is here comes near it: the upper case that Unicode has for a letter,
//! where both are a single one within 16 bits, and where no letter beyond ASCII becomes one of ASCII (`ı` and `ſ` do not,
//! there or here). Newer letters differ: so whoever finds two names to be one by this asks the volume whether it says so
//! too.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hasher};

/// Whether names that differ only in case are two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Distinct,
    /// They are one.
    Folded,
}

/// The order of names by their letters without case; equal are those that a volume that folds case takes for one.
pub fn folded_order(one: &OsStr, other: &OsStr) -> Ordering {
    folded(one).cmp(folded(other))
}

/// The same for all names that are equal in that order, and for hardly any others.
pub fn folded_hash(name: &OsStr) -> u64 {
    let mut hasher = DefaultHasher::new();
    folded(name).for_each(|letter| hasher.write_u32(letter));
    hasher.finish()
}

/// The letters of a name in upper case; a byte that belongs to none stands for itself, behind all letters.
fn folded(name: &OsStr) -> impl Iterator<Item = u32> {
    name.as_encoded_bytes().utf8_chunks().flat_map(|chunk| {
        let strays = chunk.invalid().iter().map(|byte| char::MAX as u32 + 1 + u32::from(*byte));
        chunk.valid().chars().map(|letter| upper_case(letter) as u32).chain(strays)
    })
}

fn upper_case(letter: char) -> char {
    const UNIT: char = '\u{ffff}';
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None)
            if letter <= UNIT && single <= UNIT && single.is_ascii() == letter.is_ascii() =>
        {
            single
        }
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_as_ntfs_has_it() {
        let one =
            [("Mail", "mAIL"), ("ÄÖ.DAT", "äö.dat"), ("ŒUVRE", "œuvre"), ("ПОЧТА", "почта"), ("ÿ", "Ÿ")];
        for (one, other) in one {
            assert_eq!(folded_order(one.as_ref(), other.as_ref()), Ordering::Equal, "{one} {other}");
        }
        let two = [
            ("ß", "SS"),
            ("ı", "I"),
            ("ı", "i"),
            ("ſ", "S"),
            ("𐐨", "𐐀"),
            ("mail", "mail "),
            ("e\u{301}", "é"),
        ];
        for (one, other) in two {
            assert_ne!(folded_order(one.as_ref(), other.as_ref()), Ordering::Equal, "{one} {other}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_letters_are_told_apart() {
        use std::os::unix::ffi::OsStrExt;
        let name = |bytes| OsStr::from_bytes(bytes);
        assert_eq!(folded_order(name(b"a\xffb"), name(b"A\xffB")), Ordering::Equal);
        assert_ne!(folded_order(name(b"a\xffb"), name(b"a\xfeb")), Ordering::Equal);
    }
}
