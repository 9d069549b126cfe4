//! What a pass takes of the machine: its priorities, and the bytes that it may move in a second.

mod common;

use std::fs;
use std::time::{Duration, Instant};

use common::{PATIENCE, Scene};

/// Large enough that the pass is at work for long under a limit of a megabyte a second.
fn large_files() -> Scene {
    let content = vec![7; 4 * 1024 * 1024];
    (0..8).fold(Scene::new(), |scene, number| scene.file(&format!("old/file-{number}"), &content))
}

/// Class and level at the disks, and niceness, of every thread of a process.
#[cfg(target_os = "linux")]
fn priorities(process: u32) -> Vec<(i64, i64, i64)> {
    const WHO_PROCESS: i32 = 1;
    let mut all = Vec::new();
    for thread in fs::read_dir(format!("/proc/{process}/task")).unwrap() {
        let thread = thread.unwrap();
        // A thread that has ended by now is none of the workers.
        let Ok(status) = fs::read_to_string(thread.path().join("stat")) else { continue };
        let after_name = status.rsplit_once(')').unwrap().1;
        let nice: i64 = after_name.split_whitespace().nth(16).unwrap().parse().unwrap();
        let number: i32 = thread.file_name().to_str().unwrap().parse().unwrap();
        // SAFETY: takes two numbers and touches no memory.
        let disk = unsafe { libc::syscall(libc::SYS_ioprio_get, WHO_PROCESS, number) };
        all.push((disk >> 13, disk & 7, nice));
    }
    all
}

#[cfg(target_os = "linux")]
#[test]
fn the_workers_of_a_gentle_pass_give_way_at_the_disks_and_the_processor_and_no_others_do() {
    const BEST_EFFORT: i64 = 2;
    const LAST_LEVEL: i64 = 7;
    for (gentle, lowered) in [(true, 3), (false, 0)] {
        let scene = large_files().steps(&format!(
            "- {{id: pass, copy: {{from: ROOT/old, to: ROOT/new, threads: 3, bandwidth: 1MiB, gentle: {gentle}}}}}"
        ));
        let mut run = scene.begin(&[]);
        run.until("step_progress", "pass");
        let end = Instant::now() + PATIENCE;
        loop {
            let all = priorities(run.pid());
            let own = rustix::process::getpriority_process(None).unwrap();
            let low = (BEST_EFFORT, LAST_LEVEL, i64::from(own.max(10)));
            let gives_way = all.iter().filter(|priority| **priority == low).count();
            if gives_way == lowered && all.len() > 3 {
                break;
            }
            assert!(Instant::now() < end, "gentle: {gentle}, threads: {all:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        run.kill();
    }
}

#[test]
fn a_limit_holds_for_all_workers_together_and_does_not_hold_up_who_wants_to_stop() {
    let scene = large_files()
        .steps("- {id: pass, copy: {from: ROOT/old, to: ROOT/new, threads: 8, bandwidth: 1MiB}}");
    let begun = Instant::now();
    let mut run = scene.begin(&[]);
    for _ in 0..10 {
        run.until("step_progress", "pass");
    }
    #[cfg(unix)]
    {
        run.interrupt();
        let ended = run.ended_within(PATIENCE).code(130);
        let told = ended.events();
        let moved = told.iter().filter_map(|event| event["bytes_done"].as_u64()).max().unwrap();
        // What a second gives for every second begun, and a block for each of the workers that may be under way.
        let most = (begun.elapsed().as_secs() + 1) * 1024 * 1024 + 8 * 256 * 1024;
        assert!(moved <= most, "{moved} bytes, of at most {most}");
    }
    #[cfg(not(unix))]
    {
        let _ = begun;
        run.kill();
    }
}
