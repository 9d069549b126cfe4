//! Lines of one script → items, in their order.
//!
//! Invariant: what stands behind `&&` is a step only where what stands in front of it is one, or always works; also where the
//! two stand on lines of their own.

use std::collections::{HashMap, HashSet};

use super::MOST_STEPS;
use super::command::{Around, Meaning, meaning, outcome, written_by_reader};
use super::procedure::{Action, Copy, Item, Left, Origin, Step};
use super::script::{self, Line, Part};
use super::secrets::Secrets;
use super::unknown::Unknowns;

/// Reasons that are told of one line.
const MOST_REASONS: usize = 5;

/// What is known, before a run, of how a part of a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is a step, whose failure ends the run, or it always works.
    Works,
    /// It is a question: what follows hangs on the answer.
    Open,
    /// Nobody knows: it is left.
    Left,
}

/// Makes items of one script's lines.
pub struct Reader<'a> {
    file: &'a str,
    around: Around<'a>,
    unknowns: &'a Unknowns,
    secrets: &'a Secrets,
    /// What was told to a person since the last step.
    told: Vec<String>,
    items: Vec<Item>,
    /// How many of them are steps.
    steps: usize,
    /// How what stands in front of the next part ends.
    before: Outcome,
    /// The file that the line at hand writes into.
    written: Option<String>,
    /// Reasons, and how they are told.
    reasons: HashMap<String, String>,
}

impl<'a> Reader<'a> {
    pub fn new(file: &'a str, around: Around<'a>, unknowns: &'a Unknowns, secrets: &'a Secrets) -> Self {
        let before = Outcome::Works;
        Self {
            file,
            around,
            unknowns,
            secrets,
            told: Vec::new(),
            items: Vec::new(),
            steps: 0,
            before,
            written: None,
            reasons: HashMap::new(),
        }
    }

    pub fn read(mut self, lines: &[Line]) -> Vec<Item> {
        for line in lines {
            let origin = self.origin(line);
            self.line(line, &origin);
            // What is refused need not be read to its end.
            if self.steps > MOST_STEPS {
                break;
            }
        }
        self.items
    }

    fn line(&mut self, line: &Line, origin: &Origin) {
        let steps = self.steps;
        let mut why: Vec<String> = Vec::new();
        self.written = script::written(&line.text, self.around.dialect);
        let mut parts = line.parts.iter().peekable();
        // A list may go on from the line before.
        if !matches!(parts.peek(), Some(Part::AndThen | Part::OrEnds | Part::Comment(_)) | None) {
            self.before = Outcome::Works;
        }
        while let Some(part) = parts.next() {
            if *part == Part::AndThen && self.before != Outcome::Works {
                // All that it is made of hangs on what stands in front.
                if parts.next_if(|next| **next != Part::AndThen).is_some() {
                    self.before = Outcome::Left;
                    why.push(script::ON_CONDITION.to_owned());
                }
                continue;
            }
            self.part(part, origin, steps, &mut why);
            if self.steps > MOST_STEPS {
                return;
            }
        }
        if !why.is_empty() {
            self.left(origin, why);
        }
    }

    fn part(&mut self, part: &Part, origin: &Origin, steps: usize, why: &mut Vec<String>) {
        match part {
            Part::AndThen => {}
            Part::Comment(text) if text.trim_matches(['-', '=', '*', '#', ' ', ':']).is_empty() => {}
            Part::Comment(text) => {
                let origin = Origin { text: self.safe(text), ..origin.clone() };
                self.items.push(Item::Remark { origin, why: None });
            }
            Part::Needless(reason) => {
                self.items.push(Item::Remark { origin: origin.clone(), why: Some(reason.clone()) });
            }
            Part::OrEnds => match self.before {
                Outcome::Works => {
                    let why = Some(script::ENDS_ON_ERROR.to_owned());
                    self.items.push(Item::Remark { origin: origin.clone(), why });
                }
                Outcome::Open | Outcome::Left => why.push(script::ENDS_UNLESS.to_owned()),
            },
            Part::Left(reason) => {
                self.before = Outcome::Left;
                why.push(reason.clone());
            }
            Part::Question { letter, ask } => {
                let ask = if ask.is_empty() { self.told.pop() } else { Some(self.safe(ask)) };
                let told = std::mem::take(&mut self.told);
                let action = Action::Checkpoint { ask, told, asks_for: Some(*letter) };
                self.step(origin, steps, Vec::new(), action);
                self.before = Outcome::Works;
            }
            Part::Pipeline(programs) => {
                let meant = self.with_what_it_writes(meaning(programs, &self.around), programs);
                self.before = outcome(&meant, programs);
                self.meaning(origin, steps, meant, why);
            }
        }
    }

    /// What only shows something does more where it writes that into a file. The log of a pass is the pass's.
    fn with_what_it_writes(&self, meant: Meaning, programs: &[Vec<String>]) -> Meaning {
        if !matches!(meant, Meaning::Nothing | Meaning::Says(_)) {
            return meant;
        }
        match self.written.clone().or_else(|| written_by_reader(programs)) {
            None => meant,
            Some(file) => {
                Meaning::Left(vec![format!("it writes {file}: where that is needed, write a `command` step")])
            }
        }
    }

    fn meaning(&mut self, origin: &Origin, steps: usize, meaning: Meaning, why: &mut Vec<String>) {
        match meaning {
            Meaning::Pass { pass, notes } => {
                let copy = Copy { pass: *pass, errors: crate::copy::OnErrors::Fail, attempts: 1 };
                self.step(origin, steps, notes, Action::Copy(Box::new(copy)));
            }
            Meaning::Services(services) => {
                for service in services {
                    self.step(origin, steps, Vec::new(), Action::Service(service));
                }
            }
            Meaning::Wait(time) => self.step(origin, steps, Vec::new(), Action::Wait(time)),
            Meaning::Pause { ask } => {
                let ask = ask.map(|ask| self.safe(&ask));
                let told = std::mem::take(&mut self.told);
                self.step(origin, steps, Vec::new(), Action::Checkpoint { ask, told, asks_for: None });
            }
            Meaning::Says(text) => {
                let text = self.safe(&text);
                self.told.push(text);
            }
            Meaning::MakesFolders(folders) => {
                let why = format!(
                    "a pass makes its target; if {} is none, write a `command` step",
                    folders.join(", ")
                );
                self.items.push(Item::Remark { origin: origin.clone(), why: Some(self.safe(&why)) });
            }
            Meaning::Nothing => {}
            Meaning::Idle(why) => {
                self.items.push(Item::Remark { origin: origin.clone(), why: Some(self.safe(&why)) });
            }
            Meaning::Left(reasons) => why.extend(reasons),
        }
    }

    /// `steps` is how many there were before this line.
    fn step(&mut self, origin: &Origin, steps: usize, notes: Vec<String>, action: Action) {
        self.told.clear();
        let origin = match self.steps == steps {
            true => origin.clone(),
            false => Origin { text: "(the same line)".to_owned(), file: origin.file.clone(), ..*origin },
        };
        self.steps += 1;
        let notes = notes.iter().map(|note| self.safe(note)).collect();
        self.items.push(Item::Step(Step { origins: vec![origin], notes, action }));
    }

    fn left(&mut self, origin: &Origin, mut why: Vec<String>) {
        let mut seen = HashSet::new();
        why.retain(|reason| seen.insert(reason.clone()));
        let more = why.len().saturating_sub(MOST_REASONS);
        why.truncate(MOST_REASONS);
        let mut why: Vec<String> = why.into_iter().map(|reason| self.reason(reason)).collect();
        if more > 0 {
            why.push(format!("and {more} more"));
        }
        self.items.push(Item::Left(Left { origin: origin.clone(), why }));
    }

    /// As it is told. Few reasons stand for many lines: each is covered once.
    fn reason(&mut self, reason: String) -> String {
        if let Some(told) = self.reasons.get(&reason) {
            return told.clone();
        }
        let told = clipped(&self.safe(&reason));
        self.reasons.insert(reason, told.clone());
        told
    }

    fn origin(&self, line: &Line) -> Origin {
        Origin { file: self.file.to_owned(), line: line.number, text: self.safe(&line.text) }
    }

    /// With variables as the script has them, and without secrets.
    fn safe(&self, text: &str) -> String {
        self.secrets.covered(&self.unknowns.shown(text)).into_owned()
    }
}

/// What is told of a line need not repeat all of it.
fn clipped(reason: &str) -> String {
    const LONGEST: usize = 400;
    match reason.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason.to_owned(),
    }
}
