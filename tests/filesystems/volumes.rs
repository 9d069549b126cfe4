//! File systems that a test makes for itself: mounted when they are asked for, gone when the test is over, also by a panic.
//!
//! What cannot be made on a machine (no root, no loop devices, no such tool) is an `Err` that says why, and the test then
//! says that it proves nothing here: see [`or_not_proven`].

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Why a file system cannot be made here.
pub type Lacking = String;

/// A file system of a test's own.
pub struct Volume {
    /// Holds the mount's place.
    folder: TempDir,
    /// Holds the image, of all but tmpfs.
    behind: TempDir,
    how: How,
    mounted: Mounted,
}

#[derive(Clone, Debug)]
struct How {
    kind: &'static str,
    options: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mounted {
    Yes,
    No,
}

/// What a power cut leaves of the journal that was not written yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The journal is still written: names may be there without content.
    AfterTheJournal,
    /// Nothing more is written.
    AtOnce,
}

impl Volume {
    /// A memory file system.
    pub fn tmpfs(options: &str) -> Result<Self, Lacking> {
        Self::new(How { kind: "tmpfs", options: options.to_owned() }, |_| Ok(()))
    }

    /// An ext4 on a loop device: so many mebibytes, with more arguments for its making and its mounting.
    pub fn ext4(mebibytes: u64, making: &[&str], options: &str) -> Result<Self, Lacking> {
        Self::new(How { kind: "ext4", options: loop_and(options) }, |image| {
            sized(image, mebibytes)?;
            let mut command = Command::new("mkfs.ext4");
            ran(command
                .args(["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"])
                .args(making)
                .arg(image))
        })
    }

    /// A btrfs on a loop device: the only file system of many machines whose quotas need no tool of their own.
    pub fn btrfs(mebibytes: u64) -> Result<Self, Lacking> {
        Self::new(How { kind: "btrfs", options: loop_and("") }, |image| {
            sized(image, mebibytes)?;
            ran(Command::new("mkfs.btrfs").args(["-q", "-M"]).arg(image))
        })
    }

    fn new(how: How, make: impl FnOnce(&Path) -> Result<(), Lacking>) -> Result<Self, Lacking> {
        let folder = tempfile::tempdir().unwrap();
        let volume = Self { folder, behind: scratch(), how, mounted: Mounted::No };
        fs::create_dir(volume.path()).unwrap();
        make(&volume.image())?;
        volume.mount()
    }

    fn mount(mut self) -> Result<Self, Lacking> {
        self.attach()?;
        Ok(self)
    }

    pub fn attach(&mut self) -> Result<(), Lacking> {
        let mut command = Command::new("mount");
        command.args(["-t", self.how.kind]);
        if !self.how.options.is_empty() {
            command.args(["-o", &self.how.options]);
        }
        let what = if self.how.kind == "tmpfs" { PathBuf::from("tmpfs") } else { self.image() };
        ran(command.arg(what).arg(self.path()))?;
        self.mounted = Mounted::Yes;
        Ok(())
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("volume")
    }

    fn image(&self) -> PathBuf {
        self.behind.path().join("image")
    }

    /// From now on nothing reaches the disk: what the file system holds in memory is lost.
    #[cfg(target_os = "linux")]
    pub fn cut_power(&self, cut: Cut) {
        // EXT4_IOC_SHUTDOWN; its flags are EXT4_GOING_FLAGS_LOGFLUSH and EXT4_GOING_FLAGS_NOLOGFLUSH.
        const SHUTDOWN: rustix::ioctl::Opcode = 0x8004_587d;
        let flag: u32 = match cut {
            Cut::AfterTheJournal => 1,
            Cut::AtOnce => 2,
        };
        let top = File::open(self.path()).unwrap();
        // SAFETY: the call reads one number of 32 bits, which is what it is given.
        unsafe { rustix::ioctl::ioctl(&top, rustix::ioctl::Setter::<SHUTDOWN, u32>::new(flag)) }.unwrap();
    }

    /// Takes it off and mounts it again, as a machine does that is switched on again.
    pub fn mount_again(&mut self) {
        self.detach();
        self.attach().unwrap();
    }

    /// Mounts it anew in place, with other options.
    pub fn change(&self, options: &str) {
        ran(Command::new("mount").arg("-o").arg(format!("remount,{options}")).arg(self.path())).unwrap();
    }

    pub fn detach(&mut self) {
        if self.mounted == Mounted::Yes {
            // Whoever still has a file open there must not keep the test's folder: then it is taken off lazily.
            if ran(Command::new("umount").arg(self.path())).is_err() {
                let _gone_already = ran(Command::new("umount").arg("-l").arg(self.path()));
            }
            self.mounted = Mounted::No;
        }
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        self.detach();
    }
}

/// A folder that is shown in the place of another, until this goes.
pub struct Bind(PathBuf);

impl Bind {
    pub fn over(folder: &Path, place: &Path) -> Result<Self, Lacking> {
        ran(Command::new("mount").arg("--bind").arg(folder).arg(place))?;
        Ok(Self(place.to_owned()))
    }
}

impl Drop for Bind {
    fn drop(&mut self) {
        let _gone_already = ran(Command::new("umount").arg(&self.0));
    }
}

/// Gives the file system, or says that nothing is proven here, and why.
pub fn or_not_proven<T>(made: Result<T, Lacking>) -> Option<T> {
    match made {
        Ok(made) => Some(made),
        Err(why) => {
            not_proven(&why);
            None
        }
    }
}

/// Says so on the terminal itself, since a test that does not fail is not heard otherwise.
pub fn not_proven(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Nobody may be listening.
    let _ = writeln!(std::io::stderr(), "{test}: not proven here: {why}");
}

/// Runs a command; what it says where it fails.
pub fn ran(command: &mut Command) -> Result<(), Lacking> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!(
            "{command:?} failed: {}",
            String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ")
        )),
        Err(error) => Err(format!("{command:?} cannot be run: {error}")),
    }
}

/// A folder for large and short-lived things: in memory where that can be. No target of a run: that may not be in `/dev`.
pub fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn loop_and(options: &str) -> String {
    if options.is_empty() { "loop".to_owned() } else { format!("loop,{options}") }
}

fn sized(image: &Path, mebibytes: u64) -> Result<(), Lacking> {
    File::create(image).and_then(|file| file.set_len(mebibytes << 20)).map_err(|error| error.to_string())
}

/// A number that makes a test longer, from the environment.
pub fn setting(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}
