//! Lines as rclone 1.60 wrote them, and as later versions do.

use super::*;

fn failed(path: &str, class: ErrorClass, error: &str) -> Line {
    Line::Failed(Failed { path: path.into(), class, error: error.into() })
}

#[test]
fn an_error_of_a_file_has_its_path_and_class() {
    let line = r#"{"level":"error","msg":"Failed to copy: failed to open source object: open /srv/a: permission denied","object":"sub/a","objectType":"*local.Object","source":"operations/operations.go:538","time":"2026-11-27T09:51:07.14563+00:00"}"#;
    let error = "Failed to copy: failed to open source object: open /srv/a: permission denied";
    assert_eq!(Line::read(line), failed("sub/a", ErrorClass::Denied, error));
}

#[test]
fn later_versions_have_other_levels_and_more_fields() {
    let line = r#"{"time":"2025-05-01T10:00:00.1+02:00","level":"critical","source":"slog/logger.go:256","msg":"Failed to copy: sharing violation","object":"a","objectType":"*smb.Object","size":12}"#;
    assert_eq!(Line::read(line), failed("a", ErrorClass::Transient, "Failed to copy: sharing violation"));
    let notice = r#"{"level":"notice","msg":"Can't follow symlink without -L/--copy-links","object":"l","objectType":"*local.Object"}"#;
    assert_eq!(Line::read(notice), Line::Skipped { path: "l".into(), what: Skipped::Link });
}

#[test]
fn a_folder_that_cannot_be_listed_is_an_error_of_its_path() {
    let line = r#"{"level":"error","msg":"failed to open directory \"closed\": open /srv/closed: permission denied","object":"closed","objectType":"string"}"#;
    assert!(
        matches!(Line::read(line), Line::Failed(Failed { path, class: ErrorClass::Denied, .. }) if path == "closed")
    );
}

#[test]
fn links_and_special_files_are_told_as_skipped() {
    let line = |msg: &str| {
        format!(r#"{{"level":"warning","msg":"{msg}","object":"d/x","objectType":"*local.Object"}}"#)
    };
    for (msg, what) in [
        ("Can't follow symlink without -L/--copy-links", Skipped::Link),
        ("Can't transfer non file/directory", Skipped::Special),
    ] {
        assert_eq!(Line::read(&line(msg)), Line::Skipped { path: "d/x".into(), what });
    }
}

#[test]
fn progress_is_read_with_what_is_under_way() {
    let line = r#"{"level":"info","msg":"\nTransferred: …","source":"accounting/stats.go:482","stats":{"bytes":500,"checks":0,"elapsedTime":0.5,"errors":0,"eta":null,"fatalError":false,"speed":1.5,"totalBytes":1000,"totalTransfers":2,"transfers":1,"transferring":[{"bytes":100,"eta":3,"group":"global_stats","name":"a/b.dat","percentage":20,"size":600,"speed":12.5,"speedAvg":9.1},{"bytes":7,"name":"c","size":-1}]}}"#;
    let Line::Progress(stats) = Line::read(line) else { panic!("no progress") };
    assert_eq!((stats.bytes, stats.total_bytes, stats.transfers), (500, 1000, 1));
    assert_eq!(stats.under_way[0], UnderWay { path: "a/b.dat".into(), bytes: 100, size: 600 });
    assert_eq!(stats.under_way[1].size, 7);
}

#[test]
fn what_is_said_before_and_after_the_log_is_read_too() {
    for (line, said) in [
        (
            r#"2026/11/27 09:50:12 Failed to create file system for "old:x": couldn't connect SMB"#,
            r#"Failed to create file system for "old:x": couldn't connect SMB"#,
        ),
        ("2026/11/27 09:50:12 ERROR : a: broken", "a: broken"),
        (r#"Error: unknown flag: --nonsense"#, "Error: unknown flag: --nonsense"),
        (r#"{"level":"error","msg":"config is broken"}"#, "config is broken"),
    ] {
        assert_eq!(Line::read(line), Line::Trouble(said.into()), "{line}");
    }
}

#[test]
fn a_line_that_says_nothing_of_use_fails_nothing() {
    for line in [
        "",
        "{",
        "{}",
        "[1]{",
        r#"{"level":7}"#,
        r#"{"level":"info","msg":"There was nothing to transfer","source":"sync/sync.go:954"}"#,
        "2026/11/27 09:50:01 NOTICE: Config file not found - using defaults",
        "\u{0}\u{1b}[2J",
    ] {
        let read = Line::read(line);
        assert!(matches!(read, Line::Other | Line::Trouble(_)), "{line}: {read:?}");
    }
}

#[test]
fn errors_are_classed_by_what_can_be_done_about_them() {
    for (error, class) in [
        ("preallocate: file too big for remaining disk space", ErrorClass::Fatal),
        ("write /x: no space left on device", ErrorClass::Fatal),
        ("There is not enough space on the disk.", ErrorClass::Fatal),
        (
            "The process cannot access the file because it is being used by another process.",
            ErrorClass::Transient,
        ),
        ("can't copy - source file is being updated (size changed from 1 to 2)", ErrorClass::Transient),
        ("dial tcp 127.0.0.1:445: connect: connection refused", ErrorClass::Transient),
        ("open /x: permission denied", ErrorClass::Denied),
        ("Access is denied.", ErrorClass::Denied),
        ("The attempted logon is invalid.", ErrorClass::Denied),
        ("object not found", ErrorClass::Vanished),
        ("open /x: no such file or directory", ErrorClass::Vanished),
        ("open /x: is a directory", ErrorClass::Permanent),
    ] {
        assert_eq!(class_of_file("", error), class, "{error}");
    }
}

#[test]
fn a_lock_is_of_one_file_and_the_network_of_all() {
    for error in ["read: connection reset by peer", "dial tcp 10.0.0.1:445: i/o timeout", "unexpected EOF"] {
        assert!(is_of_network(error), "{error}");
        assert_eq!(class_of_file("", error), ErrorClass::Transient);
    }
    for error in
        ["The process cannot access the file because it is being used by another process.", "is locked"]
    {
        assert!(!is_of_network(error), "{error}");
    }
}

#[test]
fn lines_come_whole_however_they_are_cut() {
    let text = "one\ntwo ä\r\nthree";
    for size in 1..text.len() {
        let mut lines = Lines::default();
        let mut read = Vec::new();
        for chunk in text.as_bytes().chunks(size) {
            lines.push(chunk, |line| read.push(line.trim_end().to_owned()));
        }
        lines.finish(|line| read.push(line.to_owned()));
        assert_eq!(read, ["one", "two ä", "three"], "chunks of {size}");
    }
}

#[test]
fn a_line_without_end_takes_no_more_than_its_bound() {
    let mut lines = Lines::default();
    for _ in 0..20 {
        lines.push(&[b'x'; 512 * 1024], |_| panic!("it has no end"));
    }
    let mut length = 0;
    lines.finish(|line| length = line.len());
    assert_eq!(length, Lines::LONGEST);
}

#[test]
fn only_what_failed_in_the_last_attempt_counts() {
    let failed = |path: &str, error: &str| {
        format!(r#"{{"level":"error","msg":"{error}","object":"{path}","objectType":"*local.Object"}}"#)
    };
    let attempt = |text: &str| format!(r#"{{"level":"error","msg":"Attempt {text}"}}"#);
    let hear = |lines: &[String]| {
        let mut errors = Errors::default();
        lines.iter().for_each(|line| errors.hear(&Line::read(line)));
        errors
            .of_last_attempt()
            .into_iter()
            .map(|failed| (failed.path.clone(), failed.error.clone()))
            .collect::<Vec<_>>()
    };
    let first = [failed("a", "one"), failed("b", "one"), attempt("1/2 failed with 2 errors and: one")];
    let second = [failed("b", "two"), failed("b", "three"), attempt("2/2 failed with 1 errors and: three")];
    assert_eq!(hear(&[first.as_slice(), &second].concat()), [("b".to_owned(), "three".to_owned())]);
    assert!(hear(&[first.as_slice(), &[attempt("2/2 succeeded")]].concat()).is_empty());
    assert_eq!(hear(&first[..2]).len(), 2, "cut off before its end");
}

#[test]
fn what_was_copied_is_told() {
    for msg in ["Copied (new)", "Copied (replaced existing)", "Multi-thread Copied (new)"] {
        let line = format!(r#"{{"level":"info","msg":"{msg}","object":"a/b","objectType":"*local.Object"}}"#);
        assert_eq!(Line::read(&line), Line::Copied("a/b".into()));
    }
}

#[test]
fn what_a_file_is_called_does_not_class_its_error() {
    for (path, error) in [
        ("quota.dat", "open /srv/quota.dat: permission denied"),
        ("network/a", "open /srv/network/a: permission denied"),
        ("network", "open network: permission denied"),
        ("a: network timeout", "open a: network timeout: permission denied"),
        ("locked", r#"failed to open directory "locked": open /srv/locked: permission denied"#),
    ] {
        assert_eq!(class_of_file(path, error), ErrorClass::Denied, "{error}");
        assert!(!is_of_network(error), "{error}");
    }
    assert_eq!(class_of_file("quota", "open quota: is a directory"), ErrorClass::Permanent);
    assert_eq!(
        class_of_file("a", "corrupted on transfer: sizes differ 5 vs 6"),
        ErrorClass::Transient,
        "where the last words tell nothing, those before them do"
    );
}
