//! A folder that another process swaps with a link, again and again, never leads a pass out of its roots.
//!
//! The swapper exchanges both in one system call, so that at every moment the name is one or the other, 10⁵ times on each
//! side. What lies outside must have the names, contents and times that it had, and nothing of it may arrive in the target.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::common::{Scene, tree};
use crate::volumes::{Volume, or_not_proven, setting};

/// Where the folder is that is swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum In {
    Source,
    Target,
    Quarantine,
}

/// What is outside, and what the file system says of it.
struct Canary {
    root: std::path::PathBuf,
    before: BTreeMap<String, String>,
}

impl Canary {
    fn new(root: &Path) -> Self {
        for name in ["bird", "0.dat", "extra/bird", "deep/er/bird"] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), "alive").unwrap();
        }
        Self { root: root.to_owned(), before: tree::fingerprint(root) }
    }

    #[track_caller]
    fn is_alive(&self) {
        assert_eq!(tree::fingerprint(&self.root), self.before, "something outside was touched");
        for name in ["bird", "0.dat", "extra/bird", "deep/er/bird"] {
            assert_eq!(fs::read_to_string(self.root.join(name)).unwrap(), "alive");
        }
    }
}

fn fill(folder: &Path, round: usize) {
    fs::create_dir_all(folder.join("deep/er")).unwrap();
    for number in 0..20 {
        fs::write(folder.join(format!("{number}.dat")), format!("{round} ").repeat(number * 50)).unwrap();
        fs::write(folder.join(format!("deep/er/{number}.dat")), format!("{round} ").repeat(number)).unwrap();
    }
}

/// At least so many exchanges a test.
fn wanted() -> usize {
    setting("MOVEBOOK_SWAPS", 100_000)
}

/// A run of so many passes with a purge each, one after the other, is long enough for them.
fn passes() -> usize {
    wanted() / 250
}
/// Exchanges between two rests, an even number. A rest is twice as long as they took, and at least so long: then some passes
/// come to their purge, and the next exchanges find it at work.
const BURST: usize = 20_000;
const REST: Duration = Duration::from_millis(30);

/// Swaps while a run is at work, and looks at what became of it.
fn swapped(at: In, keep: &str) {
    let Some(volume) = or_not_proven(Volume::tmpfs("size=256m")) else { return };
    let root = volume.path();
    let canary = Canary::new(&root.join("canary"));
    let (from, to) = (root.join("old"), root.join("new"));
    fill(&from.join("sub"), 0);
    let mut steps =
        "- {id: first, copy: {from: 'FROM', to: 'TO'}}\n- {id: gate, checkpoint: {ask: On?}}\n".to_owned();
    for pass in 0..passes() {
        steps.push_str(&format!(
            "- {{id: pass-{pass}, copy: {{from: 'FROM', to: 'TO', retries: 0, errors: tolerate, purge: {{max_files: 100000, max_percent: 100, keep: {keep}}}}}}}\n"
        ));
    }
    let steps = steps.replace("FROM", from.to_str().unwrap()).replace("TO", to.to_str().unwrap());
    let scene = Scene::new().steps(&steps);
    scene.run(&[]).code(3);
    scene.approve("gate", &[]).code(0);
    let place = if at == In::Source { from.join("sub") } else { to.join("sub") };
    let link = root.join("link");
    symlink(&canary.root, &link).unwrap();
    let over = AtomicBool::new(false);
    let swaps = std::thread::scope(|scope| {
        let swapper = scope.spawn(|| swap(&place, &link, &from.join("sub"), &to.join("sub"), &over));
        // A pass that found nothing to go on with may have ended the run: it is gone on with.
        for _ in 0..passes() {
            let ended = scene.run(&[]);
            assert!([0, 1, 3].contains(&ended.code), "{}", ended.all());
            if ended.code != 1 {
                break;
            }
        }
        over.store(true, Ordering::Relaxed);
        swapper.join().unwrap()
    });
    let journal = scene.journal();
    assert!(journal.of("step_done").count() > passes(), "all passes took place");
    let purged = journal.of("step_done").filter_map(|done| done["figures"]["purged_files"].as_u64());
    let purged: u64 = purged.sum();
    println!("{at:?}: {swaps} swaps, {purged} files purged meanwhile");
    assert!(swaps >= wanted(), "{swaps} swaps in {} passes: too few", passes());
    assert!(purged > 0, "no purge took place while the folder was swapped");
    canary.is_alive();
    for entry in walkdir::WalkDir::new(&root).into_iter().flatten() {
        if entry.file_type().is_file() && !entry.path().starts_with(&canary.root) {
            assert_ne!(fs::read(entry.path()).unwrap(), b"alive", "{:?} came from outside", entry.path());
        }
    }
}

/// Exchanges both names until the run is over, and gives the passes and purges something to do meanwhile.
fn swap(place: &Path, link: &Path, source: &Path, target: &Path, over: &AtomicBool) -> usize {
    let (mut swaps, mut began) = (0, Instant::now());
    while !over.load(Ordering::Relaxed) {
        renameat_with(CWD, place, CWD, link, RenameFlags::EXCHANGE).unwrap();
        swaps += 1;
        if swaps % BURST == 0 {
            // The folder is at its place now: a pass that comes to its end purges, while the swapping begins anew.
            fill(source, swaps);
            for number in 0..40 {
                for folder in [Some(target), target.parent()].into_iter().flatten() {
                    let _unless_purged_meanwhile = fs::write(folder.join(format!("extra-{number}")), "extra");
                }
            }
            std::thread::sleep((2 * began.elapsed()).max(REST));
            began = Instant::now();
        }
    }
    swaps
}

#[test]
fn a_swapped_folder_in_the_source_never_leads_out() {
    swapped(In::Source, "quarantine");
}

#[test]
fn a_swapped_folder_in_the_target_never_leads_out() {
    swapped(In::Target, "quarantine");
}

#[test]
fn a_swapped_folder_in_the_target_never_leads_a_deleting_purge_out() {
    swapped(In::Target, "none");
}

/// What was purged from `sub` is brought back and discarded, again and again, while a folder on the way is swapped.
fn swapped_while_handled(of: In, command: &str) {
    const FILES: usize = 40;
    let Some(volume) = or_not_proven(Volume::tmpfs("size=256m")) else { return };
    let root = volume.path();
    let canary = Canary::new(&root.join("canary"));
    let (from, to) = (root.join("old"), root.join("new"));
    let mut swaps = 0;
    let mut handled = 0;
    let wanted = wanted() / 10;
    while swaps < wanted {
        for left in ["old", "new", "new.movebook-quarantine", "link"].map(|name| root.join(name)) {
            // Of the round before; neither follows a link.
            let _none_there = fs::remove_file(&left).or_else(|_| fs::remove_dir_all(&left));
        }
        for number in 0..FILES {
            fs::create_dir_all(from.join("sub")).unwrap();
            fs::write(from.join(format!("sub/extra-{number}")), "extra").unwrap();
        }
        fs::write(from.join("sub/stays"), "stays").unwrap();
        let scene = Scene::new().steps(&format!(
            "
- {{id: first, copy: {{from: '{0}', to: '{1}'}}}}
- {{id: gone, command: {{shell: 'rm {0}/sub/extra-*'}}}}
- {{id: purge, copy: {{from: '{0}', to: '{1}', purge: {{max_files: 1000, max_percent: 100}}}}}}
",
            from.display(),
            to.display()
        ));
        scene.run(&[]).code(0);
        let place = match of {
            In::Source => from.join("sub"),
            In::Target => to.join("sub"),
            In::Quarantine => {
                let kept = walkdir::WalkDir::new(root.join("new.movebook-quarantine")).into_iter().flatten();
                let mut folders = kept.filter(|entry| entry.file_name() == "sub");
                folders.next().expect("the folder in the quarantine").into_path()
            }
        };
        let link = root.join("link");
        symlink(&canary.root, &link).unwrap();
        let over = AtomicBool::new(false);
        swaps += std::thread::scope(|scope| {
            let swapper = scope.spawn(|| {
                let mut swaps = 0;
                while !over.load(Ordering::Relaxed) {
                    // The folder itself goes at the end of a discard.
                    if renameat_with(CWD, &place, CWD, &link, RenameFlags::EXCHANGE).is_err() {
                        break;
                    }
                    swaps += 1;
                    if swaps % 1_000 == 0 {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
                swaps
            });
            let arguments: &[&str] = match command {
                "discard" => &[command, "scene.state.jsonl", "--all", "--yes"],
                _ => &[command, "scene.state.jsonl", "--all"],
            };
            for _ in 0..5 {
                let ended = scene.movebook(arguments);
                assert!([0, 1].contains(&ended.code), "{}", ended.all());
                handled += ended.stdout.lines().count();
            }
            over.store(true, Ordering::Relaxed);
            swapper.join().unwrap()
        });
        canary.is_alive();
    }
    println!("{command}: {swaps} swaps, {handled} names told of meanwhile");
    assert!(handled > 0, "nothing was handled while the folder was swapped");
}

#[test]
fn a_swapped_folder_in_the_target_never_leads_a_restore_out() {
    swapped_while_handled(In::Target, "restore");
}

#[test]
fn a_swapped_folder_in_the_quarantine_never_leads_a_restore_or_discard_out() {
    for command in ["restore", "discard"] {
        swapped_while_handled(In::Quarantine, command);
    }
}
