//! Child processes together with all that they start.
//!
//! Invariants: a child that is out of time or unwanted ends with its whole tree; what it writes is read all the time,
//! so that it never blocks, and kept only up to a bound; it never reads from the terminal, and the terminal's Ctrl-C
//! does not reach it: whether it ends is decided here.
//!
//! A tree is a process group (Unix) or a job object (Windows). A process that leaves its group, as a daemon does, is
//! no longer part of the tree.

mod capture;
#[cfg(not(windows))]
mod unix;
#[cfg(not(windows))]
use unix as system;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use process_wrap::std::{ChildWrapper, CommandWrap};
use zeroize::Zeroizing;

pub use self::capture::{Captured, KEPT_BYTES, MARGIN_BYTES};
use self::capture::{Ear, Piece, Reader};
use super::priority;
use crate::cancel::Cancel;
use crate::copy::Priority;

/// How long a killed child is waited for; the kernel may hold one that waits for a dead disk.
const AFTER_KILL: Duration = Duration::from_millis(200);
/// After the child's end its pipes are read until they were silent for this long …
const QUIET: Duration = Duration::from_millis(150);
/// … but no longer than this: a daemon that it started may hold them open, and write.
const DRAIN: Duration = Duration::from_secs(1);
const LONGEST_NAP: Duration = Duration::from_millis(20);

/// What is started, and how.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub launch: Launch<'a>,
    /// Added to this process's environment.
    pub environment: &'a IndexMap<String, String>,
    pub directory: Option<&'a Path>,
    /// Given to the child's standard input, which is empty otherwise. May hold a secret.
    pub input: Option<&'a str>,
    pub timeout: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
pub enum Launch<'a> {
    /// A program and its arguments, given to it as they are.
    Program(&'a str, &'a [String]),
    /// The same, which gets what others leave: of the processor, and on Linux of the disks.
    GentleProgram(&'a str, &'a [String]),
    /// A line for `sh -c`, `cmd /c`.
    ShellLine(&'a str),
}

/// Hears what a child writes, as it comes; called by the thread that runs it.
pub type Listener<'a> = &'a mut dyn FnMut(Stream, &[u8]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Exited(i32),
    /// By this signal.
    Killed(i32),
    /// It was ended with its tree when its time was up.
    TimedOut,
    /// It was ended with its tree since the run was asked to stop.
    Interrupted,
}

#[derive(Clone, Debug)]
pub struct Ended {
    pub end: End,
    pub stdout: Captured,
    pub stderr: Captured,
    pub elapsed: Duration,
}

/// The program of this name that belongs to the system: on Windows the one in its own folder, whatever else PATH leads to.
pub fn of_system(name: &str) -> String {
    system::of_system(name)
}

/// Whether a program would be found by this name or path.
pub fn is_found(program: &str) -> bool {
    if Path::new(program).components().count() > 1 {
        return Path::new(program).is_file();
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// Runs a child to its end. `tick` is called many times a second meanwhile. An `Err` means that it never
/// started, or could not be watched and was killed.
pub fn run(request: &Request<'_>, cancel: &Cancel, tick: &dyn Fn()) -> io::Result<Ended> {
    start(request, cancel, tick, None)
}

/// As [`run`], and gives all that the child writes to a listener, of which nothing is lost. A child that writes faster than
/// its listener reads waits.
pub fn run_heard(request: &Request<'_>, cancel: &Cancel, listener: Listener<'_>) -> io::Result<Ended> {
    start(request, cancel, &|| {}, Some(listener))
}

fn start(
    request: &Request<'_>,
    cancel: &Cancel,
    tick: &dyn Fn(),
    listener: Option<Listener<'_>>,
) -> io::Result<Ended> {
    let begun = Instant::now();
    let mut wrap = CommandWrap::from(command(request));
    let mut child = match request.launch {
        Launch::GentleProgram(..) => {
            system::own_tree(&mut wrap, Priority::Gentle);
            spawn_gently(&mut wrap)?
        }
        Launch::Program(..) | Launch::ShellLine(_) => {
            system::own_tree(&mut wrap, Priority::Normal);
            wrap.spawn()?
        }
    };

    let result = attend(child.as_mut(), request, begun, cancel, tick, listener);
    if result.is_err() {
        // It cannot be watched, so it must not go on; that the killing fails as well would add nothing.
        let _ = system::kill_tree(child.as_mut());
    }
    result
}

/// On a thread that ends with it: on Linux a child has the priorities of the thread that started it, and none takes a lower
/// one back.
fn spawn_gently(wrap: &mut CommandWrap) -> io::Result<Box<dyn ChildWrapper>> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // A system that has no such thing, or refuses it, starts it as any other.
            let _ = priority::lower_this_thread();
            wrap.spawn()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn attend(
    child: &mut dyn ChildWrapper,
    request: &Request<'_>,
    begun: Instant,
    cancel: &Cancel,
    tick: &dyn Fn(),
    listener: Option<Listener<'_>>,
) -> io::Result<Ended> {
    let (ear, heard): (Option<Ear>, _) = listener.is_some().then(|| mpsc::sync_channel(WAITING)).unzip();
    let mut hearing = Hearing { heard, listener };
    let sink = |stream| ear.clone().map(|ear| (stream, ear));
    let stdout = child.stdout().take().map(|pipe| Reader::start(pipe, sink(Stream::Stdout))).transpose()?;
    let stderr = child.stderr().take().map(|pipe| Reader::start(pipe, sink(Stream::Stderr))).transpose()?;
    drop(ear);
    if let (Some(mut pipe), Some(input)) = (child.stdin().take(), request.input) {
        let input = Zeroizing::new(input.to_owned());
        std::thread::Builder::new().spawn(move || {
            // A child may end, or close its input, without having read all of it: that is its own affair.
            let _ = pipe.write_all(input.as_bytes());
        })?;
    }
    let end = watch(child, begun, request.timeout, cancel, &mut || {
        tick();
        hearing.catch_up();
    })?;
    drain(&[&stdout, &stderr], cancel, &mut hearing);
    Ok(Ended {
        end,
        stdout: stdout.map(Reader::captured).unwrap_or_default(),
        stderr: stderr.map(Reader::captured).unwrap_or_default(),
        elapsed: begun.elapsed(),
    })
}

/// So many pieces may wait for a listener.
const WAITING: usize = 256;

struct Hearing<'a> {
    heard: Option<Receiver<Piece>>,
    listener: Option<Listener<'a>>,
}

impl Hearing<'_> {
    /// Passes on what came meanwhile.
    fn catch_up(&mut self) -> Heard {
        let (Some(heard), Some(listener)) = (&self.heard, &mut self.listener) else { return Heard::Nothing };
        let mut came = Heard::Nothing;
        for (stream, bytes) in heard.try_iter() {
            listener(stream, &bytes);
            came = Heard::Something;
        }
        came
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Something,
    Nothing,
}

fn command(request: &Request<'_>) -> Command {
    let mut command = match request.launch {
        Launch::Program(program, arguments) | Launch::GentleProgram(program, arguments) => {
            let mut command = match request.directory {
                // Systems disagree on whether `./tool` starts from the caller's or the child's directory: it is the child's.
                Some(directory) if Path::new(program).components().count() > 1 => {
                    Command::new(directory.join(program))
                }
                _ => Command::new(program),
            };
            command.args(arguments);
            command
        }
        Launch::ShellLine(line) => system::shell(line),
    };
    command.envs(request.environment).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.stdin(if request.input.is_some() { Stdio::piped() } else { Stdio::null() });
    if let Some(directory) = request.directory {
        command.current_dir(directory);
    }
    command
}

fn watch(
    child: &mut dyn ChildWrapper,
    begun: Instant,
    timeout: Option<Duration>,
    cancel: &Cancel,
    tick: &mut dyn FnMut(),
) -> io::Result<End> {
    let mut nap = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(system::end_of(status));
        }
        if cancel.is_requested() {
            end_tree(child)?;
            return Ok(End::Interrupted);
        }
        if timeout.is_some_and(|limit| begun.elapsed() >= limit) {
            end_tree(child)?;
            return Ok(End::TimedOut);
        }
        tick();
        std::thread::sleep(nap);
        nap = (nap * 2).min(LONGEST_NAP);
    }
}

/// Asks the tree to end, gives it a moment, and kills what is left of it, even where the child itself is gone already.
fn end_tree(child: &mut dyn ChildWrapper) -> io::Result<()> {
    system::ask_to_end(child);
    let asked = Instant::now();
    while asked.elapsed() < system::GRACE {
        let child_ended = child.try_wait()?.is_some();
        if child_ended && !system::tree_lives(child) {
            return Ok(());
        }
        std::thread::sleep(LONGEST_NAP);
    }
    system::kill_tree(child)?;
    let killed = Instant::now();
    while child.try_wait()?.is_none() && killed.elapsed() < AFTER_KILL {
        std::thread::sleep(LONGEST_NAP);
    }
    Ok(())
}

fn drain(readers: &[&Option<Reader>], cancel: &Cancel, hearing: &mut Hearing<'_>) {
    let begun = Instant::now();
    let total = || readers.iter().filter_map(|reader| reader.as_ref()).map(Reader::total).sum::<u64>();
    let mut last = (total(), begun);
    // A listener takes its time, which is nobody's silence: what waits for it keeps the child's last words back.
    let mut listened = Duration::ZERO;
    loop {
        let at_end = readers.iter().all(|reader| reader.as_ref().is_none_or(Reader::is_at_end));
        let listening = Instant::now();
        let heard = hearing.catch_up();
        listened += listening.elapsed();
        if at_end {
            return;
        }
        let now = total();
        if heard == Heard::Something || now != last.0 {
            last = (now, Instant::now());
        }
        let is_over = last.1.elapsed() >= QUIET || begun.elapsed().saturating_sub(listened) >= DRAIN;
        // The tree was ended already, and the person waits.
        if is_over || cancel.is_requested() && begun.elapsed() >= QUIET {
            hearing.catch_up();
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Many more pieces than wait, and a listener that is slower than the child.
    #[test]
    fn a_listener_hears_all_of_both_streams() {
        let line = "i=0; while [ $i -lt 20000 ]; do echo line $i; echo word $i >&2; i=$((i+1)); done";
        let request = Request {
            launch: Launch::ShellLine(line),
            environment: &IndexMap::new(),
            directory: None,
            input: None,
            timeout: None,
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let ended = run_heard(&request, &Cancel::new(), &mut |stream, bytes| match stream {
            Stream::Stdout => out.extend_from_slice(bytes),
            Stream::Stderr => err.extend_from_slice(bytes),
        })
        .unwrap();
        assert_eq!(ended.end, End::Exited(0));
        let expected = |word: &str| (0..20000).map(|number| format!("{word} {number}\n")).collect::<String>();
        assert!(out == expected("line").as_bytes() && err == expected("word").as_bytes());
    }

    /// Gives a piece whenever one is let go, and is at its end when nobody can any more.
    struct Gate(Receiver<&'static [u8]>);

    impl io::Read for Gate {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Ok(piece) = self.0.recv() else { return Ok(0) };
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    #[test]
    fn what_comes_while_a_slow_listener_is_at_work_is_heard() {
        let (opener, gate) = mpsc::channel();
        let (ear, heard) = mpsc::sync_channel(WAITING);
        let reader = Reader::start(Gate(gate), Some((Stream::Stdout, ear))).unwrap();
        opener.send(&b"first "[..]).unwrap();
        while reader.total() == 0 {
            std::thread::yield_now();
        }
        let mut all = Vec::new();
        let mut listener = |_, bytes: &[u8]| {
            if all.is_empty() {
                // Longer than any silence, and than a drain takes.
                std::thread::sleep(DRAIN + QUIET);
                opener.send(b"last").unwrap();
            }
            all.extend_from_slice(bytes);
        };
        let mut hearing = Hearing { heard: Some(heard), listener: Some(&mut listener) };
        drain(&[&Some(reader)], &Cancel::new(), &mut hearing);
        assert_eq!(all, b"first last");
    }
}
