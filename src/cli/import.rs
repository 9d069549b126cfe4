//! `movebook import FILE…`: scripts as a runbook. What was not understood is listed, and stands in the runbook as a comment.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, ExitCode, Result};
use crate::import::{self, File, Imported, LeftLine, MOST_BYTES, MOST_STEPS, Refusal, import};
use crate::report::diagnostics::{Format, print};
use crate::report::terminal::Colour;
use crate::report::{commands, words};
use crate::runbook;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Batch files, PowerShell, shell scripts and robocopy job files, in the order in which they are run
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the runbook into this file instead of printing it
    #[arg(long, value_name = "RUNBOOK.yaml")]
    output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "output")]
    force: bool,
    /// The runbook's name; the first file's unless given
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

pub fn run(args: &Args, colour: Colour) -> Result<ExitCode> {
    let name = name(args)?;
    let mut files = Vec::with_capacity(args.files.len());
    for path in &args.files {
        files.push(File { name: shown_name(path), bytes: read(path)? });
    }
    let imported = import(&files, &name).map_err(|refusal| refused(refusal, args))?;
    judge(&imported, colour)?;
    match &args.output {
        Some(path) => {
            judge_output(path, args)?;
            write(path, &imported.text, if args.force { Place::Any } else { Place::New })?;
        }
        None => super::print_data(&imported.text)?,
    }
    anstream::eprint!("{}", told(&imported, args));
    Ok(ExitCode::Done)
}

fn name(args: &Args) -> Result<String> {
    let first = args.files.first().map(|path| shown_name(path)).unwrap_or_default();
    match &args.name {
        None => Ok(import::name_of(&first)),
        Some(name) if import::is_name(name) => Ok(name.clone()),
        Some(name) => {
            Err(Error::new(ExitCode::Usage, format!("`{}` is no name of a runbook", words::name(name)))
                .hint("small letters, digits and hyphens, such as `old-server`"))
        }
    }
}

/// The last part of a path: whoever reads the runbook may have the script elsewhere.
fn shown_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Reads no more than can be imported.
fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path);
    opened.and_then(|file| file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)).map_err(|error| {
        Error::new(ExitCode::Usage, format!("cannot read {}", words::name(&path.display().to_string())))
            .caused_by(error)
            .hint("name a script that is there and may be read")
    })?;
    Ok(bytes)
}

fn refused(refusal: Refusal, args: &Args) -> Error {
    let error = |message: String| Error::new(ExitCode::Usage, message);
    match refusal {
        Refusal::NothingFound { left } => {
            anstream::eprint!("{}", listed(&left));
            let files = words::counted(args.files.len() as u64, "file", "files");
            error(format!("there is nothing to import: no line of {files} is a step")).hint(
                "movebook looks for robocopy, rclone and rsync, for services that are stopped or started, and for pauses",
            )
        }
        Refusal::TooManySteps => error(format!("these files come to more than {MOST_STEPS} steps"))
            .hint("import them in parts, each into a runbook of its own"),
        Refusal::TooLong => {
            error("the runbook of these files would be longer than a runbook may be".to_owned())
                .hint("import them in parts, each into a runbook of its own")
        }
        Refusal::TooManyBytes => {
            error(format!("these files have more than {} together", words::bytes(MOST_BYTES as u64)))
                .hint("name scripts alone; a longer one can be imported in parts")
        }
    }
}

/// A runbook that is not valid is never handed out.
fn judge(imported: &Imported, colour: Colour) -> Result<()> {
    let read = runbook::read("imported.yaml", &|_| Ok(imported.text.clone()));
    read.map(|_| ()).map_err(|problems| {
        anstream::eprint!("{}", print(&[problems], Format::Human, colour));
        Error::new(
            ExitCode::StepFailed,
            "the runbook that came of it is not valid, which is a mistake of movebook",
        )
        .hint("nothing was written; please report the script together with what stands above")
    })
}

/// Where to a runbook may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing is there.
    New,
    /// What is there is replaced.
    Any,
}

/// A script that is read is not written over, whatever it is called.
fn judge_output(path: &Path, args: &Args) -> Result<()> {
    let Ok(output) = path.canonicalize() else { return Ok(()) };
    let is_output = |file: &&PathBuf| file.canonicalize().is_ok_and(|file| file == output);
    match args.files.iter().find(is_output) {
        None => Ok(()),
        Some(file) => Err(Error::new(
            ExitCode::Usage,
            format!("{} is the script itself, and was not touched", words::name(&file.display().to_string())),
        )
        .hint("give another name to --output")),
    }
}

fn write(path: &Path, text: &str, place: Place) -> Result<()> {
    let make = |path: &Path| {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(text.as_bytes())
    };
    let written = match place {
        Place::New => make(path),
        Place::Any => {
            // What is there is whole until the new one is.
            let mut beside = path.as_os_str().to_os_string();
            beside.push(format!(".{}.part", std::process::id()));
            let beside = PathBuf::from(beside);
            make(&beside).and_then(|()| std::fs::rename(&beside, path)).inspect_err(|_| {
                // It may not be there at all; what went wrong is told.
                let _ = std::fs::remove_file(&beside);
            })
        }
    };
    let shown = words::name(&path.display().to_string());
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Error::new(ExitCode::Usage, format!("{shown} is there already, and was not touched"))
                .hint("give another name to --output, or --force to replace it")
        }
        _ => Error::new(ExitCode::StepFailed, format!("cannot write {shown}"))
            .caused_by(error)
            .hint("give --output a name in a folder that can be written to"),
    })
}

fn told(imported: &Imported, args: &Args) -> String {
    let Imported { phases, steps, to_give, guessed, left, .. } = imported;
    let mut told = listed(left);
    for file in guessed {
        told.push_str(&format!(
            "{} is no UTF-8: it was read as Windows-1252; look at letters such as ä in the runbook\n",
            words::name(file)
        ));
    }
    let place = args.output.as_ref().map(|path| path.display().to_string());
    told.push_str(&format!(
        "{} in {}",
        words::counted(*steps as u64, "step", "steps"),
        words::counted(*phases as u64, "phase", "phases"),
    ));
    told.push_str(&match left.len() as u64 {
        0 => "; all was understood\n".to_owned(),
        lines => format!(
            "; {} not understood, and kept as comments\n",
            words::counted(lines, "line was", "lines were")
        ),
    });
    if !to_give.is_empty() {
        told.push_str(&format!("the scripts do not say, and you have to give: {}\n", to_give.join(", ")));
    }
    if let Some(place) = place {
        told.push_str(&format!("next: read it, then {}\n", commands::plan(&place)));
    }
    told
}

/// Each line, and behind the last of those that are left for the same reasons, these.
fn listed(left: &[LeftLine]) -> String {
    let mut listed = String::new();
    for (number, LeftLine { file, line, text, why }) in left.iter().enumerate() {
        listed.push_str(&format!("{file}:{line}: not understood: {text}\n"));
        if left.get(number + 1).is_some_and(|next| next.why == *why && next.file == *file) {
            continue;
        }
        for why in why {
            listed.push_str(&format!("  {why}\n"));
        }
    }
    listed
}
