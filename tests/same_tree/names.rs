//! Names that matter, and patterns that meet them.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// Names that every system has, in mixed case, with blanks, dots, umlauts and letters that have a meaning in some language
/// of patterns or command lines. Two are spelled with one letter, and with a letter and its mark.
const FILES: &[&str] = &[
    "Mail.DAT",
    "mail.dat",
    "index.dat",
    "INDEX01.dat",
    "Index",
    "a b.txt",
    "a b",
    "Über.txt",
    "ÜBER.TXT",
    "\u{e4}.dat",
    "a\u{308}.dat",
    ".hidden",
    "x.tmp",
    "X.TMP",
    "[x].dat",
    "{x}.dat",
    "a]b",
    "100%.dat",
    "a'b.dat",
    "a.b.c",
    "a,b.dat",
    "notes",
    "#1.dat",
    "~$x.doc",
    "-x.dat",
    "+y.dat",
    "!z.dat",
    "^d",
    "x.dat.bak",
    "name (1).dat",
    "$a&b;c",
    "@home",
    "ΑΣ.dat",
    "ας.dat",
    "İ.dat",
    "straße",
    "日本.txt",
    "😀.dat",
    "a：b",
];

const DIRECTORIES: &[&str] = &[
    "1", "2", "temp", "Temp", "cache", "Offers", "a b", "Über", "index", "d.dat", "[d]", ".git", "\u{e4}",
    "deep", "x.tmp", "-d", "ΑΣ",
];

/// Names that Windows does not have, by which patterns of ours cannot be written: a `\\` is refused in one.
const FILES_OF_UNIX: &[&str] = &[
    "blank ",
    " blank",
    "dot.",
    "a:b",
    "a\tb",
    "line\nfeed.dat",
    "a*b.dat",
    "a?b",
    "back\\slash",
    "quote\".dat",
    "\u{1}.dat",
];

pub fn file(chance: &mut StdRng) -> &'static str {
    let names = if cfg!(unix) && chance.random_bool(0.05) { FILES_OF_UNIX } else { FILES };
    names.choose(chance).unwrap()
}

pub fn directory(chance: &mut StdRng) -> &'static str {
    DIRECTORIES.choose(chance).unwrap()
}

/// Paths of a pair of trees, for patterns that meet some of them.
pub struct Paths {
    pub files: Vec<String>,
    pub directories: Vec<String>,
}

impl Paths {
    /// A pattern for the name of a file.
    pub fn file_pattern(&self, chance: &mut StdRng) -> String {
        let name = of_path(&self.file(chance));
        let pattern = match chance.random_range(0..12) {
            0..3 => literal(&name),
            3..6 => match name.rsplit_once('.') {
                Some((_, ending)) if !ending.is_empty() => format!("*.{}", literal(ending)),
                _ => "*.dat".to_owned(),
            },
            6 => format!("{}*", literal(&beginning(&name))),
            7 => with_any_letter(&name, chance),
            8 => with_class(&name, chance),
            9 => format!("{{{},*.tmp}}", in_braces(&name)),
            10 => format!("*{}*", literal(&beginning(&name))),
            _ => of_these(&["*", "*.*", "?*", "*.?at", "[!a]*", "i*.d*t", "**", "*[0-9]*"], chance),
        };
        in_some_case(&pattern, chance)
    }

    /// A pattern for the path of a file.
    pub fn file_path_pattern(&self, chance: &mut StdRng) -> String {
        let path = self.file(chance);
        let pattern = match chance.random_range(0..4) {
            0 => format!("/{}", literal(&path)),
            1 => literal(&path),
            _ => path_pattern(&path, chance),
        };
        in_some_case(&with_a_slash(pattern), chance)
    }

    pub fn directory_pattern(&self, chance: &mut StdRng) -> String {
        let name = of_path(&self.directory(chance));
        let pattern = match chance.random_range(0..8) {
            0..3 => literal(&name),
            3 => format!("{}*", literal(&beginning(&name))),
            4 => with_any_letter(&name, chance),
            5 => format!("{{{},cache}}", in_braces(&name)),
            6 => with_class(&name, chance),
            _ => of_these(&["*", "?*", "*e*", "[!t]*", "**"], chance),
        };
        in_some_case(&pattern, chance)
    }

    pub fn directory_path_pattern(&self, chance: &mut StdRng) -> String {
        let path = self.directory(chance);
        let pattern = match chance.random_range(0..5) {
            0 => format!("/{}", literal(&path)),
            1 => format!("{}/", literal(&path)),
            _ => path_pattern(&path, chance),
        };
        in_some_case(&with_a_slash(pattern), chance)
    }

    fn file(&self, chance: &mut StdRng) -> String {
        match self.files.choose(chance) {
            Some(path) if chance.random_bool(0.8) => path.clone(),
            _ => file(chance).to_owned(),
        }
    }

    fn directory(&self, chance: &mut StdRng) -> String {
        match self.directories.choose(chance) {
            Some(path) if chance.random_bool(0.8) => path.clone(),
            _ => directory(chance).to_owned(),
        }
    }
}

/// Components of a path replaced, left away and put in between.
fn path_pattern(path: &str, chance: &mut StdRng) -> String {
    let mut parts: Vec<String> = Vec::new();
    for name in path.split('/') {
        match chance.random_range(0..10) {
            0 => parts.push("*".to_owned()),
            1 => parts.push("**".to_owned()),
            2 => parts.extend(["**".to_owned(), literal(name)]),
            3 => parts.push(with_any_letter(name, chance)),
            4 => parts.push(with_class(name, chance)),
            5 => parts.push(format!("{}*", literal(&beginning(name)))),
            6 => parts.push(format!("{{{},1}}", in_braces(name))),
            _ => parts.push(literal(name)),
        }
    }
    match chance.random_range(0..8) {
        0 => parts.push("*".to_owned()),
        1 => parts.push("**".to_owned()),
        2 => parts.insert(0, "**".to_owned()),
        3 => parts.truncate(1),
        4 if parts.len() > 1 => parts.truncate(parts.len() - 1),
        _ => {}
    }
    parts.join("/")
}

/// Without one it would be for names.
fn with_a_slash(pattern: String) -> String {
    if pattern.contains('/') { pattern } else { format!("/{pattern}") }
}

fn of_path(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn of_these(patterns: &[&str], chance: &mut StdRng) -> String {
    (*patterns.choose(chance).unwrap()).to_owned()
}

fn in_braces(name: &str) -> String {
    literal(name).replace(',', "[,]")
}

/// A pattern that meets this name alone.
fn literal(name: &str) -> String {
    name.chars()
        .map(|letter| match letter {
            '[' | '{' | '}' => format!("[{letter}]"),
            // Its own place, and no more.
            '*' | '?' => format!("[{letter}]"),
            '\\' => "?".to_owned(),
            letter => letter.to_string(),
        })
        .collect()
}

fn beginning(name: &str) -> String {
    name.chars().take(2).collect()
}

fn with_any_letter(name: &str, chance: &mut StdRng) -> String {
    let place = chance.random_range(0..name.chars().count());
    let letters = name.chars().enumerate();
    letters
        .map(
            |(number, letter)| {
                if number == place { "?".to_owned() } else { literal(letter.encode_utf8(&mut [0; 4])) }
            },
        )
        .collect()
}

/// Of the letters that a class can hold one is replaced by it.
fn with_class(name: &str, chance: &mut StdRng) -> String {
    let place = chance.random_range(0..name.chars().count());
    let letters = name.chars().enumerate();
    letters
        .map(|(number, letter)| match letter {
            'a'..='z' if number == place => format!("[a-{letter}_]"),
            'A'..='Z' if number == place => format!("[!{}]", letter.to_ascii_lowercase()),
            letter if number == place => match letter.is_ascii() {
                true => format!("[z{letter}]"),
                false => "[!-a]".to_owned(),
            },
            letter => literal(letter.encode_utf8(&mut [0; 4])),
        })
        .collect()
}

fn in_some_case(pattern: &str, chance: &mut StdRng) -> String {
    match chance.random_range(0..4) {
        0 => pattern.to_uppercase().replace("SS", "ß"),
        1 => pattern.to_lowercase(),
        _ => pattern.to_owned(),
    }
}
