//! The data sets, and the older states of them that a target can be in. The same recipe always gives the same tree.
//!
//! Folders are filled in parallel: each draws from its own stream of numbers, so the order does not matter.

use std::fs::{self, File, FileTimes};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use clap::ValueEnum;

use crate::random::Random;

const SEED: u64 = 42;
/// Content is cut out of so much of noise.
const POOL: usize = 4 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
#[value(rename_all = "verbatim")]
pub enum Set {
    /// 100,000 files of 1 to 16 KB, log-normal, in 2,000 folders
    S,
    /// 40 files of 64 to 100 MB, 3 GB
    L,
    /// Like an archive: 2,000 .dat of 0.5 to 2 MB in 100 folders, 100 indices, 10 databases of 20 MB, 200 recovery records
    M,
    /// 1,000,000 empty files in 20,000 folders
    N,
    /// 1,000,000 empty files in one folder
    O,
}

impl Set {
    pub fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::L => "L",
            Self::M => "M",
            Self::N => "N",
            Self::O => "O",
        }
    }
}

/// How a tree relates to the data set as it is in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    Same,
    /// 1 % of the files have other content, size and time; there are 1 % more files that the source does not have.
    OneInHundred,
    /// Every file has other content, size and time.
    EveryFile,
}

/// What a tree is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recipe {
    pub set: Set,
    pub state: State,
    /// The number of files of the whole set counts as 1000.
    pub per_mille: u64,
}

/// How much is in a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    pub files: u64,
    /// What the files take on a disk, with what each costs besides its content.
    pub room: u64,
}

struct Folder {
    path: PathBuf,
    files: Vec<Planned>,
}

struct Planned {
    name: String,
    bytes: u64,
    time: SystemTime,
    /// Where in the pool of noise the content begins.
    offset: u64,
}

impl Recipe {
    /// For the names of images.
    pub fn name(&self) -> String {
        let state = match self.state {
            State::Same => "same",
            State::OneInHundred => "one-in-hundred",
            State::EveryFile => "every-file",
        };
        format!("{}-{}-{state}", self.set.name(), self.per_mille)
    }

    pub fn size(&self) -> Size {
        let mut size = Size::default();
        for planned in self.folders().iter().flat_map(|folder| &folder.files) {
            size.files += 1;
            size.room += planned.bytes.next_multiple_of(4096) + 512;
        }
        size
    }

    /// Makes the tree below `root`, which must not be there.
    pub fn make(&self, root: &Path) -> io::Result<()> {
        let folders = self.folders();
        fs::create_dir(root)?;
        // Parents first, in order: only the files are made in parallel.
        for folder in &folders {
            fs::create_dir_all(root.join(&folder.path))?;
        }
        let mut pool = vec![0; POOL];
        Random::of(SEED, u64::MAX).fill(&mut pool);
        let (next, pool, folders) = (AtomicUsize::new(0), &pool, &folders);
        let fill = || {
            while let Some(folder) = folders.get(next.fetch_add(1, Ordering::Relaxed)) {
                for planned in &folder.files {
                    planned.make(&root.join(&folder.path), pool)?;
                }
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads()).map(|_| scope.spawn(fill)).collect();
            workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
        })
    }

    fn folders(&self) -> Vec<Folder> {
        let mut folders = match self.set {
            Set::S => small(self.scaled(100_000)),
            Set::L => large(self.scaled(40)),
            Set::M => archive(self.scaled(100)),
            Set::N => many(self.scaled(20_000)),
            Set::O => one(self.scaled(1_000_000)),
        };
        match self.state {
            State::Same => {}
            State::EveryFile => change(&mut folders, 1),
            State::OneInHundred => {
                change(&mut folders, 100);
                add_extras(&mut folders);
            }
        }
        folders
    }

    fn scaled(&self, number: u64) -> u64 {
        (number * self.per_mille / 1000).max(1)
    }
}

impl Planned {
    fn new(name: String, bytes: u64, random: &mut Random) -> Self {
        let time =
            Duration::new(1_680_000_000 + random.below(20_000_000), random.below(1_000_000_000) as u32);
        Self { name, bytes, time: SystemTime::UNIX_EPOCH + time, offset: random.below(POOL as u64) }
    }

    fn make(&self, folder: &Path, pool: &[u8]) -> io::Result<()> {
        let mut file = File::create_new(folder.join(&self.name))?;
        let (mut left, mut at) = (self.bytes as usize, self.offset as usize);
        while left > 0 {
            let piece = &pool[at..(at + left).min(pool.len())];
            file.write_all(piece)?;
            (left, at) = (left - piece.len(), 0);
        }
        file.set_times(FileTimes::new().set_accessed(self.time).set_modified(self.time))
    }
}

fn small(files: u64) -> Vec<Folder> {
    const FOLDERS: u64 = 2000;
    let folders = FOLDERS.min(files);
    (0..folders)
        .map(|index| {
            let mut random = Random::of(SEED, index);
            let files = (index..files).step_by(folders as usize).map(|number| {
                let bytes = loop {
                    let bytes = (4096f64.ln() + 0.7 * random.normal()).exp() as u64;
                    if (1024..=16384).contains(&bytes) {
                        break bytes;
                    }
                };
                let name = format!("file_{:010x}_{number}.bin", random.next() & 0xFF_FFFF_FFFF);
                Planned::new(name, bytes, &mut random)
            });
            Folder { files: files.collect(), path: format!("d{:03}/s{:03}", index / 40, index % 40).into() }
        })
        .collect()
}

fn large(files: u64) -> Vec<Folder> {
    let mut random = Random::of(SEED, 0);
    let files = (0..files).map(|number| {
        let bytes = random.between(64 << 20, 100 << 20);
        Planned::new(format!("big{number:02}.img"), bytes, &mut random)
    });
    vec![Folder { files: files.collect(), path: PathBuf::new() }]
}

fn archive(stores: u64) -> Vec<Folder> {
    let mut folders: Vec<Folder> = (0..stores)
        .map(|store| {
            let mut random = Random::of(SEED, store);
            let mut files: Vec<Planned> = (0..20)
                .map(|number| {
                    let bytes = random.between(512 << 10, 2 << 20);
                    Planned::new(format!("{number:08}.dat"), bytes, &mut random)
                })
                .collect();
            let bytes = random.between(16 << 10, 256 << 10);
            files.push(Planned::new(format!("index{store:03}.dat"), bytes, &mut random));
            Folder { path: format!("FolderStore{store:03}").into(), files }
        })
        .collect();
    let mut random = Random::of(SEED, stores);
    let databases = (0..stores.div_ceil(10))
        .map(|number| Planned::new(format!("FileGroup{number:02}.fdb"), 20 << 20, &mut random))
        .collect();
    folders.push(Folder { path: PathBuf::new(), files: databases });
    let records = (0..stores * 2)
        .map(|number| {
            let bytes = random.between(1 << 10, 64 << 10);
            Planned::new(format!("{number:05}.rr"), bytes, &mut random)
        })
        .collect();
    folders.push(Folder { path: "rr".into(), files: records });
    folders
}

fn many(folders: u64) -> Vec<Folder> {
    (0..folders)
        .map(|index| Folder {
            path: format!("a{:03}/b{:03}", index / 200, index % 200).into(),
            files: empty(index, 50),
        })
        .collect()
}

fn one(files: u64) -> Vec<Folder> {
    vec![Folder { path: "all".into(), files: empty(0, files) }]
}

fn empty(stream: u64, files: u64) -> Vec<Planned> {
    let mut random = Random::of(SEED, stream);
    (0..files)
        .map(|number| {
            let name = format!("f{:08x}_{number}", random.next() as u32);
            Planned::new(name, 0, &mut random)
        })
        .collect()
}

/// Gives one file in so many another content, size and time.
fn change(folders: &mut [Folder], one_in: u64) {
    let mut random = Random::of(SEED + 1, 0);
    for planned in folders.iter_mut().flat_map(|folder| &mut folder.files) {
        if random.below(one_in) == 0 {
            if planned.bytes > 64 {
                planned.bytes = planned.bytes - 64 + random.below(128);
            }
            planned.time -= Duration::new(30_000_000 + random.below(1_000_000), 7);
            planned.offset = (planned.offset + 4099) % POOL as u64;
        }
    }
}

/// Adds as many files as 1 % of those that are there.
fn add_extras(folders: &mut [Folder]) {
    let files: usize = folders.iter().map(|folder| folder.files.len()).sum();
    let mut random = Random::of(SEED + 2, 0);
    for number in 0..files.div_ceil(100) {
        let folder = random.below(folders.len() as u64) as usize;
        let extra = Planned::new(format!("extra_{number}.tmp"), 2048, &mut random);
        folders[folder].files.push(extra);
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}
