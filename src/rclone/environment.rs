//! The environment that rclone gets from a step: the options of its remotes, and no flag.
//!
//! Pure. rclone reads `RCLONE_CONFIG_NAME_OPTION` as an option of the remote NAME, and `RCLONE_FLAG` as a flag: the former
//! are what a step's `environment` is for, the latter would change what a pass means and are refused.

use indexmap::IndexMap;

use super::remote::{self, Remote, is_secret, shows_secret};

/// What variables that configure a remote begin with.
const OPTIONS: &str = "RCLONE_CONFIG_";
/// Those of rclone's own that say where its configuration is, and nothing of a pass.
const HARMLESS: [&str; 6] = [
    "RCLONE_CONFIG",
    "RCLONE_CONFIG_DIR",
    "RCLONE_CONFIG_PASS",
    "RCLONE_PASSWORD_COMMAND",
    "RCLONE_CACHE_DIR",
    "RCLONE_TEMP_DIR",
];

/// Whether a variable is a flag of rclone's, by which a pass would be another one.
pub fn is_flag(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    if name.starts_with(OPTIONS) {
        return name.match_indices('_').any(|(at, _)| remote::is_flag(&name[at + 1..]));
    }
    name.starts_with("RCLONE_") && !HARMLESS.contains(&name.as_str())
}

/// Whether rclone expects the value obscured: movebook is given it plain, and has rclone obscure it.
pub fn is_obscured(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name != "RCLONE_CONFIG_PASS"
        && name.starts_with(OPTIONS)
        && ["_PASS", "_PASSWORD", "_PASSWORD2"].iter().any(|end| name.ends_with(end))
}

/// Whether a value may only be given by a secret variable, by its variable's name or by what it holds.
pub fn holds_secret(name: &str, value: &str) -> bool {
    is_secret(name) || shows_secret(value)
}

/// The kind of a remote's storage (`smb`), where it is not rclone's own configuration that says it.
pub fn kind_of<'a>(given: &'a IndexMap<String, String>, remote: &'a Remote) -> Option<&'a str> {
    match remote.configured_name() {
        None => remote.own_kind(),
        Some(name) => {
            let name = name.to_uppercase();
            let says_kind = |variable: &str| {
                [name.clone(), plain(&name)]
                    .iter()
                    .any(|name| option(variable, name).as_deref() == Some("TYPE"))
            };
            given.iter().find(|(variable, _)| says_kind(variable)).map(|(_, kind)| kind.as_str())
        }
    }
}

/// The variables with each remote's options under the name that rclone looks them up by: a hyphen, or another letter that
/// names of variables seldom have, is written as `_` in a runbook (`RCLONE_CONFIG_SMB_OLD_HOST` for `smb-old:`).
pub fn for_remotes<'a>(
    given: impl IntoIterator<Item = (&'a String, &'a String)>,
    remotes: &[&Remote],
) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (name, value) in given {
        for remote in remotes.iter().filter_map(|remote| remote.configured_name()) {
            let exact = remote.to_uppercase();
            let plain = plain(&exact);
            let option = option(name, &plain);
            if let Some(option) = option.filter(|_| plain != exact) {
                all.push((format!("{OPTIONS}{exact}_{option}"), value.clone()));
            }
        }
        all.push((name.clone(), value.clone()));
    }
    all
}

/// The option of a remote, whose name is in capital letters, that a variable sets.
fn option(variable: &str, remote: &str) -> Option<String> {
    let variable = variable.to_ascii_uppercase();
    let option = variable.strip_prefix(OPTIONS)?.strip_prefix(remote)?.strip_prefix('_')?;
    Some(option.to_owned())
}

/// A name as variables have it.
fn plain(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_told_from_options_of_remotes() {
        for name in [
            "RCLONE_DRY_RUN",
            "RCLONE_EXCLUDE",
            "RCLONE_LOG_FILE",
            "rclone_max_delete",
            "RCLONE_SMB_PASS",
            "RCLONE_CONFIG_OLD_OVERRIDE.DRY_RUN",
            "RCLONE_CONFIG_OLD_global.max_delete",
        ] {
            assert!(is_flag(name), "{name}");
        }
        for name in
            ["RCLONE_CONFIG", "RCLONE_CONFIG_PASS", "RCLONE_CONFIG_OLD_TYPE", "HTTPS_PROXY", "AWS_PROFILE"]
        {
            assert!(!is_flag(name), "{name}");
        }
    }

    #[test]
    fn passwords_are_known_by_their_names() {
        for name in ["RCLONE_CONFIG_OLD_PASS", "RCLONE_CONFIG_A_KEY_FILE_PASS", "RCLONE_CONFIG_C_PASSWORD2"] {
            assert!(is_obscured(name) && holds_secret(name, ""), "{name}");
        }
        for name in
            ["RCLONE_CONFIG_PASS", "RCLONE_CONFIG_OLD_USER", "RCLONE_CONFIG_OLD_BEARER_TOKEN", "MY_PASS"]
        {
            assert!(!is_obscured(name), "{name}");
        }
        assert!(
            holds_secret("RCLONE_CONFIG_OLD_BEARER_TOKEN", "")
                && holds_secret("RCLONE_CONFIG_S3_SECRET_ACCESS_KEY", "")
        );
        assert!(
            !holds_secret("RCLONE_CONFIG_OLD_HOST", "old")
                && !holds_secret("RCLONE_CONFIG_S3_ACCESS_KEY_ID", "AKIA")
        );
    }

    #[test]
    fn a_secret_is_known_by_what_a_value_holds() {
        for (name, value) in [
            ("RCLONE_CONFIG_OLD_URL", "http://me:password@old/"),
            ("RCLONE_CONFIG_OLD_HEADERS", "Authorization,Bearer x"),
            ("RCLONE_CONFIG_OLD_REMOTE", ":smb,host=old,pass=x:c$"),
            ("RCLONE_CONFIG_OLD_ACCESS_GRANT", "x"),
            ("HTTPS_PROXY", "http://me:password@proxy:3128"),
        ] {
            assert!(holds_secret(name, value), "{name}");
        }
        assert!(!holds_secret("RCLONE_CONFIG_OLD_URL", "http://old:8080/a@b?c=d"));
    }

    #[test]
    fn the_kind_of_a_storage_is_told_by_the_remote_or_its_options() {
        let given = IndexMap::from([("RCLONE_CONFIG_SMB_OLD_TYPE".to_owned(), "smb".to_owned())]);
        let kind = |text: &str| kind_of(&given, &Remote::of(text).unwrap()).map(str::to_owned);
        assert_eq!(kind("smb-old:c$").as_deref(), Some("smb"));
        assert_eq!(kind(":local:/x").as_deref(), Some("local"));
        assert_eq!(kind("other:x"), None);
    }

    #[test]
    fn a_remote_with_a_hyphen_finds_its_options() {
        let given = [
            ("RCLONE_CONFIG_SMB_OLD_HOST".to_owned(), "old".to_owned()),
            ("RCLONE_CONFIG_OTHER_HOST".to_owned(), "x".to_owned()),
        ];
        let (hyphen, plain) = (Remote::of("smb-old:c$").unwrap(), Remote::of("smb_old:c$").unwrap());
        let names = |remote: &Remote| -> Vec<String> {
            let all = for_remotes(given.iter().map(|(name, value)| (name, value)), &[remote]);
            all.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(
            names(&hyphen),
            ["RCLONE_CONFIG_SMB-OLD_HOST", "RCLONE_CONFIG_SMB_OLD_HOST", "RCLONE_CONFIG_OTHER_HOST"]
        );
        assert_eq!(names(&plain), ["RCLONE_CONFIG_SMB_OLD_HOST", "RCLONE_CONFIG_OTHER_HOST"]);
    }
}
