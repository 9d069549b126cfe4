//! Alternate data streams of NTFS: contents that a file has beside its own (`Zone.Identifier`, previews, whatever programs
//! keep there). Elsewhere no file has any.
//!
//! A stream is opened relative to the file that is open, so that it is that file's whatever becomes of the name.

#[cfg(any(windows, test))]
use std::ffi::OsString;
use std::fs::File;
use std::io;

#[cfg(windows)]
use super::windows::streams as here;

/// One stream beside the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// As the system writes it: `:name:$DATA`.
    name: Vec<u16>,
    pub size: u64,
}

/// Whether a volume has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    Has,
    HasNot,
}

impl Stream {
    /// For people.
    pub fn shown(&self) -> String {
        let name = String::from_utf16_lossy(&self.name);
        name.strip_suffix(":$DATA").unwrap_or(&name).trim_start_matches(':').to_owned()
    }
}

/// The streams of an open file; none where its volume has no such thing.
pub fn of(file: &File) -> io::Result<Vec<Stream>> {
    #[cfg(windows)]
    return here::of(file);
    #[cfg(not(windows))]
    {
        let _unused = file;
        Ok(Vec::new())
    }
}

/// Whether the volume of an open file has streams.
pub fn ability(file: &File) -> io::Result<Ability> {
    #[cfg(windows)]
    return here::ability(file);
    #[cfg(not(windows))]
    {
        let _unused = file;
        Ok(Ability::HasNot)
    }
}

/// Opens a stream for reading.
pub fn open(file: &File, stream: &Stream) -> io::Result<File> {
    #[cfg(windows)]
    return here::open(file, &stream.name);
    #[cfg(not(windows))]
    {
        let _unused = (file, &stream.name);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Makes a stream of this name, empty; one that is there is emptied.
pub fn create(file: &File, stream: &Stream) -> io::Result<File> {
    #[cfg(windows)]
    return here::create(file, &stream.name);
    #[cfg(not(windows))]
    {
        let _unused = (file, &stream.name);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// The streams in a list as the system gives it (`FILE_STREAM_INFO`): the place of the next, the length of the name in
/// bytes, size, size on the volume, name. Other kinds than data, and the content itself, are no streams to copy.
#[cfg(any(windows, test))]
pub(super) fn parse(mut list: &[u8]) -> io::Result<Vec<Stream>> {
    let wrong = || io::Error::other("the volume gave a list of streams that is none");
    let mut streams = Vec::new();
    while !list.is_empty() {
        let number = |at: usize, length: usize| {
            let bytes = list.get(at..at + length).ok_or_else(wrong)?;
            Ok::<_, io::Error>(bytes.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte)))
        };
        let (next, length, size) = (number(0, 4)? as usize, number(4, 4)? as usize, number(8, 8)?);
        let name = list.get(24..).and_then(|rest| rest.get(..length)).ok_or_else(wrong)?;
        let name: Vec<u16> =
            name.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        if is_alternate(&name) {
            streams.push(Stream { name, size });
        }
        list = match next {
            0 => &[],
            next => list.get(next..).filter(|rest| !rest.is_empty()).ok_or_else(wrong)?,
        };
    }
    Ok(streams)
}

/// Whether this is `:name:$DATA`, and the name one component: it is opened relative to the file, and must lead nowhere else.
#[cfg(any(windows, test))]
fn is_alternate(name: &[u16]) -> bool {
    const KIND: &str = ":$DATA";
    let Some(name) = name.strip_prefix(&[u16::from(b':')]) else { return false };
    let Some(at) = name.len().checked_sub(KIND.len()).filter(|at| *at > 0) else { return false };
    let (name, kind) = name.split_at(at);
    let is_plain = |unit: &u16| ![b':', b'\\', b'/', 0].map(u16::from).contains(unit);
    OsString::from(String::from_utf16_lossy(kind)).eq_ignore_ascii_case(KIND) && name.iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[(&str, u64)]) -> Vec<u8> {
        let mut list = Vec::new();
        for (at, (name, size)) in entries.iter().enumerate() {
            let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let next = if at + 1 == entries.len() { 0 } else { (24 + name.len()).next_multiple_of(8) };
            let begun = list.len();
            list.extend((next as u32).to_le_bytes());
            list.extend((name.len() as u32).to_le_bytes());
            list.extend(size.to_le_bytes());
            list.extend(size.to_le_bytes());
            list.extend(name);
            list.resize(list.len().max(begun + next), 0);
        }
        list
    }

    #[test]
    fn the_list_of_the_system_gives_names_and_sizes_without_the_content_itself() {
        let listed = list(&[("::$DATA", 7), (":Zone.Identifier:$DATA", 26), (":größe:$DATA", 1 << 33)]);
        let streams = parse(&listed).unwrap();
        let shown: Vec<_> = streams.iter().map(|stream| (stream.shown(), stream.size)).collect();
        assert_eq!(shown, [("Zone.Identifier".to_owned(), 26), ("größe".to_owned(), 1 << 33)]);
        assert_eq!(parse(&[]).unwrap(), []);
    }

    #[test]
    fn a_list_that_is_cut_off_is_an_error() {
        let whole = list(&[("::$DATA", 7), (":a:$DATA", 1)]);
        for length in 1..whole.len() {
            assert!(parse(&whole[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn no_name_of_a_stream_leads_elsewhere() {
        let is = |name: &str| is_alternate(&name.encode_utf16().collect::<Vec<_>>());
        assert!(is(":a:$DATA") && is(":a b.txt:$data"));
        for name in [
            "",
            ":",
            "::$DATA",
            ":a",
            ":a:$INDEX_ALLOCATION",
            "a:$DATA",
            ":..\\b:$DATA",
            ":a/b:$DATA",
            ":a:b:$DATA",
        ] {
            assert!(!is(name), "{name}");
        }
    }
}
