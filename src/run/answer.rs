//! Judges an answer to a question and makes it what the journal keeps.
//!
//! A wrong answer changes nothing; of a secret one only a hash leaves this module.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::operator::{Given, GivenAnswer};
use crate::plan::{AnswerKind, Evidence};
use crate::secret::{Redactor, Secret};
use crate::state::answer_hash;
use crate::state::record::{Answer, EvidenceFile, Prompt};

/// An answer that fits its question.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub answer: Answer,
    pub note: Option<String>,
    pub evidence: Option<EvidenceFile>,
}

/// Why an answer is not taken, as a sentence for the one who gave it.
#[derive(Debug, thiserror::Error)]
pub enum Objection {
    #[error("an answer is expected: {0}")]
    WrongKind(String),
    #[error("an empty answer says nothing")]
    Empty,
    #[error("`{given}` is not one of the choices: {choices}")]
    NotAChoice { given: String, choices: String },
    #[error("it differs from what was given at step {0}; type it again")]
    Differs(String),
    #[error("step {0} has no answer to compare with yet")]
    NothingToCompare(String),
    #[error("a secret of fewer than {} characters cannot be kept out of what is printed", Secret::SHORTEST)]
    TooShort,
    #[error("this checkpoint wants a note that says how it was done")]
    NoNote,
    #[error("this checkpoint wants a file as evidence")]
    NoFile,
    #[error("cannot read the evidence {path}: {error}")]
    Unreadable { path: String, error: io::Error },
    #[error("cannot hash the answer: {0}")]
    Hash(String),
}

/// Judges an answer. `earlier` gives the kept answer of another step, for `same_as`.
pub fn judge(
    prompt: &Prompt,
    given: GivenAnswer,
    redactor: &Redactor,
    earlier: impl Fn(&str) -> Option<Answer>,
) -> Result<Accepted, Objection> {
    let answer = match (&prompt.answer, given.value) {
        (AnswerKind::Confirm, Given::Confirmed) => Answer::Confirmed,
        (AnswerKind::Text, Given::Text(text)) if text.trim().is_empty() => return Err(Objection::Empty),
        (AnswerKind::Text, Given::Text(text)) => Answer::Text(redactor.redact(text.trim()).into_owned()),
        (AnswerKind::Choice(choices), Given::Text(key)) => match choices.contains_key(key.trim()) {
            true => Answer::Choice(key.trim().to_owned()),
            false => {
                let choices = choices.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                return Err(Objection::NotAChoice { given: redactor.redact(&key).into_owned(), choices });
            }
        },
        (AnswerKind::Secret, Given::Secret(secret)) => secret_answer(prompt, &secret, redactor, earlier)?,
        (kind, _) => return Err(Objection::WrongKind(wanted(kind))),
    };
    let note = given
        .note
        .map(|note| redactor.redact(note.trim()).into_owned())
        .filter(|note| note.contains(char::is_alphanumeric));
    let evidence = match &given.evidence {
        None => None,
        Some(path) => Some(
            evidence_file(path)
                .map_err(|error| Objection::Unreadable { path: path.display().to_string(), error })?,
        ),
    };
    match prompt.evidence {
        Evidence::Note if note.is_none() => Err(Objection::NoNote),
        Evidence::File if evidence.is_none() => Err(Objection::NoFile),
        _ => Ok(Accepted { answer, note, evidence }),
    }
}

/// What an answer of this kind looks like, for people.
pub fn wanted(kind: &AnswerKind) -> String {
    match kind {
        AnswerKind::Confirm => "a confirmation".to_owned(),
        AnswerKind::Text => "a text".to_owned(),
        AnswerKind::Secret => "a secret, from a prompt, a file or standard input".to_owned(),
        AnswerKind::Choice(choices) => {
            format!("one of {}", choices.keys().cloned().collect::<Vec<_>>().join(", "))
        }
    }
}

fn secret_answer(
    prompt: &Prompt,
    secret: &Secret,
    redactor: &Redactor,
    earlier: impl Fn(&str) -> Option<Answer>,
) -> Result<Answer, Objection> {
    if secret.expose().is_empty() {
        return Err(Objection::Empty);
    }
    if secret.expose().chars().count() < Secret::SHORTEST {
        return Err(Objection::TooShort);
    }
    redactor.learn(secret);
    if let Some(step) = &prompt.same_as {
        let Some(Answer::Secret(kept)) = earlier(step) else {
            return Err(Objection::NothingToCompare(step.clone()));
        };
        match answer_hash::matches(&kept, secret.expose()) {
            Ok(true) => {}
            Ok(false) => return Err(Objection::Differs(step.clone())),
            Err(error) => return Err(Objection::Hash(error.to_string())),
        }
    }
    answer_hash::hash(secret.expose()).map(Answer::Secret).map_err(|error| Objection::Hash(error.to_string()))
}

fn evidence_file(path: &Path) -> io::Result<EvidenceFile> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut block = vec![0; 256 * 1024];
    let mut bytes = 0;
    loop {
        match file.read(&mut block)? {
            0 => break,
            read => {
                hasher.update(&block[..read]);
                bytes += read as u64;
            }
        }
    }
    let name = std::path::absolute(path)?.display().to_string();
    Ok(EvidenceFile { name, bytes, blake3: hasher.finalize().to_hex().to_string() })
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;

    fn prompt(answer: AnswerKind) -> Prompt {
        Prompt { ask: "?".into(), instructions: None, answer, evidence: Evidence::None, same_as: None }
    }

    fn given(value: Given) -> GivenAnswer {
        GivenAnswer { value, note: None, evidence: None }
    }

    fn secret(text: &str) -> GivenAnswer {
        given(Given::Secret(Secret::new(text.to_owned())))
    }

    #[test]
    fn a_choice_must_be_one_of_the_choices() {
        let choices =
            IndexMap::from([("trial".to_owned(), String::new()), ("second".to_owned(), String::new())]);
        let prompt = prompt(AnswerKind::Choice(choices));
        let objection =
            judge(&prompt, given(Given::Text("trail".into())), &Redactor::new(), |_| None).unwrap_err();
        assert_eq!(objection.to_string(), "`trail` is not one of the choices: trial, second");
        let accepted =
            judge(&prompt, given(Given::Text(" trial\n".into())), &Redactor::new(), |_| None).unwrap();
        assert_eq!(accepted.answer, Answer::Choice("trial".into()));
    }

    #[test]
    fn a_confirmation_does_not_answer_a_secret() {
        let objection =
            judge(&prompt(AnswerKind::Secret), given(Given::Confirmed), &Redactor::new(), |_| None)
                .unwrap_err();
        assert!(objection.to_string().contains("a secret"), "{objection}");
    }

    #[test]
    fn of_a_secret_only_a_hash_is_kept_and_the_redactor_learns_it() {
        let redactor = Redactor::new();
        let accepted =
            judge(&prompt(AnswerKind::Secret), secret("canary-4711"), &redactor, |_| None).unwrap();
        let Answer::Secret(hash) = &accepted.answer else { panic!("{accepted:?}") };
        assert!(hash.starts_with("$argon2id$") && !hash.contains("canary"), "{hash}");
        assert_eq!(redactor.redact("the canary-4711"), "the ***");
    }

    #[test]
    fn a_secret_that_must_repeat_another_is_compared_with_it() {
        let kept = Answer::Secret(answer_hash::hash("the-recovery-key").unwrap());
        let mut prompt = prompt(AnswerKind::Secret);
        prompt.same_as = Some("key".into());
        let earlier = |step: &str| (step == "key").then(|| kept.clone());
        assert!(judge(&prompt, secret("the-recovery-key"), &Redactor::new(), earlier).is_ok());
        let objection = judge(&prompt, secret("the-recovery-kay"), &Redactor::new(), earlier).unwrap_err();
        assert!(matches!(objection, Objection::Differs(step) if step == "key"));
    }

    #[test]
    fn evidence_that_is_asked_for_must_come() {
        let mut prompt = prompt(AnswerKind::Confirm);
        prompt.evidence = Evidence::Note;
        assert!(matches!(
            judge(&prompt, given(Given::Confirmed), &Redactor::new(), |_| None),
            Err(Objection::NoNote)
        ));
        prompt.evidence = Evidence::File;
        let answer =
            GivenAnswer { value: Given::Confirmed, note: None, evidence: Some("/no/such/file".into()) };
        assert!(matches!(
            judge(&prompt, answer, &Redactor::new(), |_| None),
            Err(Objection::Unreadable { .. })
        ));
    }
}
