//! Lines put together by hand: a pass names a hundred thousand files a second, and this is all that it costs.

use std::ffi::OsStr;
use std::path::Path;

use crate::copy::account::Bucket;
use crate::copy::names;

/// `{"bucket":"new","path":"` and the path, without the closing quotation mark.
pub(super) fn begin(text: &mut Vec<u8>, bucket: Bucket) {
    text.extend_from_slice(b"{\"bucket\":\"");
    text.extend_from_slice(bucket.word().as_bytes());
    text.extend_from_slice(b"\",\"path\":\"");
}

/// Closes the path, and adds the bytes.
pub(super) fn bytes(text: &mut Vec<u8>, bytes: u64) {
    text.extend_from_slice(b"\",\"bytes\":");
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = bytes;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[at..]);
}

/// A further field whose value is a word.
pub(super) fn word(text: &mut Vec<u8>, field: &str, value: &str) {
    text.extend_from_slice(b",\"");
    text.extend_from_slice(field.as_bytes());
    text.extend_from_slice(b"\":\"");
    escaped(text, value);
    text.push(b'"');
}

pub(super) fn end(text: &mut Vec<u8>) {
    text.extend_from_slice(b"}\n");
}

/// A name as [`names::shown`] writes it, within a JSON string.
pub(super) fn name(text: &mut Vec<u8>, name: &OsStr) {
    let bytes = name.as_encoded_bytes();
    // Nearly every name is of this kind.
    if bytes.iter().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
        text.extend_from_slice(bytes);
    } else {
        escaped(text, &names::shown_name(name));
    }
}

/// A path as [`names::shown`] writes it, within a JSON string.
pub(super) fn path(text: &mut Vec<u8>, path: &Path) {
    escaped(text, &names::shown(path));
}

/// Writes what a JSON string may hold.
pub(super) fn escaped(text: &mut Vec<u8>, value: &str) {
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend_from_slice(&[b'\\', character as u8]),
            control if control < ' ' => {
                text.extend_from_slice(format!("\\u{:04x}", control as u32).as_bytes());
            }
            other => text.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}
