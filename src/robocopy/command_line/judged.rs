//! What is wrong with a command line as a whole.

use super::{Job, Word};
use crate::guard::PathStyle;
use crate::robocopy::Misuse;
use crate::robocopy::switches::{Meaning, Setting};

/// There is one log. One that a job file names gives way to that of the line.
pub(super) fn judge_logs(words: &[Word], wrong: &mut Vec<Misuse>) {
    use Setting::{Log, LogAppend, UnicodeLog, UnicodeLogAppend};
    let logs: Vec<String> = words
        .iter()
        .filter_map(|word| match word {
            Word::Switch(used) => Some(used),
            Word::Name(_) | Word::Own(..) => None,
        })
        .filter(|used| {
            let logs = [Log, LogAppend, UnicodeLog, UnicodeLogAppend];
            matches!(used.switch.meaning, Meaning::Sets(setting) if logs.contains(&setting))
        })
        .map(super::Used::shown)
        .collect();
    if logs.len() > 1 {
        wrong.push(Misuse::new(format!("{} are more than one log", logs.join(" and ")), "give one of them"));
    }
}

/// Links are copied or are skipped, junctions and others alike; which of them are to be is not told apart.
pub(super) fn judge_links(job: &Job, wrong: &mut Vec<Misuse>) {
    if job.has(Setting::CopyJunctions) && !job.has(Setting::CopyLinks) {
        wrong.push(Misuse::new(
            "/SJ copies junctions alone as what they are, and junctions are not told from other links",
            "add /SL, which copies links and junctions as what they are",
        ));
    }
    let skips = [Setting::ExcludeJunctions, Setting::ExcludeDirectoryLinks, Setting::ExcludeFileLinks];
    if job.has(Setting::CopyLinks) && skips.iter().any(|setting| job.has(*setting)) {
        wrong.push(Misuse::new(
            "/SL copies links, and /XJ, /XJD or /XJF skips them",
            "leave one of them out: links of files and of directories are treated alike",
        ));
    }
}

/// Both roots are there, and neither swallowed what stands behind it.
pub(super) fn judge_roots(job: &Job, style: PathStyle, wrong: &mut Vec<Misuse>) {
    let quoted = [&job.source, &job.target].into_iter().flatten().find(|path| path.contains('"'));
    if let (Some(path), PathStyle::Windows) = (quoted, style) {
        wrong.push(Misuse::new(
            format!("`{path}` has a quote in it: the rest of the line was taken for a part of the path"),
            r#"on a command line \" at an end is a quote and no end: write "D:\Archive" without the last backslash"#,
        ));
        return;
    }
    // Only what is carried out needs both.
    let is_template = job.has(Setting::Quit);
    for (root, what, left_out) in
        [(&job.source, "source", Setting::NoSource), (&job.target, "target", Setting::NoTarget)]
    {
        if root.is_none() && !(is_template && job.has(left_out)) {
            wrong.push(Misuse::new(
                format!("no {what} is given"),
                "write `movebook robocopy SOURCE TARGET [PATTERN…] [/SWITCH…]`; `movebook robocopy /?` lists the switches",
            ));
            // What is missing behind it is missing for the same reason.
            return;
        }
    }
}
