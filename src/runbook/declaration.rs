//! What a variable's declaration takes, and whether a declaration makes sense.
//!
//! Pure. Used for defaults and examples when a runbook is checked, and for what a user gives when it is resolved.

use super::diagnostics::{self, Diagnostic};
use super::model::{Raw, Size, VarDecl, VarType};
use super::source::Spanned;
use crate::secret::Secret;
use crate::values::{self, LeafType, Misfit};

/// Names that templates have for other things.
const RESERVED: &[&str] = &["answers", "env", "item", "loop", "run", "self", "steps"];

/// Everything that is wrong with a declaration.
pub fn check(declared: &VarDecl, taken: &dyn Fn(&str) -> Taken, problems: &mut Vec<Diagnostic>) {
    let kind = declared.kind.value;
    let name = declared.name.value.as_str();
    if RESERVED.contains(&name) || taken(name) == Taken::Yes {
        problems.push(diagnostics::reserved_name(&declared.name));
    }
    match (kind, declared.choices.as_slice()) {
        (VarType::Choice, []) => problems.push(diagnostics::choice_without_choices(declared)),
        (VarType::Choice, choices) => {
            for (at, choice) in choices.iter().enumerate() {
                if let Some(first) = choices[..at].iter().find(|first| first.value == choice.value) {
                    problems.push(diagnostics::choice_twice(choice, first.span));
                }
            }
        }
        (_, [first, ..]) => problems.push(diagnostics::key_of_other_type("choices", first.span, declared)),
        _ => {}
    }
    let textual = matches!(kind, VarType::String | VarType::Path | VarType::Secret);
    if let Some(pattern) = &declared.pattern {
        if !textual {
            problems.push(diagnostics::key_of_other_type("pattern", pattern.span, declared));
        } else if let Err(error) = pattern_of(pattern) {
            problems.push(diagnostics::bad_pattern(pattern, &error));
        }
    }
    for (key, bound) in [("min", &declared.min), ("max", &declared.max)] {
        if let Some(bound) = bound {
            check_bound(declared, key, bound, problems);
        }
    }
    if kind == VarType::Secret {
        if let Some(default) = &declared.default {
            problems.push(diagnostics::secret_default(default.span));
        }
        return;
    }
    for (key, value) in [("default", &declared.default), ("example", &declared.example)] {
        if let Some(value) = value
            && let Err(misfit) = fits(declared, &value.value)
        {
            problems.push(diagnostics::declared_misfit(declared, key, value, &misfit));
        }
    }
}

/// Whether a name is a function of the template language.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Yes,
    No,
}

fn check_bound(declared: &VarDecl, key: &'static str, bound: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) {
    let misfit = match (declared.kind.value, &bound.value) {
        (VarType::Boolean | VarType::Choice, _) => {
            problems.push(diagnostics::key_of_other_type(key, bound.span, declared));
            return;
        }
        (VarType::Integer, Raw::Integer(_)) => return,
        (VarType::Integer, _) => Misfit::new("expected a whole number"),
        (VarType::Duration, Raw::Text(text)) => match values::duration(text) {
            Ok(_) => return,
            Err(misfit) => misfit,
        },
        (VarType::Duration, _) => Misfit::new(format!("expected {}", values::Form::Duration.expected())),
        (VarType::Size, raw) => match Size::parse(&raw.to_json()) {
            Ok(_) => return,
            Err(misfit) => misfit,
        },
        (_, Raw::Integer(0..)) => return,
        _ => Misfit::new("expected a length: a whole number, 0 or more"),
    };
    problems.push(diagnostics::declared_misfit(declared, key, bound, &misfit));
}

/// Whether a value is of the declared type and within the declared bounds.
pub fn fits(declared: &VarDecl, raw: &Raw) -> Result<(), Misfit> {
    let kind = declared.kind.value;
    let expected = |what: &str| Err(Misfit::new(format!("expected {what}")));
    match (kind, raw) {
        (_, Raw::Null) => expected("a value; take the line out to use the default"),
        (VarType::String | VarType::Path, Raw::Text(text)) => {
            shaped(declared, text)?;
            Ok(())
        }
        (VarType::Secret, Raw::Text(text)) => {
            shaped(declared, text)?;
            if text.trim().len() < Secret::SHORTEST {
                let least = Secret::SHORTEST;
                return Err(Misfit::new(format!(
                    "a secret has at least {least} characters, or it could not be kept out of what is printed"
                )));
            }
            Ok(())
        }
        (VarType::Integer, Raw::Integer(number)) => {
            bounded(declared, *number, |bound| match bound {
                Raw::Integer(bound) => Some(*bound),
                _ => None,
            })?;
            Ok(())
        }
        (VarType::Boolean, Raw::Boolean(_)) => Ok(()),
        (VarType::Duration, Raw::Text(text)) => {
            bounded(declared, values::duration(text)?, |bound| match bound {
                Raw::Text(bound) => values::duration(bound).ok(),
                _ => None,
            })?;
            Ok(())
        }
        (VarType::Size, Raw::Text(_) | Raw::Integer(_)) => {
            bounded(declared, Size::parse(&raw.to_json())?, |bound| Size::parse(&bound.to_json()).ok())?;
            Ok(())
        }
        (VarType::Choice, Raw::Text(text)) => {
            if declared.choices.iter().any(|choice| choice.value == *text) {
                return Ok(());
            }
            let words: Vec<&str> = declared.choices.iter().map(|choice| choice.value.as_str()).collect();
            expected(&values::alternatives(&words))
        }
        (VarType::List, Raw::List(items)) => {
            length(declared, items.len(), "element")?;
            Ok(())
        }
        (VarType::String | VarType::Path | VarType::Secret, _) => expected("text; put it in quotes"),
        (VarType::Integer, _) => expected("a whole number"),
        (VarType::Boolean, _) => expected("`true` or `false`"),
        (VarType::Duration, Raw::Integer(number)) => {
            Err(Misfit::new(format!("a duration needs a unit: `{number}s`, `{number}m`, `{number}h`")))
        }
        (VarType::Duration, _) => expected(&values::Form::Duration.expected()),
        (VarType::Size, _) => expected(&values::Form::Size.expected()),
        (VarType::Choice, _) => {
            let words: Vec<&str> = declared.choices.iter().map(|choice| choice.value.as_str()).collect();
            expected(&values::alternatives(&words))
        }
        (VarType::List, _) => expected("a list"),
    }
}

/// The pattern and the length of a text.
fn shaped(declared: &VarDecl, text: &str) -> Result<(), Misfit> {
    if declared.kind.value == VarType::Path && text.chars().any(char::is_control) {
        return Err(Misfit::new(
            "a path holds no control characters; in double quotes `\\t` is a tab: use single quotes",
        ));
    }
    length(declared, text.chars().count(), "character")?;
    if let Some(pattern) = &declared.pattern
        // A pattern that does not compile was reported when the runbook was checked.
        && let Ok(compiled) = pattern_of(pattern)
        && !compiled.is_match(text)
    {
        return Err(Misfit::new(format!("it does not match the pattern `{}`", pattern.value)));
    }
    Ok(())
}

/// The regular expression that a whole value must match.
pub fn pattern_of(pattern: &str) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(1 << 20).build()
}

fn length(declared: &VarDecl, count: usize, what: &str) -> Result<(), Misfit> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    for (bound, order, words) in [
        (&declared.min, std::cmp::Ordering::Less, "at least"),
        (&declared.max, std::cmp::Ordering::Greater, "at most"),
    ] {
        if let Some(Raw::Integer(limit)) = bound.as_ref().map(|bound| &bound.value)
            && count.cmp(limit) == order
        {
            let plural = if *limit == 1 { "" } else { "s" };
            return Err(Misfit::new(format!("expected {words} {limit} {what}{plural}, found {count}")));
        }
    }
    Ok(())
}

fn bounded<T: PartialOrd>(
    declared: &VarDecl,
    value: T,
    read: impl Fn(&Raw) -> Option<T>,
) -> Result<(), Misfit> {
    let shown = |bound: &Spanned<Raw>| match &bound.value {
        Raw::Text(text) => text.clone(),
        other => other.to_json().to_string(),
    };
    if let Some(bound) = &declared.min
        && read(&bound.value).is_some_and(|least| value < least)
    {
        return Err(Misfit::new(format!("expected {} or more", shown(bound))));
    }
    if let Some(bound) = &declared.max
        && read(&bound.value).is_some_and(|most| value > most)
    {
        return Err(Misfit::new(format!("expected {} or less", shown(bound))));
    }
    Ok(())
}
