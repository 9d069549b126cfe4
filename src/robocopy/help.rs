//! The help, made from the table of switches.

use std::fmt::Write as _;

use super::switches::{Meaning, SWITCHES, Switch};

const HEAD: &str = "\
Carry out a robocopy command line with movebook's own engine and its guards

Usage: movebook robocopy SOURCE TARGET [PATTERN…] [/SWITCH…]

  Switches are robocopy's, in any case, with / or -. None is ignored: each is carried out or refused by name.

  --purge-limit N   lets /PURGE and /MIR take away up to N files without asking;
                    else more than 1000, or more than 5 % of the target's, need a person
";

const TAIL: &str = "
What is other than with robocopy:
  - /PURGE and /MIR move what they take away into a quarantine beside the target (TARGET.movebook-quarantine), after a
    pass without any error; a source without a file, or a list above the limits, changes nothing at all.
  - A drive's root, a home and the system's folders are no targets, and neither is a folder in or above the source.
  - /L says, too, if the same line without it would be refused.
  - A log or a job file inside a target that is purged is refused, and a path with `..` in it.
  - What /XF and /XD keep out is kept out on both sides; sizes and ages keep files of the target from being extra, too.
  - No link or junction is ever followed.
  - A file has its name in the target only when its content is whole, and what is copied is on the disk at the end.
  - The lines of the files come when the pass is over.
  - Without /R and /W a file is tried again twice, two seconds apart.

Exit codes, robocopy's own, a bit each:
  0 nothing to do · 1 copied · 2 extra · 4 mismatched · 8 some failed · 16 wrong command line, refused by a guard, or
  ended early · 130 interrupted. Eight and above is failure.
";

/// The whole help.
pub fn text() -> String {
    let mut text = HEAD.to_owned();
    section(&mut text, "Carried out", |meaning| matches!(meaning, Meaning::Sets(_)));
    section(&mut text, "What every pass does anyway", |meaning| meaning == Meaning::Always);
    section(&mut text, "Taken, with nothing here to act on", |meaning| meaning == Meaning::Nothing);
    section(&mut text, "Refused", |meaning| matches!(meaning, Meaning::Refused(_)));
    text.push_str(TAIL);
    text
}

fn section(text: &mut String, title: &str, is_of_it: impl Fn(Meaning) -> bool) {
    // Writing to a String cannot fail.
    let _ = write!(text, "\n{title}:\n");
    for switch in SWITCHES.iter().filter(|switch| is_of_it(switch.meaning)) {
        let Switch { meaning, says, .. } = switch;
        let usage = switch.usage();
        let _ = match meaning {
            Meaning::Refused(instead) => writeln!(text, "  {usage:<16}  {says}; {instead}"),
            _ => writeln!(text, "  {usage:<16}  {says}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_has_every_switch_once() {
        let text = text();
        for switch in SWITCHES {
            let usage = format!("  {:<16}  ", switch.usage());
            assert_eq!(text.matches(&usage).count(), 1, "{usage}");
        }
    }
}
