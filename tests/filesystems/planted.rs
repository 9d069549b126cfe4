//! Links that lie in the target before the pass are never followed, and what is no file in the source is never opened.

use std::fs;
use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use crate::common::{Scene, tree};
use crate::volumes::{Volume, not_proven, or_not_proven};

#[test]
fn links_planted_in_the_target_are_never_followed() {
    for volume in [Volume::ext4(32, &[], ""), Volume::tmpfs("")] {
        let Some(volume) = or_not_proven(volume) else { continue };
        let (target, canary) = (volume.path().join("new"), volume.path().join("canary"));
        for (folder, file) in [("in-place-of-a-folder", "file"), ("extra", "bird"), ("deep", "er")] {
            fs::create_dir_all(canary.join(folder)).unwrap();
            fs::write(canary.join(folder).join(file), "alive").unwrap();
        }
        fs::write(canary.join("bird"), "alive").unwrap();
        fs::create_dir_all(target.join("within")).unwrap();
        let nowhere = canary.join("must not come to be");
        for (name, leads_to) in [
            ("in-place-of-a-file", canary.join("bird")),
            ("in-place-of-a-folder", canary.join("in-place-of-a-folder")),
            ("extra-link-to-a-folder", canary.join("extra")),
            ("extra-link-to-a-file", canary.join("bird")),
            ("dangling", nowhere.clone()),
            ("within/chain", target.join("in-place-of-a-folder")),
        ] {
            symlink(leads_to, target.join(name)).unwrap();
        }
        let before = tree::fingerprint(&canary);
        let scene = Scene::new().steps(&format!(
            "- {{id: pass, copy: {{from: 'ROOT/old', to: '{}', adopt: true, purge: {{max_files: 10, max_percent: 100, keep: none}}}}}}",
            target.display()
        ));
        for name in
            ["in-place-of-a-file", "dangling", "in-place-of-a-folder/file", "within/chain/file", "plain"]
        {
            scene.write(&format!("old/{name}"), "from the source");
        }
        scene.run(&[]).code(3);
        scene.approve("pass", &["--answer", "adopt"]).code(0);
        // A folder is never made in a link's place by itself.
        scene
            .run(&[])
            .code(1)
            .says("in-place-of-a-folder/")
            .says("within/chain/")
            .says("move that out of the way");
        assert_eq!(tree::fingerprint(&canary), before);
        for name in ["in-place-of-a-file", "dangling"] {
            let there = target.join(name);
            assert!(!there.is_symlink(), "the link itself is replaced: {name}");
            assert_eq!(fs::read_to_string(there).unwrap(), "from the source");
        }
        assert!(target.join("extra-link-to-a-folder").is_symlink(), "nothing is purged after an error");
        fs::remove_file(target.join("in-place-of-a-folder")).unwrap();
        fs::remove_file(target.join("within/chain")).unwrap();
        scene.run(&[]).code(0);
        assert_eq!(tree::fingerprint(&canary), before);
        tree::assert_equal(&scene.path("old"), &target);
    }
}

#[test]
fn devices_sockets_and_pipes_of_the_source_are_counted_and_never_opened() {
    let Some(volume) = or_not_proven(Volume::tmpfs("")) else { return };
    let source = volume.path().join("old");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("file"), "a file").unwrap();
    let node = |name: &str, kind, device| mknodat(CWD, source.join(name), kind, Mode::from(0o644), device);
    // To open a pipe that nobody writes to would wait for ever; to read `zero` would never end.
    node("pipe", FileType::Fifo, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(source.join("socket")).unwrap();
    let mut special = 2;
    for (name, kind, device) in
        [("zero", FileType::CharacterDevice, makedev(1, 5)), ("loop", FileType::BlockDevice, makedev(7, 250))]
    {
        match node(name, kind, device) {
            Ok(()) => special += 1,
            Err(error) => not_proven(&format!("a device cannot be made: {error}")),
        }
    }
    let scene = Scene::new().steps(&format!(
        "- {{id: pass, copy: {{from: '{0}', to: 'ROOT/new', purge: {{}}}}}}\n- {{id: proof, verify: {{from: '{0}', to: 'ROOT/new'}}}}",
        source.display()
    ));
    scene.run(&[]).code(0);
    let journal = scene.journal();
    let figures = &journal.only("step_done", "pass")["figures"];
    assert_eq!((&figures["skipped_special"], &figures["new_files"]), (&special.into(), &1.into()));
    assert_eq!(fs::read_dir(scene.path("new")).unwrap().count(), 1);
}
