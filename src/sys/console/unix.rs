//! Terminals, of which each obeys escape sequences but the one that says `TERM=dumb`.

use super::{Font, Sequences, Stream};

pub fn obey_sequences(_: Stream) -> Sequences {
    Sequences::Obeyed
}

pub fn font() -> Font {
    Font::Any
}
