//! Asks on the terminal.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use inquire::{Confirm, InquireError, Password, PasswordDisplayMode, Select, Text};

use crate::event::Presence;
use crate::plan::{AnswerKind, Evidence};
use crate::report::words;
use crate::run::{Ask, Given, GivenAnswer, Operator, Reply};
use crate::secret::Secret;
use crate::state::record::{Prompt, Question};

/// The person at the terminal, if there is one.
pub struct AtTerminal;

/// Whether a prompt is on the screen: nothing is at work then, and a signal need not wait for anything.
static OPEN: AtomicBool = AtomicBool::new(false);

pub fn is_open() -> bool {
    OPEN.load(Ordering::SeqCst)
}

/// Gives the terminal back as it was before a prompt, for a process that is about to end in the middle of one.
pub fn leave_terminal() {
    // Whoever has no terminal any more needs none back.
    let _ = crossterm::terminal::disable_raw_mode();
    let _ = crossterm::execute!(std::io::stderr(), crossterm::cursor::Show);
}

/// Nobody: questions stay open.
pub struct Nobody;

impl Operator for Nobody {
    fn ask(&mut self, _: &Ask<'_>) -> Reply {
        Reply::Nobody
    }

    fn presence(&self) -> Presence {
        Presence::Elsewhere
    }
}

/// Asks for a yes or a no, with no as what a mere Enter means. `None`: there is nobody to ask.
pub fn confirm(question: &str, help: &str) -> crate::error::Result<Option<bool>> {
    use crate::error::{Error, ExitCode};

    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    OPEN.store(true, Ordering::SeqCst);
    let answered = Confirm::new(question).with_default(false).with_help_message(help).prompt();
    OPEN.store(false, Ordering::SeqCst);
    match answered {
        Ok(answer) => Ok(Some(answer)),
        Err(InquireError::OperationCanceled) => Ok(Some(false)),
        Err(InquireError::OperationInterrupted) => {
            Err(Error::new(ExitCode::Interrupted, "interrupted; nothing was changed"))
        }
        Err(_) => Ok(None),
    }
}

/// Who can be asked: only where both what is shown and what is typed are a terminal.
pub fn operator() -> Box<dyn Operator> {
    match std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        true => Box::new(AtTerminal),
        false => Box::new(Nobody),
    }
}

impl Operator for AtTerminal {
    fn presence(&self) -> Presence {
        Presence::Here
    }

    fn ask(&mut self, ask: &Ask<'_>) -> Reply {
        if let Some(objection) = ask.objection {
            anstream::eprintln!("  ! {}", words::name(objection));
        }
        OPEN.store(true, Ordering::SeqCst);
        let answered = answer(ask.prompt, ask.question);
        OPEN.store(false, Ordering::SeqCst);
        match answered {
            Ok(Some(given)) => Reply::Given(given),
            Ok(None) | Err(InquireError::OperationCanceled) => Reply::NotYet,
            Err(InquireError::OperationInterrupted) => Reply::Interrupted,
            Err(InquireError::NotTTY) => Reply::Nobody,
            Err(error) => {
                anstream::eprintln!("  ! cannot ask on this terminal: {error}");
                Reply::Nobody
            }
        }
    }
}

/// `None`: not yet.
fn answer(prompt: &Prompt, question: &Question) -> Result<Option<GivenAnswer>, InquireError> {
    let ask = words::name(prompt.ask.trim());
    let value = match &prompt.answer {
        AnswerKind::Confirm => {
            let help = "y: it is so, go on · n: not yet, stop here · Esc: stop here";
            match Confirm::new(&ask).with_default(false).with_help_message(help).prompt()? {
                true => Given::Confirmed,
                false => return Ok(None),
            }
        }
        AnswerKind::Text => Given::Text(Text::new(&ask).with_help_message("Esc: stop here").prompt()?),
        AnswerKind::Secret => {
            let typed = Password::new(&ask)
                .without_confirmation()
                .with_display_mode(PasswordDisplayMode::Masked)
                .with_help_message("it is not shown and not stored · Esc: stop here")
                .prompt()?;
            Given::Secret(Secret::new(typed))
        }
        AnswerKind::Choice(choices) => {
            let mut lines: Vec<String> =
                choices.iter().map(|(key, means)| format!("{key}: {}", words::name(means))).collect();
            let offered = lines.len();
            // A question of the program itself always has a way out that changes nothing.
            if *question != Question::Checkpoint {
                lines.push("(stop here and decide later)".to_owned());
            }
            let picked = Select::new(&ask, lines).with_help_message("Esc: stop here").raw_prompt()?.index;
            match choices.get_index(picked) {
                Some((key, _)) if picked < offered => Given::Text(key.clone()),
                _ => return Ok(None),
            }
        }
    };
    let (mut note, mut evidence) = (None, None);
    match prompt.evidence {
        Evidence::None => {}
        Evidence::Note => note = Some(Text::new("Note that is kept with the answer:").prompt()?),
        Evidence::File => evidence = Some(PathBuf::from(Text::new("File that proves it:").prompt()?.trim())),
    }
    Ok(Some(GivenAnswer { value, note, evidence }))
}
