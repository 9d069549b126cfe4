//! What robocopy writes is read alike in every language of Windows, in every encoding, and in whatever pieces it comes.
//!
//! `robocopy_logs/README.md` says where the logs are from.

use std::fs;

use movebook::copy::Tally;
use movebook::robocopy::output::{Place, Reading, Roots, Side, Table, Told};
use movebook::robocopy::summary::Row;

const LANGUAGES: [&str; 4] = ["english", "german", "french", "japanese"];

fn log(language: &str) -> String {
    let text = fs::read_to_string(format!("tests/robocopy_logs/{language}.log")).unwrap();
    // However the files were checked out: Windows' line ends are what robocopy writes.
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

fn roots() -> Roots {
    Roots::new(r"\\alt\c$\Mail Archiv\", "d:/Mail Archiv")
}

fn read(bytes: &[u8], piece: usize) -> Told {
    let mut reading = Reading::new(roots());
    bytes.chunks(piece).for_each(|piece| reading.feed(piece));
    reading.finish()
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// As a code page that nobody names: one byte a letter, of which the high ones mean nothing here.
fn narrow(text: &str) -> Vec<u8> {
    text.chars().map(|letter| if letter.is_ascii() { letter as u8 } else { 0x80 }).collect()
}

fn place(side: Side, path: &str) -> Place {
    Place { side, path: path.into() }
}

#[track_caller]
fn is_understood(told: &Told, named: &str) {
    assert_eq!(told.copied, Tally { files: 3, bytes: 8_388_638 }, "{named}");
    let table = Table {
        directories: Row { copied: 1, skipped: 3, mismatched: 0, failed: 1, extras: 1 },
        files: Row { copied: 3, skipped: 1, mismatched: 1, failed: 1, extras: 1 },
        bytes: Some(Row { copied: 8_388_638, skipped: 14, mismatched: 7, failed: 14, extras: 5 }),
    };
    assert_eq!(told.table, Some(table), "{named}");
    let troubles: Vec<_> =
        told.troubles.iter().map(|(place, trouble)| (place, trouble.code, trouble.attempts)).collect();
    let (open, closed) = (place(Side::Source, "offen.dat"), place(Side::Source, "zu/"));
    assert_eq!(troubles, [(&open, 32, 2), (&closed, 5, 1)], "{named}");
    assert!(told.elsewhere.is_empty(), "{named}");
}

#[test]
fn a_log_says_the_same_in_english_german_french_and_japanese() {
    for language in LANGUAGES {
        let told = read(log(language).as_bytes(), 4096);
        is_understood(&told, language);
        let marked = [
            place(Side::Target, "alt/übrig.dat"),
            place(Side::Target, "weg/"),
            place(Side::Source, "ein Ordner"),
        ];
        assert_eq!(told.marked, marked, "{language}");
        let message = &told.troubles[&place(Side::Source, "zu/")].message;
        assert!(
            log(language).contains(message.as_str()) && !message.contains("(0x"),
            "{language}: {message}"
        );
    }
}

#[test]
fn a_log_says_the_same_in_every_encoding_and_in_any_pieces() {
    for language in LANGUAGES {
        let text = log(language);
        let expected = read(text.as_bytes(), 4096);
        let marked = [&[0xFF, 0xFE][..], &wide(&text)].concat();
        for (bytes, named) in
            [(wide(&text), "UTF-16"), (marked, "UTF-16 with its mark"), (text.clone().into_bytes(), "UTF-8")]
        {
            for piece in [1, 3, 37, bytes.len()] {
                assert_eq!(read(&bytes, piece), expected, "{language}, {named} by {piece}");
            }
        }
    }
}

#[test]
fn the_mark_of_utf_16_may_stand_in_front_of_a_code_page_and_the_width_may_change() {
    for language in LANGUAGES {
        let text = log(language);
        let marked = [&[0xFF, 0xFE][..], &narrow(&text)].concat();
        is_understood(&read(&marked, 5), language);
        let mixed: Vec<u8> = text
            .split_inclusive('\n')
            .enumerate()
            .flat_map(|(number, line)| if number % 3 == 0 { wide(line) } else { narrow(line) })
            .collect();
        is_understood(&read(&mixed, 64), language);
    }
}

#[test]
fn a_letter_that_a_code_page_has_not_leaves_a_path_that_can_still_be_told() {
    let told = read(&narrow(&log("german")), 4096);
    let path = &told.marked[0].path;
    assert_ne!(path, "alt/übrig.dat");
    assert!(movebook::robocopy::output::can_be(path, "alt/übrig.dat"));
    assert!(!movebook::robocopy::output::can_be(path, "alt/übrig2.dat"));
}

#[test]
fn numbers_that_have_run_together_leave_the_other_rows() {
    let text = log("german").replace("   8388673   8388638", "12345678901231234567890123");
    let table = read(text.as_bytes(), 4096).table.unwrap();
    assert_eq!((table.files.copied, table.bytes), (3, None));
}

#[test]
fn the_words_of_a_robocopy_that_did_not_begin_are_kept() {
    let text = "\r\n  Started : Friday\r\n\r\nERROR : Invalid Parameter #3 : \"/foo\"\r\n\r\n       Simple Usage :: ROBOCOPY source destination /MIR\r\n\r\n****  /MIR can DELETE files as well as copy them !\r\n";
    let told = read(text.as_bytes(), 9);
    assert_eq!(told.table, None);
    assert_eq!(told.last_words.back().unwrap(), "ERROR : Invalid Parameter #3 : \"/foo\"");
}

#[test]
fn an_error_outside_of_both_trees_is_kept_with_its_words() {
    let told = read(b"2026/11/27 10:00:00 ERROR 53 (0x00000035) Accessing Source Directory E:\\x\\\r\nThe network path was not found.\r\n", 7);
    assert!(told.troubles.is_empty());
    assert_eq!(told.elsewhere[0].code, 53);
    assert_eq!(
        told.elsewhere[0].message,
        r"Accessing Source Directory E:\x\: The network path was not found."
    );
}

#[test]
fn a_path_is_told_with_and_without_windows_prefixes_on_either_side_of_the_pass() {
    for (from, to) in [
        (r"\\alt\c$\Mail", r"D:\"),
        ("\\\\?\\UNC\\alt\\c$\\Mail\\", r"\\?\D:\"),
        (r"\\.\UNC\alt\c$\Mail", "d:/"),
    ] {
        let roots = Roots::new(from, to);
        for (side, path, below) in [
            (Side::Source, r"\\alt\c$\Mail\a\b", "a/b"),
            (Side::Source, r"\\?\UNC\alt\c$\Mail\a\b", "a/b"),
            (Side::Source, r"\\?\UNC\ALT\C$\Mail\", ""),
            (Side::Target, r"D:\a\b", "a/b"),
            (Side::Target, r"\\?\D:\a\", "a/"),
            (Side::Target, r"\\.\d:\a", "a"),
        ] {
            let expected = Some(place(side, below));
            assert_eq!(roots.place(path), expected, "{path} of {from}, {to}");
            assert_eq!(roots.find(&format!("Copying File {path}")), expected, "{path} of {from}, {to}");
        }
        assert_eq!(roots.place(r"\\alt\c$\Mailbox\a"), None);
    }
}

#[test]
fn an_error_that_a_second_attempt_ended_is_over_however_much_comes_behind_it() {
    let line = |name: &str| format!("\t    New File  \t\t    1\t\\\\alt\\c$\\Mail Archiv\\{name}\r\n");
    let error = r"2026/11/27 10:00:00 ERROR 32 (0x00000020) Copying File \\alt\c$\Mail Archiv\held";
    let mut reading = Reading::new(roots());
    reading.feed(format!("{}{error}\r\nIt is in use.\r\n{}", line("held"), line("held")).as_bytes());
    for number in 0..250_000 {
        reading.feed(line(&number.to_string()).as_bytes());
    }
    let told = reading.finish();
    assert_eq!((told.troubles.len(), told.copied.files), (0, 250_001));
}

#[test]
fn nothing_that_comes_is_too_odd_to_be_read() {
    assert!(read(&noise(1), 1021).marked_in_all > 100);
    // A zero makes a line a wide one, which swallows what is narrow behind it.
    read(&noise(0), 1021);
}

/// The same bytes in every run, none of them below the lowest.
fn noise(lowest: u8) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut bytes = Vec::new();
    for _ in 0..200_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let pieces: [&[u8]; 8] = [
            b"\t",
            b"\r\n",
            b"\n",
            b"\r\n*x\t5\tD:\\Mail Archiv\\x\r\n",
            b"*",
            b" 5 (0x00000005) ",
            b"D:\\Mail Archiv\\x",
            b" 1 2 3 4 5 6",
        ];
        match state % 16 {
            piece @ 0..8 => bytes.extend(pieces[piece as usize]),
            8 => bytes.extend(b"a: 1 2 3 4 5 6\r\n"),
            _ => bytes.push(((state >> 32) as u8).max(lowest)),
        }
    }
    bytes
}
