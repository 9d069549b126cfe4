//! How the paths of trees are written for robocopy, and what it writes in front of them. Pure.
//!
//! Windows has several spellings of one path. What is given to robocopy, and what is read from it, is brought to the same
//! one here: no prefix that only lifts Windows' limits, Windows' separators, and none at the end but a drive's.

use crate::guard::PathStyle;

/// What Windows lets stand in front of a path from a drive or a share: it leads to the same place.
const PREFIXES: [&str; 3] = [r"\\?\", r"\\.\", r"\??\"];
const SHARE: &str = r"UNC\";

/// A root as robocopy is told it. It finds long paths by itself.
pub fn root(path: &str) -> String {
    root_of(path, PathStyle::native())
}

fn root_of(path: &str, style: PathStyle) -> String {
    let is_windows = style == PathStyle::Windows || begins_with_drive(path) || path.starts_with('\\');
    let path = if is_windows { without_prefix(&path.replace('/', "\\")) } else { path.to_owned() };
    let trimmed = path.trim_end_matches(if is_windows { '\\' } else { '/' });
    match trimmed {
        "" => path,
        drive if drive.len() == 2 && begins_with_drive(drive) => format!("{drive}\\"),
        trimmed => trimmed.to_owned(),
    }
}

/// A path without the prefix that robocopy may write in front of it. A volume without a letter has no other name.
pub fn without_prefix(path: &str) -> String {
    let Some(rest) = PREFIXES.iter().find_map(|prefix| path.strip_prefix(prefix)) else {
        return path.to_owned();
    };
    match rest.split_at_checked(SHARE.len()) {
        Some((share, below)) if share.eq_ignore_ascii_case(SHARE) => format!(r"\\{below}"),
        _ if begins_with_drive(rest) => rest.to_owned(),
        _ => path.to_owned(),
    }
}

fn begins_with_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_written_as_robocopy_writes_it() {
        use PathStyle::{Unix, Windows};
        for (style, path, root) in [
            (Windows, r"D:\Mail\", r"D:\Mail"),
            (Windows, "D:/Mail/new/", r"D:\Mail\new"),
            (Windows, r"D:\", r"D:\"),
            (Windows, "D:/", r"D:\"),
            (Windows, r"\\?\D:\Mail", r"D:\Mail"),
            (Windows, r"\\?\D:\", r"D:\"),
            (Windows, r"\\.\D:\Mail\", r"D:\Mail"),
            (Windows, r"\\?\UNC\old\c$\Mail", r"\\old\c$\Mail"),
            (Windows, r"\\?\unc\old\c$\", r"\\old\c$"),
            (Windows, r"\\old\c$\Mail\", r"\\old\c$\Mail"),
            (Windows, "//old/c$/Mail/", r"\\old\c$\Mail"),
            (Windows, "//?/D:/Mail", r"D:\Mail"),
            (Windows, r"\\?\Volume{01}\Mail\", r"\\?\Volume{01}\Mail"),
            (Unix, r"D:\Mail\", r"D:\Mail"),
            (Unix, "/srv/old/", "/srv/old"),
            (Unix, "//srv/old", "//srv/old"),
            (Unix, "/", "/"),
        ] {
            assert_eq!(root_of(path, style), root, "{path}");
        }
    }

    #[test]
    fn only_a_prefix_in_front_of_a_drive_or_a_share_is_taken_away() {
        for (path, plain) in [
            (r"\\?\D:\a", r"D:\a"),
            (r"\??\D:\a", r"D:\a"),
            (r"\\?\UNC\old\c$\a", r"\\old\c$\a"),
            (r"\\old\c$\a", r"\\old\c$\a"),
            (r"\\?\Volume{01}\a", r"\\?\Volume{01}\a"),
            (r"\\?\ö", r"\\?\ö"),
            ("/srv/old/a", "/srv/old/a"),
        ] {
            assert_eq!(without_prefix(path), plain);
        }
    }
}
