use super::*;

fn facts(path: &str, style: PathStyle) -> TargetFacts {
    TargetFacts { path: path.into(), resolved: path.into(), style, identity: None, protected: Vec::new() }
}

fn code(facts: &TargetFacts) -> &'static str {
    judge_target(facts).map_or_else(|refusal| refusal.code, |()| "fine")
}

#[test]
fn targets_on_unix() {
    for (path, expected) in [
        ("/srv/archive", "fine"),
        ("/srv", "fine"),
        ("/mnt/new", "fine"),
        ("/mnt", "fine"),
        ("/home/admin/archive", "fine"),
        ("/var/lib/archive", "fine"),
        ("/var/tmp/x", "fine"),
        ("/tmp/x", "fine"),
        ("/usr/local/archive", "fine"),
        ("/opt/archive", "fine"),
        ("/etcetera", "fine"),
        ("/ETC", "fine"),
        ("/", "target_is_root"),
        ("//", "target_is_root"),
        ("/usr", "target_is_protected"),
        ("/usr/", "target_is_protected"),
        ("/usr/lib", "target_is_protected"),
        ("/usr/lib/x", "target_is_protected"),
        ("/etc", "target_is_protected"),
        ("/etc/mail", "target_is_protected"),
        ("/bin", "target_is_protected"),
        ("/var", "target_is_protected"),
        ("/var/lib", "target_is_protected"),
        ("/boot/x", "target_is_protected"),
        ("/dev/shm", "target_is_protected"),
        ("/proc/1", "target_is_protected"),
        ("/home", "target_is_protected"),
        ("/root", "target_is_protected"),
        ("/tmp", "target_is_protected"),
        ("/opt", "target_is_protected"),
        ("srv", "relative_path"),
    ] {
        assert_eq!(code(&facts(path, PathStyle::Unix)), expected, "{path}");
    }
}

#[test]
fn targets_on_windows() {
    for (path, expected) in [
        (r"D:\MailArchive", "fine"),
        (r"C:\MailArchive", "fine"),
        (r"C:\Users\admin\Archive", "fine"),
        (r"C:\Program Files\MailStore\Archive", "fine"),
        (r"\\server\share\Archive", "fine"),
        (r"\\server\share\Windows", "fine"),
        (r"\\server\c$\MailArchive", "fine"),
        (r"\\?\D:\MailArchive", "fine"),
        (r"D:\", "target_is_root"),
        (r"D:\\", "target_is_root"),
        (r"d:/", "target_is_root"),
        (r"\\?\D:\", "target_is_root"),
        (r"\\server\share", "target_is_root"),
        (r"\\server\share\", "target_is_root"),
        (r"\\server\c$", "target_is_root"),
        (r"\\?\UNC\server\share", "target_is_root"),
        (r"\\?\Volume{1}\", "target_is_root"),
        (r"C:\Windows", "target_is_protected"),
        (r"c:\WINDOWS\System32", "target_is_protected"),
        (r"C:/windows/temp", "target_is_protected"),
        (r"\\?\C:\Windows", "target_is_protected"),
        (r"\\server\c$\Windows\x", "target_is_protected"),
        (r"C:\Program Files", "target_is_protected"),
        (r"C:\Program Files (x86)\", "target_is_protected"),
        (r"C:\ProgramData", "target_is_protected"),
        (r"C:\Users", "target_is_protected"),
        (r"D:\System Volume Information\x", "target_is_protected"),
        (r"D:\$RECYCLE.BIN", "target_is_protected"),
    ] {
        assert_eq!(code(&facts(path, PathStyle::Windows)), expected, "{path}");
    }
}

fn home(path: &str) -> Protected {
    Protected {
        what: "the home directory".into(),
        path: path.into(),
        lineage: ["home", "above", "root"].map(|identity| Identity(identity.into())).to_vec(),
    }
}

#[test]
fn a_home_and_what_lies_above_it_is_no_target_but_what_lies_in_it_is() {
    for (path, expected) in [
        ("/data/people/admin", "target_is_protected"),
        ("/data/people", "target_is_protected"),
        ("/data", "target_is_protected"),
        ("/data/people/admin/archive", "fine"),
        ("/data/people/other", "fine"),
    ] {
        let facts =
            TargetFacts { protected: vec![home("/data/people/admin")], ..facts(path, PathStyle::Unix) };
        assert_eq!(code(&facts), expected, "{path}");
    }
}

#[test]
fn a_home_is_found_in_any_case_on_windows() {
    let facts = TargetFacts {
        protected: vec![home(r"E:\People\Admin")],
        ..facts(r"e:\people\ADMIN", PathStyle::Windows)
    };
    assert_eq!(code(&facts), "target_is_protected");
}

#[test]
fn a_link_to_a_protected_folder_is_seen_through() {
    for resolved in ["/", "/etc/x", "/data/people/admin"] {
        let facts = TargetFacts {
            resolved: resolved.into(),
            protected: vec![home("/data/people/admin")],
            ..facts("/srv/link", PathStyle::Unix)
        };
        assert_ne!(code(&facts), "fine", "{resolved}");
    }
}

#[test]
fn a_protected_folder_under_another_name_is_known_by_its_identity() {
    for (identity, expected) in
        [("home", "target_is_protected"), ("above", "target_is_protected"), ("other", "fine")]
    {
        let facts = TargetFacts {
            identity: Some(Identity(identity.into())),
            protected: vec![home("/data/people/admin")],
            ..facts("/srv/bind", PathStyle::Unix)
        };
        assert_eq!(code(&facts), expected, "{identity}");
    }
}

fn claim() -> ClaimFacts {
    ClaimFacts {
        path: "/new".into(),
        identity: Some(Identity("1:2".into())),
        found: FoundNow::Full { files: 7 },
        claimed: None,
        owned: false,
        purges: Purges::Yes,
        adopt: Adopt::No,
        agreed: false,
    }
}

#[test]
fn an_absent_or_empty_target_is_claimed() {
    let absent = ClaimFacts { identity: None, found: FoundNow::Absent, ..claim() };
    assert_eq!(judge_claim(&absent), ClaimVerdict::Claim(Found::Absent));
    assert_eq!(
        judge_claim(&ClaimFacts { found: FoundNow::Empty, ..claim() }),
        ClaimVerdict::Claim(Found::Empty)
    );
}

#[test]
fn a_claimed_target_is_the_runs_own_however_full() {
    assert_eq!(
        judge_claim(&ClaimFacts { claimed: Some(Identity("1:2".into())), ..claim() }),
        ClaimVerdict::Own
    );
    assert_eq!(judge_claim(&ClaimFacts { owned: true, ..claim() }), ClaimVerdict::Own);
}

#[test]
fn another_folder_in_the_place_of_the_claimed_one_is_refused_even_if_it_is_empty() {
    for (identity, found) in
        [(Some("9:9"), FoundNow::Full { files: 1 }), (Some("9:9"), FoundNow::Empty), (None, FoundNow::Absent)]
    {
        let facts = ClaimFacts {
            identity: identity.map(|identity| Identity(identity.into())),
            found,
            claimed: Some(Identity("1:2".into())),
            owned: true,
            ..claim()
        };
        let ClaimVerdict::Refuse(refusal) = judge_claim(&facts) else { panic!("{facts:?}") };
        assert_eq!(refusal.code, "target_changed");
    }
}

#[test]
fn a_full_target_is_refused_where_a_purge_would_follow() {
    let ClaimVerdict::Refuse(refusal) = judge_claim(&claim()) else { panic!() };
    assert_eq!(refusal.code, "foreign_target");
}

#[test]
fn a_full_target_without_a_purge_is_added_to_and_never_claimed() {
    assert_eq!(judge_claim(&ClaimFacts { purges: Purges::No, ..claim() }), ClaimVerdict::Foreign);
}

#[test]
fn a_full_target_to_be_adopted_is_asked_about_and_then_claimed() {
    let facts = ClaimFacts { adopt: Adopt::Ask, ..claim() };
    let question = Question::Adopt { path: "/new".into(), identity: "1:2".into(), files: 7 };
    assert_eq!(judge_claim(&facts), ClaimVerdict::Ask(question));
    assert_eq!(judge_claim(&ClaimFacts { agreed: true, ..facts }), ClaimVerdict::Claim(Found::Adopted));
}

#[test]
fn an_agreement_counts_for_nothing_where_the_runbook_does_not_adopt() {
    assert!(matches!(judge_claim(&ClaimFacts { agreed: true, ..claim() }), ClaimVerdict::Refuse(_)));
}

#[test]
fn a_full_target_without_an_identity_is_refused() {
    for adopt in [Adopt::No, Adopt::Ask] {
        let facts = ClaimFacts { identity: None, adopt, agreed: true, purges: Purges::No, ..claim() };
        assert!(matches!(judge_claim(&facts), ClaimVerdict::Refuse(_)));
    }
}
