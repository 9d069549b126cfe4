use super::*;

fn read_on(style: PathStyle, line: &str) -> Result<Job, Vec<Misuse>> {
    let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let around = Surroundings {
        style,
        leads_somewhere: &|path| path == "/data",
        read_job: &|_| Err(Misuse::new("there is no job file here", "")),
    };
    parse(&arguments, &around)
}

fn read(line: &str) -> Job {
    read_on(PathStyle::Windows, line).unwrap_or_else(|wrong| panic!("{line}: {wrong:?}"))
}

/// What is wrong with a line, and what to do: all in one text.
fn wrong(line: &str) -> String {
    let wrong = read_on(PathStyle::Windows, line).unwrap_err();
    wrong.into_iter().map(|misuse| format!("{} / {}\n", misuse.message, misuse.hint)).collect()
}

#[test]
fn the_first_pass_of_the_published_procedure_is_read_as_it_stands() {
    let job = read(r"\\oldserver\c$\MailArchive D:\MailArchive *.dat /xf index* /s /r:2 /w:2 /minage:1");
    assert_eq!(job.source.as_deref(), Some(r"\\oldserver\c$\MailArchive"));
    assert_eq!(job.target.as_deref(), Some(r"D:\MailArchive"));
    assert_eq!((job.patterns.join(" "), job.exclude_files.join(" ")), ("*.dat".into(), "index*".into()));
    assert_eq!(job.directories(), Directories::NonEmpty);
    assert_eq!((job.retries, job.wait), (Some(2), Some(Duration::from_secs(2))));
    assert_eq!(job.min_age, Some(Age::Days(1)));
    assert!(!job.purges());
}

#[test]
fn switches_have_any_case_and_either_sign() {
    for line in ["C:\\a D:\\b /S /R:3", "C:\\a D:\\b -s -r:3", "/s C:\\a -R:3 D:\\b"] {
        let job = read(line);
        assert_eq!((job.directories(), job.retries), (Directories::NonEmpty, Some(3)), "{line}");
        assert_eq!(job.target.as_deref(), Some("D:\\b"), "{line}");
    }
}

#[test]
fn mir_is_e_and_purge_and_xx_forbids_it() {
    let mirror = read("C:\\a D:\\b /mir");
    assert_eq!((mirror.directories(), mirror.purges()), (Directories::All, true));
    assert!(read("C:\\a D:\\b /s /e /purge").purges());
    assert!(!read("C:\\a D:\\b /mir /xx").purges());
}

#[test]
fn lists_of_names_end_at_the_next_list() {
    let job = read("C:\\a D:\\b *.dat *.rr /xf index* ~* /xd temp cache /xf *.tmp /if *.fdb /e *.bin");
    assert_eq!(job.patterns, ["*.dat", "*.rr", "*.fdb", "*.bin"]);
    assert_eq!(job.exclude_files, ["index*", "~*", "*.tmp"]);
    assert_eq!(job.exclude_directories, ["temp", "cache"]);
}

#[test]
fn a_name_behind_a_switch_behind_a_list_is_asked_back() {
    let said = wrong("C:\\a D:\\b /xf *.tmp /s *.dat");
    assert!(said.contains("`*.dat` stands behind /S") && said.contains("/XF"), "{said}");
}

#[test]
fn an_age_is_in_days_or_since_a_date() {
    let age = |line: &str| read(&format!("C:\\a D:\\b {line}"));
    assert_eq!(age("/minage:1899").min_age, Some(Age::Days(1899)));
    assert_eq!(age("/maxage:20240229").max_age, Some(Age::Since(jiff::civil::date(2024, 2, 29))));
    for odd in ["1900", "20230229", "1d", "-1", "", "99999999999999999999"] {
        wrong(&format!("C:\\a D:\\b /minage:{odd}"));
    }
}

#[test]
fn a_size_is_in_bytes_and_one_with_a_unit_is_asked_back() {
    assert_eq!(read("C:\\a D:\\b /min:0 /max:1048576").max_size, Some(1_048_576));
    assert!(wrong("C:\\a D:\\b /max:10M").contains("write 10485760"));
    assert!(wrong("C:\\a D:\\b /min:2kb").contains("write 2048"));
}

#[test]
fn a_limit_that_lets_nothing_in_is_refused() {
    assert!(wrong("C:\\a D:\\b /max:0 /maxage:0").matches("lets nothing in").count() == 2);
}

#[test]
fn threads_are_from_1_to_128_and_need_no_number() {
    assert_eq!(read("C:\\a D:\\b /mt:128").threads, Some(128));
    assert_eq!(read("C:\\a D:\\b /MT").threads, None);
    assert!(wrong("C:\\a D:\\b /mt:0").contains("1 to 128"));
    assert!(wrong("C:\\a D:\\b /mt:129").contains("1 to 128"));
}

#[test]
fn a_number_behind_a_blank_is_no_pattern() {
    assert!(wrong("C:\\a D:\\b /mt 16").contains("write /MT:16"));
    assert_eq!(read("C:\\a D:\\b /mt *.dat").patterns, ["*.dat"]);
    assert_eq!(read("C:\\a D:\\b 16 /mt").patterns, ["16"]);
}

#[test]
fn there_is_one_log() {
    assert!(wrong("C:\\a D:\\b /log:a /unilog+:b").contains("/LOG:a and /UNILOG+:b are more than one log"));
    assert_eq!(read("C:\\a D:\\b /log:a").log.map(|log| log.file), Some("a".to_owned()));
}

#[test]
fn links_are_copied_or_skipped_and_not_both() {
    for skip in ["/xj", "/xjd", "/xjf"] {
        assert!(wrong(&format!("C:\\a D:\\b /sl {skip}")).contains("/SL copies links"), "{skip}");
    }
}

#[test]
fn what_is_carried_over_is_added_up() {
    for (line, expected) in [
        ("/copy:DAT", vec![]),
        ("/copy:dats", vec![Preserved::Acls]),
        ("/copy:DATSO", vec![Preserved::Owner, Preserved::Acls]),
        ("/sec /copy:DATO", vec![Preserved::Owner, Preserved::Acls]),
        ("/copyall", vec![Preserved::Owner, Preserved::Acls]),
    ] {
        let job = read(&format!("C:\\a D:\\b {line}"));
        assert_eq!(job.preserve.iter().collect::<Vec<_>>(), expected, "{line}");
    }
    for odd in ["/copy:DT", "/copy:DATU", "/copy:DATX", "/copy:DATQ", "/dcopy:DAX"] {
        wrong(&format!("C:\\a D:\\b {odd}"));
    }
}

#[test]
fn a_switch_that_is_not_known_is_an_error_with_the_nearest() {
    let said = wrong("C:\\a D:\\b /purg /minaeg:1 /frobnicate");
    assert!(said.contains("did you mean /PURGE?"), "{said}");
    assert!(said.contains("did you mean /MINAGE:N?"), "{said}");
    assert!(said.contains("`/frobnicate` is no switch of robocopy / `movebook robocopy /?`"), "{said}");
}

#[test]
fn a_switch_that_is_not_done_here_is_refused_by_name_with_what_to_use() {
    for switch in SWITCHES {
        let Meaning::Refused(instead) = switch.meaning else { continue };
        let value = if matches!(switch.form, Form::Alone) { "" } else { ":1" };
        let said = wrong(&format!("C:\\a D:\\b /{}{value}", switch.name));
        assert!(said.contains(switch.name) && said.contains(instead), "{said}");
    }
}

#[test]
fn a_value_too_many_or_too_few_is_an_error() {
    for odd in ["/e:1", "/r", "/r:", "/r:x", "/xf:a", "/log", "/w:4294967296"] {
        wrong(&format!("C:\\a D:\\b {odd}"));
    }
}

#[test]
fn source_and_target_must_be_there_but_for_a_template() {
    assert!(wrong("").contains("no source"));
    assert!(wrong("C:\\a /xf D:\\b").contains("no target"));
    assert!(wrong("/nosd /nodd /e").contains("no source"));
    assert_eq!(read("/nosd /nodd /e /save:t /quit").save.as_deref(), Some("t"));
}

#[test]
fn a_path_that_swallowed_the_line_is_told_for_what_it_is() {
    let arguments = [r#"C:\old" D:\new /e"#.to_owned()];
    let around = Surroundings {
        style: PathStyle::Windows,
        leads_somewhere: &|_| false,
        read_job: &|_| Err(Misuse::new("", "")),
    };
    let wrong = parse(&arguments, &around).unwrap_err();
    assert!(wrong[0].message.contains("quote") && wrong.len() == 1, "{wrong:?}");
}

#[test]
fn where_paths_begin_with_a_slash_a_word_is_a_switch_only_if_it_is_known() {
    let unix = |line: &str| read_on(PathStyle::Unix, line);
    let job = unix("/srv/old /data /e").unwrap();
    assert_eq!((job.source.as_deref(), job.target.as_deref()), (Some("/srv/old"), Some("/data")));
    assert_eq!(unix("/old/ /new/ /e").unwrap().target.as_deref(), Some("/new/"));
    let wrong = unix("/srv/old /srv/new /purgee").unwrap_err();
    assert!(wrong[0].message.contains("no switch") && wrong[0].message.contains("no folder"), "{wrong:?}");
    assert!(wrong[0].hint.contains("/PURGE") && wrong[0].hint.contains("`/purgee/`"), "{wrong:?}");
}

#[test]
fn the_limit_of_a_purge_is_a_number_of_files() {
    assert_eq!(read("C:\\a D:\\b /mir --purge-limit 12").purge_limit, Some(12));
    assert_eq!(read("C:\\a D:\\b /mir --purge-limit=12").purge_limit, Some(12));
    wrong("C:\\a D:\\b /mir --purge-limit");
    wrong("C:\\a D:\\b /mir --purge-limit all");
    assert!(wrong("C:\\a D:\\b /mir --purge-limits 3").contains("--purge-limit"));
}

#[test]
fn help_is_asked_for_in_any_line() {
    for line in ["/?", "-?", "--help", "C:\\a /?"] {
        assert!(read(line).has(Setting::Help), "{line}");
    }
}

#[test]
fn what_has_nothing_to_act_on_is_told() {
    let names: Vec<_> =
        read("C:\\a D:\\b /compress /e /j").without_effect().map(|switch| switch.name).collect();
    assert_eq!(names, ["j", "compress"]);
}

#[test]
fn the_rights_of_whoever_makes_backups_are_asked_for_by_name() {
    for (line, rights) in [
        ("/e", Rights::Ordinary),
        ("/copy:DATSO", Rights::Ordinary),
        ("/zb", Rights::BackupIfAllowed),
        ("/b", Rights::Backup),
        ("/copyall", Rights::Backup),
        ("/zb /copy:DATSOU", Rights::Backup),
    ] {
        assert_eq!(read(&format!("C:\\a D:\\b {line}")).rights(), rights, "{line}");
    }
}
