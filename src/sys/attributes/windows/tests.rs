use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::windows::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use super::{Held, security, shape};
use crate::sys::attributes::marks::{ARCHIVE, COMPRESSED, HIDDEN, READ_ONLY, SPARSE, SYSTEM};
use crate::sys::attributes::{ACCESS, OWNER, Object, streams};
use crate::sys::tree::Permissions;
use crate::sys::trial::can_show;

fn made(folder: &tempfile::TempDir, name: &str) -> File {
    let path = folder.path().join(name);
    OpenOptions::new().read(true).write(true).create_new(true).open(path).unwrap()
}

fn marks(file: &File) -> u32 {
    file.metadata().unwrap().file_attributes() & (READ_ONLY | HIDDEN | SYSTEM)
}

#[test]
fn marks_are_set_on_a_file_that_is_being_written_and_change_no_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = made(&folder, "file");
    let modified = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_700);
    let wanted = Permissions::from_marks(READ_ONLY | HIDDEN | SYSTEM | ARCHIVE);
    Object::file(&file).set_permissions(&wanted).unwrap();
    file.write_all(b"content").unwrap();
    Object::file(&file).set_modified(modified).unwrap();
    assert_eq!(marks(&file), READ_ONLY | HIDDEN | SYSTEM);
    Object::file(&file).set_permissions(&Permissions::from_marks(HIDDEN)).unwrap();
    assert_eq!(marks(&file), HIDDEN);
    assert_eq!(file.metadata().unwrap().modified().unwrap(), modified);
    Object::file(&file).set_permissions(&Permissions::from_marks(0)).unwrap();
    assert_eq!(marks(&file), 0);
}

#[test]
fn a_directory_and_a_read_only_file_are_marked_by_a_handle_that_reads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("directory");
    fs::create_dir(&directory).unwrap();
    for path in [directory, {
        made(&folder, "file");
        folder.path().join("file")
    }] {
        let held = Held::at(&path).unwrap();
        for wanted in [HIDDEN, READ_ONLY | SYSTEM, 0] {
            let is_read_only_folder = path.is_dir() && wanted & READ_ONLY != 0;
            if is_read_only_folder && !can_show("a read-only folder stays so") {
                continue;
            }
            held.object().set_permissions(&Permissions::from_marks(wanted)).unwrap();
            let found = fs::metadata(&path).unwrap().file_attributes() & (READ_ONLY | HIDDEN | SYSTEM);
            assert_eq!(found, wanted, "{}", path.display());
        }
    }
}

#[test]
fn streams_are_told_of_and_written_by_the_file_that_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let (mut source, copy) = (made(&folder, "source"), made(&folder, "copy"));
    source.write_all(b"content").unwrap();
    assert_eq!(streams::of(&source).unwrap(), []);
    if !can_show("alternate data streams are copied") {
        return;
    }
    fs::write(folder.path().join("source:Zone.Identifier"), "[ZoneTransfer]").unwrap();
    let all = streams::of(&source).unwrap();
    let [stream] = all.as_slice() else { panic!("one stream: {all:?}") };
    assert_eq!((stream.shown().as_str(), stream.size), ("Zone.Identifier", 14));
    let mut content = String::new();
    streams::open(&source, stream).unwrap().read_to_string(&mut content).unwrap();
    let mut written = streams::create(&copy, stream).unwrap();
    written.write_all(content.as_bytes()).unwrap();
    written.sync_all().unwrap();
    assert_eq!(fs::read(folder.path().join("copy:Zone.Identifier")).unwrap(), b"[ZoneTransfer]");
}

#[test]
fn owner_and_access_list_go_from_one_file_to_another() {
    let folder = tempfile::tempdir().unwrap();
    let (source, copy) = (made(&folder, "source"), made(&folder, "copy"));
    security::close_to_others(&source).unwrap();
    let names = Object::file(&source).names().unwrap();
    assert!(names.iter().any(|name| name == OWNER) && names.iter().any(|name| name == ACCESS));
    let value = |file: &File, name: &[u8]| Object::file(file).value(name).unwrap().unwrap();
    let before = value(&copy, ACCESS);
    assert_ne!(before, value(&source, ACCESS));
    for name in [OWNER, ACCESS] {
        Object::file(&copy).set(name, &value(&source, name)).unwrap();
        assert_eq!(value(&copy, name), value(&source, name));
    }
    Object::file(&copy).set(ACCESS, &before).unwrap();
    assert_eq!(value(&copy, ACCESS), before, "inherited entries stay inherited");
}

#[test]
fn a_copy_is_whole_whether_or_not_its_volume_keeps_it_as_its_source_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = made(&folder, "file");
    shape::take(&file, COMPRESSED | SPARSE);
    file.set_len(8 << 20).unwrap();
    std::os::windows::fs::FileExt::seek_write(&file, b"data", 4 << 20).unwrap();
    let mut content = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut content).unwrap();
    assert_eq!(content.iter().filter(|byte| **byte != 0).count(), 4);
    let data = shape::data_from(&file, 0).unwrap().unwrap();
    assert!(data.start <= 4 << 20 && data.end > 4 << 20, "{data:?}");
}

#[test]
fn compressed_files_stay_compressed_and_holes_stay_holes() {
    let folder = tempfile::tempdir().unwrap();
    let (compressed, sparse) = (made(&folder, "compressed"), made(&folder, "sparse"));
    shape::take(&compressed, COMPRESSED);
    shape::take(&sparse, SPARSE);
    if !can_show("compressed files stay compressed, and holes stay holes") {
        return;
    }
    let kept = |file: &File| file.metadata().unwrap().file_attributes() & (COMPRESSED | SPARSE);
    assert_eq!((kept(&compressed), kept(&sparse)), (COMPRESSED, SPARSE));
    sparse.set_len(8 << 20).unwrap();
    std::os::windows::fs::FileExt::seek_write(&sparse, b"data", 4 << 20).unwrap();
    let data = shape::data_from(&sparse, 0).unwrap().unwrap();
    assert!(data.start > 0 && data.start <= 4 << 20 && data.end > 4 << 20, "{data:?}");
    assert_eq!(shape::data_from(&sparse, 6 << 20).unwrap(), None);
}
