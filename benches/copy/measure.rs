//! Runs a program and says how long it took, or how much memory.
//!
//! **Time** is wall time from before the process is started until it has ended and the target's file system is flushed.
//!
//! **Memory** is looked at in rounds of its own, since looking takes time. Every 2 ms the private pages (`Private_Clean` and
//! `Private_Dirty` in `/proc/PID/smaps_rollup`) of the process and of all that it started are added up; the largest sum counts.
//! Pages that several processes share are in no sum: not the C library, and not what rsync's processes inherited from each other.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::volumes::{Failure, told};

/// A peak says nothing where memory was seen less often.
const LOOKS: u32 = 3;

/// How long a program takes, with the flush of `target`.
pub fn time(command: Command, target: &Path, work: &Path) -> Result<Duration, Failure> {
    let begun = Instant::now();
    span(command, work)?;
    flush(target)?;
    Ok(begun.elapsed())
}

/// How long a program takes.
pub fn span(mut command: Command, work: &Path) -> Result<Duration, Failure> {
    let begun = Instant::now();
    let mut child = start(&mut command, work)?;
    let status = child.wait().map_err(|error| error.to_string())?;
    let taken = begun.elapsed();
    judge(&command, status, work)?;
    Ok(taken)
}

/// The most private memory that a program and its children have at one time, in bytes; `None` where it was over before it was seen.
pub fn memory(mut command: Command, work: &Path) -> Result<Option<u64>, Failure> {
    let mut child = start(&mut command, work)?;
    let (mut peak, mut looks) = (0, 0);
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        let now = private_pages(child.id());
        looks += u32::from(now > 0);
        peak = peak.max(now);
        std::thread::sleep(Duration::from_millis(2));
    };
    judge(&command, status, work)?;
    Ok((looks >= LOOKS).then_some(peak))
}

pub fn median(times: &[Duration]) -> Option<Duration> {
    let mut times = times.to_vec();
    times.sort();
    let middle = times.len() / 2;
    match times.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(times[middle]),
        _ => Some((times[middle - 1] + times[middle]) / 2),
    }
}

fn start(command: &mut Command, work: &Path) -> Result<Child, Failure> {
    let output = |name| {
        let path = work.join(name);
        File::create(&path).map_err(|error| told("make", &path, &error))
    };
    command.stdin(Stdio::null()).stdout(output("stdout")?).stderr(output("stderr")?);
    command.spawn().map_err(|error| format!("{}: {error}", command.get_program().display()))
}

fn flush(target: &Path) -> Result<(), Failure> {
    let directory = File::open(target).map_err(|error| told("open", target, &error))?;
    rustix::fs::syncfs(&directory).map_err(|error| told("flush", target, &error.into()))
}

fn judge(command: &Command, status: ExitStatus, work: &Path) -> Result<(), Failure> {
    if status.success() {
        return Ok(());
    }
    let complaint = fs::read_to_string(work.join("stderr")).unwrap_or_default();
    let said = |line: &&str| line.contains("error");
    let line = complaint.lines().find(said).or(complaint.lines().last()).unwrap_or("without a word");
    Err(format!("{} ended with {status}: {}", command.get_program().display(), line.trim()))
}

/// Bytes that only one process has, over a process and its descendants.
fn private_pages(process: u32) -> u64 {
    let (mut bytes, mut open) = (0, vec![process]);
    while let Some(process) = open.pop() {
        let folder = Path::new("/proc").join(process.to_string());
        // A process that has just ended has no memory.
        let text = fs::read_to_string(folder.join("smaps_rollup")).unwrap_or_default();
        bytes += text.lines().filter_map(private).sum::<u64>();
        for thread in fs::read_dir(folder.join("task")).into_iter().flatten().flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            open.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    bytes
}

fn private(line: &str) -> Option<u64> {
    let value = line.strip_prefix("Private_Clean:").or(line.strip_prefix("Private_Dirty:"))?;
    Some(value.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}
