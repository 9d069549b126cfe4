//! What rclone says of a place: what it holds, how large that is, how much room it has, and what it keeps of a file.

use std::path::Path;
use std::time::Duration;

use indexmap::IndexMap;
use serde::Deserialize;

use super::call::{self, Rclone};
use crate::cancel::Cancel;
use crate::copy::{PassError, Tally};
use crate::rclone::compare::{Letters, Times};
use crate::rclone::listing::{self, Kind, Listing, Reader};
use crate::sys::process::Stream;

/// A place as `check` asks for it, outside of any pass.
pub struct Question<'a> {
    rclone: Rclone<'a>,
    place: String,
}

impl<'a> Question<'a> {
    /// # Errors
    /// rclone is missing or too old.
    pub fn new(
        path: &Path,
        environment: &IndexMap<String, String>,
        cancel: &'a Cancel,
    ) -> Result<Self, PassError> {
        let rclone = Rclone::ready(environment, &super::remotes([path]), cancel)?;
        Ok(Self { rclone, place: path.display().to_string() })
    }

    /// Its files, by their paths below it; `None` where it is not there. Folders that could not be listed are named.
    pub fn list(&self) -> Result<Option<Listing>, PassError> {
        list(&self.rclone, &self.place, &mut |_| {})
    }

    /// What is there now, as far as a first look tells.
    pub fn found(&self) -> Result<Found, PassError> {
        const FOLDER_NOT_FOUND: i32 = 3;
        match self.rclone.ask(&["lsf", "--max-depth", "1", &self.place]) {
            // A blank may be a name.
            Ok(names) if names.trim_matches(['\r', '\n']).is_empty() => Ok(Found::Empty),
            Ok(_) => Ok(Found::Full),
            Err(call::Refused::Said { code: FOLDER_NOT_FOUND, .. }) => Ok(Found::Absent),
            Err(refused) => Err(refused.of("look at it", &self.place)),
        }
    }

    /// Makes the folder, where the storage has folders of their own.
    pub fn make(&self) -> Result<(), PassError> {
        let made = self.rclone.ask(&["mkdir", &self.place]);
        made.map(drop).map_err(|refused| refused.of("make the folder", &self.place))
    }

    /// How many bytes may still be written there; `None` where the storage does not tell.
    pub fn free(&self) -> Result<Option<u64>, PassError> {
        #[derive(Deserialize)]
        struct About {
            free: Option<u64>,
        }
        match self.rclone.ask(&["about", "--json", &self.place]) {
            Ok(text) => Ok(serde_json::from_str::<About>(&text).ok().and_then(|about| about.free)),
            Err(call::Refused::Ended(error)) => Err(error),
            Err(call::Refused::Said { said, .. }) if said.contains("doesn't support about") => Ok(None),
            Err(refused) => Err(refused.of("tell the free space", &self.place)),
        }
    }

    /// Makes a file of its own there and takes it away again.
    pub fn try_out(&self) -> Result<(), PassError> {
        let mark = getrandom::u64().unwrap_or(0);
        let separator = if self.place.ends_with(['/', ':']) { "" } else { "/" };
        let file = format!("{}{separator}.movebook-writable-{mark:016x}", self.place);
        self.rclone.ask(&["touch", &file]).map_err(|refused| refused.of("make a file there", &self.place))?;
        self.rclone
            .ask(&["deletefile", &file])
            .map(drop)
            .map_err(|refused| refused.of("take away the file that it made there", &file))
    }
}

/// What a folder is found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Absent,
    Empty,
    Full,
}

/// The files of a listing and their bytes.
pub fn sum(listing: &Listing) -> Tally {
    let mut sum = Tally::default();
    let files = listing.entries.iter().filter(|entry| entry.kind == Kind::File);
    files.for_each(|file| sum.add(file.size.unwrap_or(0)));
    sum
}

/// What a storage keeps of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traits {
    /// `None`: no times of files.
    pub(super) grain: Option<Duration>,
    pub(super) letters: Letters,
    pub(super) empty_folders: EmptyFolders,
    pub(super) uppermost: Uppermost,
}

/// What the uppermost folders of a storage are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Uppermost {
    /// Folders like any other.
    Folders,
    /// Shares or buckets: nothing is moved from one to another.
    Buckets,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EmptyFolders {
    Kept,
    Unknown,
}

impl Traits {
    /// The grain of a storage whose own is not known, but whose files have times.
    const SECOND: Duration = Duration::from_secs(1);

    pub(super) fn of(rclone: &Rclone<'_>, place: &str) -> Result<Self, PassError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Told {
            precision: i64,
            features: Features,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Features {
            case_insensitive: bool,
            can_have_empty_directories: bool,
            bucket_based: bool,
        }
        let text =
            rclone.ask(&["backend", "features", place]).map_err(|refused| refused.of("reach it", place))?;
        let told: Told = serde_json::from_str(&text)
            .map_err(|error| call::failed("tell what it keeps of a file", place, 0, &error.to_string()))?;
        Ok(Self {
            grain: grain(told.precision),
            letters: if told.features.case_insensitive { Letters::Folded } else { Letters::Apart },
            empty_folders: match told.features.can_have_empty_directories {
                true => EmptyFolders::Kept,
                false => EmptyFolders::Unknown,
            },
            uppermost: if told.features.bucket_based { Uppermost::Buckets } else { Uppermost::Folders },
        })
    }

    /// What the times of a target tell of those of a source.
    pub(super) fn times(self, source: Self, told: Option<Duration>) -> Times {
        match (told, self.grain) {
            (_, None) => Times::NotKept,
            (Some(tolerance), _) => Times::Within(tolerance),
            (None, Some(grain)) => {
                // A source that cannot be given a time has one all the same, as a rule in seconds.
                let source = source.grain.unwrap_or(Self::SECOND);
                // One nanosecond is as fine as it gets: then the times are equal or they are not.
                let coarser = grain.max(source);
                Times::Within(if coarser <= Duration::from_nanos(1) { Duration::ZERO } else { coarser })
            }
        }
    }
}

/// rclone says a hundred years where a storage keeps no times.
fn grain(precision: i64) -> Option<Duration> {
    const NOT_KEPT: u64 = 50 * 365 * 24 * 60 * 60;
    let grain = Duration::from_nanos(u64::try_from(precision).ok()?);
    (grain.as_secs() < NOT_KEPT).then_some(grain)
}

/// Lists a tree; `None` where it is not there. `read` hears how many entries it has so far.
pub(super) fn list(
    rclone: &Rclone<'_>,
    place: &str,
    read: &mut dyn FnMut(usize),
) -> Result<Option<Listing>, PassError> {
    let mut arguments: Vec<String> = listing::FLAGS.map(str::to_owned).to_vec();
    arguments.push(place.to_owned());
    let mut reader = Reader::default();
    let code = rclone.run(&arguments, &mut |stream, line| match stream {
        Stream::Stdout => {
            reader.line(line);
            read(reader.len());
        }
        Stream::Stderr => reader.log(line),
    })?;
    if reader.is_absence(code) {
        return Ok(None);
    }
    let said = reader.trouble().map(call::presentable);
    match reader.finish(code) {
        Ok(listing) => Ok(Some(listing)),
        Err(broken) => Err(call::failed("list it", place, code, &said.unwrap_or_else(|| broken.to_string()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traits(grain: Option<Duration>) -> Traits {
        let (letters, empty_folders) = (Letters::Apart, EmptyFolders::Kept);
        Traits { grain, letters, empty_folders, uppermost: Uppermost::Folders }
    }

    #[test]
    fn times_are_compared_by_the_coarser_of_both_storages() {
        let (exact, milli) = (traits(grain(1)), traits(grain(1_000_000)));
        let none = traits(grain(3_153_600_000_000_000_000));
        assert_eq!(none.grain, None);
        assert_eq!(exact.times(exact, None), Times::Within(Duration::ZERO));
        assert_eq!(exact.times(milli, None), Times::Within(Duration::from_millis(1)));
        assert_eq!(milli.times(exact, None), Times::Within(Duration::from_millis(1)));
        assert_eq!(exact.times(none, None), Times::Within(Duration::from_secs(1)));
        assert_eq!(none.times(exact, Some(Duration::from_secs(2))), Times::NotKept);
        assert_eq!(exact.times(milli, Some(Duration::from_secs(2))), Times::Within(Duration::from_secs(2)));
    }
}
