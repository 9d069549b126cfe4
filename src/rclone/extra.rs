//! Further arguments of a runbook for rclone: which of them a pass can have and still mean what it says.
//!
//! Pure. What is not known is refused: an argument that deletes, or that says what a field says, must not slip through.

/// Why an argument is refused, and what to do instead.
pub type Why = String;

/// Flags that change how fast, by which way or how patiently rclone works, and nothing of what it does.
const KNOWN: &[(&str, Value)] = &[
    ("bind", Value::Wanted),
    ("buffer-size", Value::Wanted),
    ("ca-cert", Value::Wanted),
    ("client-cert", Value::Wanted),
    ("config", Value::Wanted),
    ("contimeout", Value::Wanted),
    ("disable", Value::Wanted),
    ("disable-http2", Value::None),
    ("disable-http-keep-alives", Value::None),
    ("expect-continue-timeout", Value::Wanted),
    ("fast-list", Value::None),
    ("fs-cache-expire-duration", Value::Wanted),
    ("low-level-retries", Value::Wanted),
    ("max-backlog", Value::Wanted),
    ("multi-thread-cutoff", Value::Wanted),
    ("multi-thread-streams", Value::Wanted),
    ("no-check-certificate", Value::None),
    ("no-gzip-encoding", Value::None),
    ("no-traverse", Value::None),
    ("order-by", Value::Wanted),
    ("streaming-upload-cutoff", Value::Wanted),
    ("timeout", Value::Wanted),
    ("tpslimit", Value::Wanted),
    ("tpslimit-burst", Value::Wanted),
    ("use-cookies", Value::None),
    ("use-mmap", Value::None),
    ("use-server-modtime", Value::None),
    ("user-agent", Value::Wanted),
];

/// What a field of a copy step says instead.
const FIELDS: &[(&[&str], &str)] = &[
    (
        &["max-delete", "delete-before", "delete-during", "delete-after", "delete-excluded", "track-renames"],
        "purge",
    ),
    (&["backup-dir", "suffix", "suffix-keep-extension"], "purge: {keep: quarantine}"),
    (
        &[
            "filter",
            "filter-from",
            "include",
            "include-from",
            "exclude",
            "exclude-from",
            "exclude-if-present",
            "files-from",
            "files-from-raw",
            "ignore-case",
            "min-age",
            "max-age",
            "min-size",
            "max-size",
            "max-depth",
        ],
        "filter",
    ),
    (&["create-empty-src-dirs"], "directories"),
    (&["transfers", "checkers"], "threads"),
    (&["retries"], "retries"),
    (&["retries-sleep"], "wait"),
    (&["bwlimit", "bwlimit-file"], "bandwidth"),
    (&["modify-window"], "mtime_tolerance"),
    (&["links", "copy-links", "skip-links", "local-links"], "links"),
    (&["metadata", "metadata-set"], "preserve"),
    (&["checksum", "size-only", "ignore-size", "ignore-times", "update", "ignore-existing"], "compare"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    None,
    Wanted,
}

/// Judges arguments as a runbook gives them, each an item of its own: a flag with its value is one (`--timeout=1m`) or two.
pub fn judge(arguments: &[String]) -> Result<(), Why> {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let Some(flag) = argument.strip_prefix("--").filter(|flag| !flag.is_empty()) else {
            return Err(format!(
                "`{argument}` is no flag by its whole name: write `--timeout=1m`, each flag as an item of its own"
            ));
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (flag, None),
        };
        match (known(name)?, value) {
            (Value::Wanted, None) => match rest.next() {
                Some(value) if !value.starts_with("--") => {}
                _ => return Err(format!("`--{name}` wants a value: write `--{name}=VALUE`")),
            },
            (Value::Wanted, Some(_)) | (Value::None, None) => {}
            // `--fast-list=false` says what leaving it out says.
            (Value::None, Some(_)) => {
                return Err(format!("`--{name}` takes no value here: leave it out where it is not wanted"));
            }
        }
    }
    Ok(())
}

fn known(name: &str) -> Result<Value, Why> {
    if let Some((_, value)) = KNOWN.iter().find(|(known, _)| *known == name) {
        return Ok(*value);
    }
    if let Some((_, field)) = FIELDS.iter().find(|(flags, _)| flags.contains(&name)) {
        return Err(format!("`--{name}` is what `{field}` says: give that field instead"));
    }
    if super::remote::is_secret(name) {
        return Err(format!(
            "`--{name}` would show a secret to everyone who can list processes: give it by `environment` \
             (`RCLONE_CONFIG_NAME_…`)"
        ));
    }
    Err(format!(
        "`--{name}` is none of the flags that leave a pass as it is: {}; options of a remote go into `environment` \
         (`RCLONE_CONFIG_NAME_OPTION`)",
        KNOWN.iter().map(|(known, _)| format!("--{known}")).collect::<Vec<_>>().join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(arguments: &[&str]) -> Result<(), Why> {
        judge(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn flags_of_speed_and_way_are_let_through() {
        assert_eq!(judged(&[]), Ok(()));
        assert_eq!(
            judged(&["--fast-list", "--timeout", "1m", "--buffer-size=32M", "--tpslimit", "10"]),
            Ok(())
        );
    }

    #[test]
    fn what_a_field_says_is_refused_with_the_field() {
        for (argument, field) in [
            ("--max-delete=5", "`purge`"),
            ("--delete-excluded", "`purge`"),
            ("--backup-dir=/x", "`purge: {keep: quarantine}`"),
            ("--exclude=*.fdb", "`filter`"),
            ("--transfers=4", "`threads`"),
            ("--bwlimit=1M", "`bandwidth`"),
            ("--size-only", "`compare`"),
        ] {
            let why = judged(&[argument]).unwrap_err();
            assert!(why.contains(field), "{argument}: {why}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for argument in [
            "--dry-run",
            "--immutable",
            "--log-file=x",
            "--rc",
            "-P",
            "sync",
            "",
            "--",
            "x:y",
            "--smb-host=x",
        ] {
            assert!(judged(&[argument]).is_err(), "{argument}");
        }
    }

    #[test]
    fn a_secret_is_no_argument() {
        let why = judged(&["--smb-pass=CANARY"]).unwrap_err();
        assert!(why.contains("environment") && !why.contains("CANARY"), "{why}");
    }

    #[test]
    fn a_value_cannot_be_a_flag_in_disguise() {
        assert!(judged(&["--timeout", "--delete-excluded"]).is_err());
        assert!(judged(&["--timeout"]).is_err());
        assert!(judged(&["--fast-list", "sync"]).is_err());
        assert!(judged(&["--fast-list=false"]).is_err());
    }
}
