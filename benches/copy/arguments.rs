//! What is measured, from the command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::data::Set;
use crate::peers::Peer;
use crate::rows::Topic;

/// Measures movebook beside the programs that a person might use instead
///
/// Words choose what is measured: data sets (S L M N O) and topics (first nothing purge changed verify cold memory journal). Without
/// a set all sets are taken, without a topic all topics. N and O take some minutes each; `--scale` makes everything smaller.
#[derive(Debug, Parser)]
#[command(name = "copy", bin_name = "cargo bench --bench copy --")]
pub struct Arguments {
    /// Data sets and topics
    #[arg(value_name = "WORD", value_parser = word)]
    words: Vec<Word>,
    /// Counted rounds of each program; one more comes before them
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// A part of the data sets, as 0.1
    #[arg(long, value_name = "FACTOR", env = "MOVEBOOK_BENCH_SCALE", default_value_t = 1.0, value_parser = factor)]
    pub scale: f64,
    /// Only these of the others (none: `--peers ''`)
    #[arg(long, value_name = "NAMES", value_parser = peers)]
    peers: Option<Peers>,
    /// Another movebook to run in turn with this one, such as the build before a change
    #[arg(long, value_name = "FILE")]
    pub beside: Option<PathBuf>,
    /// File systems in memory instead of ext4; without root, fresh folders
    #[arg(long)]
    pub tmpfs: bool,
    /// Keep the filled images in /dev/shm and on the disk, for the next time
    #[arg(long)]
    pub keep: bool,
    /// A lock to hold while programs take turns, where others use the machine too
    #[arg(long, value_name = "FILE")]
    pub turn: Option<PathBuf>,
    /// Only whether the benchmark works: 5,000 files, one round, in memory
    #[arg(long)]
    pub quick: bool,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug)]
enum Word {
    Set(Set),
    Topic(Topic),
}

#[derive(Clone, Debug)]
struct Peers(Vec<Peer>);

impl Arguments {
    pub fn wants_set(&self, set: Set) -> bool {
        let mut sets = self.words.iter().filter(|word| matches!(word, Word::Set(_))).peekable();
        match sets.peek() {
            None => !self.quick || set == Set::S,
            Some(_) => sets.any(|word| matches!(word, Word::Set(wanted) if *wanted == set)),
        }
    }

    pub fn wants_topic(&self, topic: Topic) -> bool {
        let mut topics = self.words.iter().filter(|word| matches!(word, Word::Topic(_))).peekable();
        match topics.peek() {
            None => !self.quick || topic != Topic::Cold,
            Some(_) => topics.any(|word| matches!(word, Word::Topic(wanted) if *wanted == topic)),
        }
    }

    pub fn wants_peer(&self, peer: Peer) -> bool {
        self.peers.as_ref().is_none_or(|peers| peers.0.contains(&peer))
    }

    pub fn per_mille(&self) -> u64 {
        let scale = if self.quick { 0.05 } else { self.scale };
        ((scale * 1000.0).round() as u64).max(1)
    }

    pub fn counted_rounds(&self) -> u32 {
        if self.quick { 1 } else { self.rounds }
    }
}

fn word(text: &str) -> Result<Word, String> {
    Set::from_str(text, true)
        .map(Word::Set)
        .or_else(|_| Topic::from_str(text, true).map(Word::Topic))
        .map_err(|_| "neither a data set (S L M N O) nor a topic (first nothing purge changed verify cold memory journal)".into())
}

fn peers(text: &str) -> Result<Peers, String> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| Peer::from_str(name, true)).collect::<Result<_, _>>().map(Peers)
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if factor > 0.0 && factor <= 10.0 => Ok(factor),
        _ => Err("a number over 0 and up to 10".into()),
    }
}
