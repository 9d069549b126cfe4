//! Takes the rows one by one and lets the programs take turns on each.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Parser;

use crate::arguments::Arguments;
use crate::data::{Recipe, Set, State};
use crate::journal::Share;
use crate::peers::{Deed, Job, Peer};
use crate::rows::{JOURNAL, MEMORY, MemoryRow, ROWS, Row, Topic};
use crate::volumes::{Failure, Keep, Kind, Maker, Medium, Volume, drop_caches, told};
use crate::{journal, limit, measure, runs, table};

/// Who takes part in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    Movebook,
    /// The other movebook of the command line.
    Beside,
    Peer(Peer),
}

/// What was measured of one of them: every counted round, or why there is none.
pub struct Measured<T> {
    pub runner: Runner,
    pub rounds: Result<Vec<T>, Failure>,
}

struct Bench {
    arguments: Arguments,
    maker: Maker,
    stopped: Arc<AtomicBool>,
    /// Whether movebook itself failed where it could be measured.
    broken: AtomicBool,
}

/// A source that stands still and the images' place, for all rounds of one row.
struct Stage {
    recipe: Recipe,
    deed: Deed,
    cold: bool,
    medium: Medium,
    source: Volume,
    /// For work that writes nothing there: one for all.
    target: Option<Volume>,
}

pub fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == limit::MODE) {
        return limit_process(words);
    }
    match measure_all(Arguments::parse()) {
        Ok(code) => code,
        Err(failure) => {
            // Figures are information, never a failure: a machine without the rights still passes.
            println!("not measured here: {failure}");
            ExitCode::SUCCESS
        }
    }
}

/// The child mode that is the limit program.
fn limit_process(words: impl Iterator<Item = OsString>) -> ExitCode {
    match limit::process(words) {
        Ok(seen) => {
            println!("{seen:?}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn measure_all(arguments: Arguments) -> Result<ExitCode, Failure> {
    let kind = if arguments.tmpfs || arguments.quick { Kind::Tmpfs } else { Kind::Ext4 };
    let keep = if arguments.keep { Keep::ForLater } else { Keep::None };
    let maker = Maker::new(kind, Path::new(env!("CARGO_TARGET_TMPDIR")), keep)?;
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = stopped.clone();
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).map_err(|error| error.to_string())?;
    let bench = Bench { arguments, maker, stopped, broken: AtomicBool::new(false) };
    println!("{}", table::head(kind, bench.arguments.counted_rounds(), bench.arguments.per_mille()));
    bench.times();
    bench.journal();
    bench.memory();
    bench.check_stopped()?;
    Ok(if bench.broken.into_inner() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Bench {
    fn times(&self) {
        let wanted = |row: &&Row| self.arguments.wants_set(row.set) && self.arguments.wants_topic(row.topic);
        let rows: Vec<&Row> = ROWS.iter().filter(wanted).collect();
        let lines = self.lines(&rows, |row| row.set, |row| table::line(row, self.row(row)));
        if !lines.is_empty() {
            println!("\n{}{lines}{}", table::TIMES, table::remarks(&rows));
        }
    }

    fn journal(&self) {
        if !self.arguments.wants_topic(Topic::Journal) {
            return;
        }
        let rows: Vec<_> = JOURNAL.iter().filter(|(_, set, _)| self.arguments.wants_set(*set)).collect();
        let lines = self.lines(
            &rows,
            |(_, set, _)| *set,
            |(work, set, deed)| table::journal_line(work, self.journal_row(*set, *deed)),
        );
        if !lines.is_empty() {
            println!("\n{}{lines}", table::JOURNAL);
        }
    }

    fn memory(&self) {
        if !self.arguments.wants_topic(Topic::Memory) {
            return;
        }
        let rows: Vec<_> = MEMORY.iter().filter(|row| self.arguments.wants_set(row.set)).collect();
        let lines = self.lines(&rows, |row| row.set, |row| table::memory_line(row, self.memory_row(row)));
        if !lines.is_empty() {
            println!("\n{}{lines}", table::MEMORY);
        }
    }

    /// Measures row by row until somebody stops it; what was measured until then is still shown.
    fn lines<R>(&self, rows: &[&R], set: impl Fn(&R) -> Set, line: impl Fn(&R) -> String) -> String {
        let mut lines = String::new();
        for (index, row) in rows.iter().enumerate() {
            let measured = line(row);
            if self.check_stopped().is_err() {
                break;
            }
            lines.push_str(&measured);
            if rows[index + 1..].iter().all(|later| set(later) != set(row)) {
                self.forget(set(row));
            }
        }
        lines
    }

    fn row(&self, row: &Row) -> Result<Vec<Measured<Duration>>, Failure> {
        let stage = self.stage(row.set, row.deed, row.topic == Topic::Cold)?;
        eprintln!("{} (images {})", row.work, stage.medium.told());
        let mut measured = self.runners(row.peers);
        let _turn = self.turn()?;
        for round in 0..=self.arguments.counted_rounds() {
            for one in &mut measured {
                self.check_stopped()?;
                let Ok(rounds) = &mut one.rounds else { continue };
                match self.timed(&stage, one.runner) {
                    Ok(time) => {
                        eprintln!("  {round} {:<18} {:>8.3} s", one.runner.name(), time.as_secs_f64());
                        if round > 0 {
                            rounds.push(time);
                        }
                    }
                    Err(failure) => {
                        eprintln!("  {round} {:<18} {failure}", one.runner.name());
                        self.note_failure(one.runner);
                        one.rounds = Err(failure);
                    }
                }
            }
        }
        Ok(measured)
    }

    fn journal_row(&self, set: Set, deed: Deed) -> Result<Vec<Share>, Failure> {
        let stage = self.stage(set, deed, false)?;
        let _turn = self.turn()?;
        let work = self.work(Runner::Movebook)?;
        let mut shares = Vec::new();
        // These differences are small: more rounds than where whole programs are compared.
        for round in 0..=self.arguments.counted_rounds() * 3 {
            self.check_stopped()?;
            let target = self.target(&stage)?;
            let (from, to) = (stage.source.tree(), target.tree());
            warm(&from, &to, deed)?;
            let share = runs::Run::prepare(own_program(), deed, &from, &to, &work)
                .and_then(|run| journal::share(&run, &work))
                .inspect_err(|_| self.note_failure(Runner::Movebook))?;
            eprintln!("  {round} {share:?} {:.1} %", share.fraction() * 100.0);
            if round > 0 {
                shares.push(share);
            }
        }
        Ok(shares)
    }

    fn memory_row(&self, row: &MemoryRow) -> Result<Vec<Measured<u64>>, Failure> {
        let stage = self.stage(row.set, row.deed, false)?;
        eprintln!("memory: {} (images {})", row.work, stage.medium.told());
        let mut measured = self.runners(row.peers);
        for one in &mut measured {
            self.check_stopped()?;
            let peak = self
                .round(&stage, one.runner, |command, _| measure::memory(command, &self.work(one.runner)?));
            match &peak {
                Ok(peak) => eprintln!("  {:<20} {}", one.runner.name(), table::peak(*peak)),
                Err(failure) => {
                    eprintln!("  {:<20} {failure}", one.runner.name());
                    self.note_failure(one.runner);
                }
            }
            one.rounds = peak.map(|peak| peak.into_iter().collect());
        }
        Ok(measured)
    }

    fn stage(&self, set: Set, deed: Deed, cold: bool) -> Result<Stage, Failure> {
        let recipe = Recipe { set, state: State::Same, per_mille: self.arguments.per_mille() };
        let medium = if cold { Medium::Disk } else { self.maker.medium(&recipe) };
        let source = self.maker.fixed(&recipe, medium)?;
        let target = match deed {
            Deed::Verify => Some(self.maker.fixed(&recipe, medium)?),
            Deed::First | Deed::Nothing | Deed::Purge | Deed::Changed => None,
        };
        let stage = Stage { recipe, deed, cold, medium, source, target };
        if !cold && deed.reads_content() {
            for volume in std::iter::once(&stage.source).chain(&stage.target) {
                read_all(&volume.tree())?;
            }
        }
        Ok(stage)
    }

    fn timed(&self, stage: &Stage, runner: Runner) -> Result<Duration, Failure> {
        let work = self.work(runner)?;
        self.round(stage, runner, |command, target| measure::time(command, target, &work))
    }

    /// One round: a fresh target, the program, and a look at what it made.
    fn round<T>(
        &self,
        stage: &Stage,
        runner: Runner,
        measure: impl FnOnce(Command, &Path) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let fresh;
        let target = match &stage.target {
            Some(target) => target,
            None => {
                fresh = self.target(stage)?;
                &fresh
            }
        };
        let (from, to, work) = (stage.source.tree(), target.tree(), self.work(runner)?);
        let command = match runner {
            Runner::Movebook => self.prepared(own_program(), stage.deed, &from, &to, &work)?,
            Runner::Beside => {
                let beside = self.arguments.beside.as_deref().unwrap_or(Path::new(""));
                self.prepared(beside, stage.deed, &from, &to, &work)?
            }
            Runner::Peer(peer) => {
                let job = Job { deed: stage.deed, from: &from, to: &to, work: &work, cold: stage.cold };
                peer.command(&job)?
            }
        };
        match stage.cold {
            true => drop_caches()?,
            false => warm(&from, &to, stage.deed)?,
        }
        let measured = measure(command, target.root())?;
        check(&from, &to, stage, runner)?;
        Ok(measured)
    }

    /// A target for one round.
    fn target(&self, stage: &Stage) -> Result<Volume, Failure> {
        match stage.deed.target_before() {
            None => self.maker.empty(&stage.recipe, stage.medium),
            Some(state) => self.maker.filled(&Recipe { state, ..stage.recipe }, stage.medium),
        }
    }

    fn prepared(
        &self,
        program: &Path,
        deed: Deed,
        from: &Path,
        to: &Path,
        work: &Path,
    ) -> Result<Command, Failure> {
        Ok(runs::Run::prepare(program, deed, from, to, work)?.command())
    }

    fn runners<T>(&self, peers: &[Peer]) -> Vec<Measured<T>> {
        let beside = self.arguments.beside.as_ref().map(|_| Runner::Beside);
        let peers = peers.iter().filter(|peer| self.arguments.wants_peer(**peer)).copied().map(Runner::Peer);
        std::iter::once(Runner::Movebook)
            .chain(beside)
            .chain(peers)
            .map(|runner| Measured { runner, rounds: Ok(Vec::new()) })
            .collect()
    }

    /// A folder on the disk for what a program writes beside the trees.
    fn work(&self, runner: Runner) -> Result<PathBuf, Failure> {
        let name: String = runner.name().chars().filter(char::is_ascii_alphanumeric).collect();
        let folder = self.maker.work().join(format!("work-{name}"));
        fs::create_dir_all(&folder).map_err(|error| told("make", &folder, &error))?;
        Ok(folder)
    }

    fn forget(&self, set: Set) {
        for state in [State::Same, State::OneInHundred, State::EveryFile] {
            self.maker.forget(&Recipe { set, state, per_mille: self.arguments.per_mille() });
        }
    }

    /// A peer may be missing; movebook must do what the benchmark asks of it.
    fn note_failure(&self, runner: Runner) {
        if runner == Runner::Movebook {
            self.broken.store(true, Ordering::Relaxed);
        }
    }

    /// Held while programs take turns, where others use the machine too.
    fn turn(&self) -> Result<Option<File>, Failure> {
        let Some(path) = &self.arguments.turn else { return Ok(None) };
        let file = File::create(path).map_err(|error| told("open", path, &error))?;
        file.lock().map_err(|error| told("lock", path, &error))?;
        Ok(Some(file))
    }

    fn check_stopped(&self) -> Result<(), Failure> {
        match self.stopped.load(Ordering::Relaxed) {
            true => Err("interrupted".into()),
            false => Ok(()),
        }
    }
}

impl Runner {
    pub fn name(self) -> &'static str {
        match self {
            Self::Movebook => "movebook",
            Self::Beside => "movebook beside",
            Self::Peer(peer) => peer.name(),
        }
    }

    fn keeps_times(self) -> bool {
        match self {
            Self::Movebook | Self::Beside => true,
            Self::Peer(peer) => peer.keeps_times(),
        }
    }
}

impl Medium {
    fn told(self) -> &'static str {
        match self {
            Self::Memory => "in memory",
            Self::Disk => "on the disk",
        }
    }
}

/// The movebook that cargo built for this benchmark.
fn own_program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_movebook"))
}

/// Brings into the cache what a fresh mount has not.
fn warm(from: &Path, to: &Path, deed: Deed) -> Result<(), Failure> {
    if to.exists() {
        limit::compare(from, to).map_err(|error| format!("cannot look at {}: {error}", to.display()))?;
    } else if deed == Deed::First {
        limit::compare(from, from).map_err(|error| format!("cannot look at {}: {error}", from.display()))?;
    }
    Ok(())
}

/// A figure counts only for a whole target.
fn check(from: &Path, to: &Path, stage: &Stage, runner: Runner) -> Result<(), Failure> {
    let seen =
        limit::compare(from, to).map_err(|error| format!("cannot look at {}: {error}", to.display()))?;
    let [same, different, single] =
        [seen.same, seen.different, seen.single].map(std::sync::atomic::AtomicU64::into_inner);
    let files = stage.recipe.size().files;
    let whole = if runner.keeps_times() { same == files } else { same + different == files };
    match whole && single == 0 {
        true => Ok(()),
        false => Err(format!(
            "{}'s target is not whole: of {files} files {same} are the same, {different} differ, and {single} entries are on one side only",
            runner.name()
        )),
    }
}

/// Reads every file once.
fn read_all(tree: &Path) -> Result<(), Failure> {
    let files: Vec<PathBuf> = walkdir::WalkDir::new(tree)
        .into_iter()
        .filter_map(|entry| {
            entry.ok().filter(|entry| entry.file_type().is_file()).map(|entry| entry.into_path())
        })
        .collect();
    let (next, failure) = (AtomicUsize::new(0), Mutex::new(None));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut buffer = vec![0; 256 << 10];
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let read = File::open(path).and_then(|mut file| {
                        while file.read(&mut buffer)? > 0 {}
                        Ok(())
                    });
                    if let Err(error) = read {
                        *failure.lock().unwrap_or_else(PoisonError::into_inner) =
                            Some(told("read", path, &error));
                    }
                }
            });
        }
    });
    failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}
