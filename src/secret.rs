//! Values that must not be seen.
//!
//! A secret never shows itself: `Debug` prints `***`, it is not serialised, and its memory is cleared when dropped.
//! What reaches a person, a file or a pipe passes a [`Redactor`] that knows every secret of the run: masking places
//! in templates would leak through `{% set %}` and loops.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, RwLock};

use zeroize::Zeroizing;

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// A text that is shown to nobody.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Shorter secrets cannot be kept out of what is printed without spoiling it, and are refused.
    pub const SHORTEST: usize = 4;

    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one who needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Knows every secret of a run and takes them out of texts. Clones share what they know.
#[derive(Clone, Debug, Default)]
pub struct Redactor(Arc<RwLock<Vec<Secret>>>);

impl Redactor {
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns a secret, as it is and as it looks inside a JSON string, line by line.
    pub fn learn(&self, secret: &Secret) {
        let mut forms = vec![secret.expose().to_owned()];
        forms.extend(secret.expose().lines().map(str::to_owned));
        let escaped: Vec<String> = forms.iter().filter_map(|form| json_body(form)).collect();
        forms.extend(escaped);
        let mut known = self.write();
        for form in forms {
            let form = form.trim();
            if form.len() >= Secret::SHORTEST && !known.iter().any(|known| known.expose() == form) {
                known.push(Secret::new(form.to_owned()));
            }
        }
        // The longest first: a secret may be part of another one.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    }

    /// The text without any secret.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let known = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut clean = Cow::Borrowed(text);
        for secret in known.iter() {
            if clean.contains(secret.expose()) {
                clean = Cow::Owned(clean.replace(secret.expose(), MASK));
            }
        }
        clean
    }

    /// Whether the text holds a secret.
    pub fn finds(&self, text: &str) -> bool {
        let known = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.iter().any(|secret| text.contains(secret.expose()))
    }

    /// Takes the secrets out of every text of a JSON value. Keys are the language's own words and stay.
    pub fn redact_json(&self, value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) => {
                if let Cow::Owned(clean) = self.redact(text) {
                    *text = clean;
                }
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(|item| self.redact_json(item)),
            serde_json::Value::Object(members) => {
                members.values_mut().for_each(|member| self.redact_json(member))
            }
            _ => {}
        }
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Vec<Secret>> {
        self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The text as it stands between the quotes of a JSON string, where that differs.
fn json_body(text: &str) -> Option<String> {
    let quoted = serde_json::to_string(text).ok()?;
    let body = &quoted[1..quoted.len() - 1];
    (body != text).then(|| body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(secrets: &[&str]) -> Redactor {
        let redactor = Redactor::new();
        for secret in secrets {
            redactor.learn(&Secret::new((*secret).to_owned()));
        }
        redactor
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", Secret::new("canary".into())), "***");
    }

    #[test]
    fn the_longer_of_two_nested_secrets_leaves_nothing_behind() {
        assert_eq!(redactor(&["abcd", "abcdefgh"]).redact("x abcdefgh y abcd"), "x *** y ***");
    }

    #[test]
    fn a_secret_is_found_in_its_json_form_too() {
        let redactor = redactor(&["say \"moo\"\\now"]);
        let line = serde_json::to_string("it is say \"moo\"\\now.").unwrap();
        assert_eq!(redactor.redact(&line), "\"it is ***.\"");
    }

    #[test]
    fn each_line_of_a_secret_is_secret() {
        assert_eq!(redactor(&["first line\nsecond line\n"]).redact("got: second line"), "got: ***");
    }

    #[test]
    fn texts_inside_json_are_redacted_and_its_keys_and_numbers_stay() {
        let mut value = serde_json::json!({"files": ["4711 files", 4711]});
        redactor(&["files", "4711"]).redact_json(&mut value);
        assert_eq!(value, serde_json::json!({"files": ["*** ***", 4711]}));
    }
}
