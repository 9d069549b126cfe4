//! What a symbolic link or a junction says, as bytes that Windows keeps and as one text. Pure.
//!
//! The text has all of it, so that a link that is made of it is the same: one that ends in `\` is a link to a directory,
//! since on Windows the two differ; one that begins with `\??\` is a junction, which always leads to a directory.

use std::io;

use super::records::u32_at;

pub(super) const SYMBOLIC_LINK: u32 = 0xA000_000C;
pub(super) const JUNCTION: u32 = 0xA000_0003;
/// No reparse point is longer.
pub(super) const LONGEST: usize = 16 * 1024;

const RELATIVE: u32 = 1;
const BACKSLASH: u16 = b'\\' as u16;

/// A link that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) bytes: Vec<u8>,
    pub(super) leads_to: LeadsTo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeadsTo {
    File,
    Directory,
}

/// The text of a reparse point.
pub(super) fn text(bytes: &[u8], leads_to: LeadsTo) -> io::Result<Vec<u16>> {
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "the link is broken");
    let head = bytes.get(..16).ok_or_else(broken)?;
    let (names_at, symbolic) = match u32_at(head, 0) {
        SYMBOLIC_LINK => (20, true),
        JUNCTION => (16, false),
        tag => {
            let what = format!("links of the kind {tag:#010x} are not known");
            return Err(io::Error::new(io::ErrorKind::Unsupported, what));
        }
    };
    let half = |place: usize| usize::from(u16::from_le_bytes([head[place], head[place + 1]]));
    let (start, length) = (names_at + half(8), half(10));
    let letters = bytes.get(start..start + length).filter(|letters| letters.len().is_multiple_of(2));
    let letters = letters.ok_or_else(broken)?;
    let mut text: Vec<u16> =
        letters.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    if !symbolic {
        return Ok(text);
    }
    if u32_at(bytes.get(16..20).ok_or_else(broken)?, 0) & RELATIVE == 0 {
        text = without_prefix(text);
    }
    if leads_to == LeadsTo::Directory && text.last() != Some(&BACKSLASH) {
        text.push(BACKSLASH);
    }
    Ok(text)
}

/// The reparse point that has this text.
pub(super) fn link(text: &[u16]) -> io::Result<Link> {
    if text.is_empty() || text.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no link can say this"));
    }
    if text.starts_with(&wide(r"\??\")) {
        return Ok(Link { bytes: packed(JUNCTION, text, &text[4..], None)?, leads_to: LeadsTo::Directory });
    }
    let leads_to = if text.last() == Some(&BACKSLASH) { LeadsTo::Directory } else { LeadsTo::File };
    let print = match text {
        // The root of a drive, and of the drive that the link is on, are nothing without it.
        [_, colon, BACKSLASH] if *colon == u16::from(b':') => text,
        [BACKSLASH] => text,
        [rest @ .., BACKSLASH] => rest,
        text => text,
    };
    let is_drive = text.get(1) == Some(&u16::from(b':'));
    let (substitute, flags) = if let Some(share) = text.strip_prefix(&[BACKSLASH; 2]) {
        let share = &share[..print.len().saturating_sub(2)];
        ([&*wide(r"\??\UNC\"), share].concat(), 0)
    } else if is_drive {
        ([&*wide(r"\??\"), print].concat(), 0)
    } else {
        (print.to_vec(), RELATIVE)
    };
    Ok(Link { bytes: packed(SYMBOLIC_LINK, &substitute, print, Some(flags))?, leads_to })
}

/// Both names, as the file system wants them: each ended by a zero that does not count.
fn packed(tag: u32, substitute: &[u16], print: &[u16], flags: Option<u32>) -> io::Result<Vec<u8>> {
    let too_long = || io::Error::new(io::ErrorKind::InvalidInput, "the link is too long");
    let half = |length: usize| u16::try_from(length).map_err(|_| too_long());
    let (first, second) = (substitute.len() * 2, print.len() * 2);
    let mut data = Vec::new();
    for word in [0, half(first)?, half(first + 2)?, half(second)?] {
        data.extend(word.to_le_bytes());
    }
    data.extend(flags.iter().flat_map(|flags| flags.to_le_bytes()));
    for name in [substitute, print] {
        data.extend(name.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()));
    }
    let mut bytes = tag.to_le_bytes().to_vec();
    bytes.extend(half(data.len())?.to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(data);
    if bytes.len() > LONGEST { Err(too_long()) } else { Ok(bytes) }
}

/// Without what leads from the names of the kernel to those that people write.
fn without_prefix(text: Vec<u16>) -> Vec<u16> {
    if let Some(share) = text.strip_prefix(&*wide(r"\??\UNC\")) {
        return [&[BACKSLASH; 2], share].concat();
    }
    match text.strip_prefix(&*wide(r"\??\")) {
        // What is no path on a drive (a volume by its number) has no other name.
        Some(path) if path.get(1) == Some(&u16::from(b':')) => path.to_vec(),
        _ => text,
    }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_is_made_of_a_text_has_that_text() {
        for (said, leads_to) in [
            ("a", LeadsTo::File),
            (r"..\a b\c.dat", LeadsTo::File),
            (r"..\folder\", LeadsTo::Directory),
            (r"\", LeadsTo::Directory),
            (r"\rooted", LeadsTo::File),
            (r"C:\a\b", LeadsTo::File),
            (r"C:\a\b\", LeadsTo::Directory),
            (r"C:\", LeadsTo::Directory),
            (r"\\server\share\a", LeadsTo::File),
            (r"\\server\share\", LeadsTo::Directory),
            (r"\??\C:\a", LeadsTo::Directory),
            (r"\??\Volume{01234567-89ab-cdef-0123-456789abcdef}\", LeadsTo::Directory),
        ] {
            let made = link(&wide(said)).unwrap();
            assert_eq!(made.leads_to, leads_to, "{said}");
            assert_eq!(String::from_utf16(&text(&made.bytes, leads_to).unwrap()).unwrap(), said);
        }
    }

    #[test]
    fn a_symbolic_link_is_written_as_windows_writes_it() {
        let made = link(&wide(r"C:\a\")).unwrap().bytes;
        let names: Vec<u8> =
            wide("\\??\\C:\\a\0C:\\a\0").iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let mut expected = vec![0x0c, 0, 0, 0xa0, 12 + names.len() as u8, 0, 0, 0];
        expected.extend([0, 0, 16, 0, 18, 0, 8, 0, 0, 0, 0, 0]);
        expected.extend(names);
        assert_eq!(made, expected);
    }

    #[test]
    fn what_is_broken_or_unknown_is_an_error() {
        let whole = link(&wide(r"C:\a")).unwrap().bytes;
        for length in 0..whole.len() - wide("C:\\a\0").len() * 2 - 2 {
            assert!(text(&whole[..length], LeadsTo::File).is_err(), "cut off after {length}");
        }
        let mut unknown = whole.clone();
        unknown[0] = 0x1d;
        assert_eq!(text(&unknown, LeadsTo::File).unwrap_err().kind(), io::ErrorKind::Unsupported);
        let mut far = whole;
        far[8..12].fill(0xff);
        assert!(text(&far, LeadsTo::File).is_err());
        assert!(link(&[]).is_err() && link(&wide("a\0b")).is_err());
        assert!(link(&vec![u16::from(b'a'); 9000]).is_err());
    }
}
