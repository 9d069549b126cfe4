//! Nothing is lost by a power cut: not behind exit code 0, and not in the middle of a run that is then gone on with.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::common::{Scene, tree};
use crate::passthrough::{Passthrough, Ways};
use crate::volumes::{Bind, Cut, Volume, or_not_proven, setting};

const FILES: usize = 200;
/// In all; half of them with each kind of cut.
const CUTS: usize = 20;

fn scene(target: &Path) -> Scene {
    Scene::new().steps(&format!("- {{id: pass, copy: {{from: 'ROOT/old', to: '{}'}}}}", target.display()))
}

#[test]
fn after_exit_code_0_and_a_power_cut_every_file_is_whole() {
    for round in 0..CUTS {
        let Some(mut volume) = or_not_proven(Volume::ext4(64, &[], "")) else { return };
        let scene = scene(&volume.path().join("new")).tree("old", FILES);
        scene.run(&[]).code(0);
        volume.cut_power(if round % 2 == 0 { Cut::AtOnce } else { Cut::AfterTheJournal });
        volume.mount_again();
        tree::assert_equal(&scene.path("old"), &volume.path().join("new"));
    }
}

#[test]
fn what_is_mounted_below_the_target_survives_the_power_cut_too() {
    let Some(mut volume) = or_not_proven(Volume::ext4(64, &[], "")) else { return };
    let Some(mut below) = or_not_proven(Volume::ext4(64, &[], "")) else { return };
    let target = volume.path().join("new");
    let scene = scene(&target).tree("old", FILES);
    fs::create_dir_all(target.join("03")).unwrap();
    let shown = Bind::over(&below.path(), &target.join("03")).unwrap();
    // What mkfs makes there.
    let _theirs = fs::remove_dir(target.join("03/lost+found"));
    scene.run(&[]).code(0);
    for each in [&below, &volume] {
        each.cut_power(Cut::AtOnce);
    }
    drop(shown);
    below.mount_again();
    volume.mount_again();
    let _shown = Bind::over(&below.path(), &target.join("03")).unwrap();
    tree::assert_equal(&scene.path("old"), &target);
    assert!(fs::read_dir(below.path()).unwrap().count() >= 20, "the files are on the other volume");
}

/// A file system that writes names soon and content late, so that a cut leaves files of the right size and time with nothing
/// in them: what ext4 does only when it is told to, others do by themselves.
const NAMES_FIRST: &str = "data=writeback,nodelalloc,noauto_da_alloc,commit=1";

#[test]
fn a_run_that_a_power_cut_ended_is_gone_on_with_to_an_equal_target() {
    let mut hollow = 0;
    for round in 0..setting("MOVEBOOK_POWER_CUTS", 4) {
        let Some(mut volume) = or_not_proven(Volume::ext4(256, &[], NAMES_FIRST)) else { return };
        let target = volume.path().join("new");
        let scene = scene(&target);
        for number in 0..4_000 {
            let content = format!("{round} {number} ").repeat(300 + number % 1_000);
            scene.write(&format!("old/{:02}/{number}.dat", number / 100), content);
        }
        // A slow source, so that the pass is still at work when the journal has been written.
        let ways = Ways { delay: Duration::from_millis(2), ..Ways::default() };
        fs::rename(scene.path("old"), scene.path("behind")).unwrap();
        fs::create_dir(scene.path("old")).unwrap();
        let Some(slow) = or_not_proven(Passthrough::mount(&scene.path("behind"), &scene.path("old"), ways))
        else {
            return;
        };
        let mut running = scene.begin(&[]);
        running.until("step_started", "pass");
        while count(&target) < 300 * (1 + round % 4) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Long enough for the journal, too short for the content.
        std::thread::sleep(Duration::from_millis(1_200));
        running.kill();
        volume.cut_power(Cut::AfterTheJournal);
        volume.mount_again();
        drop(slow);
        fs::remove_dir(scene.path("old")).unwrap();
        fs::rename(scene.path("behind"), scene.path("old")).unwrap();
        hollow += look_same_and_differ(&scene.path("old"), &target);
        scene.run(&[]).code(0);
        tree::assert_equal(&scene.path("old"), &target);
    }
    assert!(hollow > 0, "no cut left a file that looks right and is not: this has proven nothing");
}

fn count(root: &Path) -> usize {
    walkdir::WalkDir::new(root).into_iter().flatten().filter(|entry| entry.file_type().is_file()).count()
}

/// How many files of the target have their source's size and time and another content.
fn look_same_and_differ(source: &Path, target: &Path) -> usize {
    let files =
        walkdir::WalkDir::new(target).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    files
        .filter(|entry| {
            let Ok(original) = entry.path().strip_prefix(target).map(|path| source.join(path)) else {
                return false;
            };
            let (Ok(is), Ok(was)) = (entry.metadata(), fs::metadata(&original)) else { return false };
            is.len() == was.len()
                && is.modified().unwrap() == was.modified().unwrap()
                && fs::read(entry.path()).unwrap_or_default() != fs::read(&original).unwrap()
        })
        .count()
}
