//! What threads bring on a slow share: a pass over many small files, each file system call with a delay in front of it.
//!
//! Source and target lie behind a file system of the tests' own that waits before it hands a request on. Prints seconds for
//! one thread and for 32, and their ratio against the promise. The waiting is most of it, so that the machine's other work
//! changes little. Run with `cargo bench --bench latency`; `MOVEBOOK_LATENCY_FILES` (10,000) and `MOVEBOOK_LATENCY_DELAYS`
//! (`1,5`, in milliseconds) make it shorter: one thread alone waits for half an hour in all.

#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/filesystems/passthrough.rs"]
mod passthrough;

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("not measured here: the file system in between is for Linux");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    use super::passthrough::{Passthrough, Ways};

    const FEW: u32 = 1;
    const MANY: u32 = 32;
    /// `threads: 32` takes at most this part of `threads: 1`.
    const PROMISE: f64 = 1.0 / 12.0;
    const FILES_A_FOLDER: usize = 50;

    pub fn main() {
        let files = setting("MOVEBOOK_LATENCY_FILES", "10000").parse().expect("a number of files");
        let delays = setting("MOVEBOOK_LATENCY_DELAYS", "1,5");
        println!(
            "{files} files of 1 to 16 KB, {FILES_A_FOLDER} in a folder, source and target behind a delay"
        );
        println!("  delay  pass           threads: 1  threads: 32   ratio  of the promise (1/12 = 1)");
        for delay in delays.split(',').map(|delay| delay.trim().parse::<u64>().expect("milliseconds")) {
            let (few, many) = (pair(files, delay, FEW), pair(files, delay, MANY));
            for (pass, few, many) in [("first copy", few.0, many.0), ("nothing to do", few.1, many.1)] {
                println!(
                    "  {delay:>2} ms  {pass:<13} {few:>9.1} s {many:>10.1} s   1/{:<5.1} {:>6.2}",
                    few / many,
                    many / few / PROMISE
                );
            }
        }
    }

    fn setting(name: &str, otherwise: &str) -> String {
        std::env::var(name).unwrap_or_else(|_| otherwise.to_owned())
    }

    /// Seconds of a first copy, and of a pass that finds nothing to do.
    fn pair(files: usize, delay: u64, threads: u32) -> (f64, f64) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // In memory where that can be, so that the delays alone are slow.
        let behind =
            tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder");
        for name in ["old", "new"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
            fs::create_dir(behind.path().join(name)).expect("a folder");
        }
        make_files(&behind.path().join("old"), files);
        let mount = |name: &str| {
            let ways = Ways { delay: Duration::from_millis(delay), ..Ways::default() };
            Passthrough::mount(&behind.path().join(name), &folder.path().join(name), ways)
                .expect("a FUSE mount (as root, with /dev/fuse)")
        };
        let (_old, _new) = (mount("old"), mount("new"));
        (pass(folder.path(), "first", threads), pass(folder.path(), "second", threads))
    }

    fn make_files(root: &Path, files: usize) {
        for number in 0..files {
            let folder = root.join(format!("{:04}", number / FILES_A_FOLDER));
            fs::create_dir_all(&folder).expect("a folder");
            // Sizes spread by a multiplication, the same in each round.
            let size = 1024 + number.wrapping_mul(2_654_435_761) % (15 * 1024);
            fs::write(folder.join(format!("{number:05}.dat")), vec![number as u8; size]).expect("a file");
        }
    }

    /// What the program itself says that a pass took.
    fn pass(folder: &Path, name: &str, threads: u32) -> f64 {
        let runbook = folder.join(format!("{name}.yaml"));
        let root = folder.display();
        let text = format!(
            "movebook: 1\nname: {name}\nphases:\n  - id: only\n    steps:\n      - {{id: pass, copy: {{from: '{root}/old', to: '{root}/new', threads: {threads}}}}}\n"
        );
        fs::write(&runbook, text).expect("a runbook");
        let ended = Command::new(env!("CARGO_BIN_EXE_movebook"))
            .args(["run", &format!("{name}.yaml"), "--format", "json"])
            .current_dir(folder)
            .output()
            .expect("movebook");
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success(), "{said}\n{}", String::from_utf8_lossy(&ended.stderr));
        let done = said
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .find(|event| event["event"] == "step_done");
        done.and_then(|event| event["seconds"].as_f64()).expect("the pass is done")
    }
}
