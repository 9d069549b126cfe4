//! What a script does not say: the value of `%1`, of `$HOME`, of a variable that is set on a condition.
//!
//! Such a value goes through the readers of command lines as one letter that no text from a file has ([`super::text`] sees to
//! that), and becomes a variable of the runbook, to be given, where it ends up in a step.

use indexmap::IndexMap;

/// Private letters of Unicode's sixteenth plane.
const FIRST: u32 = 0xF0000;
const LAST: u32 = 0xFFFFD;

/// A value that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown<'u> {
    /// As it is in the script: `%OLD%`.
    pub written: &'u str,
    /// What it may be called in a runbook.
    pub name: &'u str,
}

/// For how many scripts one value is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Whose {
    /// Of the environment, or of the person who starts them.
    AllScripts,
    /// An argument, or what this script sets on a condition.
    Script(usize),
}

/// All values that are not known, each with its letter: what tells it from others, what is written first, and what it may
/// be called.
#[derive(Clone, Debug, Default)]
pub struct Unknowns(IndexMap<(String, Whose), (String, String)>);

pub fn is_stand_in(letter: char) -> bool {
    (FIRST..=LAST).contains(&u32::from(letter))
}

pub fn has_stand_in(text: &str) -> bool {
    text.contains(is_stand_in)
}

impl Unknowns {
    /// The letter that stands for a value. Where there are more than letters, the rest stand for nothing.
    pub fn stand_in(&mut self, written: &str, name: &str, whose: Whose) -> char {
        self.keyed(written, written, name, whose)
    }

    /// The same, where a value may be written in several ways.
    pub fn keyed(&mut self, key: &str, written: &str, name: &str, whose: Whose) -> char {
        let key = (key.to_owned(), whose);
        let is_full = self.0.len() > (LAST - FIRST) as usize;
        let index = match self.0.get_index_of(&key) {
            Some(index) => index,
            None if is_full => return char::REPLACEMENT_CHARACTER,
            None => self.0.insert_full(key, (written.to_owned(), name.to_owned())).0,
        };
        u32::try_from(index)
            .ok()
            .and_then(|index| char::from_u32(FIRST + index))
            .unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    pub fn get(&self, letter: char) -> Option<Unknown<'_>> {
        let index = u32::from(letter).checked_sub(FIRST)?;
        let (_, (written, name)) = self.0.get_index(index as usize)?;
        Some(Unknown { written, name })
    }

    /// A text with each value as the script has it.
    pub fn shown(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        for letter in text.chars() {
            match self.get(letter) {
                Some(unknown) => shown.push_str(unknown.written),
                None => shown.push(letter),
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_one_letter_and_is_shown_as_it_was_written() {
        let mut unknowns = Unknowns::default();
        let old = unknowns.stand_in("%OLD%", "old", Whose::AllScripts);
        assert_eq!(unknowns.stand_in("%OLD%", "old", Whose::AllScripts), old);
        assert_ne!(unknowns.stand_in("%OLD%", "old", Whose::Script(1)), old);
        assert_eq!(unknowns.shown(&format!("{old}\\a")), "%OLD%\\a");
    }
}
