//! Bytes as lines of text, as they come.
//!
//! With `/unicode` robocopy writes UTF-16; but some of its versions begin with the mark of UTF-16 and go on in a code page,
//! and some change in the middle. So each line is taken by itself: one that ends in a wide line feed is UTF-16, one that ends
//! in a narrow one is UTF-8, or else of a code page that nobody names, of which what is not ASCII is [`UNKNOWN`].

/// Stands for a letter of a code page that is not known. robocopy itself writes `?` for what its code page has not.
pub const UNKNOWN: char = char::REPLACEMENT_CHARACTER;

/// A longer line is cut here; robocopy's longest is a path of 32,767 letters.
const LONGEST_LINE: usize = 256 * 1024;

/// What has come and is no whole line yet.
#[derive(Debug, Default)]
pub struct Text {
    bytes: Vec<u8>,
    width: Width,
    begun: bool,
}

/// How the line before was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Width {
    #[default]
    Narrow,
    Wide,
}

impl Text {
    /// Gives every line that is whole by now, without its end, to `each`.
    pub fn feed(&mut self, chunk: &[u8], each: &mut dyn FnMut(&str)) {
        self.bytes.extend_from_slice(chunk);
        if !self.begun {
            // A mark of which one byte is there is no line yet.
            if self.bytes.len() < 3 {
                return;
            }
            self.skip_mark();
        }
        let mut start = 0;
        while let Some(line) = self.next_end(start) {
            self.width = line.width;
            emit(&self.bytes[start..line.end], line.width, each);
            start = line.next;
        }
        self.bytes.drain(..start);
    }

    /// What is left when nothing more comes.
    pub fn finish(mut self, each: &mut dyn FnMut(&str)) {
        if !self.begun {
            self.skip_mark();
        }
        if self.bytes.is_empty() {
            return;
        }
        let is_wide = self.bytes.contains(&0);
        let rest = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        emit(rest, if is_wide { Width::Wide } else { Width::Narrow }, each);
    }

    fn skip_mark(&mut self) {
        self.begun = true;
        for mark in [&[0xFF, 0xFE][..], &[0xEF, 0xBB, 0xBF]] {
            if self.bytes.starts_with(mark) {
                self.bytes.drain(..mark.len());
                return;
            }
        }
    }

    /// The end of the line that begins at `start`.
    fn next_end(&self, start: usize) -> Option<End> {
        let line = &self.bytes[start..];
        let mut at = 0;
        while let Some(found) = line[at..].iter().position(|byte| *byte == b'\n') {
            let feed = at + found;
            let wide = feed % 2 == 0;
            match line.get(feed + 1) {
                Some(0) if wide && may_be_wide(&line[..feed]) => {
                    let (end, next) = (start + feed, start + feed + 2);
                    return Some(End { end, next, width: Width::Wide });
                }
                // Whether it is wide is told by the byte that is still to come.
                None if wide && may_be_wide(&line[..feed]) => return None,
                Some(0) if is_shifted_end(&line[..feed]) => {
                    let (end, next) = (start + feed, start + feed + 2);
                    return Some(End { end, next, width: Width::Wide });
                }
                None if is_shifted_end(&line[..feed]) => return None,
                _ => {}
            }
            if self.ends_narrow(&line[..feed]) {
                return Some(End { end: start + feed, next: start + feed + 1, width: Width::Narrow });
            }
            at = feed + 1;
        }
        (line.len() > LONGEST_LINE).then(|| End {
            end: start + LONGEST_LINE,
            next: start + LONGEST_LINE,
            width: if line[..LONGEST_LINE].contains(&0) { Width::Wide } else { Width::Narrow },
        })
    }

    fn ends_narrow(&self, line: &[u8]) -> bool {
        if line.contains(&0) {
            return false;
        }
        // Between wide lines a lone byte may be half of a letter; Windows ends its narrow lines with two bytes.
        self.width == Width::Narrow || line.ends_with(b"\r")
    }
}

/// A narrow text holds no zero; in a wide one the line's end, at the latest, brings some.
fn may_be_wide(line: &[u8]) -> bool {
    line.is_empty() || line.contains(&0)
}

/// Whether a wide line that lost or won a byte ends here: no letter is written as such a pair, so what follows is whole again.
/// A program that writes wide letters as if they were text has a byte too many in front of each of its line feeds.
fn is_shifted_end(line: &[u8]) -> bool {
    line.contains(&0) && (line.ends_with(b"\r") || line.ends_with(b"\r\0"))
}

#[derive(Debug)]
struct End {
    end: usize,
    next: usize,
    width: Width,
}

fn emit(line: &[u8], width: Width, each: &mut dyn FnMut(&str)) {
    let text = match width {
        Width::Wide => wide(line),
        Width::Narrow => narrow(line),
    };
    // Progress in per cent is written over itself, by carriage returns.
    for piece in text.split('\r').filter(|piece| !piece.is_empty()) {
        each(piece);
    }
    if text.split('\r').all(str::is_empty) {
        each("");
    }
}

fn wide(line: &[u8]) -> String {
    let units = line.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(units)
        .map(|letter| letter.unwrap_or(UNKNOWN))
        .filter(|letter| *letter != '\u{FEFF}')
        .collect()
}

fn narrow(line: &[u8]) -> String {
    match std::str::from_utf8(line) {
        Ok(text) => text.trim_start_matches('\u{FEFF}').to_owned(),
        Err(_) => line.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { UNKNOWN }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 5] = [
        "",
        "\t  *EXTRA Datei \t\t       5\tD:\\neu\\größe.txt",
        "プロセスはアクセスできません。",
        "Ċa\u{A0A}b",
        "x",
    ];

    fn lines_of(bytes: &[u8], chunk: usize) -> Vec<String> {
        let (mut text, mut lines) = (Text::default(), Vec::new());
        for piece in bytes.chunks(chunk) {
            text.feed(piece, &mut |line| lines.push(line.to_owned()));
        }
        text.finish(&mut |line| lines.push(line.to_owned()));
        lines
    }

    fn wide_bytes(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn lines_are_the_same_in_every_encoding_and_however_they_come() {
        let text = LINES.join("\r\n");
        let marked = |mark: &[u8], bytes: Vec<u8>| [mark, &bytes].concat();
        for (bytes, named) in [
            (wide_bytes(&text), "UTF-16"),
            (marked(&[0xFF, 0xFE], wide_bytes(&text)), "UTF-16 with its mark"),
            (text.clone().into_bytes(), "UTF-8"),
            (marked(&[0xEF, 0xBB, 0xBF], text.clone().into_bytes()), "UTF-8 with its mark"),
            (marked(&[0xFF, 0xFE], text.clone().into_bytes()), "UTF-8 behind the mark of UTF-16"),
            (LINES.join("\n").into_bytes(), "UTF-8 with the line ends of Unix"),
        ] {
            for chunk in [1, 2, 3, 7, bytes.len()] {
                assert_eq!(lines_of(&bytes, chunk), LINES, "{named} by {chunk}");
            }
        }
    }

    #[test]
    fn the_width_may_change_from_line_to_line() {
        let mut bytes = wide_bytes("one\r\n");
        bytes.extend(b"two\r\n");
        bytes.extend(wide_bytes("\u{65b0}\r\n"));
        bytes.extend(b"four");
        for chunk in [1, 4, bytes.len()] {
            assert_eq!(lines_of(&bytes, chunk), ["one", "two", "\u{65b0}", "four"]);
        }
    }

    #[test]
    fn a_byte_too_many_or_too_few_spoils_no_line_behind_its_own() {
        let (first, last) = (wide_bytes("one\r\n"), wide_bytes("three\r\nfour\r\n"));
        let shifted = wide_bytes("two\r\n");
        let translated = [&shifted[..8], b"\r", &shifted[8..]].concat();
        for (middle, named) in [
            (translated.as_slice(), "a carriage return in front of the feed"),
            (&[&shifted[..2], b"?", &shifted[2..]].concat(), "a byte too many"),
            (&[&shifted[..1], &shifted[2..]].concat(), "a byte too few"),
        ] {
            let bytes = [&first, middle, &last].concat();
            for chunk in [1, 2, 3, bytes.len()] {
                let lines = lines_of(&bytes, chunk);
                assert_eq!((lines.len(), &*lines[0]), (4, "one"), "{named} by {chunk}: {lines:?}");
                assert_eq!(lines[2..], ["three", "four"], "{named} by {chunk}");
            }
        }
        assert_eq!(lines_of(&[&first, translated.as_slice(), &last].concat(), 5)[1], "two");
    }

    #[test]
    fn a_letter_of_an_unknown_code_page_stands_for_itself_alone() {
        assert_eq!(lines_of(b"caf\x82 r\x82sum\x82.txt\r\n", 5), ["caf\u{FFFD} r\u{FFFD}sum\u{FFFD}.txt"]);
    }

    #[test]
    fn what_is_written_over_itself_is_a_line_each() {
        assert_eq!(
            lines_of(b"  0%  \r 50%  \r100%  \r\nnext\r\n", 3),
            ["  0%  ", " 50%  ", "100%  ", "next"]
        );
    }

    #[test]
    fn a_line_without_an_end_takes_a_bounded_room() {
        let endless = vec![b'x'; LONGEST_LINE * 3 + 5];
        let lines = lines_of(&endless, 64 * 1024);
        assert_eq!(lines.iter().map(String::len).sum::<usize>(), endless.len());
        assert!(lines.iter().all(|line| line.len() <= LONGEST_LINE + 64 * 1024));
    }
}
