//! Terminals, of which each obeys escape sequences but the one that says `TERM=dumb`.

use super::{Font, Sequences, Stream};

pub fn obey_sequences(_: Stream) -> Sequences {
    Sequences::Obeyed
}

pub fn font() -> Font {
    Font::Any
}

/// Terminals go on while text is selected.
#[derive(Debug)]
pub enum InputMode {}

pub fn ignore_clicks() -> Option<InputMode> {
    None
}

pub fn heed_clicks_as(before: InputMode) {
    match before {}
}
