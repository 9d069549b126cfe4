//! What one line is, by its shape: positions, numbers and tabs, and no word of any language.

use crate::robocopy::summary::Row;

/// A line of robocopy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    Blank,
    /// `… ERROR 32 (0x00000020) Copying File C:\a\b`: the number stands twice, in both of its forms.
    Error {
        code: u32,
        rest: &'a str,
    },
    /// `\t    New File  \t\t    14\tC:\a\b`, and `\tNew Dir          1\tC:\a\`.
    Entry {
        mark: Mark,
        kind: Kind,
        bytes: u64,
        path: &'a str,
    },
    /// `   Files :         9         7         1         0         1         1`
    Row(Row),
    /// The same of numbers so large that they have run together.
    TornRow,
    /// Anything else: messages, the header.
    Words(&'a str),
}

/// Whether an entry's class has a star: it is extra, or a mismatch, and is not copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Star,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Directory,
}

pub fn line(text: &str) -> Line<'_> {
    if text.trim().is_empty() {
        return Line::Blank;
    }
    if text.contains('\t') {
        return entry(text).unwrap_or(Line::Words(text.trim()));
    }
    error(text).or_else(|| row(text)).unwrap_or(Line::Words(text.trim()))
}

fn entry(text: &str) -> Option<Line<'_>> {
    let (before, path) = text.rsplit_once('\t')?;
    if path.trim().is_empty() {
        return None;
    }
    // The number stands alone, or at the end of the class of a directory; an extra directory's is -1.
    let number = before.rsplit('\t').next()?.rsplit(char::is_whitespace).next()?;
    let bytes = match number {
        "-1" => 0,
        number => number.parse().ok()?,
    };
    let star = before.split('\t').any(|field| field.trim_start().starts_with('*'));
    let kind = if path.ends_with(['\\', '/']) { Kind::Directory } else { Kind::File };
    Some(Line::Entry { mark: if star { Mark::Star } else { Mark::None }, kind, bytes, path })
}

fn error(text: &str) -> Option<Line<'_>> {
    text.match_indices("(0x").find_map(|(open, _)| {
        let (hex, rest) = text[open + 3..].split_once(')')?;
        let code = u32::from_str_radix(hex, 16).ok()?;
        let decimal = text[..open].trim_end().rsplit(char::is_whitespace).next()?;
        (decimal.parse() == Ok(code)).then(|| Line::Error { code, rest: rest.trim() })
    })
}

fn row(text: &str) -> Option<Line<'_>> {
    let (_, numbers) = text.split_once([':', '：'])?;
    let numbers: Vec<&str> = numbers.split_whitespace().collect();
    let parsed: Vec<u64> = numbers.iter().map_while(|number| number.parse().ok()).collect();
    if let ([_, copied, skipped, mismatched, failed, extras], 6) = (parsed.as_slice(), numbers.len()) {
        let [copied, skipped, mismatched, failed, extras] =
            [*copied, *skipped, *mismatched, *failed, *extras];
        return Some(Line::Row(Row { copied, skipped, mismatched, failed, extras }));
    }
    let is_number = |number: &&str| number.bytes().all(|byte| byte.is_ascii_digit());
    (!numbers.is_empty() && numbers.iter().all(is_number)).then_some(Line::TornRow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_by_its_number_in_both_forms() {
        for (text, code, rest) in [
            (r"2026/11/27 10:00:00 ERROR 32 (0x00000020) Copying File D:\a\b", 32, r"Copying File D:\a\b"),
            (
                r"2026/11/27 10:00:00 FEHLER 5 (0x00000005) Datei wird kopiert D:\a",
                5,
                r"Datei wird kopiert D:\a",
            ),
            (
                r"2026/11/27 10:00:00 エラー 112 (0x00000070) ファイルをコピーしています D:\a",
                112,
                r"ファイルをコピーしています D:\a",
            ),
        ] {
            assert_eq!(line(text), Line::Error { code, rest });
        }
        for text in
            ["ERROR 32 (0x00000021) x", "ERROR : Invalid Parameter #3", "a (0x00000020) b", "1 (0xZZ) x"]
        {
            assert_eq!(line(text), Line::Words(text));
        }
    }

    #[test]
    fn an_entry_has_its_size_and_its_path_in_the_last_columns() {
        use Kind::{Directory, File};
        for (text, mark, kind, bytes, path) in [
            ("\t    New File  \t\t      14\tC:\\a b\\x", Mark::None, File, 14, r"C:\a b\x"),
            ("\t  Nouveau fichier\t\t       0\tx.txt", Mark::None, File, 0, "x.txt"),
            ("100%  \t    新しいファイル  \t\t 3000000\tC:\\x", Mark::None, File, 3_000_000, r"C:\x"),
            ("\t  *EXTRA File \t\t       5\tD:\\x", Mark::Star, File, 5, r"D:\x"),
            ("\t  *Fichier SUPPL.\t\t    4027\tD:\\x", Mark::Star, File, 4027, r"D:\x"),
            ("\t*EXTRA Dir        -1\tD:\\x\\", Mark::Star, Directory, 0, r"D:\x\"),
            ("\tNouveau r\u{FFFD}p.       2\tC:\\x\\", Mark::None, Directory, 2, r"C:\x\"),
            ("\t                   8\tC:\\x\\", Mark::None, Directory, 8, r"C:\x\"),
            ("\t\t5\t\\\\old\\c$\\x", Mark::None, File, 5, r"\\old\c$\x"),
            ("\t    New File\t         14\t/srv/old/x", Mark::None, File, 14, "/srv/old/x"),
        ] {
            assert_eq!(line(text), Line::Entry { mark, kind, bytes, path }, "{text:?}");
        }
        for text in ["\t    ", "\t    $RECYCLE.BIN", "\tx\ty", "a\tb"] {
            assert!(!matches!(line(text), Line::Entry { .. }), "{text:?}");
        }
    }

    #[test]
    fn a_row_has_six_numbers_behind_a_colon_whatever_its_name() {
        let row = Row { copied: 7, skipped: 1, mismatched: 0, failed: 1, extras: 2 };
        for name in ["   Files :", "  Dateien:", "Fichiers\u{A0}:", "     ファイル:", "文件："] {
            assert_eq!(
                line(&format!("{name}         9         7         1         0         1         2")),
                Line::Row(row)
            );
        }
        assert_eq!(
            line("   Bytes : 917504000000917504000000         0         0         0         0"),
            Line::TornRow
        );
        for text in
            ["   Times :   0:00:01   0:00:00", "   Bytes :  26.7 g         0  26.7 g", "  Options : *.* /s"]
        {
            assert_eq!(line(text), Line::Words(text.trim()));
        }
    }
}
