//! A path as rclone spells it, told from the one on a disk of this machine.
//!
//! Pure. rclone writes letters that not every storage has in the form of others (a line break as `␊`), and marks with `‛`
//! those that stood there already: what its listing names is not what the disk names. Invariant: no path leaves here of which
//! it is not sure that both mean the same file, and none that leads out of its tree.

use std::ffi::OsStr;
use std::path::PathBuf;

use crate::copy::windows_names;
use crate::guard::PathStyle;

/// The path below a root of this machine that rclone's spelling means, or why there is none that is sure to be meant.
pub fn on_disk(path: &str) -> Result<PathBuf, String> {
    on_disk_of(path, PathStyle::native())
}

fn on_disk_of(path: &str, style: PathStyle) -> Result<PathBuf, String> {
    if !is_below_root_of(path, style) {
        return Err("it is no path below the root".to_owned());
    }
    if let Some(letter) = path.chars().find(|letter| stands_for_another(*letter, style)) {
        return Err(format!(
            "its name has `{letter}`, by which rclone may mean another letter: it is left alone"
        ));
    }
    if style == PathStyle::Windows
        && let Some(why) = path.split('/').find_map(|name| windows_names::why_not(OsStr::new(name)))
    {
        return Err(format!("its name {why}, which Windows does not allow"));
    }
    Ok(path.split('/').collect())
}

/// Whether a path of a listing stays below its root, wherever it is used on this machine.
pub fn is_below_root(path: &str) -> bool {
    is_below_root_of(path, PathStyle::native())
}

fn is_below_root_of(path: &str, style: PathStyle) -> bool {
    path.split('/').all(|name| match style {
        _ if matches!(name, "" | "." | "..") => false,
        PathStyle::Unix => true,
        PathStyle::Windows => !name.contains('\\') && !has_drive(name),
    })
}

/// `C:x`, which Windows looks for on another drive.
fn has_drive(name: &str) -> bool {
    matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

fn stands_for_another(letter: char, style: PathStyle) -> bool {
    // Pictures of control characters, the mark before them, and what stands for bytes that are no Unicode.
    matches!(letter, '\u{2400}'..='\u{2421}' | '\u{201B}' | '\u{FFFD}')
        // Wide forms of what Windows does not allow.
        || style == PathStyle::Windows && matches!(letter, '\u{FF01}'..='\u{FF5E}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spelling_that_may_mean_another_file_has_no_path_on_a_disk() {
        for path in ["a␊b", "sub␀/x", "a‛b", "bad\u{FFFD}"] {
            for style in [PathStyle::Unix, PathStyle::Windows] {
                assert!(on_disk_of(path, style).is_err(), "{path}");
            }
        }
        assert!(on_disk_of("a：b", PathStyle::Windows).is_err());
        for path in ["a：b", "Ä ö/#1 ;x", "c:x", r"a\b", "CON"] {
            assert_eq!(on_disk_of(path, PathStyle::Unix), Ok(path.into()));
        }
        assert_eq!(on_disk_of("Ä ö/x", PathStyle::Windows), Ok(PathBuf::from_iter(["Ä ö", "x"])));
    }

    #[test]
    fn what_leads_out_of_a_tree_is_refused_in_the_way_of_each_system() {
        for path in ["../x", "a/../x", "./x", "/x", "a//b", ""] {
            assert!(!is_below_root_of(path, PathStyle::Unix), "{path}");
        }
        for path in [r"..\..\x", "C:x", "a/c:x", r"a\b", r"\x"] {
            assert!(!is_below_root_of(path, PathStyle::Windows), "{path}");
        }
        for path in ["sub/CON", "xy:z", "nul.txt"] {
            assert!(on_disk_of(path, PathStyle::Windows).is_err(), "{path}");
        }
    }
}
