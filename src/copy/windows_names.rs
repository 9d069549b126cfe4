//! Names that a file server of another system can hold and that Windows' own programs cannot open. Pure.
//!
//! The system below would make most of them when it is asked in its own words; what came of it could then be neither opened
//! nor deleted by anybody's tools. So an entry of such a name is an error of that entry: `plan` lists it before anything is
//! copied, and a pass tells it with the other failed files. Source of the rules: Microsoft, "Naming Files, Paths, and
//! Namespaces".

use std::ffi::OsStr;

/// Devices of DOS: they mean the device in every folder, with whatever ending.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
const NUMBERED_DEVICES: [&str; 2] = ["COM", "LPT"];
const NUMBERS: &str = "123456789¹²³";

/// In UTF-16 units, a component of a path.
const LONGEST: usize = 255;

/// Why Windows has no entry of this name, to complete "its name …"; `None` where it has.
pub fn why_not(name: &OsStr) -> Option<String> {
    let text = name.to_string_lossy();
    if let Some(letter) = text.chars().find(|letter| *letter < ' ' || r#"<>:"/\|?*"#.contains(*letter)) {
        return Some(match letter.is_control() {
            true => format!("holds the control character {:#04x}", u32::from(letter)),
            false => format!("holds `{letter}`"),
        });
    }
    if text.ends_with('.') {
        return Some("ends with a dot".to_owned());
    }
    if text.ends_with(' ') {
        return Some("ends with a blank".to_owned());
    }
    let units = text.encode_utf16().count();
    if units > LONGEST {
        return Some(format!("has {units} characters, {LONGEST} at most are allowed"));
    }
    let stem = text.split('.').next().unwrap_or_default().trim_end_matches(' ');
    is_device(stem).then(|| format!("is that of the device {}", stem.to_uppercase()))
}

fn is_device(stem: &str) -> bool {
    DEVICES.iter().any(|device| stem.eq_ignore_ascii_case(device))
        || NUMBERED_DEVICES.iter().any(|device| {
            let (Some(letters), Some(number)) = (stem.get(..device.len()), stem.get(device.len()..)) else {
                return false;
            };
            letters.eq_ignore_ascii_case(device)
                && number.chars().count() == 1
                && number.chars().all(|digit| NUMBERS.contains(digit))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_windows_names() {
        for name in [
            "index.dat",
            ".hidden",
            "a b",
            "ü…",
            "CONsole",
            "com",
            "COM0",
            "com10",
            "nul_",
            "a.con",
            "\u{7f}",
            "x²",
            "lpt",
            &"n".repeat(255),
        ] {
            assert_eq!(why_not(OsStr::new(name)), None, "{name}");
        }
    }

    #[test]
    fn each_other_name_is_refused_with_its_reason() {
        for (name, reason) in [
            ("mail.", "ends with a dot"),
            ("mail ", "ends with a blank"),
            ("...", "ends with a dot"),
            ("a:b", "holds `:`"),
            ("a\\b", "holds `\\`"),
            ("what?", "holds `?`"),
            ("a\nb", "holds the control character 0x0a"),
            ("con", "is that of the device CON"),
            ("Nul.txt", "is that of the device NUL"),
            ("aux .tar.gz", "is that of the device AUX"),
            ("com1", "is that of the device COM1"),
            ("LPT³.dat", "is that of the device LPT³"),
            (&"ü".repeat(256), "has 256 characters, 255 at most are allowed"),
        ] {
            assert_eq!(why_not(OsStr::new(name)).as_deref(), Some(reason), "{name}");
        }
    }
}
