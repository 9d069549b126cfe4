//! Large files on a real ext4: gone on with after a power cut, and with their holes.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::{PATIENCE, Scene, tree};
use crate::volumes::{Cut, Volume, or_not_proven};

const MIB: u64 = 1 << 20;
/// What one line of a record stands for.
const UNIT: u64 = 4 * MIB;

fn bytes(seed: u64, length: u64) -> Vec<u8> {
    let mut bytes = vec![0; length as usize];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

fn scene(target: &Path, options: &str) -> Scene {
    let target = target.display();
    Scene::new().steps(&format!("- {{id: pass, copy: {{from: ROOT/old, to: '{target}', {options}}}}}"))
}

/// How much of the copy in a folder is durable by its record, where there is one.
fn recorded(folder: &Path) -> u64 {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let record =
        names.filter(|path| path.to_str().unwrap().ends_with(".record")).find_map(|path| fs::read(path).ok());
    let lines = record.unwrap_or_default().iter().filter(|byte| **byte == b'\n').count() as u64;
    lines.saturating_sub(1) * UNIT
}

#[test]
fn a_large_copy_that_a_power_cut_ended_goes_on_from_what_is_durable() {
    let mut resumed = 0;
    for round in 0..2 {
        let Some(mut volume) = or_not_proven(Volume::ext4(400, &[], "")) else { return };
        let target = volume.path().join("new");
        let scene = scene(&target, "bandwidth: 64MiB, resume_over: 32MiB");
        scene.write("old/large.dat", bytes(round, 200 * MIB + 1));
        let running = scene.begin(&[]);
        let end = Instant::now() + PATIENCE;
        while recorded(&target) == 0 {
            assert!(Instant::now() < end, "nothing became durable");
            std::thread::sleep(Duration::from_millis(1));
        }
        // Somewhere between this step and the next one.
        std::thread::sleep(Duration::from_millis(250 * round));
        let cut = if round % 2 == 0 { Cut::AtOnce } else { Cut::AfterTheJournal };
        volume.cut_power(cut);
        running.kill();
        volume.mount_again();
        if target.join("large.dat").exists() {
            // The disk was so slow that all was written while the first step became durable: this cut shows nothing.
            continue;
        }
        let durable = recorded(&target);
        scene.run(&[]).code(0);
        tree::assert_equal(&scene.path("old"), &target);
        let journal = scene.journal();
        let figures = &journal.only("step_done", "pass")["figures"];
        assert_eq!(figures["resumed_bytes"], durable, "all that the record told was there");
        resumed += durable;
    }
    assert!(resumed > 0, "no cut left a copy to go on with: this has proven nothing");
}

#[test]
fn holes_stay_holes_on_an_ext4() {
    let Some(volume) = or_not_proven(Volume::ext4(64, &[], "")) else { return };
    let target = volume.path().join("new");
    let scene = scene(&target, "resume_over: 128MiB").folder("old");
    // Larger than the volume: they fit only without their holes.
    let sizes = [("small.dat", MIB), ("large.dat", 100 * MIB), ("resumable.dat", 300 * MIB)];
    for (name, size) in sizes {
        let mut file = File::create(scene.path("old").join(name)).unwrap();
        for place in [0, size / 2, size - 9_999] {
            file.seek(SeekFrom::Start(place)).unwrap();
            file.write_all(&bytes(place, 9_999)).unwrap();
        }
    }
    scene.run(&[]).code(0);
    tree::assert_equal(&scene.path("old"), &target);
    for (name, _) in sizes {
        let blocks = target.join(name).metadata().unwrap().blocks();
        assert!(blocks * 512 <= 64 * 1024, "{name} takes {blocks} blocks");
    }
}
