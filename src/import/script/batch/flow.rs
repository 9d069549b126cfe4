//! Which lines of a batch file are done whatever happens, and which only behind a jump or between two.
//!
//! Invariant: what is left out by any jump that the script could make is never in order.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::import::script::{Reached, why};

/// Where labels stand.
#[derive(Debug, Default)]
pub(super) struct Labels(HashMap<String, usize>);

impl Labels {
    pub(super) fn of(text: &str) -> Self {
        let lines = text.lines().enumerate();
        // A jump leads to the first label of its name that comes behind it; the last one tells whether there is any.
        Self(lines.filter_map(|(index, line)| Some((label(line)?, index + 1))).collect())
    }

    fn is_ahead(&self, label: &str, line: usize) -> bool {
        self.at(label) > line
    }

    /// The line of a label; 0 where there is none.
    fn at(&self, label: &str) -> usize {
        self.0.get(label).copied().unwrap_or(0)
    }
}

/// The label that a line is.
pub(super) fn label(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix(':').filter(|rest| !rest.starts_with(':'))?;
    Some(rest.split_whitespace().next().unwrap_or_default().to_lowercase())
}

/// Whether a line is done whatever happens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Flow {
    #[default]
    InOrder,
    Aside(Aside),
}

/// Lines that are not done whatever happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Aside {
    /// The label behind which all lines are done again; `None`: none is.
    until: Option<String>,
    kind: Kind,
    does: Does,
    /// Where it is left before the label, and for which label, if for one.
    left: Option<Option<String>>,
    /// The last of the labels that a condition in it may jump to.
    beyond: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Jumped over, or behind the end.
    Unreached { behind: usize },
    /// Done where the condition of a jump does not hold.
    OnCondition,
    /// Done where something failed.
    AfterError,
}

/// What lines that are done on a condition come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// They only say something: how the script is to be called.
    Nothing,
    Something,
}

/// What a condition decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Whether something failed, and then only says so, jumps or ends: what a run does.
    EndsOnError,
    /// The same, and goes on elsewhere where nothing failed.
    JumpsUnlessError,
    /// What else is done after an error.
    AfterError,
    /// To go back: a loop.
    JumpsBack,
    Other,
}

impl Condition {
    /// Why its line is left; `None`: a run does the same.
    pub(super) fn why(self) -> Option<&'static str> {
        match self {
            Self::EndsOnError | Self::JumpsUnlessError => None,
            Self::AfterError => Some(why::AFTER_ERROR),
            Self::JumpsBack => Some(why::JUMP),
            Self::Other => Some(why::ON_CONDITION),
        }
    }
}

impl Flow {
    /// Why a line here is left.
    pub(super) fn reason(&self) -> Option<String> {
        let Self::Aside(aside) = self else { return None };
        match aside.kind {
            Kind::Unreached { behind } => Reached::ByJump { behind }.reason(),
            Kind::OnCondition => Some(why::ON_CONDITION.to_owned()),
            Kind::AfterError => Some(why::AFTER_ERROR.to_owned()),
        }
    }

    /// Takes note of a line that is left here, by its first word.
    pub(super) fn pass_by(&mut self, word: &str, line: &str, labels: &Labels) {
        let Self::Aside(aside) = self else { return };
        let target = target_of(line).filter(|label| label != "eof");
        match word {
            "exit" => drop(aside.left.get_or_insert(None)),
            "goto" => drop(aside.left.get_or_insert(target)),
            "echo" | "pause" | "set" | "endlocal" => {}
            _ => {
                if aside.left.is_none() {
                    aside.does = Does::Something;
                }
                // Where something failed a run has ended, and jumps nowhere.
                if let Some(target) = target.filter(|_| !line.to_ascii_lowercase().contains("errorlevel"))
                    && aside.beyond.as_ref().is_none_or(|last| labels.at(last) < labels.at(&target))
                {
                    aside.beyond = Some(target);
                }
            }
        }
    }

    /// Goes past a label, in this line.
    pub(super) fn label(&mut self, label: &str, number: usize, labels: &Labels) {
        let Self::Aside(aside) = self else { return };
        if aside.until.as_deref() != Some(label) {
            return;
        }
        let beyond = aside.beyond.take().filter(|beyond| labels.is_ahead(beyond, number));
        let onward = match (aside.kind, aside.does, aside.left.take()) {
            // Something else is done in its place: up to where both meet, this is done on a condition, too.
            (Kind::OnCondition, Does::Something, Some(onward)) => Some(onward),
            (Kind::OnCondition, ..) => beyond.map(Some),
            (Kind::AfterError | Kind::Unreached { .. }, ..) => None,
        };
        *self = match onward {
            Some(until) => {
                let mut aside = self::aside(until, Kind::OnCondition);
                if let Self::Aside(aside) = &mut aside {
                    aside.does = Does::Something;
                }
                aside
            }
            None => Self::InOrder,
        };
    }

    /// Behind `goto LABEL` and `exit` that are done whatever happens.
    pub(super) fn leave(&mut self, label: Option<&str>, number: usize, labels: &Labels) {
        let until = label.filter(|label| labels.is_ahead(label, number)).map(str::to_owned);
        *self = aside(until, Kind::Unreached { behind: number });
    }

    /// Whether lines are in order again behind some label.
    pub(super) fn ends_at_a_label(&self) -> bool {
        matches!(self, Self::Aside(Aside { until: Some(_), .. }))
    }

    /// Behind a condition.
    pub(super) fn decide(&mut self, line: &str, number: usize, labels: &Labels) -> Condition {
        let target = target_of(line).filter(|label| label != "eof");
        let is_ahead = target.as_ref().is_some_and(|label| labels.is_ahead(label, number));
        let lower = line.to_ascii_lowercase();
        if !lower.contains("errorlevel") {
            return match target {
                Some(_) if is_ahead => {
                    *self = aside(target, Kind::OnCondition);
                    Condition::Other
                }
                Some(_) => Condition::JumpsBack,
                None => Condition::Other,
            };
        }
        let only_leaves = matches(&ONLY_LEAVES, &lower);
        if matches(&IF_IT_WORKED, &lower) {
            let leaves = target.is_some() || matches(&EXITS, &lower);
            if leaves {
                *self = aside(target.clone().filter(|_| is_ahead), Kind::AfterError);
            }
            return if only_leaves && is_ahead { Condition::JumpsUnlessError } else { Condition::AfterError };
        }
        match (matches(&IF_IT_FAILED, &lower), target) {
            (true, Some(_)) if only_leaves && !is_ahead => Condition::JumpsBack,
            (true, _) if only_leaves => Condition::EndsOnError,
            _ => Condition::AfterError,
        }
    }
}

fn aside(until: Option<String>, kind: Kind) -> Flow {
    Flow::Aside(Aside { until, kind, does: Does::Nothing, left: None, beyond: None })
}

type Pattern = LazyLock<Option<Regex>>;

static GOTO: Pattern = LazyLock::new(|| Regex::new(r"(?i)\bgoto[\s:]+:?([^\s:&|()]+)").ok());
static EXITS: Pattern = LazyLock::new(|| Regex::new(r"\b(?:exit|goto\s*:?eof)\b").ok());
static ONLY_LEAVES: Pattern =
    LazyLock::new(|| Regex::new(r"^if\s[^&|(\n]*?\s(?:goto[\s:]|exit\b|echo\b)[^&|(\n]*$").ok());
static IF_IT_WORKED: Pattern = LazyLock::new(|| {
    Regex::new(r#"not\s+errorlevel\s|errorlevel[%!]?"?\s*(?:lss|leq|(?:equ|==)\s*"?0\b)"#).ok()
});
static IF_IT_FAILED: Pattern =
    LazyLock::new(|| Regex::new(r#"^if\s+errorlevel\s|errorlevel[%!]?"?\s*(?:geq|gtr|neq\s*"?0\b)"#).ok());

fn matches(pattern: &Pattern, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// The label of the first jump in a line.
fn target_of(line: &str) -> Option<String> {
    GOTO.as_ref()?.captures(line).map(|found| found[1].to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::script::{Part, batch};
    use crate::import::unknown::Unknowns;

    /// The lines that are programs, whatever happens.
    fn done(text: &str) -> Vec<String> {
        let script = batch::read(text, 0, &mut Unknowns::default());
        let lines = script.lines.iter();
        lines
            .filter(|line| line.parts.iter().any(|part| matches!(part, Part::Pipeline(_))))
            .map(|line| line.text.clone())
            .collect()
    }

    #[test]
    fn a_script_that_ends_without_its_arguments_is_read_behind_the_label() {
        let text = "if not \"%1\"==\"\" goto go\necho usage\ngoto :eof\n:go\nnet stop x\n";
        assert_eq!(done(text), ["net stop x"]);
    }

    #[test]
    fn what_a_jump_may_leave_out_is_not_in_order() {
        assert_eq!(done("if exist x goto on\nnet stop y\n:on\nnet stop z\n"), ["net stop z"]);
        assert_eq!(done("goto on\nnet stop y\n:on\nnet stop z\n"), ["net stop z"]);
    }

    #[test]
    fn of_two_ways_neither_is_in_order_and_what_follows_them_is() {
        let text = "if exist x goto b\nnet stop a\ngoto end\n:b\nnet stop b\n:end\nnet stop c\n";
        assert_eq!(done(text), ["net stop c"]);
        let text = "if exist x goto b\nnet stop a\nexit /b\n:b\nnet stop b\n";
        assert_eq!(done(text), Vec::<String>::new());
    }

    #[test]
    fn a_jump_out_of_what_another_leaves_out_is_followed() {
        let text = "if exist x goto a\nif exist y goto b\n:a\nnet stop a\n:b\nnet stop b\n";
        assert_eq!(done(text), ["net stop b"]);
    }

    #[test]
    fn what_is_done_after_an_error_is_not_in_order() {
        let text = "net stop a\nif errorlevel 8 goto fail\nnet stop b\nexit /b 0\n:fail\nnet start a\n";
        assert_eq!(done(text), ["net stop a", "net stop b"]);
        let text = "net stop a\nif %errorlevel% lss 8 goto ok\nnet start a\nexit /b 1\n:ok\nnet stop b\n";
        assert_eq!(done(text), ["net stop a", "net stop b"]);
        assert_eq!(done("if not errorlevel 1 exit /b\nnet start a\n"), Vec::<String>::new());
    }

    #[test]
    fn a_condition_is_what_a_run_does_only_where_it_ends_or_goes_on() {
        let condition = |line: &str| Flow::InOrder.decide(line, 1, &Labels::of("\n:on\n"));
        for (line, expected) in [
            ("if errorlevel 8 goto on", Condition::EndsOnError),
            ("if %ERRORLEVEL% geq 8 exit /b 1", Condition::EndsOnError),
            ("if %errorlevel% neq 0 echo failed", Condition::EndsOnError),
            ("if %errorlevel% lss 8 goto on", Condition::JumpsUnlessError),
            ("if errorlevel 8 goto again", Condition::JumpsBack),
            ("if errorlevel 8 net start x", Condition::AfterError),
            ("if errorlevel 8 goto on & net start x", Condition::AfterError),
            ("if %errorlevel% equ 3 goto on", Condition::AfterError),
            ("if exist x goto again", Condition::JumpsBack),
            ("if exist x net stop y", Condition::Other),
        ] {
            assert_eq!(condition(line), expected, "{line}");
        }
    }
}
