//! What the MailStore runbook as it ships is answered.

/// What the file `key` holds.
pub const KEY: &str = "recovery-key-4711";

/// What the runbook asks for that is more than a confirmation.
pub const ANSWERS: [&str; 9] = [
    "--answer=versions=readable",
    "--answer=licensing=transfer",
    "--answer=profiles=All users, every 300 seconds",
    "--answer-file=recovery-key-at-hand=key",
    "--answer-file=encryption=key",
    "--answer=profiles-manual=yes",
    "--note=profiles-manual=all of them are manual",
    "--answer=in-the-backup=yes",
    "--note=in-the-backup=job 7",
];
