//! Bytes of a script → its text.
//!
//! Any bytes are a text: what is neither UTF-8 nor UTF-16 is read as Windows-1252, in which every byte but five is a letter.
//! The text has `\n` at the ends of its lines, no byte order mark, and none of the letters that [`super::unknown`] keeps for
//! itself.

use super::unknown;

/// How a script's letters were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16,
    /// A guess: old batch files are written in the code page of their machine.
    Windows1252,
}

/// What is in a file, and how it was read.
pub fn decoded(bytes: &[u8]) -> (String, Encoding) {
    let (text, encoding) = letters(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    (
        text.chars().map(|letter| if unknown::is_stand_in(letter) { '\u{fffd}' } else { letter }).collect(),
        encoding,
    )
}

fn letters(bytes: &[u8]) -> (String, Encoding) {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => (wide(rest, u16::from_le_bytes), Encoding::Utf16),
        [0xFE, 0xFF, rest @ ..] => (wide(rest, u16::from_be_bytes), Encoding::Utf16),
        _ if is_wide_without_mark(bytes) => (wide(bytes, u16::from_le_bytes), Encoding::Utf16),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => (text.to_owned(), Encoding::Utf8),
            Err(_) => (bytes.iter().map(|byte| of_windows_1252(*byte)).collect(), Encoding::Windows1252),
        },
    }
}

/// Half a letter at the end is a letter that cannot be read.
fn wide(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks(2).map(|pair| match pair {
        [one, other] => unit([*one, *other]),
        _ => 0xFFFD,
    });
    char::decode_utf16(units).map(|letter| letter.unwrap_or('\u{fffd}')).collect()
}

/// Plain letters in UTF-16 have a zero in every second byte, and no other text has any.
fn is_wide_without_mark(bytes: &[u8]) -> bool {
    let zeros = |from: usize| bytes.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    bytes.len() >= 4 && bytes.len().is_multiple_of(2) && zeros(0) == 0 && zeros(1) * 4 > bytes.len()
}

fn of_windows_1252(byte: u8) -> char {
    /// From 0x80 on; the five that have no letter stand for themselves, as in browsers.
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9F => HIGH[usize::from(byte) - 0x80],
        byte => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_of_a_script_gives_the_same_text() {
        let text = "robocopy D:\\Büro E:\\Büro\npause\n";
        let with_returns = text.replace('\n', "\r\n");
        let units = || with_returns.encode_utf16();
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        let old: Vec<u8> =
            with_returns.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
        for (bytes, encoding) in [
            (with_returns.clone().into_bytes(), Encoding::Utf8),
            ([b"\xEF\xBB\xBF", with_returns.as_bytes()].concat(), Encoding::Utf8),
            ([b"\xFF\xFE", little.as_slice()].concat(), Encoding::Utf16),
            ([b"\xFE\xFF", big.as_slice()].concat(), Encoding::Utf16),
            (little, Encoding::Utf16),
            (old, Encoding::Windows1252),
        ] {
            assert_eq!(decoded(&bytes), (text.to_owned(), encoding));
        }
    }

    #[test]
    fn the_letters_of_windows_that_no_other_encoding_has_there_are_read() {
        assert_eq!(decoded(b"\x80 \x93x\x94 \xFC").0, "€ “x” ü");
    }

    #[test]
    fn a_letter_that_stands_in_for_a_variable_does_not_come_from_a_file() {
        let stand_in = unknown::Unknowns::default().stand_in("%X%", "x", unknown::Whose::AllScripts);
        assert_eq!(decoded(stand_in.to_string().as_bytes()).0, "\u{fffd}");
    }
}
