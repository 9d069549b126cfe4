//! `movebook account STATE [STEP]`: the sums of a run's passes, and the names behind them.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::begin::Format;
use crate::copy::PassSummary;
use crate::copy::account::{self, BARE, Bucket, Line, Reader, Unreadable};
use crate::error::{Error, ExitCode, Result};
use crate::report::account::{Names, Pass, Standing, human, json_line, line, objection};
use crate::report::terminal::Colour;
use crate::report::words;
use crate::state::fold::{RunState, StepState};
use crate::state::journal;
use crate::sys::tree;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The state file
    state: PathBuf,
    /// The copy step [default: all of them]
    step: Option<String>,
    /// List the names of a bucket, one a line
    #[arg(long, value_enum, value_name = "BUCKET")]
    list: Option<List>,
    /// For people or for programs: a document of sums, or one object a name
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum List {
    /// Copied, and not in the target before
    New,
    /// Copied over an older or newer one
    Changed,
    /// Counted only; says where names of such files are to be had
    Same,
    /// Links that were copied as links
    LinksCopied,
    /// Left out by the filter, each with its rule
    Filtered,
    SkippedLinks,
    /// Devices, sockets and pipes
    SkippedSpecial,
    /// Not copied, each with class, attempts and last error
    Failed,
    /// Gone before they could be copied
    Vanished,
    /// All that only the target has: purged, kept, kept by the filter and unread
    Extra,
    Purged,
    Kept,
    /// Only in the target, and kept out of the pass by the filter
    ExtraFiltered,
    /// Only in the target, and not to be looked at, each with its error; a folder stands for all that it holds
    ExtraUnread,
    /// All that have names
    All,
}

impl List {
    fn buckets(self) -> &'static [Bucket] {
        match self {
            Self::New => &[Bucket::New],
            Self::Changed => &[Bucket::Changed],
            Self::Same => &[],
            Self::LinksCopied => &[Bucket::LinksCopied],
            Self::Filtered => &[Bucket::Filtered],
            Self::SkippedLinks => &[Bucket::SkippedLinks],
            Self::SkippedSpecial => &[Bucket::SkippedSpecial],
            Self::Failed => &[Bucket::Failed],
            Self::Vanished => &[Bucket::Vanished],
            Self::Extra => &[Bucket::Purged, Bucket::Kept, Bucket::ExtraFiltered, Bucket::ExtraUnread],
            Self::Purged => &[Bucket::Purged],
            Self::Kept => &[Bucket::Kept],
            Self::ExtraFiltered => &[Bucket::ExtraFiltered],
            Self::ExtraUnread => &[Bucket::ExtraUnread],
            Self::All => &Bucket::ALL,
        }
    }
}

pub fn run(args: &Args, colour: Colour) -> Result<ExitCode> {
    let path = super::place::find(Some(&args.state))?;
    let state = super::place::state_of(&journal::read(&path)?, &path)?;
    let path = super::place::resolved(&path)?;
    let steps = steps(&state, args.step.as_deref())?;
    tell_deletions(&path, &state, &steps);
    match args.list {
        Some(List::Same) => Err(Error::new(
            ExitCode::Usage,
            "files that are the same on both sides are counted and not named: there may be millions of them",
        )
        .hint("a `verify` step with `manifest: FILE` names every file of the target with its BLAKE3")),
        Some(list) => names(&path, &state, &steps, list, args.format),
        None => sums(&path, &state, &steps, args.format, colour),
    }
}

/// The copy steps that are meant, in the order of the plan.
fn steps(state: &RunState, wanted: Option<&str>) -> Result<Vec<String>> {
    let copies = || state.basis.steps.iter().filter(|mark| mark.action == "copy").map(|mark| mark.id.clone());
    let Some(wanted) = wanted else { return Ok(copies().collect()) };
    if copies().any(|id| id == wanted) {
        return Ok(vec![wanted.to_owned()]);
    }
    let known: Vec<String> = copies().collect();
    let error = match state.steps.contains_key(wanted) {
        true => format!("step `{}` is no copy step: only those have an account", words::name(wanted)),
        false => format!("this run has no step `{}`", words::name(wanted)),
    };
    Err(Error::new(ExitCode::Usage, error).hint(match known.is_empty() {
        true => "the run has no copy step".to_owned(),
        false => format!("its copy steps are: {}", known.join(", ")),
    }))
}

fn sums(path: &Path, state: &RunState, steps: &[String], format: Format, colour: Colour) -> Result<ExitCode> {
    let mut passes = Vec::new();
    for step in steps {
        passes.push(pass(path, state, step)?);
    }
    let text = match format {
        Format::Human if passes.is_empty() => "this run has no copy step\n".to_owned(),
        Format::Human => passes.iter().map(|pass| human(pass, colour)).collect::<Vec<_>>().join("\n"),
        Format::Json => {
            serde_json::to_string_pretty(&passes).map_err(|error| {
                Error::new(ExitCode::StepFailed, "cannot write the account as JSON").caused_by(error)
            })? + "\n"
        }
    };
    super::print_data(&text)?;
    Ok(ExitCode::Done)
}

fn pass(path: &Path, state: &RunState, id: &str) -> Result<Pass> {
    let step = state.steps.get(id);
    let names = standing(path, state, id, step)?;
    let unfinished = match step.is_some_and(|step| step.open.is_some()) {
        true => Standing::Waiting,
        false => Standing::Unfinished,
    };
    let (status, sums) = match (step.and_then(|step| step.account.as_ref()), &names) {
        (Some(account), _) => (Standing::Over, Some(account.sums.clone())),
        (None, Names::Unfinished) => (unfinished, Some(counted(path, id)?)),
        (None, _) if step.is_some_and(|step| step.attempts > 0) => (unfinished, None),
        (None, _) => (Standing::NotBegun, None),
    };
    Ok(Pass { step: id.to_owned(), status, names, sums })
}

/// How the file of names stands to what the journal says of the step.
fn standing(path: &Path, state: &RunState, id: &str, step: Option<&StepState>) -> Result<Names> {
    let file = account::file_of(path, id);
    let account = step.and_then(|step| step.account.as_ref());
    let vouched = match account.map(|account| &account.names) {
        Some(account::Names::Lost(why)) => return Ok(Names::Lost(why.clone())),
        Some(account::Names::Kept(mark)) if mark.lines <= BARE => return Ok(Names::Nothing),
        Some(account::Names::Kept(mark)) => Some(mark),
        None if step.is_none_or(|step| step.attempts == 0 || step.status.is_final()) => {
            return Ok(Names::Nothing);
        }
        None => None,
    };
    let head = match Reader::open(&file) {
        Ok(reader) => reader.head,
        Err(Unreadable::Io(error)) if tree::is_absence(&error) => {
            return Ok(if vouched.is_some() { Names::Missing } else { Names::Nothing });
        }
        Err(Unreadable::Io(error)) => return Err(unreadable(&file, error)),
        Err(why) => return Ok(Names::Foreign(why.to_string())),
    };
    if head.run != state.run || head.step != id {
        return Ok(Names::Foreign(format!("it is that of step {} of run {}", head.step, head.run)));
    }
    if step.is_some_and(|step| step.attempts != head.attempt) {
        // The step was started again, and its pass not yet.
        if vouched.is_none() {
            return Ok(Names::Nothing);
        }
        return Ok(Names::Foreign(format!("it is that of attempt {}", head.attempt)));
    }
    let Some(vouched) = vouched else { return Ok(Names::Unfinished) };
    let found = account::mark_of(&file).map_err(|error| unreadable(&file, error))?;
    Ok(match found {
        found if found == *vouched => Names::Whole,
        found if found.lines < vouched.lines => Names::Foreign(format!(
            "it was cut: it has {} of {} lines",
            words::count(found.lines),
            words::count(vouched.lines)
        )),
        _ => Names::Foreign("it was changed after the pass".to_owned()),
    })
}

/// Sums of what was named so far; those of the pass where only its purge is not decided on.
fn counted(path: &Path, id: &str) -> Result<PassSummary> {
    let file = account::file_of(path, id);
    let mut sums = PassSummary::default();
    for line in Reader::open(&file).map_err(|why| unreadable(&file, why))? {
        match line.map_err(|why| unreadable(&file, why))? {
            Line::Entry(entry) if entry.is_counted() => sums.count(&entry),
            Line::End { end } => return Ok(*end),
            Line::Entry(_) | Line::Head(_) => {}
        }
    }
    Ok(sums)
}

fn names(path: &Path, state: &RunState, steps: &[String], list: List, format: Format) -> Result<ExitCode> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let many = steps.len() > 1;
    let mut ended = ExitCode::Done;
    for id in steps {
        let names = standing(path, state, id, state.steps.get(id))?;
        match names {
            Names::Whole => {}
            Names::Nothing => continue,
            Names::Unfinished => tell(id, &names),
            Names::Lost(_) | Names::Missing | Names::Foreign(_) if many => {
                tell(id, &names);
                ended = ExitCode::StepFailed;
                continue;
            }
            Names::Lost(_) | Names::Missing | Names::Foreign(_) => {
                return Err(cannot_list(path, id, &names));
            }
        }
        let file = account::file_of(path, id);
        for line in Reader::open(&file).map_err(|why| unreadable(&file, why))? {
            let Line::Entry(entry) = line.map_err(|why| unreadable(&file, why))? else { continue };
            if !list.buckets().contains(&entry.bucket) {
                continue;
            }
            let text = match format {
                Format::Human => self::line(&entry, many.then_some(id)),
                Format::Json => json_line(&entry, id).map_err(|error| {
                    Error::new(ExitCode::StepFailed, "cannot write a name as JSON").caused_by(error)
                })?,
            };
            match writeln!(out, "{text}") {
                // A reader that has gone away (`| head`) has what it wanted.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(ended),
                result => result.map_err(cannot_write)?,
            }
        }
    }
    match out.flush() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(cannot_write(error)),
        _ => Ok(ended),
    }
}

/// Says where the lists of earlier attempts are that deleted, since the names of a step are those of its last one.
fn tell_deletions(path: &Path, state: &RunState, steps: &[String]) {
    for (id, step) in steps.iter().filter_map(|id| Some((id, state.steps.get(id)?))) {
        let earlier = step.attempts.saturating_sub(u32::from(step.account.is_some()));
        for attempt in 1..=earlier {
            let file = account::deletions_file_of(path, id, attempt);
            if file.exists() {
                anstream::eprintln!(
                    "note: {id}: attempt {attempt} deleted for good, or was about to delete, what {} lists",
                    words::name(&file.display().to_string())
                );
            }
        }
    }
}

fn tell(id: &str, names: &Names) {
    if let Some(objection) = objection(names) {
        anstream::eprintln!("warning: {id}: {objection}");
    }
}

fn cannot_list(path: &Path, id: &str, names: &Names) -> Error {
    let file = account::file_of(path, id);
    let why = objection(names).unwrap_or_default();
    let (code, hint) = match names {
        Names::Missing => (
            ExitCode::Usage,
            format!(
                "bring {} back beside the state file; without --list the sums are shown all the same",
                file.display()
            ),
        ),
        Names::Foreign(_) => (
            ExitCode::Damaged,
            format!(
                "put the right file in the place of {}; without --list the sums are shown all the same",
                file.display()
            ),
        ),
        _ => (ExitCode::StepFailed, "without --list the sums are shown all the same".to_owned()),
    };
    Error::new(code, format!("cannot list the names of {id}: {why}")).hint(hint)
}

fn unreadable(file: &Path, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ExitCode::StepFailed, format!("cannot read the names in {}", file.display())).caused_by(cause)
}

fn cannot_write(error: std::io::Error) -> Error {
    Error::new(ExitCode::StepFailed, "cannot write to stdout").caused_by(error)
}
