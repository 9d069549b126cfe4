//! Scripts that people have → a runbook: batch files, PowerShell, shell scripts and robocopy's job files.
//!
//! ```text
//! bytes ──text──▶ text ──script──▶ lines ──command, pass──▶ items ──procedure──▶ phases ──runbook──▶ text
//! ```
//!
//! Pure. Nothing is dropped without a word: what a runbook cannot say, or what is done only sometimes, stands in the result
//! where it stood, as a comment with the reason, and is told. The result is a valid runbook whatever the bytes were, and no
//! secret of a script is in it.

mod command;
mod names;
mod pass;
mod procedure;
mod reader;
mod runbook;
mod script;
mod secrets;
mod text;
mod unknown;
mod variables;
mod yaml;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};

use crate::robocopy::{Misuse, job};
use command::Around;
use procedure::{Action, Item, Left, Step, arranged};
use reader::Reader;
use script::{Dialect, Line, Part};
use secrets::Secrets;
use text::Encoding;
use unknown::{Unknowns, is_stand_in};
use variables::Held;

pub use runbook::{is_name, name_of};

/// All files together; the scripts of a whole move have a tenth.
pub const MOST_BYTES: usize = 512 * 1024;
/// More is no procedure that a person could read.
pub const MOST_STEPS: usize = 500;
/// A longer text would not be read as a runbook.
const LONGEST: usize = crate::runbook::scan::MAX_BYTES;

/// A file to be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// As it is shown.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// A runbook, and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub text: String,
    pub phases: usize,
    pub steps: usize,
    /// Variables that have to be given before it can be run.
    pub to_give: Vec<String>,
    /// Files whose letters were guessed at.
    pub guessed: Vec<String>,
    pub left: Vec<LeftLine>,
}

/// A line that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftLine {
    pub file: String,
    pub line: usize,
    /// Of a block, its first line. Without secrets, and as a terminal may show it.
    pub text: String,
    pub why: Vec<String>,
}

/// Why there is no runbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No line of any file is a step.
    NothingFound {
        left: Vec<LeftLine>,
    },
    TooManySteps,
    TooManyBytes,
    /// The runbook would be longer than one may be.
    TooLong,
}

/// Makes one runbook of files, which are taken in their order.
pub fn import(files: &[File], name: &str) -> Result<Imported, Refusal> {
    if files.iter().map(|file| file.bytes.len()).sum::<usize>() > MOST_BYTES {
        return Err(Refusal::TooManyBytes);
    }
    let mut gathering =
        Gathering { unknowns: Unknowns::default(), secrets: Secrets::default(), held: Vec::new() };
    let (items, guessed) = gathering.items(files);
    let items = without_answered(items);
    let left = left_lines(&items);
    let steps = procedure::steps(&items).count();
    if steps == 0 {
        return Err(Refusal::NothingFound { left });
    }
    if steps > MOST_STEPS {
        return Err(Refusal::TooManySteps);
    }
    let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
    let procedure = arranged(spelled_alike(items));
    let written = runbook::written(&procedure, name, &names, &gathering.held, &gathering.unknowns);
    let runbook::Written { text, phases, steps, to_give } = written;
    if text.len() > LONGEST {
        return Err(Refusal::TooLong);
    }
    Ok(Imported { text, phases, steps, to_give, guessed, left })
}

struct Gathering {
    unknowns: Unknowns,
    secrets: Secrets,
    held: Vec<Held>,
}

impl Gathering {
    /// All items in order, and the files whose letters were guessed at.
    fn items(&mut self, files: &[File]) -> (Vec<Item>, Vec<String>) {
        let mut guessed = Vec::new();
        let mut texts = Vec::new();
        for file in files {
            let (text, encoding) = text::decoded(&file.bytes);
            if encoding == Encoding::Windows1252 {
                guessed.push(file.name.clone());
            }
            let dialect = Dialect::of(&file.name, &text);
            texts.push((file.name.as_str(), text, dialect));
        }
        let scripts: Vec<_> = texts
            .iter()
            .enumerate()
            .map(|(number, (_, text, dialect))| script::read(text, *dialect, number, &mut self.unknowns))
            .collect();
        for script in &scripts {
            self.secrets.learn(&script.held);
        }
        let used = RefCell::new(BTreeSet::new());
        let read_job = |wanted: &str| {
            let found = texts
                .iter()
                .find(|(name, _, dialect)| *dialect == Dialect::RobocopyJob && stem(name) == stem(wanted));
            let (name, text, _) = found.ok_or_else(|| {
                Misuse::new(
                    format!("the job file `{wanted}` is not among the files"),
                    format!("name it, too: `movebook import … {wanted}.{}`", job::EXTENSION),
                )
            })?;
            used.borrow_mut().insert((*name).to_owned());
            Ok(text.clone())
        };
        let mut found: Vec<Vec<Item>> = Vec::new();
        for ((name, _, dialect), script) in texts.iter().zip(&scripts) {
            let around = Around { dialect: *dialect, read_job: &read_job };
            let reader = Reader::new(name, around, &self.unknowns, &self.secrets);
            found.push(reader.read(&script.lines));
        }
        // A job file that no line names is a pass of its own.
        for (at, (name, _, dialect)) in texts.iter().enumerate() {
            if *dialect != Dialect::RobocopyJob || used.borrow().contains(*name) {
                continue;
            }
            let line = Line {
                number: 1,
                text: format!("robocopy /JOB:{}", stem(name)),
                parts: vec![Part::Pipeline(vec![vec![
                    "robocopy".to_owned(),
                    format!("/job:{}", stem(name)),
                ]])],
            };
            let around = Around { dialect: *dialect, read_job: &read_job };
            let reader = Reader::new(name, around, &self.unknowns, &self.secrets);
            found[at] = reader.read(&[line]);
        }
        self.held = scripts.into_iter().flat_map(|script| script.held).collect();
        (found.concat(), guessed)
    }
}

/// A job file's name without its folder and its end, in small letters.
fn stem(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name).to_lowercase();
    let end = format!(".{}", job::EXTENSION);
    last.strip_suffix(&end).map_or(last.clone(), str::to_owned)
}

fn left_lines(items: &[Item]) -> Vec<LeftLine> {
    let line = |item: &Item| match item {
        Item::Left(Left { origin, why }) => Some(LeftLine {
            file: yaml::shown(&origin.file),
            line: origin.line,
            text: match origin.text.split_once('\n') {
                Some((first, rest)) => {
                    format!("{} (and {} more)", yaml::shown(first), counted(rest.lines().count()))
                }
                None => yaml::shown(&origin.text),
            },
            why: why.iter().map(|why| yaml::shown(why)).collect(),
        }),
        Item::Step(_) | Item::Remark { .. } => None,
    };
    items.iter().filter_map(line).collect()
}

fn counted(lines: usize) -> String {
    if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") }
}

/// A question for a value that a step uses is a variable of the runbook, and no checkpoint. Any other one is: a condition may
/// hang on its answer.
fn without_answered(items: Vec<Item>) -> Vec<Item> {
    let mut used = HashSet::new();
    for item in &items {
        let Item::Step(step) = item else { continue };
        let texts = match &step.action {
            Action::Copy(copy) => [&copy.pass.from, &copy.pass.to],
            Action::Service(service) => [&service.name, &service.host],
            Action::Wait(_) | Action::Checkpoint { .. } => continue,
        };
        used.extend(texts.into_iter().flat_map(|text| text.chars()).filter(|letter| is_stand_in(*letter)));
    }
    let replaced = |item| match item {
        Item::Step(Step {
            mut origins, action: Action::Checkpoint { asks_for: Some(letter), .. }, ..
        }) if used.contains(&letter) && !origins.is_empty() => {
            let why = "what is typed here is a variable of the runbook";
            Item::Remark { origin: origins.swap_remove(0), why: Some(why.to_owned()) }
        }
        item => item,
    };
    items.into_iter().map(replaced).collect()
}

/// One spelling for each path: on Windows `D:\New` and `d:\new` are the same.
fn spelled_alike(mut items: Vec<Item>) -> Vec<Item> {
    let mut known: HashMap<String, String> = HashMap::new();
    for item in &mut items {
        let Item::Step(Step { action: Action::Copy(copy), .. }) = item else { continue };
        for root in [&mut copy.pass.from, &mut copy.pass.to] {
            let is_of_windows = root.contains('\\') || root.as_bytes().get(1) == Some(&b':');
            let key = if is_of_windows { root.to_lowercase() } else { root.clone() };
            *root = known.entry(key).or_insert_with(|| root.clone()).clone();
        }
    }
    items
}

#[cfg(test)]
mod tests;
