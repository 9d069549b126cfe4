//! Many cases on several threads, and the account of them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::case::{Case, Outcome};
use crate::engines::Engine;
use crate::shrink::shrunk;

/// Where the cases begin unless told: a change is judged by the same ones as the change before it.
const SEED: u64 = 5_000_000;
/// In so many cases each engine takes part unless a number is given.
const CASES: u64 = 2000;
/// After so many differences a campaign ends.
const ENOUGH: usize = 8;

/// What a campaign that is not cut short has to meet.
const FEATURES: &[&str] = &[
    "include",
    "include by path",
    "exclude",
    "exclude by path",
    "exclude_directories",
    "exclude_directories by path",
    "min_age",
    "max_age",
    "min_size",
    "max_size",
    "max_depth",
    "case",
    "mtime_tolerance: 2s",
    "purge",
    "directories: all",
    "directories: non-empty",
    "directories: none",
    "files to be copied",
    "entries to be purged",
    "a purge that the guard refuses",
    "an empty directory in the source",
    "an empty source",
    "an empty target",
    "an extra file",
    "an extra directory",
    "an empty extra directory",
    "an equal file",
    "an equal size and another time",
    "an equal time and another size",
];

/// How long it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// So many cases are done.
    Cases(u64),
    /// Each engine took part in so many.
    Each(u64),
}

pub struct Campaign {
    seed: u64,
    until: Until,
    engines: Vec<Engine>,
}

#[derive(Default)]
struct Account {
    cases: u64,
    took_part: BTreeMap<String, u64>,
    /// By the engine and the field that it cannot be told.
    left_out: BTreeMap<(String, &'static str), u64>,
    features: BTreeMap<String, u64>,
    wrong: Vec<String>,
}

impl Campaign {
    pub fn from_environment() -> Self {
        let number = |name: &str| std::env::var(name).ok().map(|number| number.parse::<u64>().unwrap());
        Self {
            seed: number("MOVEBOOK_SEED").unwrap_or(SEED),
            until: number("MOVEBOOK_CASES").map_or(Until::Each(CASES), Until::Cases),
            engines: Engine::here(),
        }
    }

    pub fn run(&self) {
        println!("seed {}: MOVEBOOK_SEED={} draws the same cases again", self.seed, self.seed);
        let (account, next) = (Mutex::new(Account::default()), AtomicU64::new(self.seed));
        // Much of a case is waiting for a disk.
        let workers = std::thread::available_parallelism().map_or(4, |number| (2 * number.get()).min(8));
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while !self.is_over(&account.lock().unwrap(), next.load(Ordering::Relaxed)) {
                        self.take(next.fetch_add(1, Ordering::Relaxed), &account);
                    }
                });
            }
        });
        let account = account.into_inner().unwrap();
        account.tell(&self.engines);
        assert!(account.wrong.is_empty(), "the engines do not mean the same:\n{}", account.wrong.join("\n"));
        if let Until::Each(wanted) = self.until {
            let too_few = account.took_part.iter().filter(|(_, cases)| **cases < wanted).collect::<Vec<_>>();
            assert!(too_few.is_empty(), "each engine takes part in {wanted} cases: {too_few:?}");
            assert_eq!(account.took_part.len(), self.engines.len());
            let missing: Vec<_> =
                FEATURES.iter().filter(|feature| !account.features.contains_key(**feature)).collect();
            assert!(missing.is_empty(), "no case had {missing:?}");
        }
    }

    fn is_over(&self, account: &Account, next: u64) -> bool {
        account.wrong.len() >= ENOUGH
            || match self.until {
                Until::Cases(wanted) => next - self.seed >= wanted,
                Until::Each(wanted) => {
                    let cases =
                        |engine: &Engine| account.took_part.get(&engine.to_string()).copied().unwrap_or(0);
                    self.engines.iter().all(|engine| cases(engine) >= wanted)
                }
            }
    }

    fn take(&self, seed: u64, account: &Mutex<Account>) {
        let _told = ToldInAPanic(seed);
        let case = Case::of_seed(seed);
        let outcome = case.run(&self.engines);
        let wrong = (!outcome.differences.is_empty()).then(|| {
            let (small, differences) = shrunk(&case, outcome.differences.clone());
            format!("== MOVEBOOK_SEED={seed} MOVEBOOK_CASES=1, made smaller:\n{}", small.told(&differences))
        });
        let mut account = account.lock().unwrap();
        account.add(&case, &outcome);
        account.wrong.extend(wrong);
        if account.cases.is_multiple_of(500) {
            println!("{} cases", account.cases);
        }
    }
}

/// A case that ends in a panic is named all the same.
struct ToldInAPanic(u64);

impl Drop for ToldInAPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("this was MOVEBOOK_SEED={} MOVEBOOK_CASES=1", self.0);
        }
    }
}

impl Account {
    fn add(&mut self, case: &Case, outcome: &Outcome) {
        self.cases += 1;
        for engine in &outcome.took_part {
            *self.took_part.entry(engine.to_string()).or_default() += 1;
        }
        for (engine, fields) in &outcome.left_out {
            for field in fields {
                *self.left_out.entry((engine.to_string(), field)).or_default() += 1;
            }
        }
        for feature in case.features(&outcome.sight) {
            *self.features.entry(feature).or_default() += 1;
        }
    }

    fn tell(&self, engines: &[Engine]) {
        println!("{} cases, of which took part:", self.cases);
        for engine in engines {
            println!("  {engine}: {}", self.took_part.get(&engine.to_string()).copied().unwrap_or(0));
            for ((_, field), cases) in
                self.left_out.iter().filter(|((other, _), _)| *other == engine.to_string())
            {
                println!("    left out of {cases} by {field}");
            }
        }
        let features: Vec<_> =
            self.features.iter().map(|(feature, cases)| format!("{feature} {cases}")).collect();
        println!("in the cases were: {}", features.join(", "));
    }
}
