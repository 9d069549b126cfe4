//! What of a script's line must not be shown: passwords and the like are covered wherever a line is told.
//!
//! Better too much than too little: what looks like a secret is covered even where it may be none.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::variables::Held;

/// What stands in the place of a secret.
pub const COVER: &str = "****";

/// Shorter values are found in many texts that have nothing to do with them.
const SHORTEST: usize = 4;

/// A word for a secret in the name of a switch or a variable.
const NAME: &str = r"(?:pass(?:w(?:or)?d|phrase|wort)?|pwd?|psk|kennwort|secret|token|credential|api[-_]?key|access[-_]?key|account[-_]?key)";

/// A value: in quotes, or up to a blank.
const VALUE: &str = r#"(?:"[^"\n]*"?|'[^'\n]*'?|[^\s,;&|"']+)"#;

/// Each has one group in front of the secret, the secret, and nothing behind it.
fn patterns() -> &'static [Regex] {
    static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        [
            // What a batch file sets may have blanks in it, and what PowerShell sets is an expression.
            format!(r#"(?i)(\bset\s+(?:/\w\s+)?"?[\w-]*{NAME}[\w-]*\s*=)[^\n"&|]+"#),
            format!(r"(?i)(\$[\w:]*{NAME}\w*\s*=\s*)[^\n;]+"),
            // `--password x`, `-Password:x`, `/pass:x`, `--smb-pass=x`
            format!(r"(?i)([-/][\w-]*{NAME}[\w-]*(?:\s*[=:]\s*|\s+)){VALUE}"),
            // `PASSWORD=x`, `$password = 'x'`, `:smb,pass=x:`, `pass: x`
            format!(r"(?i)((?:\b|_|\$)[\w-]*{NAME}[\w-]*\s*[=:]\s*){VALUE}"),
            // `/user:name x`, of `net use` and `runas`
            format!(r"(?i)(/u(?:ser)?:{VALUE}\s+){VALUE}"),
            format!(r"(?i)(ConvertTo-SecureString\s+(?:-String\s+)?){VALUE}"),
            format!(r"(?i)(\b(?:Bearer|Basic)\s+){VALUE}"),
            // `psexec -p x`, `schtasks /rp x`, `sshpass -px`, `curl -u name:x`
            format!(r"(?i)(\b(?:psexec|plink|pscp|winscp|sshpass|schtasks|mysql\w*|wmic)\b[^\n]*?\s[-/](?:rp|pw|p)\s*[:=]?\s*){VALUE}"),
            // `7z a -px`, `smbclient -U name%x`
            format!(r"(?i)(\b(?:7z\w*|rar|winrar|unrar|zip)\b[^\n]*?\s-h?p){VALUE}"),
            format!(r"(?i)(\s(?:-U|--user(?:name)?)[\s=]*[^\s%]+%){VALUE}"),
            format!(r"(?i)(\bcurl\b[^\n]*?\s(?:-u|--user)\s*[=:]?\s*[^\s:]+:){VALUE}"),
            // `ftp://name:x@host`
            r"(://[^\s/:@]+:)[^\s/@]+".to_owned(),
        ]
        .iter()
        .filter_map(|pattern| Regex::new(pattern).ok())
        .collect()
    });
    &PATTERNS
}

/// `net use X: \\server\share x`: of what it names, all but drives, shares and switches.
static NET_USE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)(\bnet(?:\.exe)?\s+use\s)([^\n&|]*)").ok());

const NET_USE_SWITCHES: &[&str] = &[
    "/user:",
    "/u:",
    "/persistent:",
    "/p:",
    "/transport:",
    "/delete",
    "/d",
    "/del",
    "/y",
    "/yes",
    "/no",
    "/n",
    "/savecred",
    "/smartcard",
    "/home",
    "/writethrough",
    "/requireintegrity",
    "/requireprivacy",
];

/// Knows what the variables of the scripts hold that are named like secrets.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    values: Vec<String>,
}

impl Secrets {
    pub fn learn(&mut self, held: &[Held]) {
        static SECRET: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("(?i){NAME}")).ok());
        let is_secret = |name: &str| SECRET.as_ref().is_none_or(|secret| secret.is_match(name));
        for Held { text, .. } in held.iter().filter(|held| is_secret(&held.name)) {
            let text = text.trim();
            if text.len() >= SHORTEST
                && !self.values.iter().any(|known| known == text)
                && self.values.len() < 100
            {
                self.values.push(text.to_owned());
            }
        }
    }

    /// The text with every secret covered.
    pub fn covered<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut covered = Cow::Borrowed(text);
        for value in &self.values {
            if covered.contains(value.as_str()) {
                covered = Cow::Owned(covered.replace(value.as_str(), COVER));
            }
        }
        for pattern in patterns() {
            if pattern.is_match(&covered) {
                covered = Cow::Owned(pattern.replace_all(&covered, format!("${{1}}{COVER}")).into_owned());
            }
        }
        if let Some(net_use) = NET_USE.as_ref().filter(|net_use| net_use.is_match(&covered)) {
            covered = Cow::Owned(
                net_use
                    .replace_all(&covered, |found: &regex::Captures<'_>| {
                        format!("{}{}", &found[1], covered_words(&found[2]))
                    })
                    .into_owned(),
            );
        }
        covered
    }
}

fn covered_words(text: &str) -> String {
    let is_known = |word: &str| {
        let bare = word.trim_matches('"');
        let lower = bare.to_lowercase();
        let is_variable = bare.len() > 2 && bare.starts_with('%') && bare.ends_with('%');
        bare == "*"
            || is_variable
            || bare.starts_with("\\\\")
            || ["2>", ">"].iter().any(|mark| bare.starts_with(mark))
            || NET_USE_SWITCHES.iter().any(|switch| match switch.ends_with(':') {
                true => lower.starts_with(switch),
                false => lower == *switch,
            })
            || (bare.len() == 2 && bare.ends_with(':'))
            || bare == COVER
    };
    let mut covered = String::new();
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        match word.is_empty() || is_known(word) {
            true => covered.push_str(piece),
            false => covered.push_str(&piece.replace(word, COVER)),
        }
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_covered() {
        for line in [
            r"net use Z: \\srv\share hunter22 /user:acme\admin",
            r"net use \\srv\share /user:acme\admin hunter22 /persistent:no",
            r#"NET.EXE USE \\srv\c$ "hunter22" /user:admin"#,
            r"net use Z: \\srv\share 2hunter22 /user:x",
            r"net use Z: \\srv\share %hunter22 /user:x",
            r"net use Z: \\srv\share *hunter22 /user:x",
            r"net use Z: \\srv\share /hunter22 /user:x",
            r"net use Z: \\srv\share \hunter22 /user:x",
            "plink -pw hunter22 host x",
            "7z a -phunter22 x.7z y",
            "smbclient -U user%hunter22 //h/x",
            "set PW=hunter22",
            "set PASSWORD=hunter22",
            "set \"ADMIN_PWD=x hunter22\"",
            "$password = 'hunter22'",
            "$secret = \"x\" + 'hunter22'",
            "$adminPassword = ConvertTo-SecureString \"hunter22\" -AsPlainText",
            "RSYNC_PASSWORD=hunter22 rsync a b",
            "rclone copy :smb,host=x,pass=hunter22:c$ D:\\new",
            "rclone copy a b --smb-pass=hunter22",
            "rclone copy a b --smb-pass hunter22",
            "cmdkey /add:srv /user:admin /pass:hunter22",
            r"psexec \\srv -u admin -p hunter22 net stop x",
            "sshpass -p hunter22 rsync a b",
            "curl -u admin:hunter22 https://x",
            "copy ftp://admin:hunter22@host/x",
            "curl -H \"Authorization: Bearer hunter22\" x",
            "runas /user:admin hunter22",
            "schtasks /create /ru admin /rp hunter22",
        ] {
            let covered = Secrets::default().covered(line).into_owned();
            assert!(!covered.contains("hunter22"), "{covered}");
            assert!(covered.contains(COVER), "{covered}");
        }
    }

    #[test]
    fn what_a_variable_with_such_a_name_holds_is_covered_everywhere() {
        let mut secrets = Secrets::default();
        secrets.learn(&[Held { name: "AdminPwd".to_owned(), text: "hunter22".to_owned() }]);
        assert_eq!(secrets.covered("tool hunter22"), "tool ****");
    }

    #[test]
    fn the_switch_in_front_of_a_secret_stays_whole() {
        assert_eq!(Secrets::default().covered("plink -pw hunter22 host"), "plink -pw **** host");
    }

    #[test]
    fn a_line_without_a_secret_stays_as_it_is() {
        for line in [
            r"robocopy \\old\c$\MailArchive D:\MailArchive *.dat /xf index* /s /r:2 /w:2 /minage:1",
            r#"net stop "MailStore Server""#,
            r"net use Z: /delete",
            r"net use Z: \\srv\share /persistent:no",
            "rsync -a --delete /srv/old/ /srv/new/",
        ] {
            assert_eq!(Secrets::default().covered(line), line);
        }
    }
}
