//! What is wrong with a command line as a whole.

use super::Job;
use crate::guard::PathStyle;
use crate::robocopy::Misuse;
use crate::robocopy::switches::Setting;

/// Links are copied or are skipped; which of them are to be is not told apart.
pub(super) fn judge_links(job: &Job, wrong: &mut Vec<Misuse>) {
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
