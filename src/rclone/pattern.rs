//! A filter's pattern in rclone's language.
//!
//! The two look alike and differ: rclone takes a name wherever a `/` is in front of it, has `**` for anything at all where a
//! runbook has whole components, tells a class that shuts letters out by `^`, and cannot nest braces. A pattern is taken apart
//! as `filter` reads it, and written so that it matches the same paths.
//!
//! Invariant: the patterns are those of a `Filter`, so they are valid; what rclone has no words for is an `Err` with the reason.

use crate::filter::Case;

/// A pattern, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    place: Place,
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At the end of a path, behind a `/` or at its beginning.
    Anywhere,
    /// The whole path below the root.
    Root,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Letter(char),
    /// `?`
    Any,
    /// `*`
    Star,
    /// As it stands between the brackets.
    Class(String),
    /// `{a,b}`
    Choice(Vec<Vec<Piece>>),
    /// `/**/`: one `/`, or any path between two.
    Between,
    /// `/**` at the end: all below.
    Below,
}

impl Pattern {
    pub(super) fn parse(text: &str, case: Case) -> Result<Self, String> {
        let text = text.trim_end_matches('/');
        if !text.contains('/') {
            let pieces = Reader { rest: text, case }.pieces(Stars::Single)?;
            return Ok(Self { place: Place::Anywhere, pieces });
        }
        let mut path = text.strip_prefix('/').unwrap_or(text);
        let mut place = Place::Root;
        while let Some(rest) = path.strip_prefix("**/") {
            (path, place) = (rest, Place::Anywhere);
        }
        if path == "**" {
            // Every path.
            return Ok(Self { place: Place::Anywhere, pieces: vec![Piece::Star] });
        }
        Ok(Self { place, pieces: Reader { rest: path, case }.pieces(Stars::OfPaths)? })
    }

    /// For directories that are kept out, with all that they hold.
    pub(super) fn keeping_out_directories(&self) -> String {
        format!("{}/**", self.written())
    }

    /// For files that are let in. That rclone looks into a directory for it does no harm.
    pub(super) fn letting_in(&self) -> String {
        self.written()
    }

    /// For files that are kept out, and no directory.
    ///
    /// # Errors
    /// rclone would keep out directories by it.
    pub(super) fn keeping_out(&self) -> Result<String, String> {
        let mut written = self.written();
        let all = matches!(self.pieces[..], [Piece::Star]);
        let is_asked_of_directories = all || written.contains("**");
        // A directory is asked about with a `/` at its end: what ends in a letter is none.
        match self.pieces.last() {
            Some(Piece::Star | Piece::Below) if is_asked_of_directories => written.push('?'),
            Some(Piece::Choice(_)) if is_asked_of_directories && !self.ends_in_a_letter() => {
                return Err("rclone would keep out directories by it, too".to_owned());
            }
            _ => {}
        }
        Ok(written)
    }

    /// Whether no choice at the end can be nothing, or stars alone.
    fn ends_in_a_letter(&self) -> bool {
        let is_star = |piece: &Piece| *piece == Piece::Star;
        match self.pieces.last() {
            Some(Piece::Choice(choices)) => choices.iter().all(|choice| !choice.iter().all(is_star)),
            _ => true,
        }
    }

    fn written(&self) -> String {
        let mut written = match self.place {
            Place::Root => "/".to_owned(),
            Place::Anywhere => String::new(),
        };
        write(&self.pieces, &mut written);
        written
    }
}

/// What two stars are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stars {
    /// As one, since a name has no `/`.
    Single,
    /// Of whole components, where they stand for some.
    OfPaths,
    /// Within braces, where they may be either.
    InBraces,
}

struct Reader<'t> {
    rest: &'t str,
    case: Case,
}

impl Reader<'_> {
    /// Reads on to the end, or to a letter that ends a choice.
    fn pieces(&mut self, stars: Stars) -> Result<Vec<Piece>, String> {
        let mut pieces: Vec<Piece> = Vec::new();
        while let Some(letter) = self.rest.chars().next() {
            if stars == Stars::InBraces && matches!(letter, ',' | '}') {
                break;
            }
            if stars == Stars::OfPaths && self.rest.starts_with("/**") {
                match &self.rest[3..] {
                    "" => {
                        self.rest = "";
                        pieces.pop_if(|piece| *piece == Piece::Between);
                        pieces.push(Piece::Below);
                        break;
                    }
                    rest if rest.starts_with('/') => {
                        // The slash may begin another such piece, which adds nothing.
                        if !matches!(pieces.last(), Some(Piece::Between)) {
                            pieces.push(Piece::Between);
                        }
                        self.rest =
                            rest.strip_prefix('/').filter(|_| !rest.starts_with("/**")).unwrap_or(rest);
                        continue;
                    }
                    _ => {}
                }
            }
            self.rest = &self.rest[letter.len_utf8()..];
            pieces.push(match letter {
                '?' => Piece::Any,
                '*' => {
                    let more = self.rest.trim_start_matches('*');
                    if more.len() < self.rest.len() && stars == Stars::InBraces {
                        return Err("two stars within braces are not the same to rclone".to_owned());
                    }
                    self.rest = more;
                    Piece::Star
                }
                '[' => self.class()?,
                '{' if stars == Stars::InBraces => {
                    return Err("rclone has no braces within braces".to_owned());
                }
                '{' => self.choice()?,
                letter => Piece::Letter(as_rclone_sees(letter)?),
            });
        }
        Ok(pieces)
    }

    fn choice(&mut self) -> Result<Piece, String> {
        let mut choices = Vec::new();
        loop {
            let choice = self.pieces(Stars::InBraces)?;
            // One of no letters is none.
            if !choice.is_empty() {
                choices.push(choice);
            }
            let end = self.rest.chars().next();
            self.rest = self.rest.get(1..).unwrap_or_default();
            if end != Some(',') {
                return Ok(Piece::Choice(choices));
            }
        }
    }

    fn class(&mut self) -> Result<Piece, String> {
        let is_negated = self.rest.starts_with(['!', '^']);
        let inside = if is_negated { &self.rest[1..] } else { self.rest };
        // At the beginning the bracket is a letter of the class.
        let end = inside.char_indices().skip(1).find(|(_, letter)| *letter == ']').map(|(end, _)| end);
        let Some(end) = end else { return Err("its brackets do not close".to_owned()) };
        let seen = |letter| as_rclone_sees(self.folded(letter));
        let letters: Vec<char> = inside[..end].chars().map(seen).collect::<Result<_, _>>()?;
        self.rest = &inside[end + 1..];
        if let ([letter], false) = (&letters[..], is_negated) {
            return Ok(Piece::Letter(*letter));
        }
        let mut class = String::new();
        if is_negated {
            // It matches no `/`; rclone would take a pattern apart at one that is written as itself.
            class.push_str(r"^\x2F");
        }
        let last = letters.len() - 1;
        for (number, letter) in letters.into_iter().enumerate() {
            match letter {
                // Between two letters it makes a range of them.
                '-' if number > 0 && number < last => class.push('-'),
                letter if letter.is_ascii_alphanumeric() || !letter.is_ascii() => class.push(letter),
                letter => class.push_str(&format!("\\x{:02X}", u32::from(letter))),
            }
        }
        Ok(Piece::Class(class))
    }

    fn folded(&self, letter: char) -> char {
        match self.case {
            Case::Sensitive => letter,
            Case::Insensitive => letter.to_ascii_lowercase(),
        }
    }
}

/// rclone has symbols for what is no letter to see, and wide letters for those that Windows has in no name; where a name has
/// such letters of its own, they are others to it, or have a sign in front.
fn as_rclone_sees(letter: char) -> Result<char, String> {
    match letter {
        '\u{1}'..='\u{1f}' => Ok(char::from_u32(0x2400 + u32::from(letter)).unwrap_or(letter)),
        '\u{7f}' => Ok('\u{2421}'),
        letter if ('\u{2400}'..='\u{2421}').contains(&letter) || "‛＂＊．／：＜＞？＼｜".contains(letter) => {
            Err(format!("names with {letter} have other letters to rclone"))
        }
        letter => Ok(letter),
    }
}

fn write(pieces: &[Piece], written: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Letter(letter) => {
                if matches!(letter, '*' | '?' | '[' | ']' | '{' | '}' | ',' | '\\') {
                    written.push('\\');
                }
                written.push(*letter);
            }
            Piece::Any => written.push('?'),
            Piece::Star => written.push('*'),
            Piece::Class(class) => {
                written.push('[');
                written.push_str(class);
                written.push(']');
            }
            Piece::Choice(choices) => {
                for (number, choice) in choices.iter().enumerate() {
                    written.push(if number == 0 { '{' } else { ',' });
                    write(choice, written);
                }
                written.push_str(if choices.is_empty() { "" } else { "}" });
            }
            Piece::Between => written.push_str("/{,**/}"),
            Piece::Below => written.push_str("/**"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept_out(text: &str) -> Result<String, String> {
        Pattern::parse(text, Case::Insensitive).and_then(|pattern| pattern.keeping_out())
    }

    #[test]
    fn names_are_taken_anywhere_and_paths_from_the_root() {
        for (text, written) in [
            ("*.dat", "*.dat"),
            ("a.dat", "a.dat"),
            ("/a.dat", "/a.dat"),
            ("d/*.dat", "/d/*.dat"),
            ("**/a.dat", "a.dat"),
            ("**/**/d/a", "d/a"),
        ] {
            assert_eq!(kept_out(text).unwrap(), written, "{text}");
        }
    }

    #[test]
    fn two_stars_between_folders_are_none_too() {
        for (text, written) in [
            ("d/**/a", "/d/{,**/}a"),
            ("d/**/**/a", "/d/{,**/}a"),
            ("d/**/e/**", "/d/{,**/}e/**?"),
            ("d/**/**", "/d/**?"),
        ] {
            assert_eq!(kept_out(text).unwrap(), written, "{text}");
        }
    }

    #[test]
    fn two_stars_in_a_name_are_one() {
        for (text, written) in [("a**b", "a*b"), ("d/a***", "/d/a*"), ("d**/a", "/d*/a")] {
            assert_eq!(kept_out(text).unwrap(), written, "{text}");
        }
    }

    #[test]
    fn what_rclone_would_ask_of_a_directory_ends_in_a_letter() {
        for (text, written) in
            [("*", "*?"), ("**", "*?"), ("/**", "*?"), ("d/**", "/d/**?"), ("d/**/*", "/d/{,**/}*?")]
        {
            assert_eq!(kept_out(text).unwrap(), written, "{text}");
        }
        assert!(kept_out("d/**/{a,*}").is_err());
        assert_eq!(kept_out("d/**/{a,b*}").unwrap(), "/d/{,**/}{a,b*}");
    }

    #[test]
    fn classes_are_those_of_regular_expressions() {
        for (text, written) in [
            ("[abc]", "[abc]"),
            ("[A-C]", "[a-c]"),
            ("[!a]", r"[^\x2Fa]"),
            ("[^a-c_]", r"[^\x2Fa-c\x5F]"),
            ("[]a]", r"[\x5Da]"),
            ("[a-]", r"[a\x2D]"),
            ("[-a]", r"[\x2Da]"),
        ] {
            assert_eq!(kept_out(text).unwrap(), written, "{text}");
        }
        assert_eq!(Pattern::parse("[A-C]", Case::Sensitive).unwrap().letting_in(), "[A-C]");
    }

    #[test]
    fn letters_that_mean_something_to_rclone_stand_for_themselves() {
        for (text, written) in [
            ("[[]x[]]", r"\[x\]"),
            ("a]", r"a\]"),
            ("[{]x[}]", r"\{x\}"),
            ("[*]", r"\*"),
            ("{a[,]b,c}", r"{a\,b,c}"),
        ] {
            assert_eq!(kept_out(text).unwrap(), written, "{text}");
        }
    }

    #[test]
    fn what_is_no_letter_to_see_is_the_symbol_that_rclone_has_for_it() {
        for (text, written) in [("a\tb", "a␉b"), ("[\u{7f}]", "␡"), ("[\na]", "[␊a]")] {
            assert_eq!(kept_out(text).unwrap(), written, "{text:?}");
        }
        for text in ["a␉b", "／", "[‛]", "a：b"] {
            assert!(kept_out(text).unwrap_err().contains("other letters"), "{text}");
        }
    }

    #[test]
    fn choices_of_no_letters_are_none() {
        for (text, written) in [("a{b,}", "a{b}"), ("a{}", "a"), ("{a,b}/*", "/{a,b}/*")] {
            assert_eq!(kept_out(text).unwrap(), written, "{text}");
        }
    }

    #[test]
    fn braces_that_rclone_cannot_read_are_told() {
        for text in ["{{a},b}", "{a,{b,c}}", "{d/**/a,b}"] {
            assert!(kept_out(text).unwrap_err().contains("braces"), "{text}");
        }
    }

    #[test]
    fn a_directory_is_kept_out_with_all_that_it_holds() {
        for (text, written) in [
            ("temp", "temp/**"),
            ("d/cache/", "/d/cache/**"),
            ("/temp/", "/temp/**"),
            ("**", "*/**"),
            ("/**", "*/**"),
            ("d/**", "/d/**/**"),
        ] {
            assert_eq!(
                Pattern::parse(text, Case::Insensitive).unwrap().keeping_out_directories(),
                written,
                "{text}"
            );
        }
    }
}
