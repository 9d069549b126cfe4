//! Reads a pipe to its end and keeps the last of it.
//!
//! Invariant: memory is bounded whatever the child writes, and the child waits for nobody but a listener that was asked for.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use super::Stream;

/// Where pieces of a stream are sent as they come.
pub type Ear = SyncSender<Piece>;
pub type Piece = (Stream, Vec<u8>);

/// What is shown of a stream at most.
pub const KEPT_BYTES: usize = 64 * 1024;
/// What is kept before that, so that a secret which begins before the shown part can still be recognised.
pub const MARGIN_BYTES: usize = 4 * 1024;

/// The end of a stream: the last [`KEPT_BYTES`] and at most [`MARGIN_BYTES`] before them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    pub tail: Vec<u8>,
    /// All bytes that were written.
    pub total: u64,
}

impl Captured {
    pub fn is_cut(&self) -> bool {
        self.total > self.tail.len() as u64
    }
}

/// A thread that reads one pipe. It outlives its reader where a daemon holds the pipe open: were it closed, the daemon
/// would be killed by its next word.
pub struct Reader {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    tail: Mutex<Tail>,
    at_end: AtomicBool,
}

impl Reader {
    /// `ear` hears all of it, too, and may keep the child waiting; one that is gone hears nothing more.
    pub fn start(mut pipe: impl Read + Send + 'static, mut ear: Option<(Stream, Ear)>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let reader = Self { shared: Arc::clone(&shared) };
        std::thread::Builder::new().spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            loop {
                match pipe.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => {
                        if let Some((stream, sender)) = &ear
                            && sender.send((*stream, buffer[..count].to_vec())).is_err()
                        {
                            ear = None;
                        }
                        shared.push(&buffer[..count]);
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
            shared.at_end.store(true, Ordering::Release);
        })?;
        Ok(reader)
    }

    pub fn is_at_end(&self) -> bool {
        self.shared.at_end.load(Ordering::Acquire)
    }

    pub fn total(&self) -> u64 {
        self.shared.tail.lock().unwrap_or_else(PoisonError::into_inner).total
    }

    pub fn captured(self) -> Captured {
        let tail = self.shared.tail.lock().unwrap_or_else(PoisonError::into_inner);
        Captured { tail: tail.kept.iter().copied().collect(), total: tail.total }
    }
}

impl Shared {
    fn push(&self, bytes: &[u8]) {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

#[derive(Default)]
struct Tail {
    kept: VecDeque<u8>,
    total: u64,
}

impl Tail {
    const LIMIT: usize = KEPT_BYTES + MARGIN_BYTES;

    fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let bytes = &bytes[bytes.len().saturating_sub(Self::LIMIT)..];
        let surplus = (self.kept.len() + bytes.len()).saturating_sub(Self::LIMIT);
        self.kept.drain(..surplus);
        self.kept.extend(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_keeps_the_last_bytes_in_order_and_counts_all() {
        let mut tail = Tail::default();
        let flood: Vec<u8> = (0..300_000u32).map(|number| (number % 251) as u8).collect();
        for part in flood.chunks(7_919) {
            tail.push(part);
        }
        let kept: Vec<u8> = tail.kept.into_iter().collect();
        assert_eq!(kept, flood[flood.len() - Tail::LIMIT..]);
        assert_eq!(tail.total, 300_000);
    }

    #[test]
    fn one_piece_larger_than_the_bound_is_cut_to_it() {
        let mut tail = Tail::default();
        tail.push(&vec![b'a'; Tail::LIMIT]);
        tail.push(&vec![b'b'; Tail::LIMIT + 5]);
        assert!(tail.kept.iter().all(|byte| *byte == b'b'));
        assert_eq!(tail.kept.len(), Tail::LIMIT);
    }
}
