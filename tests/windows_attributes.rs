//! What Windows keeps of a file and a folder beside content and time: the marks that people set by `attrib`.
#![cfg(windows)]

mod common;

use std::fs;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use common::Scene;
use common::windows::can_show;
use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW,
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION, GetFileSecurityW, OWNER_SECURITY_INFORMATION,
    SetFileSecurityW,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_ARCHIVE as ARCHIVE, FILE_ATTRIBUTE_HIDDEN as HIDDEN, FILE_ATTRIBUTE_NORMAL as NORMAL,
    FILE_ATTRIBUTE_READONLY as READ_ONLY, FILE_ATTRIBUTE_SYSTEM as SYSTEM, SetFileAttributesW,
};

const MARKS: u32 = READ_ONLY | HIDDEN | SYSTEM;
const FILES: [(&str, u32); 4] =
    [("plain", 0), ("hidden", HIDDEN), ("read-only", READ_ONLY), ("all", READ_ONLY | HIDDEN | SYSTEM)];

fn wide(text: &std::ffi::OsStr) -> Vec<u16> {
    text.encode_wide().chain([0]).collect()
}

/// Who owns an entry and who may do what with it, as Windows writes it in a line (SDDL).
fn security(path: &Path) -> String {
    let (name, mut bytes, mut needed) = (wide(path.as_os_str()), vec![0u64; 512], 0);
    let parts = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    let (size, descriptor) = ((bytes.len() * 8) as u32, bytes.as_mut_ptr().cast());
    // SAFETY: the name ends with zero, the buffer has the size that is told, and both outlive the calls; the text that the
    // system makes ends with zero and is given back.
    unsafe {
        assert_ne!(GetFileSecurityW(name.as_ptr(), parts, descriptor, size, &mut needed), 0);
        let mut text = std::ptr::null_mut();
        let none = std::ptr::null_mut();
        let made = ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor,
            SDDL_REVISION_1,
            parts,
            &mut text,
            none,
        );
        assert_ne!(made, 0);
        let length = (0..).take_while(|at| *text.add(*at) != 0).count();
        let said = String::from_utf16_lossy(std::slice::from_raw_parts(text, length));
        LocalFree(text.cast());
        said
    }
}

fn allow(path: &Path, list: &str) {
    let (name, list) = (wide(path.as_os_str()), wide(list.as_ref()));
    let (mut descriptor, none) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: both texts end with zero and outlive the calls; what the system makes is given back.
    unsafe {
        let made = ConvertStringSecurityDescriptorToSecurityDescriptorW(
            list.as_ptr(),
            SDDL_REVISION_1,
            &mut descriptor,
            none,
        );
        assert_ne!(made, 0);
        assert_ne!(SetFileSecurityW(name.as_ptr(), DACL_SECURITY_INFORMATION, descriptor), 0);
        LocalFree(descriptor);
    }
}

fn mark(path: &Path, marks: u32) {
    let name = wide(path.as_os_str());
    // SAFETY: the name ends with zero and outlives the call.
    assert_ne!(unsafe { SetFileAttributesW(name.as_ptr(), marks) }, 0, "{}", path.display());
}

fn marks(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().file_attributes() & MARKS
}

fn time(path: &Path) -> SystemTime {
    fs::symlink_metadata(path).unwrap().modified().unwrap()
}

/// Files with marks in a hidden folder, and a pass.
fn scene() -> Scene {
    let scene = FILES
        .iter()
        .fold(Scene::new(), |scene, (name, _)| scene.file(&format!("old/folder/{name}"), name.repeat(9)))
        .steps("- {id: pass, copy: {from: ROOT/old, to: ROOT/new}}");
    for (name, marks) in FILES {
        mark(&scene.path(&format!("old/folder/{name}")), marks | ARCHIVE);
    }
    mark(&scene.path("old/folder"), HIDDEN);
    scene
}

fn judge(scene: &Scene) {
    for (name, _) in FILES {
        let (old, new) =
            (scene.path(&format!("old/folder/{name}")), scene.path(&format!("new/folder/{name}")));
        assert_eq!(marks(&new), marks(&old), "{name}");
        assert_eq!(time(&new), time(&old), "{name}: setting marks changes no time");
        assert_eq!(fs::read(&new).unwrap(), fs::read(&old).unwrap(), "{name}");
    }
    let (old, new) = (scene.path("old/folder"), scene.path("new/folder"));
    assert_eq!((marks(&new), time(&new)), (marks(&old), time(&old)));
}

#[test]
fn marks_of_files_and_folders_are_carried_over() {
    let scene = scene();
    scene.run(&[]).code(0);
    judge(&scene);
    for (name, expected) in FILES {
        assert_eq!(marks(&scene.path(&format!("new/folder/{name}"))), expected, "{name}");
    }
    assert_eq!(marks(&scene.path("new/folder")), HIDDEN);
}

#[test]
fn marks_alone_are_mended_and_nothing_is_copied() {
    let scene = scene();
    scene.run(&[]).code(0);
    // Of the copies: one lost its mark, one got one, one differs in what is not compared alone.
    mark(&scene.path("new/folder/hidden"), NORMAL);
    mark(&scene.path("new/folder/plain"), READ_ONLY | SYSTEM);
    mark(&scene.path("new/folder/read-only"), READ_ONLY);
    mark(&scene.path("new/folder"), NORMAL);
    fs::remove_file(scene.state_file()).unwrap();
    scene.run(&[]).code(0);
    judge(&scene);
    let journal = scene.journal();
    let figures = &journal.only("step_done", "pass")["figures"];
    assert_eq!(figures["attributes_mended"], 2, "{figures}");
    assert_eq!((&figures["copied_files"], &figures["same_files"]), (&0.into(), &4.into()), "{figures}");
}

#[test]
fn a_file_that_changed_is_replaced_although_its_copy_is_read_only() {
    let scene = scene();
    scene.run(&[]).code(0);
    let file = scene.path("old/folder/read-only");
    mark(&file, NORMAL);
    fs::write(&file, "another content").unwrap();
    mark(&file, READ_ONLY);
    fs::remove_file(scene.state_file()).unwrap();
    scene.run(&[]).code(0);
    judge(&scene);
}

#[test]
fn streams_go_with_a_file_that_is_copied() {
    let scene = scene();
    if !can_show("alternate data streams are copied") {
        return;
    }
    let stream = |root: &str, name: &str| scene.path(&format!("{root}/folder/{name}:Zone.Identifier"));
    fs::write(stream("old", "plain"), "[ZoneTransfer]").unwrap();
    let large = vec![7; 3 << 20];
    fs::write(stream("old", "hidden"), &large).unwrap();
    scene.run(&[]).code(0);
    judge(&scene);
    assert_eq!(fs::read(stream("new", "plain")).unwrap(), b"[ZoneTransfer]");
    assert!(fs::read(stream("new", "hidden")).unwrap() == large);
}

#[test]
fn access_lists_go_with_what_is_copied_and_are_mended_where_they_alone_differ() {
    const LIST: &str = "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)(A;;FR;;;WD)";
    const CLOSED: &str = "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)";
    let scene = scene().steps("- {id: pass, copy: {from: ROOT/old, to: ROOT/new, preserve: [owner, acls]}}");
    allow(&scene.path("old/folder/plain"), LIST);
    allow(&scene.path("old/folder/hidden"), CLOSED);
    allow(&scene.path("old/folder"), LIST);
    let same = |name: &str| {
        let (old, new) =
            (security(&scene.path(&format!("old/{name}"))), security(&scene.path(&format!("new/{name}"))));
        assert_eq!(new, old, "{name}");
    };
    scene.run(&[]).code(0);
    judge(&scene);
    assert_ne!(
        security(&scene.path("new/folder/plain")),
        security(&scene.path("new/folder/hidden")),
        "each has its own"
    );
    ["folder", "folder/plain", "folder/hidden", "folder/all"].into_iter().for_each(same);
    allow(&scene.path("new/folder/plain"), CLOSED);
    fs::remove_file(scene.state_file()).unwrap();
    scene.run(&[]).code(0);
    judge(&scene);
    ["folder", "folder/plain", "folder/hidden", "folder/all"].into_iter().for_each(same);
    let journal = scene.journal();
    let figures = &journal.only("step_done", "pass")["figures"];
    assert_eq!(
        (&figures["attributes_mended"], &figures["copied_files"]),
        (&1.into(), &0.into()),
        "{figures}"
    );
}

#[test]
fn backup_is_a_step_s_own_word_and_its_pass_is_like_any_other() {
    let scene = scene().steps(
        "- {id: pass, copy: {from: ROOT/old, to: ROOT/new, backup: true}}
- {id: proof, verify: {from: ROOT/old, to: ROOT/new, backup: true}}",
    );
    scene.run(&[]).code(0);
    judge(&scene);
}
