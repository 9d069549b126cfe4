//! `movebook robocopy SOURCE TARGET …`: robocopy's command line, as it stands.
//!
//! Exit codes are robocopy's: a bit each for what was copied, extra, mismatched and failed; 16 for a wrong line, a guard's
//! refusal and a pass that did not come to its end; and 130 after Ctrl-C, which is above 8, too.

mod output;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::ZonedDateTime;

use super::{ask, begin, show_error};
use crate::cancel::Cancel;
use crate::copy::account::{self, Head, Line, Reader, Writer};
use crate::copy::{CopyPass, PassError, Progress, Watch, names};
use crate::error::{Error, ExitCode, Result};
use crate::guard::{PathStyle, judge_path};
use crate::report::terminal::Colour;
use crate::report::words;
use crate::robocopy::command_line::Surroundings;
use crate::robocopy::lines::{self, Style};
use crate::robocopy::summary::{exit, table};
use crate::robocopy::{Job, Misuse, Setting, help, job, parse, pass_of};
use crate::run::robocopy::{
    Carried, Purge, PurgeQuestion, Said, Stopped, carry_out, judge, judge_written, rights,
};
use crate::sys::privilege::Held;
use crate::sys::wakefulness;
use output::Output;

/// So many names are shown with a question.
const SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true, disable_version_flag = true)]
pub struct Args {
    /// SOURCE TARGET [PATTERN…] [/SWITCH…], as for robocopy; `/?` lists the switches
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "LINE")]
    line: Vec<OsString>,
}

pub fn run(args: &Args, colour: Colour) -> u8 {
    match carry_out_line(&args.line) {
        Ok(code) => code,
        Err(errors) => {
            errors.iter().for_each(|error| show_error(error, colour));
            match errors.iter().any(|error| error.code() == ExitCode::Interrupted) {
                true => exit::INTERRUPTED,
                false => exit::FATAL,
            }
        }
    }
}

fn carry_out_line(line: &[OsString]) -> Result<u8, Vec<Error>> {
    if line.is_empty() {
        super::print_data(&help::text()).map_err(|error| vec![error])?;
        return Ok(exit::FATAL);
    }
    let words = line.iter().map(text_of).collect::<Result<Vec<String>>>().map_err(|error| vec![error])?;
    let leads_somewhere = |path: &str| Path::new(path).exists();
    let around =
        Surroundings { style: PathStyle::native(), leads_somewhere: &leads_somewhere, read_job: &read_job };
    let job = parse(&words, &around).map_err(|wrong| wrong.into_iter().map(misuse).collect::<Vec<_>>())?;
    if job.has(Setting::Help) {
        super::print_data(&help::text()).map_err(|error| vec![error])?;
        return Ok(exit::NOTHING);
    }
    let started = ZonedDateTime::now();
    let (from, to) = (root(job.source.as_deref())?, root(job.target.as_deref())?);
    let style = Style::new(&job, &from, &to);
    if job.has(Setting::Quit) {
        keep(&job).map_err(|error| vec![error])?;
        super::print_data(&style.header(&started)).map_err(|error| vec![error])?;
        return Ok(exit::NOTHING);
    }
    // Before the log is opened: what is refused from here on is in it.
    let written = [
        ("log", job.log.as_ref().map(|log| PathBuf::from(&log.file))),
        ("job file", job.save.as_deref().map(job_file)),
    ];
    for (what, file) in written {
        let Some(file) = file else { continue };
        let file = begin::absolute(&file).map_err(|error| vec![error])?;
        judge_written(&job, what, &file, &to).map_err(|refusal| vec![Error::from(refusal)])?;
    }
    let mut output = Output::open(&job).map_err(|error| vec![error])?;
    if !job.has(Setting::NoHeader) {
        output.print(&style.header(&started));
        // The lines of the files come when the pass is over.
        output.flush();
    }
    let code = judged(&job, &from, &to, &started)
        .inspect_err(|errors| errors.iter().for_each(|error| output.print(&format!("ERROR : {error}\n"))))
        .and_then(|(_rights, pass)| {
            pass_through(&job, &pass, &style, &mut output).map_err(|error| vec![error])
        });
    let finished = output.finish();
    let code = code?;
    finished.map_err(|error| vec![error])?;
    Ok(code)
}

/// The pass of a line that may be carried out, and the rights that it needs.
fn judged(
    job: &Job,
    from: &Path,
    to: &Path,
    started: &ZonedDateTime,
) -> Result<(Option<Held>, CopyPass), Vec<Error>> {
    let held = rights(job).map_err(|refusal| vec![Error::from(refusal)])?;
    judge(job, from, to).map_err(|refusal| vec![Error::from(refusal)])?;
    let pass =
        pass_of(job, from, to, started).map_err(|wrong| wrong.into_iter().map(misuse).collect::<Vec<_>>())?;
    keep(job).map_err(|error| vec![error])?;
    Ok((held, pass))
}

/// Does the pass and tells of it.
fn pass_through(job: &Job, pass: &CopyPass, style: &Style<'_>, output: &mut Output) -> Result<u8> {
    let cancel = Cancel::new();
    begin::end_on_signal(&cancel)?;
    let run = begin::new_id()?;
    let names = Names::begin(job, pass, &run)?;
    let begun = Instant::now();
    let shows = std::io::stderr().is_terminal() && !job.has(Setting::NoProgress);
    let progress = |progress: Progress| {
        if shows && begun.elapsed() > Duration::from_secs(1) {
            anstream::eprint!("\r\x1b[K{}", words_of(&progress));
        }
    };
    let account = names.as_ref().map(|names| &names.writer);
    let watch = Watch { progress: &progress, cancel: &cancel, account };
    let mut failed = None;
    let mut ask = |question: &PurgeQuestion<'_>| {
        said(question).unwrap_or_else(|error| {
            failed = Some(error);
            Said::No
        })
    };
    let awake = wakefulness::stay_awake();
    let ended = carry_out(job, pass, &run, &watch, &mut ask);
    drop(awake);
    if shows && begun.elapsed() > Duration::from_secs(1) {
        anstream::eprint!("\r\x1b[K");
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let carried = match ended {
        Ok(carried) => carried,
        Err(stopped) => {
            let line = ended_by(&stopped, style);
            let error = error_of(stopped);
            output.print_error(&line.unwrap_or_else(|| format!("ERROR : {error}\n")));
            return Err(error);
        }
    };
    tell(job, pass, style, output, &carried, names)?;
    if !job.has(Setting::NoSummary) {
        output.print(&table(&carried.figures, style.sizes(), begun.elapsed()));
        output.print(&format!("\n   Ended : {}\n", lines::time(&ZonedDateTime::now())));
    }
    let code = carried.figures.exit();
    match carried.purge {
        // A pass with failures says so by its code; the reason is told all the same.
        Purge::Refused(refusal) => {
            output.print(&format!("\nNothing was purged: {refusal}\n"));
            let refused =
                Error::new(ExitCode::Refused, format!("nothing was purged: {refusal}")).hint(refusal.hint);
            if code & exit::FAILED == 0 {
                return Err(refused);
            }
            show_error(&refused, Colour::Never);
            Ok(code)
        }
        Purge::CutOff { folder, error } => {
            let error = cut_off(&folder, error);
            output.print(&format!("\nERROR : {error}\n"));
            Err(error)
        }
        Purge::None | Purge::Moved { .. } | Purge::WouldBeRefused(_) => Ok(code),
    }
}

/// The names of a pass, on their way to its lines. Nobody else ever sees them.
struct Names {
    writer: Writer,
    file: PathBuf,
    /// Removed with what is in it.
    _folder: tempfile::TempDir,
}

impl Names {
    fn begin(job: &Job, pass: &CopyPass, run: &str) -> Result<Option<Self>> {
        if job.has(Setting::NoFileNames) {
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix("movebook-").tempdir().map_err(|error| {
            Error::new(ExitCode::StepFailed, "cannot make a folder for the names of the files")
                .caused_by(error)
                .hint("make room where temporary files go (TMPDIR, TEMP), or leave the names out: /NFL")
        })?;
        let file = folder.path().join("names.jsonl");
        let head = Head {
            account: account::FORMAT,
            run: run.to_owned(),
            step: "robocopy".to_owned(),
            attempt: 1,
            started: pass.started,
            from: names::shown(&pass.from),
            to: names::shown(&pass.to),
        };
        Ok(Some(Self { writer: Writer::begin(&file, &head), file, _folder: folder }))
    }
}

/// A line for each file, and what a person should know besides.
fn tell(
    job: &Job,
    pass: &CopyPass,
    style: &Style<'_>,
    output: &mut Output,
    carried: &Carried,
    names: Option<Names>,
) -> Result<()> {
    let Carried { outcome, mismatched, purge, .. } = carried;
    let now = ZonedDateTime::now();
    let summary = &outcome.summary;
    match names {
        Some(Names { writer, file, _folder }) => {
            let (kept, _) = writer.finish(summary);
            if let account::Names::Lost(why) = kept {
                output.print(&format!("the list of files is not whole: {why}\n"));
            }
            let told = each_entry(&file, &mut |entry| {
                let modified = match job.has(Setting::Stamps) {
                    true => modified(&pass.from.join(names::path_of(&entry.path))),
                    false => None,
                };
                if let Some(line) = style.entry(entry, mismatched, modified.as_ref(), &now) {
                    output.print(&format!("{line}\n"));
                }
            });
            if let Err(why) = told {
                output.print(&format!("the list of files is not whole: {why}\n"));
            }
            for extra in &outcome.extras {
                if let Some(line) = style.extra(extra) {
                    output.print(&format!("{line}\n"));
                }
            }
        }
        // What failed is told even where no names are asked for.
        None => {
            for error in &summary.errors {
                output.print(&format!("{}\n", style.error(error, mismatched, &now)));
            }
        }
    }
    if let Purge::Moved { errors, .. } = purge {
        for error in errors {
            output.print(&format!("{}\n", style.error(error, mismatched, &now)));
        }
    }
    for note in notes(job, carried) {
        output.print(&format!("\n{note}\n"));
    }
    Ok(())
}

fn each_entry(file: &Path, each: &mut dyn FnMut(&account::Entry)) -> Result<(), account::Unreadable> {
    for line in Reader::open(file)? {
        if let Line::Entry(entry) = line? {
            each(&entry);
        }
    }
    Ok(())
}

fn modified(path: &Path) -> Option<ZonedDateTime> {
    let modified = path.symlink_metadata().ok()?.modified().ok()?;
    ZonedDateTime::try_from(modified).ok()
}

fn notes(job: &Job, carried: &Carried) -> Vec<String> {
    let mut notes = Vec::new();
    let summary = &carried.outcome.summary;
    if summary.skipped_links > 0 && !job.skips_all_links() {
        notes.push(format!(
            "{} skipped: no link or junction is followed; /SL copies them as what they are, /XJ says that they are to be skipped",
            words::counted(summary.skipped_links, "link was", "links were")
        ));
    }
    notes.extend(carried.outcome.warning.clone());
    if !carried.unmatched.is_empty() {
        let several = if carried.unmatched.len() == 1 { "it" } else { "they" };
        notes.push(format!(
            "No file of the source is named {}; was {several} a part of a path with a blank in it, that needs quotes",
            carried.unmatched.iter().map(|name| format!("`{}`", words::name(name))).collect::<Vec<_>>().join(", ")
        ));
    }
    if let Purge::WouldBeRefused(refusal) = &carried.purge {
        notes.push(format!("Without /L this line would be refused: {refusal} ({})", refusal.hint));
    }
    if let Purge::Moved { folder, files, directories, .. } = &carried.purge {
        notes.push(format!(
            "Purged: {} and {}, moved into {}; delete that folder when nothing of it is missed",
            words::files(files.files),
            words::counted(*directories, "directory", "directories"),
            names::shown(folder)
        ));
    }
    notes
}

/// Shows a list and asks; nobody is asked without a terminal.
fn said(question: &PurgeQuestion<'_>) -> Result<Said> {
    let PurgeQuestion { files, bytes, target_files, names } = question;
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        anstream::eprint!("\r\x1b[K");
        for name in names.iter().take(SHOWN) {
            anstream::eprintln!("  {}", names::shown(name));
        }
        if names.len() > SHOWN {
            anstream::eprintln!("  … and {} more", names.len() - SHOWN);
        }
    }
    let asked = format!(
        "The purge would take away {} ({}) of the {target_files} that the target would have. Go ahead?",
        words::files(*files),
        words::bytes(*bytes)
    );
    Ok(
        match ask::confirm(&asked, "y: they are moved into the quarantine · n: nothing is copied or purged")?
        {
            Some(true) => Said::Purge,
            Some(false) => Said::No,
            None => Said::Nobody,
        },
    )
}

fn words_of(progress: &Progress) -> String {
    let Progress { files_done, files_known, bytes_done, .. } = progress;
    format!("{} of {}, {}", words::count(*files_done), words::files(*files_known), words::bytes(*bytes_done))
}

/// What ended a pass, as robocopy tells it.
fn ended_by(stopped: &Stopped, style: &Style<'_>) -> Option<String> {
    let Stopped::Pass(PassError::Fatal { what, path, source: Some(source), .. }) = stopped else {
        return None;
    };
    style.ended(path, &format!("{what}: {source}"), source.kind(), &ZonedDateTime::now())
}

fn error_of(stopped: Stopped) -> Error {
    match stopped {
        Stopped::Refused(refusal) => refusal.into(),
        Stopped::Pass(PassError::Interrupted) => {
            Error::new(ExitCode::Interrupted, "interrupted; what was copied is whole")
                .hint("the same line goes on with what is missing")
        }
        Stopped::Pass(PassError::Fatal { what, path, hint, source }) => {
            fatal(format!("{what} ({path})"), hint, source)
        }
    }
}

/// A purge that did not come to its end: what had gone by then is in its folder.
fn cut_off(folder: &Path, error: PassError) -> Error {
    let folder = names::shown(folder);
    match error {
        PassError::Interrupted => Error::new(
            ExitCode::Interrupted,
            format!("interrupted in the purge; what was taken away by then is in {folder}"),
        )
        .hint("the same line goes on with what is left, and takes another folder"),
        PassError::Fatal { what, path, hint, source } => fatal(
            format!("{what} ({path}): the purge is not done; what was taken away by then is in {folder}"),
            hint,
            source,
        ),
    }
}

fn fatal(what: String, hint: String, source: Option<std::io::Error>) -> Error {
    let error = Error::new(ExitCode::StepFailed, what).hint(hint);
    match source {
        Some(source) => error.caused_by(source),
        None => error,
    }
}

fn misuse(misuse: Misuse) -> Error {
    Error::new(ExitCode::Usage, misuse.message).hint(misuse.hint)
}

fn text_of(word: &OsString) -> Result<String> {
    word.to_str().map(str::to_owned).ok_or_else(|| {
        Error::new(ExitCode::Usage, format!("`{}` is no Unicode", names::shown_name(word)))
            .hint("rename it, or move it by a runbook, which knows such names below a source")
    })
}

/// Source or target, from where this process is if it is not absolute. What is misspelt is left to the guard.
fn root(path: Option<&str>) -> Result<PathBuf, Vec<Error>> {
    let Some(path) = path else { return Ok(PathBuf::new()) };
    let is_relative =
        judge_path(path, PathStyle::native()).is_err_and(|refusal| refusal.code == "relative_path");
    let whole = match is_relative {
        true => begin::absolute(Path::new(path)).map_err(|error| vec![error])?,
        false => PathBuf::from(path),
    };
    // Without the separator at its end.
    Ok(whole.components().collect())
}

fn job_file(name: &str) -> PathBuf {
    let path = PathBuf::from(name);
    if path.extension().is_some() { path } else { path.with_extension(job::EXTENSION) }
}

fn read_job(name: &str) -> Result<String, Misuse> {
    let file = job_file(name);
    let unreadable = |why: String| {
        Misuse::new(format!("cannot read {}: {why}", file.display()), "see that it is there; /SAVE makes one")
    };
    let bytes = std::fs::read(&file).map_err(|error| unreadable(error.to_string()))?;
    let text = match bytes.strip_prefix(&[0xFF, 0xFE]) {
        Some(wide) => {
            let units: Vec<u16> =
                wide.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16(&units).ok()
        }
        None => String::from_utf8(bytes).ok(),
    };
    text.ok_or_else(|| unreadable("it is neither UTF-8 nor UTF-16".to_owned()))
}

/// Writes the job file that `/save` asks for, when nothing stands against the line any more.
fn keep(job: &Job) -> Result<()> {
    let Some(name) = &job.save else { return Ok(()) };
    let file = job_file(name);
    let shown = file.display().to_string();
    std::fs::write(&file, job::text(job, &shown)).map_err(|error| {
        Error::new(ExitCode::StepFailed, format!("cannot write the job file {shown}"))
            .caused_by(error)
            .hint("give a name in a folder that can be written to")
    })
}
