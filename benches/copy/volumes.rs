//! File systems made anew for every round.
//!
//! With root: ext4 on a loop device, with the journal that mkfs makes by default; the image lies in memory (`/dev/shm`), or on the
//! disk where it is too large or the cache has to be cold. A filled target is made once, unmounted, and its image cloned for each
//! round, so that every round begins with the same blocks in the same places. Only one thing differs from the defaults:
//! `noinit_itable`, since a kernel thread would otherwise go on writing inode tables while a round is timed.
//!
//! With `--tmpfs` each round gets a file system in memory, for a look at the processor's part only; without root, a fresh folder.
//!
//! All of it is gone when it is dropped; what a killed benchmark left behind is taken away by the next one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::data::Recipe;

const MEMORY: &str = "/dev/shm";
const NAME: &str = "movebook-bench-";
/// The name of the tree on each file system: the root of an ext4 has a `lost+found`.
const TREE: &str = "tree";
/// mkfs makes an inode for so many bytes.
const BYTES_AN_INODE: u64 = 16 << 10;

/// Why something could not be made, for people.
pub type Failure = String;

/// Which kind of file system the rounds are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Ext4,
    Tmpfs,
}

/// An image in memory is written twice, into the file system's cache and into the image: with gigabytes that hides what the
/// copying itself costs.
const LARGEST_IN_MEMORY: u64 = 5 << 29;

/// Where images lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    Memory,
    /// Read and written directly, so that nothing is cached below the file system that is measured.
    Disk,
}

/// What becomes of the filled images at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    ForLater,
    None,
}

/// Makes volumes, and owns the folders that they lie in.
pub struct Maker {
    kind: Kind,
    memory: PathBuf,
    disk: PathBuf,
    keep: Keep,
    number: AtomicU64,
}

/// A file system with a tree, or room for one.
pub struct Volume {
    /// Where it is mounted.
    root: PathBuf,
    image: Option<Image>,
}

struct Image {
    path: PathBuf,
    shared: Shared,
}

/// Whether an image is cloned or mounted again later.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shared {
    Yes,
    No,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    ReadOnly,
    Write,
}

impl Maker {
    pub fn new(kind: Kind, disk: &Path, keep: Keep) -> Result<Self, Failure> {
        let own = format!("{NAME}{}", std::process::id());
        let (memory, disk_base) = (Path::new(MEMORY), disk);
        for base in [memory, disk_base] {
            clear_leftovers(base);
        }
        let maker = Self {
            kind,
            memory: memory.join(&own),
            disk: disk_base.join(&own),
            keep,
            number: AtomicU64::new(0),
        };
        for folder in [&maker.memory, &maker.disk] {
            fs::create_dir_all(folder).map_err(|error| told("make", folder, &error))?;
        }
        Ok(maker)
    }

    /// A folder on the disk for state files, manifests and outputs.
    pub fn work(&self) -> &Path {
        &self.disk
    }

    /// Says where the images of a recipe should lie: in memory where two of them fit, and what is cached of both.
    pub fn medium(&self, recipe: &Recipe) -> Medium {
        let room = recipe.size().room;
        if room < LARGEST_IN_MEMORY && room * 2 < available_memory() / 2 {
            Medium::Memory
        } else {
            Medium::Disk
        }
    }

    /// A file system with nothing on it, large enough for the tree of a recipe.
    pub fn empty(&self, recipe: &Recipe, medium: Medium) -> Result<Volume, Failure> {
        if self.kind == Kind::Tmpfs {
            return self.folder();
        }
        let image = Image { path: self.path(medium, "round", ".img"), shared: Shared::No };
        make_image(&image.path, recipe)?;
        self.mount(image, Access::Write, medium)
    }

    /// The tree of a recipe on a file system that nothing can write to, and that serves all rounds.
    pub fn fixed(&self, recipe: &Recipe, medium: Medium) -> Result<Volume, Failure> {
        if self.kind == Kind::Tmpfs {
            return self.filled_folder(recipe);
        }
        let path = self.filled_image(recipe, medium)?;
        self.mount(Image { path, shared: Shared::Yes }, Access::ReadOnly, medium)
    }

    /// The tree of a recipe on a file system of its own, for one round.
    pub fn filled(&self, recipe: &Recipe, medium: Medium) -> Result<Volume, Failure> {
        if self.kind == Kind::Tmpfs {
            return self.filled_folder(recipe);
        }
        let from = self.filled_image(recipe, medium)?;
        let image = Image { path: self.path(medium, "round", ".img"), shared: Shared::No };
        command("cp", &["--sparse=always".as_ref(), from.as_os_str(), image.path.as_os_str()])?;
        self.mount(image, Access::Write, medium)
    }

    /// Gives back the room that the images of a recipe take, unless they are kept.
    pub fn forget(&self, recipe: &Recipe) {
        if self.keep == Keep::None {
            for medium in [Medium::Memory, Medium::Disk] {
                // It need not be there.
                let _ = fs::remove_file(self.master(recipe, medium));
            }
        }
    }

    fn filled_image(&self, recipe: &Recipe, medium: Medium) -> Result<PathBuf, Failure> {
        let path = self.master(recipe, medium);
        if !path.exists() {
            let folder = path.parent().unwrap_or(Path::new("/"));
            fs::create_dir_all(folder).map_err(|error| told("make", folder, &error))?;
            // It gets its name when it is whole: a benchmark that was cut off leaves no half of it to be found.
            let part = Image { path: self.path(medium, "part", ".img"), shared: Shared::Yes };
            let unfinished = part.path.clone();
            make_image(&unfinished, recipe)?;
            let volume = self.mount(part, Access::Write, medium)?;
            recipe.make(&volume.tree()).map_err(|error| told("fill", &volume.tree(), &error))?;
            drop(volume);
            fs::rename(&unfinished, &path).map_err(|error| told("rename", &unfinished, &error))?;
        }
        Ok(path)
    }

    fn master(&self, recipe: &Recipe, medium: Medium) -> PathBuf {
        let own = match medium {
            Medium::Memory => &self.memory,
            Medium::Disk => &self.disk,
        };
        let folder = match self.keep {
            Keep::ForLater => own.with_file_name(format!("{NAME}kept")),
            Keep::None => own.clone(),
        };
        folder.join(format!("{}.img", recipe.name()))
    }

    fn filled_folder(&self, recipe: &Recipe) -> Result<Volume, Failure> {
        let volume = self.folder()?;
        recipe.make(&volume.tree()).map_err(|error| told("fill", &volume.tree(), &error))?;
        Ok(volume)
    }

    /// A tmpfs; a plain folder for those who may not mount.
    fn folder(&self) -> Result<Volume, Failure> {
        let root = self.path(Medium::Disk, "round", "");
        fs::create_dir(&root).map_err(|error| told("make", &root, &error))?;
        // Whoever may not mount still sees that the benchmark works.
        let _ = command("mount", &["-t".as_ref(), "tmpfs".as_ref(), "none".as_ref(), root.as_os_str()]);
        Ok(Volume { root, image: None })
    }

    fn mount(&self, image: Image, access: Access, medium: Medium) -> Result<Volume, Failure> {
        // From here on the image is taken away with the volume, whatever fails.
        let volume = Volume { root: self.path(Medium::Disk, "mount", ""), image: Some(image) };
        let path = volume.image.as_ref().map(|image| image.path.as_os_str()).unwrap_or_default();
        fs::create_dir(&volume.root).map_err(|error| told("make", &volume.root, &error))?;
        let direct = match medium {
            Medium::Memory => "--direct-io=off",
            Medium::Disk => "--direct-io=on",
        };
        let device = command("losetup", &[direct.as_ref(), "--find".as_ref(), "--show".as_ref(), path])?;
        let device = device.trim();
        let options = match access {
            Access::ReadOnly => "ro,noload",
            Access::Write => "rw,noinit_itable",
        };
        let mounted = command(
            "mount",
            &[
                "-t".as_ref(),
                "ext4".as_ref(),
                "-o".as_ref(),
                options.as_ref(),
                device.as_ref(),
                volume.root.as_os_str(),
            ],
        );
        // A device that is in use is let go by the kernel as soon as it is not.
        let detached = command("losetup", &["--detach".as_ref(), device.as_ref()]);
        mounted.and(detached)?;
        Ok(volume)
    }

    fn path(&self, medium: Medium, name: &str, suffix: &str) -> PathBuf {
        let folder = match medium {
            Medium::Memory => &self.memory,
            Medium::Disk => &self.disk,
        };
        folder.join(format!("{name}-{}{suffix}", self.number.fetch_add(1, Ordering::Relaxed)))
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        for folder in [&self.memory, &self.disk] {
            remove_with_mounts(folder);
        }
    }
}

impl Volume {
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where its tree is, or has to be made.
    pub fn tree(&self) -> PathBuf {
        self.root.join(TREE)
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        match &self.image {
            None => remove_with_mounts(&self.root),
            Some(image) => {
                unmount(&self.root);
                // What cannot be removed is taken away by the next benchmark.
                let _ = fs::remove_dir(&self.root);
                if image.shared == Shared::No {
                    let _ = fs::remove_file(&image.path);
                }
            }
        }
    }
}

/// Empties the caches of the machine, as far as they are clean.
pub fn drop_caches() -> Result<(), Failure> {
    rustix::fs::sync();
    let path = Path::new("/proc/sys/vm/drop_caches");
    fs::write(path, "3").map_err(|error| told("write to", path, &error))
}

fn make_image(path: &Path, recipe: &Recipe) -> Result<(), Failure> {
    let size = recipe.size();
    // Room for 2 % more of everything, for folders, and for a quarantine.
    let inodes = (size.files + size.files / 20) * BYTES_AN_INODE;
    let length = (inodes.max(size.room) * 5 / 4).max(1 << 30);
    let image = fs::File::create_new(path).map_err(|error| told("make", path, &error))?;
    image.set_len(length).map_err(|error| told("size", path, &error))?;
    command("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), path.as_os_str()]).map(drop)
}

/// Runs a program of the system; its output, or what it complained about.
fn command(program: &str, arguments: &[&std::ffi::OsStr]) -> Result<String, Failure> {
    let output =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

fn unmount(root: &Path) {
    for _ in 0..50 {
        if command("umount", &[root.as_os_str()]).is_ok() || !is_mounted(root) {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    eprintln!("cannot unmount {}; see what uses it", root.display());
}

fn is_mounted(root: &Path) -> bool {
    mounts().any(|mount| mount == root)
}

fn mounts() -> impl Iterator<Item = PathBuf> {
    let text = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounts: Vec<PathBuf> =
        text.lines().filter_map(|line| line.split(' ').nth(1).map(PathBuf::from)).collect();
    mounts.into_iter()
}

/// Takes away the folders of benchmarks that are no more.
fn clear_leftovers(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(NAME)?.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists()) {
            remove_with_mounts(&entry.path());
        }
    }
}

fn remove_with_mounts(folder: &Path) {
    for mount in mounts().filter(|mount| mount.starts_with(folder)) {
        unmount(&mount);
    }
    if mounts().any(|mount| mount.starts_with(folder)) {
        // Never delete through a mount.
        return;
    }
    if let Err(error) = fs::remove_dir_all(folder)
        && error.kind() != io::ErrorKind::NotFound
    {
        eprintln!("{}", told("remove", folder, &error));
    }
}

fn available_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

pub fn told(what: &str, path: &Path, error: &io::Error) -> Failure {
    format!("cannot {what} {}: {error}", path.display())
}
