//! The signs before the line of a step, in shapes that the console's font has.

/// Each is one column wide, so that the columns stand whichever are taken.
#[derive(Debug)]
pub struct Marks {
    pub done: char,
    pub failed: char,
    /// It was broken off, or is tried again.
    pub again: char,
    pub running: char,
    pub left: char,
    /// What the sign before a bar goes through, and at last what stays.
    pub spinner: &'static str,
}

/// For a font that has every character, or a terminal that looks for it in others.
pub static ANY: Marks = Marks {
    done: '✓',
    failed: '✗',
    again: '↻',
    running: '▸',
    left: '·',
    spinner: "⠁⠁⠉⠙⠚⠒⠂⠂⠒⠲⠴⠤⠄⠄⠤⠠⠠⠤⠦⠖⠒⠐⠐⠒⠓⠋⠉⠈⠈ ",
};

/// For the fonts of old consoles, which show a box for what they lack.
pub static OLD: Marks =
    Marks { done: '√', failed: 'x', again: '~', running: '>', left: '·', spinner: "|/-\\ " };

#[cfg(test)]
mod tests {
    use super::*;

    /// Code page 437, which every font of a console has, holds these beside ASCII.
    #[test]
    fn an_old_console_is_given_what_its_fonts_have() {
        let single = [OLD.done, OLD.failed, OLD.again, OLD.running, OLD.left];
        for mark in single.into_iter().chain(OLD.spinner.chars()) {
            assert!(mark.is_ascii() || ['√', '·'].contains(&mark), "{mark}");
        }
    }

    #[test]
    fn no_two_standings_share_a_mark() {
        for marks in [&ANY, &OLD] {
            let all = [marks.done, marks.failed, marks.again, marks.running, marks.left, '-', '?', '!'];
            let distinct: std::collections::BTreeSet<char> = all.into_iter().collect();
            assert_eq!(distinct.len(), all.len());
        }
    }
}
