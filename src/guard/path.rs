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
        let relative = || relative(text, r"D:\Archive or \\server\share\Archive");
        let first = Utf8WindowsPath::new(text).components().next();
        let prefix = first.and_then(Utf8WindowsComponent::prefix).ok_or_else(relative)?;
        let rest = &text[prefix.as_str().len()..];
        let (root, reach) = match prefix.kind() {
            // `D:Archive` is relative to the current folder of the drive.
            Utf8WindowsPrefix::Disk(_) if !rest.starts_with(['\\', '/']) => return Err(relative()),
            Utf8WindowsPrefix::Disk(letter) => (Root::Drive(letter.to_ascii_uppercase()), Reach::Corrected),
            Utf8WindowsPrefix::VerbatimDisk(letter) => {
                (Root::Drive(letter.to_ascii_uppercase()), Reach::Verbatim)
            }
            Utf8WindowsPrefix::UNC(server, share) => (Root::Share(server, share), Reach::Corrected),
            Utf8WindowsPrefix::VerbatimUNC(server, share) => (Root::Share(server, share), Reach::Verbatim),
            Utf8WindowsPrefix::Verbatim(volume) => (Root::Volume(volume), Reach::Verbatim),
            Utf8WindowsPrefix::DeviceNS(_) => return Err(device(text)),
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
