//! Which rclone it is: what `rclone version` prints, and the oldest that will do. Pure.

use std::fmt;

/// A version of rclone. What stands behind the numbers (`-DEV`, `-beta…`) tells nothing that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

impl Version {
    /// The first with the backend for Windows' shares (`smb`), and with all that movebook asks of any.
    pub const OLDEST: Self = Self { major: 1, minor: 60, patch: 0 };

    /// Reads the output of `rclone version`.
    pub fn of(output: &str) -> Option<Self> {
        let line = output.lines().find_map(|line| line.trim().strip_prefix("rclone v"))?;
        let numbers = line.split(|letter: char| !letter.is_ascii_digit() && letter != '.').next()?;
        let mut numbers = numbers.split('.').map(str::parse::<u32>);
        let mut next = || numbers.next().and_then(Result::ok);
        Some(Self { major: next()?, minor: next()?, patch: next().unwrap_or(0) })
    }

    pub fn will_do(self) -> bool {
        self >= Self::OLDEST
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rclone_prints_is_read_in_all_its_forms() {
        for (output, version) in [
            ("rclone v1.60.1-DEV\n- os/version: debian 12.11 (64 bit)\n", (1, 60, 1)),
            ("rclone v1.68.2\r\n- os/version: Microsoft Windows Server 2022\r\n", (1, 68, 2)),
            ("rclone v1.71.0-beta.8891.9b1f2e3a4\n", (1, 71, 0)),
            ("rclone v1.45\n", (1, 45, 0)),
            ("a note\nrclone v2.0.0\n", (2, 0, 0)),
        ] {
            let (major, minor, patch) = version;
            assert_eq!(Version::of(output), Some(Version { major, minor, patch }), "{output}");
        }
    }

    #[test]
    fn what_is_no_version_is_none() {
        for output in
            ["", "rclone", "rclone vx.y", "rclone v1", "robocopy v1.60.1", "rclone v99999999999.1.1"]
        {
            assert_eq!(Version::of(output), None, "{output}");
        }
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        let will_do = |text: &str| Version::of(&format!("rclone v{text}")).unwrap().will_do();
        assert!(will_do("1.60.0") && will_do("1.100.0") && will_do("2.0.0"));
        assert!(!will_do("1.59.2") && !will_do("1.7.0"));
    }
}
