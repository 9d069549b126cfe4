use super::*;

fn imported(files: &[(&str, &str)]) -> Imported {
    let files: Vec<File> = files
        .iter()
        .map(|(name, text)| File { name: (*name).to_owned(), bytes: text.as_bytes().to_vec() })
        .collect();
    import(&files, "test").unwrap_or_else(|refusal| panic!("{refusal:?}"))
}

#[test]
fn a_job_file_is_part_of_the_line_that_names_it_and_else_a_pass_of_its_own() {
    let job = "\t/SD:C:\\a\\\n\t/DD:D:\\b\\\n\t/E\n";
    let alone = imported(&[("mail.rcj", job)]);
    assert!(alone.text.contains("mail.rcj:1: robocopy /JOB:mail"), "{}", alone.text);
    assert_eq!(alone.steps, 1);
    let both = imported(&[("move.cmd", "robocopy /job:jobs\\MAIL /purge\n"), ("mail.rcj", job)]);
    assert_eq!(both.steps, 1);
    assert!(both.text.contains("purge:") && both.text.contains(r"C:\a"), "{}", both.text);
}

#[test]
fn no_secret_of_a_script_is_in_the_runbook_or_is_told() {
    let script = "set ADMINPASSWORD=canary-1\nnet use Z: \\\\srv\\c$ canary-2 /user:admin\n\
                  tool --password canary-3 %ADMINPASSWORD%\nrem the password: canary-4\necho pass=canary-5\npause\n\
                  robocopy \\\\srv\\c$\\a D:\\b /e /xo canary-1\n";
    let imported = imported(&[("a.cmd", script)]);
    assert!(!format!("{imported:?}").contains("canary"), "{imported:#?}");
    assert!(imported.text.contains("****"));
}

#[test]
fn what_is_asked_for_and_used_is_a_variable() {
    let imported = imported(&[("a.cmd", "set /p OLD=Where is it?\nrobocopy %OLD% D:\\new /e\n")]);
    assert_eq!((imported.to_give, imported.steps), (vec!["old".to_owned()], 1));
    assert!(imported.text.contains("from: '{{ old }}'"), "{}", imported.text);
}

#[test]
fn what_is_asked_for_and_used_by_no_step_is_a_checkpoint() {
    let script = "set /p PW=Password?\nnet use Z: \\\\s\\x %pw%\nset /p dummy=Go on?\nrobocopy %1 D:\\b /e\nrobocopy \"%~1\" D:\\b /e /purge\n";
    let imported = imported(&[("a.cmd", script)]);
    assert_eq!((imported.steps, imported.to_give), (4, vec!["argument_1".to_owned()]), "{}", imported.text);
}

#[test]
fn what_is_told_before_a_pause_is_its_question() {
    let imported = imported(&[("a.cmd", "echo Is it off?\npause\necho One\necho Two\npause\npause\n")]);
    let asks: Vec<&str> = imported
        .text
        .lines()
        .filter(|line| line.contains("ask:") || line.contains("instructions:"))
        .collect();
    assert_eq!(
        asks.iter().map(|line| line.trim()).collect::<Vec<_>>(),
        [
            "ask: 'Is it off?'",
            "ask: 'May the run go on?'",
            "instructions: \"One\\nTwo\"",
            "ask: 'May the run go on?'",
        ]
    );
}

#[test]
fn a_path_in_two_spellings_is_one_variable() {
    let script = "robocopy C:\\Old d:\\new *.dat /s\nrobocopy c:\\old D:\\New\\ /e /purge\n";
    let imported = imported(&[("a.cmd", script)]);
    assert_eq!(imported.text.matches("type: path").count(), 2, "{}", imported.text);
    assert_eq!(imported.text.matches("errors: tolerate").count(), 1, "{}", imported.text);
}

#[test]
fn a_path_that_the_script_has_a_name_for_keeps_it() {
    let imported = imported(&[(
        "a.cmd",
        "set ALT=\"C:\\Mail Archive\\\"\nrobocopy %ALT:~0,-1%\" D:\\b /e\nrobocopy \"C:\\Mail Archive\" D:\\b /e\n",
    )]);
    assert!(imported.text.contains("alt: {type: path, default: 'C:\\Mail Archive'"), "{}", imported.text);
}

#[test]
fn a_line_whose_condition_is_not_understood_is_left_with_it() {
    let imported = imported(&[(
        "a.sh",
        "rsync -a /a/ /b/\n[ -d /x ] && rsync -a /c/ /d/\nrsync -a /e/ /f/ && systemctl start x\n",
    )]);
    assert_eq!((imported.steps, imported.left.len()), (3, 1), "{}", imported.text);
    assert!(imported.left[0].why.iter().any(|why| why.contains("on a condition")), "{:?}", imported.left);
}

#[test]
fn what_hangs_on_a_question_is_no_step() {
    for (name, text) in [
        ("a.sh", "[ -d /mnt/b ] &&\n  rsync -a --delete /c/ /d/\n"),
        ("a.sh", "mountpoint -q /m && \\\n rsync -a --delete /c/ /d/\n"),
        ("a.sh", "mountpoint -q /m &&\n# why\nrsync -a --delete /c/ /d/\n"),
        ("a.sh", "df | grep -q /mnt/b && rsync -a --delete /c/ /d/\n"),
        ("a.sh", "echo x | grep y && rsync -a --delete /c/ /d/\n"),
        ("a.sh", "X=$(false) && rsync -a --delete /c/ /d/\n"),
        ("a.sh", "[ -t 0 ] && read -p 'x' A\n"),
        ("a.sh", "mkdir /d && rsync -a --delete /c/ /d/\n"),
        ("a.cmd", "sc query X | find \"STOPPED\" && robocopy C:\\c D:\\d /mir\n"),
        ("a.ps1", "Test-Path D:\\d && robocopy C:\\c D:\\d /mir\n"),
    ] {
        let pause = if name == "a.ps1" { "Start-Sleep 1" } else { "sleep 1" };
        let imported = imported(&[(name, &format!("{pause}\n{text}"))]);
        assert_eq!(imported.steps, 1, "{text}: {}", imported.text);
        let why = imported.left.iter().flat_map(|left| &left.why);
        assert!(why.clone().any(|why| why.contains("on a condition")), "{text}: {:?}", imported.left);
    }
}

#[test]
fn what_follows_a_step_or_what_always_works_is_one() {
    for line in [
        "systemctl stop x && rsync -a /a/ /b/",
        "mkdir -p /b && sleep 1 && rsync -a /a/ /b/",
        "A=/a && sleep 1 && rsync -a $A/ /b/",
        "cd / && echo x && sleep 1 &&\n rsync -a /a/ /b/",
    ] {
        let imported = imported(&[("a.sh", line)]);
        assert_eq!((imported.steps, imported.left.len()), (2, 0), "{line}: {}", imported.text);
    }
}

#[test]
fn a_script_that_ends_unless_something_holds_is_told_so() {
    let imported = imported(&[("a.sh", "df | grep -q /m || exit 1\nrsync -a /a/ /b/ || exit 1\n")]);
    assert_eq!((imported.steps, imported.left.len()), (1, 1), "{}", imported.text);
    assert!(imported.left[0].why[0].contains("ends unless"), "{:?}", imported.left);
}

#[test]
fn a_question_that_no_step_uses_stays_a_checkpoint() {
    let text = "read -p \"Really purge? \" A\n[ \"$A\" = y ] || exit 1\nrsync -a --delete /a/ /b/\n";
    let imported = imported(&[("a.sh", text)]);
    assert_eq!(imported.steps, 2, "{}", imported.text);
    assert!(imported.text.contains("ask: 'Really purge?'"), "{}", imported.text);
}

#[test]
fn what_writes_a_file_is_listed_and_what_goes_nowhere_is_not() {
    let copy = "robocopy C:\\a D:\\b /e\n";
    for (name, line, is_left) in [
        ("a.cmd", "echo on > D:\\maintenance.flag", true),
        ("a.cmd", "type nul > D:\\x.flag", true),
        ("a.cmd", "echo on > nul", false),
        ("a.cmd", "echo on", false),
        ("a.ps1", "Get-Date | Out-File C:\\stamp", true),
        ("a.ps1", "Get-Date | Out-Null", false),
    ] {
        let left: Vec<String> =
            imported(&[(name, &format!("{copy}{line}\n"))]).left.into_iter().map(|left| left.text).collect();
        assert_eq!(left, if is_left { vec![line.to_owned()] } else { vec![] }, "{line}");
    }
    let pass = imported(&[(
        "a.sh",
        "rsync -a /a/ /b | tee /var/log/move\ndate > /mnt/stamp\necho on | tee /mnt/on\n",
    )]);
    assert_eq!((pass.steps, pass.left.len()), (1, 2), "{}", pass.text);
}

#[test]
fn where_no_line_is_a_step_there_is_no_runbook() {
    let file = File { name: "a.cmd".to_owned(), bytes: b"xcopy a b\n@echo off\n".to_vec() };
    let Err(Refusal::NothingFound { left }) = import(&[file], "test") else { panic!() };
    assert_eq!(left.len(), 1);
}
