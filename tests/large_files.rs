//! A large file whose copy is killed in the middle, and gone on with by the real program.
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::{PATIENCE, Scene, tree};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const MIB: u64 = 1 << 20;
/// What one line of a record stands for.
const UNIT: u64 = 4 * MIB;
const SIZE: u64 = 384 * MIB + 1_234_567;

/// A copy that takes four seconds, so that it can be killed in the middle.
const STEP: &str = "- {id: pass, copy: {from: ROOT/old, to: ROOT/new, bandwidth: 96MiB, resume_over: 64MiB}}";

fn scene(seed: u64) -> Scene {
    let scene = Scene::new().steps(STEP);
    scene.write("old/mail.fdb", bytes(seed));
    settle(&scene.path("old/mail.fdb"));
    scene.write("old/small.dat", "small");
    scene
}

fn bytes(seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; SIZE as usize];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

fn settle(path: &Path) {
    filetime::set_file_mtime(path, filetime::FileTime::from_unix_time(1_700_000_000, 7)).unwrap();
}

fn ending(scene: &Scene, ending: &str) -> Option<PathBuf> {
    let mut names = fs::read_dir(scene.path("new")).ok()?.map(|entry| entry.unwrap().path());
    names.find(|path| path.to_str().unwrap().ends_with(ending))
}

/// How much of the copy is durable by its record.
fn recorded(scene: &Scene) -> u64 {
    let text =
        ending(scene, ".record").and_then(|record| fs::read_to_string(record).ok()).unwrap_or_default();
    (text.matches('\n').count() as u64).saturating_sub(1) * UNIT
}

/// Begins the run, or goes on with it, and kills it a moment after more of the copy has become durable.
fn killed(scene: &Scene, moment: Duration) {
    let before = recorded(scene);
    let running = scene.begin(&[]);
    let end = Instant::now() + PATIENCE;
    while recorded(scene) <= before {
        assert!(Instant::now() < end, "nothing more became durable");
        assert!(!scene.path("new/mail.fdb").exists(), "it was whole before it could be killed");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(moment);
    running.kill();
    assert!(!scene.path("new/mail.fdb").exists(), "a killed copy has no name");
}

fn resumed_bytes(scene: &Scene) -> u64 {
    scene.journal().only("step_done", "pass")["figures"]["resumed_bytes"].as_u64().unwrap()
}

#[test]
fn a_copy_killed_at_random_instants_goes_on_each_time() {
    let seed: u64 =
        std::env::var("MOVEBOOK_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("seed {seed}: MOVEBOOK_SEED={seed} draws the same instants again");
    let mut chance = StdRng::seed_from_u64(seed);
    let scene = scene(seed);
    let mut durable = Vec::new();
    for _ in 0..2 {
        killed(&scene, Duration::from_millis(chance.random_range(0..150)));
        durable.push(recorded(&scene));
    }
    assert!(
        durable.is_sorted_by(|one, other| one < other),
        "each went on behind the one before: {durable:?}"
    );
    let part = ending(&scene, ".part").unwrap().metadata().unwrap().ino();
    scene.run(&[]).code(0);
    assert_eq!(resumed_bytes(&scene), *durable.last().unwrap());
    assert_eq!(scene.path("new/mail.fdb").metadata().unwrap().ino(), part, "the part became the file");
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
}

#[test]
fn a_copy_killed_before_its_source_changed_begins_anew() {
    let scene = scene(1);
    killed(&scene, Duration::ZERO);
    scene.write("old/mail.fdb", bytes(2));
    settle(&scene.path("old/mail.fdb"));
    scene.run(&[]).code(0);
    assert_eq!(resumed_bytes(&scene), 0);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
}
