//! `movebook demo`: a small live archive is made and moved, by the same runbook language and the same steps as a real one.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::begin::{self, Format, Options, Settings};
use super::inputs::Variables;
use crate::cancel::Cancel;
use crate::copy::native::Native;
use crate::copy::verify::{VerifyPass, verify};
use crate::copy::{
    Compare, CopyPass, Directories, Engine, Extra, Extras, Links, Method, OnErrors, PassError, Preserve,
    Priority, Progress, Watch,
};
use crate::demo::archive::{self, Scale};
use crate::demo::server;
use crate::error::{Error, ExitCode, Result};
use crate::filter::Filter;
use crate::report::diagnostics::Colour;
use crate::report::words;
use crate::run::Consent;
use crate::state::fold::{self, RunState};
use crate::state::journal;

/// The runbook, as it ships.
const RUNBOOK: &str = include_str!("../../runbooks/demo.yaml");
const THREADS: u32 = 8;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder for the demo, absent or empty
    #[arg(long, value_name = "FOLDER", default_value = "movebook-demo")]
    folder: PathBuf,
    /// 20,000 files and 2 GB instead of a small archive
    #[arg(long)]
    large: bool,
    /// Answer the checkpoints without asking
    #[arg(long)]
    yes: bool,
    /// How events are shown
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub fn run(args: &Args, colour: Colour) -> Result<ExitCode> {
    let folder = make_folder(&args.folder)?;
    let places = Places::below(&folder);
    anstream::eprintln!("making a live archive in {} …", words::name(&places.archive.display().to_string()));
    let made = archive::make(&places.archive, if args.large { Scale::Large } else { Scale::Small })?;
    anstream::eprintln!(
        "{} in {}, {}; a server of its own now works on it",
        words::files(made.files),
        words::counted(made.directories, "folder", "folders"),
        words::bytes(made.bytes)
    );
    let program = std::env::current_exe().map_err(|error| {
        Error::new(ExitCode::StepFailed, "cannot tell where movebook itself is").caused_by(error)
    })?;
    write(&places.runbook, RUNBOOK)?;
    write(&places.variables, &variables(&places, &program)?)?;
    server::start(&program, &places.archive, &places.control)?;
    anstream::eprintln!();

    let variables = Variables { files: vec![places.variables.clone()], arguments: Vec::new() };
    let options = Options::of_new_run(if args.yes { Consent::Yes } else { Consent::Ask }, args.format);
    let settings = Settings {
        runbook: &places.runbook,
        variables: &variables,
        state: Some(&places.state),
        options: &options,
    };
    let ended = begin::carry_out(&settings, colour);
    if !matches!(ended, Ok(ExitCode::Done)) {
        anstream::eprintln!(
            "the demo's server may still be at work; it ends by itself after ten minutes, or with:\n  movebook demo-server stop --control {}",
            words::shell_argument(&places.control.display().to_string())
        );
        return ended;
    }
    if args.format == Format::Human {
        show_result(&places)?;
    }
    Ok(ExitCode::Done)
}

/// Where everything of a demo lies.
struct Places {
    folder: PathBuf,
    archive: PathBuf,
    target: PathBuf,
    control: PathBuf,
    runbook: PathBuf,
    variables: PathBuf,
    state: PathBuf,
}

impl Places {
    fn below(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            archive: folder.join("MailArchive"),
            target: folder.join("NewServer").join("MailArchive"),
            control: folder.join("control"),
            runbook: folder.join("demo.yaml"),
            variables: folder.join("customer.yaml"),
            state: folder.join("demo.state.jsonl"),
        }
    }
}

fn make_folder(path: &Path) -> Result<PathBuf> {
    let cannot = |error| {
        Error::new(ExitCode::Usage, format!("cannot use the folder {}", path.display())).caused_by(error)
    };
    std::fs::create_dir_all(path).map_err(cannot)?;
    if std::fs::read_dir(path).map_err(cannot)?.next().is_some() {
        return Err(Error::new(ExitCode::Usage, format!("the folder {} is not empty", path.display()))
            .hint("delete it if it is an earlier demo, or choose another with --folder FOLDER"));
    }
    dunce::canonicalize(path).map_err(cannot)
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|error| {
        Error::new(ExitCode::StepFailed, format!("cannot write {}", path.display())).caused_by(error)
    })
}

/// The customer's file of the demo.
fn variables(places: &Places, program: &Path) -> Result<String> {
    let values: indexmap::IndexMap<&str, String> = [
        ("archive", &*places.archive),
        ("target", &places.target),
        ("folder", &places.folder),
        ("movebook", program),
    ]
    .into_iter()
    .map(|(name, path)| (name, path.display().to_string()))
    .collect();
    serde_yaml::to_string(&values).map_err(|error| {
        Error::new(ExitCode::StepFailed, "cannot write the demo's variables").caused_by(error)
    })
}

/// Proves once more that both trees are equal, and measures what the same move would have been without a runbook.
fn show_result(places: &Places) -> Result<()> {
    let equal = compare(&places.archive, &places.target)?;
    let records = journal::read(&places.state)?;
    let state = fold::fold(&records).map_err(|damage| journal::damaged(&places.state, &damage))?;
    let plain = plain_copy(places)?;
    let stop = seconds_of(&state, "stop-server");
    let (last, proof) = (seconds_of(&state, "final"), seconds_of(&state, "proof"));
    let downtime = state.downtime_seconds(Timestamp::now()).unwrap_or(0.0);

    let row = |what: &str, one: f64, other: f64| {
        anstream::println!("  {what:<26}{:>10}{:>20}", words::seconds(one), words::seconds(other));
    };
    anstream::println!();
    anstream::println!(
        "both trees are equal: {}, {}, compared byte by byte",
        words::files(equal.files),
        words::bytes(equal.bytes)
    );
    anstream::println!();
    anstream::println!("  {:<26}{:>10}{:>20}", "downtime", "this run", "plain copy, stopped");
    row("stop the server", stop, stop);
    row("copy what is left / all", last, plain.as_secs_f64());
    row("prove that it is equal", proof, proof);
    row("in all", downtime, stop + plain.as_secs_f64() + proof);
    anstream::println!("  (the plain copy was made just now, of the same archive with the same engine)");
    anstream::println!();
    anstream::println!("state file  {}", words::name(&places.state.display().to_string()));
    anstream::println!(
        "look at it  movebook status {}",
        words::shell_argument(&places.state.display().to_string())
    );
    Ok(())
}

fn seconds_of(state: &RunState, step: &str) -> f64 {
    state.steps.get(step).map_or(0.0, |step| step.seconds)
}

struct Equal {
    files: u64,
    bytes: u64,
}

fn compare(archive: &Path, target: &Path) -> Result<Equal> {
    let pass = VerifyPass {
        from: archive.to_path_buf(),
        to: target.to_path_buf(),
        filter: Filter::everything(),
        started: Timestamp::now(),
        method: Method::Blake3,
        mtime_tolerance: None,
        threads: THREADS,
        manifest: None,
        extra: Extra::Fail,
    };
    let verification = watched(|watch| verify(&pass, watch))?;
    match verification.is_clean() {
        true => Ok(Equal { files: verification.equal, bytes: verification.bytes }),
        false => Err(Error::new(
            ExitCode::StepFailed,
            format!("the trees differ after the move: {:?}", verification.counts),
        )
        .hint("the state file tells what each step did; please report this")),
    }
}

/// How long a copy of the whole archive into an empty folder takes. The folder is taken away again.
fn plain_copy(places: &Places) -> Result<Duration> {
    let to = places.folder.join("plain-copy");
    let pass = CopyPass {
        from: places.archive.clone(),
        to: to.clone(),
        filter: Filter::everything(),
        started: Timestamp::now(),
        directories: Directories::All,
        errors: OnErrors::Fail,
        retries: 0,
        wait: Duration::ZERO,
        threads: THREADS,
        compare: Compare::Metadata,
        mtime_tolerance: None,
        links: Links::Skip,
        preserve: Preserve::NOTHING_MORE,
        bandwidth: None,
        priority: Priority::Normal,
        resume_over: CopyPass::RESUME_OVER,
        distrust: None,
        extras: Extras::Keep,
    };
    let cannot =
        |error| Error::new(ExitCode::StepFailed, format!("cannot use {}", to.display())).caused_by(error);
    std::fs::create_dir(&to).map_err(cannot)?;
    let begun = Instant::now();
    watched(|watch| Native.copy(&pass, watch))?;
    let took = begun.elapsed();
    std::fs::remove_dir_all(&to).map_err(cannot)?;
    Ok(took)
}

fn watched<T>(work: impl FnOnce(&Watch<'_>) -> Result<T, PassError>) -> Result<T> {
    let cancel = Cancel::new();
    work(&Watch { progress: &|_: Progress| {}, cancel: &cancel, account: None }).map_err(|error| {
        Error::new(ExitCode::StepFailed, "the demo's last look at its trees failed").caused_by(error)
    })
}
