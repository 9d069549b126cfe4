//! Figures as Markdown, ready for the README.

use std::fmt::Write;
use std::time::Duration;

use crate::journal::Share;
use crate::measure::median;
use crate::peers::Peer;
use crate::rounds::{Measured, Runner};
use crate::rows::{Against, JOURNAL_TARGET, MEMORY_TARGET, MemoryRow, PARALLEL, Row, Target};
use crate::volumes::{Failure, Kind};

pub const TIMES: &str = "\
| work | movebook | the others | ratio, and what is aimed at |
| --- | --- | --- | --- |
";

pub const JOURNAL: &str = "\
| journal and events | the whole run | their part, at most | share, and what is aimed at |
| --- | --- | --- | --- |
";

pub const MEMORY: &str = "\
| peak memory of one run, without shared pages | movebook | the others | aimed at |
| --- | --- | --- | --- |
";

/// What the figures were measured on.
pub fn head(kind: Kind, rounds: u32, per_mille: u64) -> String {
    let system = match kind {
        Kind::Ext4 => "ext4 with a journal, made anew for each round",
        Kind::Tmpfs => "file systems in memory (no figures of a disk)",
    };
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let size = match per_mille {
        1000 => String::new(),
        part => format!(", data sets at {} % of their size", part as f64 / 10.0),
    };
    let rounds = match rounds {
        1 => "One round each".to_owned(),
        rounds => format!("Medians of {rounds} rounds in turn"),
    };
    format!("{rounds}, flush of the target included; {system}; {cores} cores, Linux {}{size}.", kernel.trim())
}

pub fn line(row: &Row, measured: Result<Vec<Measured<Duration>>, Failure>) -> String {
    let measured = match measured {
        Ok(measured) => measured,
        Err(failure) => return format!("| {} | not measured here: {failure} | | |\n", row.work),
    };
    let own = measured.iter().find(|one| one.runner == Runner::Movebook);
    let others = measured.iter().filter(|one| one.runner != Runner::Movebook);
    let others: Vec<String> = others.map(|one| format!("{} {}", one.runner.name(), seconds(one))).collect();
    let mut ratios: Vec<String> =
        row.targets.iter().filter_map(|target| ratio(own?, &measured, target)).collect();
    if row.targets.iter().all(|target| target.1 != Against::Peer(Peer::Limit)) {
        ratios.extend(own.and_then(|own| to_limit(own, &measured)));
    }
    format!(
        "| {} | {} | {} | {} |\n",
        row.work,
        own.map(seconds).unwrap_or_default(),
        others.join(", "),
        ratios.join("<br>")
    )
}

pub fn memory_line(row: &MemoryRow, measured: Result<Vec<Measured<u64>>, Failure>) -> String {
    let measured = match measured {
        Ok(measured) => measured,
        Err(failure) => return format!("| {} | not measured here: {failure} | | |\n", row.work),
    };
    let mut line = format!("| {} |", row.work);
    let mut others = Vec::new();
    let mut verdict = String::new();
    for one in &measured {
        let figure = match &one.rounds {
            Ok(rounds) => peak(rounds.first().copied()),
            Err(failure) => format!("not measured here: {failure}"),
        };
        if one.runner == Runner::Movebook {
            // Writing to a `String` cannot fail.
            let _ = write!(line, " {figure} |");
            if let Ok(Some(peak)) = one.rounds.as_ref().map(|rounds| rounds.first()) {
                verdict = format!("≤ {}: {}", mebibytes(MEMORY_TARGET), met(*peak <= MEMORY_TARGET));
            }
        } else {
            others.push(format!("{} {figure}", one.runner.name()));
        }
    }
    format!("{line} {} | {verdict} |\n", others.join(", "))
}

/// What is told of the journal's share: the median.
pub fn journal_line(work: &str, rounds: Result<Vec<Share>, Failure>) -> String {
    let mut rounds = match rounds {
        Ok(rounds) => rounds,
        Err(failure) => return format!("| {work} | not measured here: {failure} | | |\n"),
    };
    rounds.sort_by(|one, other| one.fraction().total_cmp(&other.fraction()));
    let Some(share) = rounds.get(rounds.len() / 2) else { return String::new() };
    let percent = share.fraction() * 100.0;
    format!(
        "| {work} | {:.3} s | {:.1} ms | {percent:.1} % (≤ {JOURNAL_TARGET} %: {}) |\n",
        share.whole.as_secs_f64(),
        share.told.as_secs_f64() * 1e3,
        met(percent <= JOURNAL_TARGET)
    )
}

/// What the figures of some programs do not include.
pub fn remarks(rows: &[&Row]) -> String {
    let mut peers: Vec<_> = rows.iter().flat_map(|row| row.peers).copied().collect();
    peers.sort_by_key(|peer| *peer as u8);
    peers.dedup();
    let remarks: Vec<String> = peers
        .iter()
        .filter_map(|peer| peer.remark().map(|remark| format!("{} {remark}", peer.name())))
        .collect();
    match remarks.is_empty() {
        true => String::new(),
        false => format!("\n{}.", remarks.join("; ")),
    }
}

fn ratio(own: &Measured<Duration>, measured: &[Measured<Duration>], target: &Target) -> Option<String> {
    let Target(factor, against) = target;
    let own = median(own.rounds.as_ref().ok()?)?;
    let (name, other) = match against {
        Against::Peer(peer) => (peer.name(), time_of(measured, Runner::Peer(*peer))?),
        Against::FastestParallel => PARALLEL
            .iter()
            .filter_map(|peer| Some((peer.name(), time_of(measured, Runner::Peer(*peer))?)))
            .min_by_key(|(_, time)| *time)?,
    };
    let ratio = own.as_secs_f64() / other.as_secs_f64();
    // Two places, unless they would hide on which side it is.
    let places = if (ratio - factor).abs() < 0.005 { 4 } else { 2 };
    Some(format!("{ratio:.places$} × {name} (≤ {factor:.2}: {})", met(ratio <= *factor)))
}

/// How near the limit is, where nothing is aimed at.
fn to_limit(own: &Measured<Duration>, measured: &[Measured<Duration>]) -> Option<String> {
    let own = median(own.rounds.as_ref().ok()?)?;
    let limit = time_of(measured, Runner::Peer(Peer::Limit))?;
    Some(format!("{:.2} × {}", own.as_secs_f64() / limit.as_secs_f64(), Peer::Limit.name()))
}

fn time_of(measured: &[Measured<Duration>], runner: Runner) -> Option<Duration> {
    let one = measured.iter().find(|one| one.runner == runner)?;
    median(one.rounds.as_ref().ok()?)
}

fn seconds(one: &Measured<Duration>) -> String {
    match &one.rounds {
        Ok(rounds) => median(rounds).map_or(String::new(), |time| format!("{:.2} s", time.as_secs_f64())),
        Err(failure) => format!("not measured here: {failure}"),
    }
}

/// A peak of memory; a program can be over before one was seen.
pub fn peak(peak: Option<u64>) -> String {
    peak.map_or("over too soon to be seen".into(), mebibytes)
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20))
}

fn met(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}
