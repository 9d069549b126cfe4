//! Names from disks as text, and back: what is no Unicode, what would move a terminal's cursor, and the escape sign
//! itself are written as `\xNN`, so that every name has exactly one text and every text leads back to its name.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

/// A path as text, with `/` between its components; one that begins with a drive or a share, as Windows writes it.
pub fn shown(path: &Path) -> String {
    let mut text = String::new();
    let is_of_windows = |component| matches!(component, Component::Prefix(_));
    if path.components().next().is_some_and(is_of_windows) {
        for (number, piece) in path.to_string_lossy().split('\\').enumerate() {
            text.push_str(if number == 0 { "" } else { "\\" });
            push_name(&mut text, OsStr::new(piece));
        }
        return text;
    }
    for component in path.components() {
        if component == Component::RootDir {
            text.push('/');
            continue;
        }
        if !text.is_empty() && !text.ends_with('/') {
            text.push('/');
        }
        push_name(&mut text, component.as_os_str());
    }
    text
}

/// One name as [`shown`] writes it.
pub fn shown_name(name: &OsStr) -> String {
    let mut text = String::new();
    push_name(&mut text, name);
    text
}

/// The path that [`shown`] made this text of; a broken escape stays as it is.
pub fn path_of(text: &str) -> PathBuf {
    text.split('/').map(name_of).collect()
}

/// How many letters two names or paths begin with alike.
pub fn shared_letters(one: &[u8], other: &[u8]) -> usize {
    const BLOCK: usize = 256;
    let blocks = one.chunks_exact(BLOCK).zip(other.chunks_exact(BLOCK));
    let alike = blocks.take_while(|(one, other)| one == other).count() * BLOCK;
    alike + one[alike..].iter().zip(&other[alike..]).take_while(|(one, other)| one == other).count()
}

/// A path with a name below it, in no more memory than it takes.
pub fn joined(above: &Path, name: &OsStr) -> PathBuf {
    let mut path = PathBuf::with_capacity(above.as_os_str().len() + 1 + name.len());
    path.push(above);
    path.push(name);
    path
}

fn push_name(text: &mut String, name: &OsStr) {
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || character == '\\' {
                let mut letters = [0; 4];
                push_bytes(text, character.encode_utf8(&mut letters).as_bytes());
            } else {
                text.push(character);
            }
        }
        push_bytes(text, chunk.invalid());
    }
}

fn push_bytes(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "\\x{byte:02X}");
    }
}

fn name_of(text: &str) -> OsString {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find("\\x") {
        bytes.extend_from_slice(&rest.as_bytes()[..place]);
        match rest.get(place + 2..place + 4).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[place + 4..];
            }
            None => {
                bytes.extend_from_slice(b"\\x");
                rest = &rest[place + 2..];
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    crate::sys::tree::name_from_bytes(bytes)
}

/// Keeps a path in a record as [`shown`] writes it.
pub mod as_text {
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::shown(path))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        Ok(super::path_of(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(unix)]
    use proptest::prelude::*;

    #[test]
    fn odd_names_are_escaped() {
        assert_eq!(shown(Path::new("a b/ü\n")), "a b/ü\\x0A");
        assert_eq!(shown(Path::new("/mnt/a")), "/mnt/a");
        assert_eq!(shown(Path::new("a/b\u{1b}[2J")), "a/b\\x1B[2J");
    }

    #[cfg(windows)]
    #[test]
    fn a_path_with_a_drive_or_share_is_shown_as_windows_writes_it() {
        for path in [r"\\oldserver\c$\Mail Archive", r"D:\new", r"\\?\D:\x", "D:"] {
            assert_eq!(shown(Path::new(path)), path);
        }
        assert_eq!(shown(Path::new("D:\\a\u{1b}[2J")), "D:\\a\\x1B[2J");
        assert_eq!(shown(Path::new(r"a\b")), "a/b", "below a root");
    }

    #[cfg(unix)]
    proptest! {
        #[test]
        fn every_name_comes_back(
            names in proptest::collection::vec(proptest::collection::vec(1u8.., 1..12), 1..4)
        ) {
            use std::os::unix::ffi::OsStringExt;
            let path: PathBuf = names
                .into_iter()
                .map(|name| name.into_iter().filter(|byte| *byte != b'/').collect::<Vec<_>>())
                .filter(|name| !name.is_empty() && name != b"." && name != b"..")
                .map(OsString::from_vec)
                .collect();
            prop_assume!(!path.as_os_str().is_empty());
            let text = shown(&path);
            prop_assert!(!text.chars().any(char::is_control));
            prop_assert_eq!(path_of(&text), path);
        }
    }
}
