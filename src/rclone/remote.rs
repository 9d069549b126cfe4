//! A place as rclone writes it, `NAME:PATH`, told from a folder of this machine.
//!
//! Pure. Invariant: whoever holds a [`Remote`] that was judged has one without a secret in it, below which no component is
//! anything else than it looks like.

use std::fmt;
use std::path::Path;

use crate::copy::quarantine::FOLDER;
use crate::guard::Refusal;

/// A folder of a storage that only rclone reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// What stands before the colon: a name of the configuration, or a connection string (`:smb,host=old`).
    name: String,
    /// What stands behind it, as it was written.
    path: String,
}

impl Remote {
    /// The remote that a text names; `None` where it is a path. One letter before a colon is a drive, on any system.
    pub fn of(text: &str) -> Option<Self> {
        let Head { end, .. } = Head::of(text)?;
        let name = &text[..end];
        let plain = name.split(',').next().unwrap_or_default();
        let plain = plain.strip_prefix(':').unwrap_or(plain);
        let is_name = |letter: char| letter.is_alphanumeric() || "_-.+@ ".contains(letter);
        let long_enough = plain.chars().count() > 1 || name.starts_with(':');
        (long_enough && !plain.is_empty() && plain.chars().all(is_name))
            .then(|| Self { name: name.to_owned(), path: text[end + 1..].to_owned() })
    }

    /// As [`Remote::of`], of a path as a plan has it.
    pub fn at(path: &Path) -> Option<Self> {
        Self::of(path.to_str()?)
    }

    /// The name in rclone's configuration; `None` where the remote says itself what it is.
    pub fn configured_name(&self) -> Option<&str> {
        let plain = self.name.split(',').next().unwrap_or_default();
        (!plain.starts_with(':')).then_some(plain)
    }

    /// The kind of storage that it says itself to be: `smb` of `:smb,host=old:`.
    pub fn own_kind(&self) -> Option<&str> {
        self.kind().strip_prefix(':')
    }

    /// The folder of this machine that it is, where its storage is this machine.
    pub fn folder(&self) -> Option<&Path> {
        (self.own_kind() == Some("local")).then(|| self.path_below())
    }

    /// Its path as one of this machine's.
    pub fn path_below(&self) -> &Path {
        Path::new(&self.path)
    }

    /// What tells it from every other folder, for a journal.
    pub fn identity(&self) -> String {
        format!("rclone:{}:{}", self.name, self.components().collect::<Vec<_>>().join("/"))
    }

    /// A file or folder below it.
    pub fn below(&self, path: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.ends_with('/') { "" } else { "/" };
        Self { name: self.name.clone(), path: format!("{}{separator}{path}", self.path) }
    }

    /// Where the files of a purge are kept: beside it, on the same storage.
    pub fn quarantine(&self, run: &str, purge: u32) -> Self {
        let lead = if self.path.starts_with('/') { "/" } else { "" };
        let path = self.components().collect::<Vec<_>>().join("/");
        Self { name: self.name.clone(), path: format!("{lead}{path}{FOLDER}/{run}/{purge}") }
    }

    /// Whether it is the uppermost folder of its storage: a share, a bucket.
    pub fn is_uppermost(&self) -> bool {
        self.components().count() <= 1
    }

    /// Whether it is the whole storage.
    pub fn is_root(&self) -> bool {
        self.components().next().is_none()
    }

    /// Refuses a remote that holds a secret, or that has a component which is not what it looks like.
    pub fn judge(&self) -> Result<(), Refusal> {
        for (option, value) in &self.options() {
            if is_secret(option) || shows_secret(value) {
                return Err(secret_in_remote(self.kind(), option));
            }
            if is_flag(option) {
                return Err(flag_in_remote(self.kind(), option));
            }
        }
        // A URL that is in no quotes ends the options by its colon.
        if names_user(&self.to_string()) {
            return Err(secret_in_remote(self.kind(), "url"));
        }
        let shown = shown(&self.to_string());
        if let Some(found) = self.to_string().chars().find(|&found| is_unseen(found)) {
            return Err(Refusal::new(
                "control_character",
                format!(
                    "the remote {shown} has a character that cannot be seen (U+{:04X})",
                    u32::from(found)
                ),
                "type it anew; in YAML give it in single quotes",
            ));
        }
        if self.path.contains('\\') {
            return Err(Refusal::new(
                "backslash_in_remote",
                format!("the remote {shown} has a \\, which is a letter of a name there"),
                "write / between its folders: 'smb-old:c$/MailArchive'",
            ));
        }
        for component in self.components() {
            if component.trim() != component {
                return Err(Refusal::new(
                    "blank_in_path",
                    format!("the remote {shown} has a blank at an end of the component `{component}`"),
                    "remove the blank",
                ));
            }
            if component == "." || component == ".." {
                return Err(Refusal::new(
                    "dots_in_path",
                    format!("the remote {shown} has the component `{component}`"),
                    "give the remote without it",
                ));
            }
        }
        Ok(())
    }

    /// The components of its path.
    fn components(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').filter(|component| !component.is_empty())
    }

    /// The kind of a connection string, or the name.
    fn kind(&self) -> &str {
        self.name.split(',').next().unwrap_or_default()
    }

    /// The options of a connection string, with their values.
    fn options(&self) -> Vec<(String, String)> {
        Head::of(&self.to_string()).map_or_else(Vec::new, |head| head.options)
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.path)
    }
}

/// Refuses a target that is a whole storage, or a whole share of one. A bucket is no share: nothing but files is in it. `kind` is
/// that of the storage, where it is known.
pub fn judge_target(target: &Remote, kind: Option<&str>) -> Result<(), Refusal> {
    let is_share = kind == Some("smb") || target.path.trim_end_matches('/').ends_with('$');
    if is_share && target.is_uppermost() && !target.is_root() {
        return Err(Refusal::new(
            "target_is_root",
            format!("the target {} is the root of a share", shown(&target.to_string())),
            "give a folder in it",
        ));
    }
    if target.is_root() {
        return Err(Refusal::new(
            "target_is_root",
            format!("the target {} is the root of a remote", shown(&target.to_string())),
            "give a folder in it",
        ));
    }
    Ok(())
}

/// Refuses two folders of one remote of which one is the other or lies inside it. Without regard to case, since the storage
/// may have none. Whether two names lead to one storage cannot be told from here.
pub fn judge_pair(from: &Remote, to: &Remote) -> Result<(), Refusal> {
    if from.name.to_lowercase() != to.name.to_lowercase() {
        return Ok(());
    }
    let folded = |remote: &Remote| remote.components().map(str::to_lowercase).collect::<Vec<_>>();
    let (source, target) = (folded(from), folded(to));
    let (code, reason) = match (target.starts_with(&source), source.starts_with(&target)) {
        (false, false) => return Ok(()),
        (true, true) => ("same_folder", format!("source {from} and target {to} are the same folder")),
        (true, false) => ("target_inside_source", format!("the target {to} lies inside {from}")),
        (false, true) => ("source_inside_target", format!("the source {from} lies inside {to}")),
    };
    Err(Refusal::new(code, reason, "give two folders of which none holds the other"))
}

/// What stands before the path, read as rclone reads it: `NAME,option=value,option="with , and :":`. Only a value that begins
/// with a quote is in quotes, and a doubled quote in it is one.
struct Head {
    /// Where the colon before the path is.
    end: usize,
    options: Vec<(String, String)>,
}

impl Head {
    /// `None` where there is none: a separator before the colon makes it a path.
    fn of(text: &str) -> Option<Self> {
        let begin = usize::from(text.starts_with(':'));
        let mut end = begin + text[begin..].find([',', ':', '/', '\\'])?;
        let mut options = Vec::new();
        while text[end..].starts_with(',') {
            let begin = end + 1;
            end = begin + text[begin..].find([',', ':', '='])?;
            let option = text[begin..end].to_owned();
            let mut value = String::new();
            if text[end..].starts_with('=') {
                let length;
                (value, length) = value_at_start(&text[end + 1..])?;
                end += 1 + length;
            }
            options.push((option, value));
        }
        (end > 0 && text[end..].starts_with(':')).then_some(Self { end, options })
    }
}

/// The value that a text begins with, and how much of the text it is.
fn value_at_start(text: &str) -> Option<(String, usize)> {
    let Some(quote) = text.chars().next().filter(|first| matches!(first, '"' | '\'')) else {
        let end = text.find([',', ':'])?;
        return Some((text[..end].to_owned(), end));
    };
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() {
            return Some((value, at + 1));
        }
        value.push(letter);
    }
    None
}

/// Whether an option is one by which later rclones set a flag: for this remote, or for all of the call.
pub fn is_flag(option: &str) -> bool {
    let option = option.trim().to_ascii_lowercase();
    ["override.", "global."].iter().any(|lead| option.starts_with(lead))
}

/// Whether a value shows a secret, whatever its option is called: a URL that names a user, or one with an option that is a secret, as
/// a remote within a remote has it, too.
pub fn shows_secret(value: &str) -> bool {
    let parts = value.split([',', ' ', '"', '\'', '?', '&']);
    names_user(value) || parts.filter_map(|part| part.split_once('=')).any(|(option, _)| is_secret(option))
}

/// Whether a URL in a text names a user, mostly with a password: `http://me:password@old/`.
fn names_user(text: &str) -> bool {
    let hosts = text.split("://").skip(1).filter_map(|rest| rest.split(['/', '?', '#']).next());
    hosts.into_iter().any(|host| host.contains('@'))
}

/// Whether an option of a remote is one that nobody else may know.
pub fn is_secret(option: &str) -> bool {
    let option = option.trim().to_ascii_lowercase().replace('-', "_");
    [
        "pass",
        "password",
        "password2",
        "passphrase",
        "passwd",
        "token",
        "secret",
        "key",
        "pem",
        "credentials",
        "cookie",
        "cookies",
        "sas_url",
        "access_grant",
        "bearer_token_command",
        "headers",
        "key_base64",
    ]
    .iter()
    .any(|end| option == *end || option.ends_with(&format!("_{end}")) || option.ends_with("client_secret"))
}

fn secret_in_remote(kind: &str, option: &str) -> Refusal {
    Refusal::new(
        "secret_in_remote",
        format!(
            "the remote {} has the option {} in it, which everyone who can list processes would see",
            shown(&format!("{kind}…:")),
            shown(option)
        ),
        "give the remote a name, and its options by `environment:` (`RCLONE_CONFIG_NAME_TYPE`, `RCLONE_CONFIG_NAME_PASS`)",
    )
}

fn flag_in_remote(kind: &str, option: &str) -> Refusal {
    Refusal::new(
        "flag_in_remote",
        format!(
            "the remote {} sets a flag of rclone's by {}, by which the pass would mean something else",
            shown(&format!("{kind}…:")),
            shown(option)
        ),
        "say it by the step's fields or `extra_args`",
    )
}

/// Control characters, and marks that turn or hide what follows.
fn is_unseen(found: char) -> bool {
    found.is_control()
        || matches!(found, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// In backticks, with what cannot be seen spelled out.
fn shown(text: &str) -> String {
    let mut shown = String::from("`");
    for found in text.chars() {
        match is_unseen(found) {
            true => shown.extend(found.escape_unicode()),
            false => shown.push(found),
        }
    }
    shown.push('`');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(text: &str) -> Remote {
        Remote::of(text).unwrap_or_else(|| panic!("{text} is no remote"))
    }

    #[test]
    fn a_name_of_two_letters_or_more_before_a_colon_is_a_remote() {
        for (text, path) in [
            ("smb-old:c$/MailArchive", "c$/MailArchive"),
            ("dav:", ""),
            ("ab:x:y", "x:y"),
            ("my drive:x", "x"),
            (":smb,host=old,port=445:c$/x", "c$/x"),
            (":webdav,url='http://old:8080/x':sub", "sub"),
            ("dav,vendor=other:x", "x"),
        ] {
            assert_eq!(remote(text).path, path, "{text}");
            assert_eq!(remote(text).to_string(), text);
        }
    }

    #[test]
    fn a_path_is_no_remote() {
        for text in [
            r"D:\MailArchive",
            "D:",
            "d:x",
            "/srv/a:b",
            "./a:b",
            r"\\old\c$\x",
            r"\\?\D:\x",
            "archive",
            "",
            ":",
            "::x",
            "a*b:x",
        ] {
            assert_eq!(Remote::of(text), None, "{text}");
        }
    }

    #[test]
    fn a_connection_string_with_a_secret_is_refused_and_the_secret_is_not_repeated() {
        for text in
            [":smb,host=old,pass=CANARY:c$/x", "dav,bearer_token=CANARY:x", ":s3,secret_access_key=CANARY:b"]
        {
            let refusal = remote(text).judge().unwrap_err();
            assert_eq!(refusal.code, "secret_in_remote", "{text}");
            assert!(!refusal.reason.contains("CANARY") && !refusal.hint.contains("CANARY"));
        }
        assert_eq!(remote(":smb,host=old,user=me,port=445:c$/x").judge(), Ok(()));
        assert_eq!(remote(":webdav,url='http://old:8080/a@b':x").judge(), Ok(()));
        assert_eq!(remote(":s3,access_key_id=AKIA:b/x").judge(), Ok(()));
    }

    #[test]
    fn a_secret_is_found_in_a_url_in_a_remote_within_and_behind_a_quote() {
        for text in [
            r#":webdav,url="http://me:CANARY@old":x"#,
            ":webdav,url=http://me:CANARY@old:x",
            "dav,url='https://CANARY@old/x':x",
            ":webdav,headers='Authorization,Bearer CANARY':x",
            ":storj,access_grant=CANARY:x",
            ":webdav,bearer_token_command='echo CANARY':x",
            r#":alias,remote=":smb,host=old,pass=CANARY:c$":x"#,
            ":smb,user=o'brien,pass=CANARY:c$/x",
            r#":smb,user="a"", b:",pass=CANARY:c$/x"#,
            ":http,url='https://old/?token=CANARY':x",
        ] {
            let refusal = remote(text).judge().unwrap_err();
            assert_eq!(refusal.code, "secret_in_remote", "{text}");
            assert!(!refusal.reason.contains("CANARY") && !refusal.hint.contains("CANARY"), "{text}");
        }
    }

    #[test]
    fn a_flag_by_a_connection_string_is_refused() {
        for text in
            [":smb,host=old,override.dry_run=true:c$/x", "old,global.max_delete=1:x", "old,Global.x:x"]
        {
            assert_eq!(remote(text).judge().unwrap_err().code, "flag_in_remote", "{text}");
        }
    }

    #[test]
    fn a_share_is_no_target_and_a_bucket_is() {
        let code = |text: &str, kind: Option<&str>| {
            judge_target(&remote(text), kind).map_or_else(|refusal| refusal.code, |()| "a target")
        };
        assert_eq!(code("old:c$", None), "target_is_root");
        assert_eq!(code("old:c$/", None), "target_is_root");
        assert_eq!(code("old:archive", Some("smb")), "target_is_root");
        assert_eq!(code("old:archive/x", Some("smb")), "a target");
        assert_eq!(code("old:archive", Some("s3")), "a target");
    }

    #[test]
    fn a_remote_of_this_machine_is_a_folder() {
        assert_eq!(remote(":local:/x/old").folder(), Some(Path::new("/x/old")));
        assert_eq!(remote(":local,nounc=true:/x").folder(), Some(Path::new("/x")));
        assert_eq!(remote("local:/x").folder(), None);
    }

    #[test]
    fn a_component_that_is_not_what_it_looks_like_is_refused() {
        for (text, code) in [
            ("old:c$/ MailArchive", "blank_in_path"),
            ("old:c$/MailArchive ", "blank_in_path"),
            ("old:a/../b", "dots_in_path"),
            (r"old:c$\MailArchive", "backslash_in_remote"),
            ("old:a\tb", "control_character"),
            ("old:a\u{202e}b", "control_character"),
        ] {
            assert_eq!(remote(text).judge().unwrap_err().code, code, "{text:?}");
        }
        assert_eq!(remote("old:c$/Mail Archive").judge(), Ok(()));
    }

    #[test]
    fn the_root_of_a_remote_is_no_target() {
        assert_eq!(judge_target(&remote("old:"), None).unwrap_err().code, "target_is_root");
        assert_eq!(judge_target(&remote("old:/"), None).unwrap_err().code, "target_is_root");
        assert_eq!(judge_target(&remote("old:x"), None), Ok(()));
    }

    #[test]
    fn folders_of_one_remote_that_hold_each_other_are_refused() {
        let code = |from: &str, to: &str| {
            judge_pair(&remote(from), &remote(to)).map_or_else(|refusal| refusal.code, |()| "apart")
        };
        assert_eq!(code("old:a", "old:a/"), "same_folder");
        assert_eq!(code("old:A", "OLD:a"), "same_folder");
        assert_eq!(code("old:a", "old:a/b"), "target_inside_source");
        assert_eq!(code("old:", "old:a"), "target_inside_source");
        assert_eq!(code("old:a/b", "old:a"), "source_inside_target");
        assert_eq!(code("old:a", "old:ab"), "apart");
        assert_eq!(code("old:a", "new:a"), "apart");
    }

    #[test]
    fn a_quarantine_is_beside_its_target() {
        let quarantine = |text: &str| remote(text).quarantine("run", 2).to_string();
        assert_eq!(quarantine("old:c$/Mail/"), "old:c$/Mail.movebook-quarantine/run/2");
        assert_eq!(quarantine("old:/srv/mail"), "old:/srv/mail.movebook-quarantine/run/2");
        assert!(remote("old:c$").is_uppermost() && !remote("old:c$/Mail").is_uppermost());
    }

    #[test]
    fn an_identity_is_the_same_however_the_remote_is_written() {
        assert_eq!(remote("old:/a//b/").identity(), remote("old:a/b").identity());
        assert_eq!(remote("old:a/b").identity(), "rclone:old:a/b");
    }
}
