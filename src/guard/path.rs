//! Whether a path is one that a migration may name: absolute, and spelled so that no system reads it otherwise.
//!
//! Judged by the style of the system that the path belongs to, on any system: a runbook for Windows is validated on
//! Linux too.

use serde::Serialize;
use typed_path::{Utf8WindowsComponent, Utf8WindowsPath, Utf8WindowsPrefix};

use super::Refusal;

/// Whose rules a path follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PathStyle {
    Unix,
    Windows,
}

impl PathStyle {
    /// That of the system this program runs on.
    pub fn native() -> Self {
        if cfg!(windows) { Self::Windows } else { Self::Unix }
    }
}

/// Refuses a path that is not absolute, or that has a component which is not what it looks like.
pub fn judge_path(text: &str, style: PathStyle) -> Result<(), Refusal> {
    judge_characters(text)?;
    let parts = Parts::split(text, style)?;
    for component in &parts.components {
        judge_component(text, component)?;
        if style == PathStyle::Windows {
            judge_windows_component(text, component, parts.reach)?;
        }
    }
    Ok(())
}

/// Whether Windows corrects the names on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Trailing dots are dropped, and device names are devices.
    Corrected,
    /// Through `\\?\`: names are taken as they are.
    Verbatim,
}

/// An absolute path in pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub root: Root<'a>,
    pub components: Vec<&'a str>,
    pub reach: Reach,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Root<'a> {
    /// `/`
    Unix,
    /// `D:\`
    Drive(char),
    /// `\\server\share`
    Share(&'a str, &'a str),
    /// `\\?\Volume{…}`
    Volume(&'a str),
}

impl<'a> Parts<'a> {
    pub(super) fn split(text: &'a str, style: PathStyle) -> Result<Self, Refusal> {
        match style {
            PathStyle::Unix => Self::split_unix(text),
            PathStyle::Windows => Self::split_windows(text),
        }
    }

    fn split_unix(text: &'a str) -> Result<Self, Refusal> {
        let rest = text.strip_prefix('/').ok_or_else(|| relative(text, "/srv/archive"))?;
        let components = rest.split('/').filter(|component| !component.is_empty()).collect();
        Ok(Self { root: Root::Unix, components, reach: Reach::Verbatim })
    }

    fn split_windows(text: &'a str) -> Result<Self, Refusal> {
        if text.contains('"') {
            return Err(swallowed_quote(text));
        }
        let relative = || relative(text, r"D:\Archive or \\server\share\Archive");
        let first = Utf8WindowsPath::new(text).components().next();
        let prefix = first.and_then(Utf8WindowsComponent::prefix).ok_or_else(relative)?;
        let rest = &text[prefix.as_str().len()..];
        let (root, reach) = match prefix.kind() {
            // `D:Archive` is relative to the current folder of the drive.
            Utf8WindowsPrefix::Disk(letter) if !rest.starts_with(['\\', '/']) => {
                return Err(without_backslash(text, letter, rest));
            }
            Utf8WindowsPrefix::Disk(letter) => (Root::Drive(letter.to_ascii_uppercase()), Reach::Corrected),
            Utf8WindowsPrefix::VerbatimDisk(letter) => {
                (Root::Drive(letter.to_ascii_uppercase()), Reach::Verbatim)
            }
            Utf8WindowsPrefix::UNC(server, share) => (Root::Share(server, share), Reach::Corrected),
            Utf8WindowsPrefix::VerbatimUNC(server, share) => (Root::Share(server, share), Reach::Verbatim),
            Utf8WindowsPrefix::Verbatim(volume) if is_volume(volume) => {
                (Root::Volume(volume), Reach::Verbatim)
            }
            Utf8WindowsPrefix::Verbatim(_) | Utf8WindowsPrefix::DeviceNS(_) => return Err(device(text)),
        };
        let mut components = Vec::new();
        if let Root::Share(server, share) = root {
            if server.is_empty() || share.is_empty() {
                return Err(no_share(text));
            }
            components.extend([server, share]);
        }
        let separators: &[char] = if reach == Reach::Verbatim { &['\\'] } else { &['\\', '/'] };
        components.extend(rest.split(separators).filter(|component| !component.is_empty()));
        Ok(Self { root, components, reach })
    }

    /// The components below the root.
    pub(super) fn below_root(&self) -> &[&'a str] {
        match self.root {
            Root::Share(..) => &self.components[2..],
            Root::Unix | Root::Drive(_) | Root::Volume(_) => &self.components,
        }
    }
}

/// `Volume{b75e2c83-…}`; whatever else follows `\\?\` is a device (`GLOBALROOT`, `PIPE`).
fn is_volume(name: &str) -> bool {
    let id = name.strip_prefix("Volume{").and_then(|rest| rest.strip_suffix('}'));
    id.is_some_and(|id| !id.is_empty() && id.chars().all(|digit| digit.is_ascii_hexdigit() || digit == '-'))
}

fn judge_characters(text: &str) -> Result<(), Refusal> {
    if let Some(found) = text.chars().find(|&found| found.is_control() || is_invisible(found)) {
        return Err(Refusal::new(
            "control_character",
            format!(
                "the path {} has a character that cannot be seen (U+{:04X})",
                shown(text),
                u32::from(found)
            ),
            r#"type the path anew; in YAML give it in single quotes, since in double quotes \t and \n are characters"#,
        ));
    }
    Ok(())
}

/// Marks that come with text copied from a page or a mail and that turn or hide what follows.
fn is_invisible(found: char) -> bool {
    matches!(found, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

fn judge_component(text: &str, component: &str) -> Result<(), Refusal> {
    if component.trim() != component {
        return Err(Refusal::new(
            "blank_in_path",
            format!("the path {} has a blank at an end of the component {}", shown(text), shown(component)),
            "remove the blank: unquoted it splits a command line in two, and Windows drops it",
        ));
    }
    if component == "." || component == ".." {
        return Err(Refusal::new(
            "dots_in_path",
            format!("the path {} has the component {}", shown(text), shown(component)),
            "give the path without it",
        ));
    }
    Ok(())
}

fn judge_windows_component(text: &str, component: &str, reach: Reach) -> Result<(), Refusal> {
    if let Some(found) = component.chars().find(|found| r#"<>:"|?*/"#.contains(*found)) {
        return Err(Refusal::new(
            "character_in_path",
            format!("the path {} has `{found}` in the component {}", shown(text), shown(component)),
            "Windows has no such names; give the path without it",
        ));
    }
    if reach == Reach::Verbatim {
        return Ok(());
    }
    if component.ends_with('.') {
        return Err(Refusal::new(
            "trailing_dot",
            format!("the path {} has a dot at the end of the component {}", shown(text), shown(component)),
            r"Windows drops the dot; give the path without it, or through \\?\",
        ));
    }
    if is_device_name(component) {
        return Err(Refusal::new(
            "device_name",
            format!("{} in the path {} is a device on Windows", shown(component), shown(text)),
            r"give another name, or the path through \\?\",
        ));
    }
    Ok(())
}

/// `CON`, `aux.txt`, `COM1.log`: a name is a device whatever follows its first dot.
fn is_device_name(component: &str) -> bool {
    let stem = component.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return true;
    }
    let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    // The superscript digits count as digits for Windows.
    number.is_some_and(|number| {
        matches!(number, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
    })
}

/// In backticks, with what cannot be seen spelled out. Backslashes stay single, as people type them.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::from("`");
    for found in text.chars() {
        if found.is_control() || is_invisible(found) {
            shown.extend(found.escape_unicode());
        } else {
            shown.push(found);
        }
    }
    shown.push('`');
    shown
}

fn relative(text: &str, example: &str) -> Refusal {
    Refusal::new(
        "relative_path",
        format!("the path {} is not absolute", shown(text)),
        format!("give the whole path, like {example}"),
    )
}

/// `D:` and `D:Archive`.
fn without_backslash(text: &str, letter: char, rest: &str) -> Refusal {
    Refusal::new(
        "drive_without_backslash",
        format!(
            "the path {} has no backslash behind the drive, and would be taken from wherever that drive's current folder is",
            shown(text)
        ),
        format!("write {}", shown(&format!(r"{letter}:\{rest}"))),
    )
}

/// `"C:\"` on a command line: the backslash at the end took the quote into the path.
fn swallowed_quote(text: &str) -> Refusal {
    Refusal::new(
        "quote_in_path",
        format!("the path {} has a quote in it, which no name on Windows has", shown(text)),
        r#"on a command line \" at an end is a quote and no end: leave the backslash at the end out (`"D:\Archive"`), or double it (`"C:\\"`)"#,
    )
}

fn no_share(text: &str) -> Refusal {
    Refusal::new(
        "no_share",
        format!("the path {} names a server without a share", shown(text)),
        r"give the share too, like \\server\share\Archive",
    )
}

fn device(text: &str) -> Refusal {
    Refusal::new(
        "device_path",
        format!("the path {} names a device", shown(text)),
        r"give a folder, like D:\Archive",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(text: &str, style: PathStyle) -> &'static str {
        judge_path(text, style).map_or_else(|refusal| refusal.code, |()| "fine")
    }

    #[test]
    fn paths_for_unix_are_judged_by_unix_rules() {
        for (text, expected) in [
            ("/srv/archive", "fine"),
            ("/", "fine"),
            ("/srv//archive/", "fine"),
            ("/srv/Mail Archive", "fine"),
            ("/srv/con", "fine"),
            ("/srv/trail.", "fine"),
            (r"/srv/a\b", "fine"),
            ("/srv/ä:<>|?*", "fine"),
            ("", "relative_path"),
            ("srv", "relative_path"),
            ("~/archive", "relative_path"),
            ("./srv", "relative_path"),
            (r"D:\Archive", "relative_path"),
            (" /srv", "relative_path"),
            ("/ srv", "blank_in_path"),
            ("/srv ", "blank_in_path"),
            ("/srv/a /b", "blank_in_path"),
            ("/srv/\u{a0}a", "blank_in_path"),
            ("/srv/../etc", "dots_in_path"),
            ("/srv/.", "dots_in_path"),
            ("/srv/...", "fine"),
            ("/srv/.hidden", "fine"),
            ("/srv/a\tb", "control_character"),
            ("/srv/a\n", "control_character"),
            ("/srv/\0", "control_character"),
            ("/srv/\u{7f}", "control_character"),
            ("/srv/\u{202e}fdb", "control_character"),
            ("/srv/\u{feff}a", "control_character"),
        ] {
            assert_eq!(code(text, PathStyle::Unix), expected, "{text:?}");
        }
    }

    #[test]
    fn paths_for_windows_are_judged_by_windows_rules_on_any_system() {
        for (text, expected) in [
            (r"D:\MailArchive", "fine"),
            (r"D:\", "fine"),
            (r"d:/MailArchive", "fine"),
            (r"D:\Mail Archive\Größe", "fine"),
            (r"\\oldserver\c$\MailArchive", "fine"),
            (r"\\oldserver\share", "fine"),
            (r"\\?\D:\MailArchive", "fine"),
            (r"\\?\UNC\server\share\x", "fine"),
            (r"\\?\Volume{b75e2c83-0000-0000-0000-602f00000000}\x", "fine"),
            (r"\\?\D:\con", "fine"),
            (r"\\?\D:\trail.", "fine"),
            (r"D:MailArchive", "drive_without_backslash"),
            (r"\MailArchive", "relative_path"),
            ("MailArchive", "relative_path"),
            ("/srv/archive", "relative_path"),
            ("", "relative_path"),
            ("D:", "drive_without_backslash"),
            (r#"C:""#, "quote_in_path"),
            (r#"C:" --yes"#, "quote_in_path"),
            (r#"D:\MailArchive""#, "quote_in_path"),
            (r"\\.\COM42", "device_path"),
            (r"\\?\GLOBALROOT\Device\x", "device_path"),
            (r"\\?\ \x", "device_path"),
            (r"\\.\C:\x", "device_path"),
            (r"D:\ MailArchive", "blank_in_path"),
            (r"D:\MailArchive ", "blank_in_path"),
            (r"D:\a \b", "blank_in_path"),
            (r"\\server\ share\x", "blank_in_path"),
            (r"\\?\D:\ x", "blank_in_path"),
            (r"D:\a\..\b", "dots_in_path"),
            (r"D:\.\b", "dots_in_path"),
            (r"\\?\D:\a\..\b", "dots_in_path"),
            (r"D:\trail.", "trailing_dot"),
            (r"D:\a.\b", "trailing_dot"),
            (r"D:\...", "trailing_dot"),
            (r"D:\CON", "device_name"),
            (r"D:\con\x", "device_name"),
            (r"D:\aux.txt", "device_name"),
            (r"D:\COM1.log", "device_name"),
            (r"D:\lpt9", "device_name"),
            (r"D:\COM¹", "device_name"),
            (r"D:\nul.tar.gz", "device_name"),
            (r"D:\nul .txt", "device_name"),
            (r"D:\CONIN$", "device_name"),
            (r"D:\COM10", "fine"),
            (r"D:\COM0", "fine"),
            (r"D:\console", "fine"),
            (r"D:\.con", "fine"),
            ("D:\\a\tb", "control_character"),
            ("D:\\a\u{8}ackup", "control_character"),
            (r"D:\a:stream", "character_in_path"),
            (r"D:\a?", "character_in_path"),
            (r"D:\*.dat", "character_in_path"),
            (r#"D:\a""#, "quote_in_path"),
            (r"\\?\D:\a/b", "character_in_path"),
        ] {
            assert_eq!(code(text, PathStyle::Windows), expected, "{text:?}");
        }
    }

    #[test]
    fn a_server_without_a_share_is_refused() {
        for text in [r"\\server", r"\\server\", r"\\?\UNC\server"] {
            assert_ne!(code(text, PathStyle::Windows), "fine", "{text:?}");
        }
    }

    #[test]
    fn the_reason_shows_the_path_as_people_type_it() {
        let refusal = judge_path(r"D:\ MailArchive", PathStyle::Windows).unwrap_err();
        assert_eq!(
            refusal.reason,
            r"the path `D:\ MailArchive` has a blank at an end of the component ` MailArchive`"
        );
        let refusal = judge_path("/a\u{202e}b", PathStyle::Unix).unwrap_err();
        assert!(refusal.reason.contains(r"`/a\u{202e}b`"), "{}", refusal.reason);
    }

    #[test]
    fn what_is_wrong_with_a_drive_or_a_quote_is_told_with_the_remedy() {
        let refusal = judge_path("D:MailArchive", PathStyle::Windows).unwrap_err();
        assert!(refusal.reason.contains("no backslash behind the drive"), "{}", refusal.reason);
        assert_eq!(refusal.hint, r"write `D:\MailArchive`");
        let refusal = judge_path("D:", PathStyle::Windows).unwrap_err();
        assert_eq!(refusal.hint, r"write `D:\`");
        let refusal = judge_path(r#"C:" --yes"#, PathStyle::Windows).unwrap_err();
        assert!(refusal.reason.contains(r#"`C:" --yes` has a quote in it"#), "{}", refusal.reason);
        assert!(refusal.hint.contains("leave the backslash at the end out"), "{}", refusal.hint);
    }

    proptest! {
        #[test]
        fn no_path_panics(text in r#"[\\\\/:?.A-Za-z \u{0}-\u{ff}]{0,40}"#) {
            for style in [PathStyle::Unix, PathStyle::Windows] {
                let _verdict = judge_path(&text, style);
            }
        }

        #[test]
        fn a_path_that_passes_is_absolute_and_has_no_component_that_turns_back(text in r"(/|\\|\\\\|D:\\|\\\\\?\\)?([a. ]{1,3}[/\\]){0,5}[a. ]{0,3}") {
            for (style, separators) in [(PathStyle::Unix, &['/'][..]), (PathStyle::Windows, &['/', '\\'][..])] {
                if judge_path(&text, style).is_ok() {
                    let components: Vec<_> = text.split(separators).collect();
                    prop_assert!(!components.contains(&".."));
                    prop_assert!(!components.contains(&"."));
                    prop_assert!(components.iter().all(|component| component.trim() == *component));
                    prop_assert!(text.starts_with(['/', '\\', 'D']));
                }
            }
        }
    }
}
