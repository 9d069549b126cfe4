//! Paths of Windows, through the real program: each way of writing them, longer ones than 260 characters, and files that
//! may not be written to.
#![cfg(windows)]

mod common;

use std::fs;
use std::path::PathBuf;

use common::scene::one_phase;
use common::{Scene, tree};

/// A move: a pass, a stop at which the tests change what they like, a pass that purges, and the proof.
const MOVE: &str = "
- {id: first, copy: {from: 'FROM', to: 'TO', errors: tolerate}}
- {id: gate, checkpoint: {ask: 'Go on?'}}
- {id: final, copy: {from: 'FROM', to: 'TO', purge: {max_percent: 100}}}
- {id: proof, verify: {from: 'FROM', to: 'TO'}}";

fn steps(from: &str, to: &str) -> String {
    MOVE.replace("FROM", from).replace("TO", to)
}

/// Up to the stop, which `change` uses, and on to the end; then both trees are equal.
fn moved(scene: &Scene, change: impl FnOnce()) {
    scene.run(&[]).code(3);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
    change();
    scene.approve("gate", &[]).code(0);
    scene.resume(&[]).code(0);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
}

#[test]
fn each_way_of_writing_a_path_moves_the_same_tree() {
    let ways: [fn(&str) -> String; 5] = [
        |path| path.to_owned(),
        |path| path.replace('\\', "/"),
        |path| format!(r"\\?\{path}"),
        |path| path.to_lowercase(),
        |path| path.replace(r"\old", r"\OLD").replace(r"\new", r"\NEW"),
    ];
    for way in ways {
        let scene = Scene::new().tree("old", 30);
        let written = |name: &str| way(scene.path(name).to_str().unwrap());
        scene.now_reads(&one_phase(&steps(&written("old"), &written("new"))));
        moved(&scene, || scene.write("old/another.dat", "another"));
    }
}

#[test]
fn a_tree_of_paths_over_260_characters_is_copied_purged_and_verified() {
    let scene = Scene::new();
    let deep = |root: &str| -> PathBuf {
        // Plain, as the program meets it; the standard library asks Windows for it in the long form.
        (0..8).fold(scene.path(root), |path, level| path.join(format!("level-{level}-{}", "x".repeat(60))))
    };
    fs::create_dir_all(deep("old")).unwrap();
    fs::write(deep("old").join("mail.dat"), "deep").unwrap();
    assert!(deep("old").as_os_str().len() > 500);
    scene.now_reads(&one_phase(&steps(r"ROOT\old", r"ROOT\new")));
    moved(&scene, || {
        fs::write(deep("old").join("mail.dat"), "deeper").unwrap();
        fs::create_dir(deep("new").join("extra")).unwrap();
        fs::write(deep("new").join(r"extra\extra.dat"), "extra").unwrap();
    });
}

#[test]
fn a_file_that_may_not_be_written_to_is_replaced_and_taken_away() {
    let scene = Scene::new().steps(&steps(r"ROOT\old", r"ROOT\new")).tree("old", 5);
    let read_only = |name: &str, yes: bool| {
        let mut permissions = fs::metadata(scene.path(name)).unwrap().permissions();
        permissions.set_readonly(yes);
        fs::set_permissions(scene.path(name), permissions).unwrap();
    };
    let is_read_only = |name: &str| fs::metadata(scene.path(name)).unwrap().permissions().readonly();
    for name in [r"old\00\file-1.dat", r"old\00\file-2.dat"] {
        read_only(name, true);
    }
    moved(&scene, || {
        assert!(is_read_only(r"new\00\file-1.dat") && is_read_only(r"new\00\file-2.dat"));
        for name in [r"old\00\file-1.dat", r"old\00\file-2.dat"] {
            read_only(name, false);
        }
        scene.write("old/00/file-1.dat", "another content");
        fs::remove_file(scene.path(r"old\00\file-2.dat")).unwrap();
    });
    assert!(!is_read_only(r"new\00\file-1.dat"));
}
