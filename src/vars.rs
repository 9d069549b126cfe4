//! Declared variables × files × environment × arguments → values, each of its declared type.
//!
//! Pure: who reads the files and the environment is the caller. A value is never rendered.

mod withheld;

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::runbook::model::{Raw, Runbook, VarDecl, VarType};
use crate::runbook::source::{FileId, Printed, Sources, Span, Spanned};
use crate::runbook::{Diagnostic, Problems, declaration, diagnostics, scan};
use crate::secret::{Redactor, Secret};
use crate::values::Misfit;

/// What a user gave, lowest precedence first.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Variable files: the path as it is shown, and the text. A later one wins.
    pub files: Vec<(String, String)>,
    /// `MOVEBOOK_VAR_NAME` by name; the name as declared or in upper case.
    pub environment: BTreeMap<String, String>,
    /// `--var NAME=VALUE`, in order.
    pub arguments: Vec<(String, String)>,
}

/// The value of a variable.
#[derive(Clone, Debug)]
pub enum Value {
    /// Paths, durations and sizes keep their text, which was checked.
    Plain(serde_json::Value),
    Secret(Secret),
}

/// The value of every declared variable, in the order of their declarations.
#[derive(Clone, Debug, Default)]
pub struct Values(IndexMap<String, Value>);

impl Values {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Knows every secret among the values.
    pub fn redactor(&self) -> Redactor {
        let redactor = Redactor::new();
        for value in self.0.values() {
            if let Value::Secret(secret) = value {
                redactor.learn(secret);
            }
        }
        redactor
    }
}

impl FromIterator<(String, Value)> for Values {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// Gives every declared variable its value, or tells everything that is wrong with what was given.
pub fn resolve(runbook: &Runbook, given: &Given) -> Result<Values, Problems> {
    let has_secrets = runbook.vars.values().any(|declared| declared.kind.value == VarType::Secret);
    let mut resolution = Resolution {
        runbook,
        printed: if has_secrets { Printed::Keys } else { Printed::Lines },
        sources: runbook.sources.clone(),
        problems: Vec::new(),
        found: IndexMap::new(),
    };
    for (name, text) in &given.files {
        resolution.file(name, text);
    }
    for (name, text) in &given.environment {
        resolution.environment(name, text);
    }
    for (name, text) in &given.arguments {
        resolution.argument(name, text);
    }
    let values = resolution.values();
    if resolution.problems.is_empty() {
        return Ok(values);
    }
    Err(Problems { sources: resolution.sources, diagnostics: resolution.problems })
}

struct Resolution<'a> {
    runbook: &'a Runbook,
    /// What may be printed of variable files.
    printed: Printed,
    sources: Sources,
    problems: Vec<Diagnostic>,
    /// What was given last, by name.
    found: IndexMap<&'a str, Found>,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
enum Found {
    Here(Spanned<Raw>),
    /// The same, and it may be told to nobody.
    Withheld(Spanned<Raw>),
    /// The text after `MOVEBOOK_VAR_NAME=` or `--var NAME=`, and how that is called.
    Text(String, String),
    /// It was refused already, and is not missing too.
    Refused,
}

impl<'a> Resolution<'a> {
    fn file(&mut self, name: &str, text: &str) {
        let text = scan::without_mark(text);
        let file = self.sources.add_variables(name, text, self.printed);
        if text.trim().is_empty() {
            return;
        }
        let tree = match scan::scan(file, text) {
            Ok(tree) => tree,
            Err(problems) => {
                self.problems.extend(problems.into_iter().map(|problem| match self.printed {
                    Printed::Lines => problem,
                    Printed::Keys => withheld::without_values(problem),
                }));
                return;
            }
        };
        let members = match tree.value {
            Raw::Map(members) => members,
            // A file of comments alone gives nothing.
            Raw::Null => return,
            other => {
                self.problems.push(diagnostics::no_variables(tree.span, &other));
                return;
            }
        };
        for (key, value) in members {
            match self.declared(&key) {
                Some(declared) => {
                    // An alias has the place of its anchor, which comes before.
                    let is_alias = value.span.start < key.span.start;
                    let is_long = text[value.span.start..value.span.end].contains('\n');
                    let found = match self.printed {
                        Printed::Keys if is_alias || is_long => Found::Withheld(value),
                        _ => Found::Here(value),
                    };
                    self.found.insert(&declared.name.value, found);
                }
                None if self.printed == Printed::Keys && !withheld::is_name(&key) => {
                    self.problems.push(diagnostics::no_variable_name(key.span));
                }
                None => self.problems.push(diagnostics::unknown_variable(Some(key.span), &key, self.names())),
            }
        }
    }

    fn environment(&mut self, name: &str, text: &str) {
        let shown = format!("MOVEBOOK_VAR_{}", name.to_uppercase());
        let declared = self.declared(name).or_else(|| self.declared(&name.to_lowercase()));
        match declared {
            Some(declared) => {
                self.found.insert(&declared.name.value, Found::Text(text.to_owned(), shown));
            }
            None => {
                let diagnostic = diagnostics::unknown_variable(None, &name.to_lowercase(), self.names());
                self.problems.push(diagnostics::given_by(diagnostic, &shown));
            }
        }
    }

    fn argument(&mut self, name: &str, text: &str) {
        let shown = format!("--var {}", diagnostics::shown(name));
        let Some(declared) = self.declared(name) else {
            let diagnostic = diagnostics::unknown_variable(None, name, self.names());
            self.problems.push(diagnostics::given_by(diagnostic, "--var"));
            return;
        };
        // The command line of a process can be read by everybody on the machine.
        if declared.kind.value == VarType::Secret {
            self.problems.push(diagnostics::secret_argument(name));
            self.found.insert(&declared.name.value, Found::Refused);
            return;
        }
        self.found.insert(&declared.name.value, Found::Text(text.to_owned(), shown));
    }

    fn values(&mut self) -> Values {
        let mut values = IndexMap::new();
        for declared in self.runbook.vars.values() {
            let name = declared.name.value.as_str();
            let value = match self.found.get(name) {
                Some(Found::Here(node)) => fitted(declared, &node.value).map_err(|misfit| {
                    diagnostics::variable_misfit(declared, Some(node.span), &node.value, &misfit, None)
                }),
                Some(Found::Withheld(node)) => fitted(declared, &node.value)
                    .map_err(|_| diagnostics::withheld_misfit(declared, node.span)),
                Some(Found::Text(text, source)) => {
                    let raw = from_text(declared.kind.value, text);
                    fitted(declared, &raw).map_err(|misfit| {
                        diagnostics::variable_misfit(declared, None, &raw, &misfit, Some(source))
                    })
                }
                Some(Found::Refused) => continue,
                None => match &declared.default {
                    Some(default) => fitted(declared, &default.value).map_err(|misfit| {
                        diagnostics::variable_misfit(
                            declared,
                            Some(default.span),
                            &default.value,
                            &misfit,
                            None,
                        )
                    }),
                    None => Err(diagnostics::missing_variable(declared)),
                },
            };
            match value {
                Ok(value) => drop(values.insert(name.to_owned(), value)),
                Err(diagnostic) => self.problems.push(diagnostic),
            }
        }
        Values(values)
    }

    fn declared(&self, name: &str) -> Option<&'a VarDecl> {
        self.runbook.vars.get(name)
    }

    fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.runbook.vars.keys().map(String::as_str)
    }
}

/// A text from the environment or an argument, read as the variable's type asks for.
fn from_text(kind: VarType, text: &str) -> Raw {
    match kind {
        VarType::Integer => text.trim().parse().map_or_else(|_| Raw::Text(text.to_owned()), Raw::Integer),
        VarType::Boolean => match text.trim() {
            "true" => Raw::Boolean(true),
            "false" => Raw::Boolean(false),
            _ => Raw::Text(text.to_owned()),
        },
        // A list is written as JSON: `["a", "b"]`.
        VarType::List => match serde_json::from_str::<serde_json::Value>(text) {
            Ok(serde_json::Value::Array(items)) => Raw::List(items.into_iter().map(from_json).collect()),
            _ => Raw::Text(text.to_owned()),
        },
        _ => Raw::Text(text.to_owned()),
    }
}

/// A value without a place; its elements are never reported one by one.
fn from_json(value: serde_json::Value) -> Spanned<Raw> {
    let nowhere = Span { file: FileId(0), start: 0, end: 0 };
    let raw = match value {
        serde_json::Value::Null => Raw::Null,
        serde_json::Value::Bool(truth) => Raw::Boolean(truth),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Raw::Integer(whole),
            None => Raw::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Raw::Text(text),
        serde_json::Value::Array(items) => Raw::List(items.into_iter().map(from_json).collect()),
        serde_json::Value::Object(members) => Raw::Map(
            members
                .into_iter()
                .map(|(key, member)| (Spanned::new(key, nowhere), from_json(member)))
                .collect(),
        ),
    };
    Spanned::new(raw, nowhere)
}

/// The value, where it is of the declared type and within the declared bounds.
fn fitted(declared: &VarDecl, raw: &Raw) -> Result<Value, Misfit> {
    declaration::fits(declared, raw)?;
    Ok(match (declared.kind.value, raw) {
        (VarType::Secret, Raw::Text(text)) => Value::Secret(Secret::new(text.clone())),
        _ => Value::Plain(raw.to_json()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runbook(vars: &str) -> Runbook {
        let text = format!(
            "movebook: 1\nname: test\nvars:\n{vars}\nphases:\n  - id: a\n    steps: [{{id: b, wait: {{for: 1s}}}}]\n"
        );
        crate::runbook::read("test.yaml", &|_| Ok(text.clone()))
            .unwrap_or_else(|problems| panic!("{:?}", problems.diagnostics))
    }

    fn plain(values: &Values, name: &str) -> serde_json::Value {
        match values.get(name) {
            Some(Value::Plain(value)) => value.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn codes(problems: Problems) -> Vec<&'static str> {
        problems.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
    }

    #[test]
    fn the_later_source_wins() {
        let runbook = runbook("  a: {type: string, default: default}");
        let mut given = Given::default();
        let a = |given: &Given| plain(&resolve(&runbook, given).unwrap(), "a");
        assert_eq!(a(&given), "default");
        given.files.push(("one".into(), "a: one".into()));
        assert_eq!(a(&given), "one");
        given.files.push(("two".into(), "a: two".into()));
        assert_eq!(a(&given), "two");
        given.environment.insert("A".into(), "environment".into());
        assert_eq!(a(&given), "environment");
        given.arguments.push(("a".into(), "argument".into()));
        given.arguments.push(("a".into(), "last".into()));
        assert_eq!(a(&given), "last");
    }

    #[test]
    fn a_text_from_outside_takes_the_declared_type() {
        let runbook = runbook(
            "  n: {type: integer}\n  b: {type: boolean}\n  l: {type: list}\n  d: {type: duration}\n  s: {type: string}",
        );
        let arguments =
            [("n", "8"), ("b", "true"), ("l", "[{\"from\": \"/a\"}]"), ("d", "1h 30m"), ("s", "08")];
        let arguments = arguments.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let values = resolve(&runbook, &Given { arguments, ..Given::default() }).unwrap();
        assert_eq!(plain(&values, "n"), 8);
        assert_eq!(plain(&values, "b"), true);
        assert_eq!(plain(&values, "l"), serde_json::json!([{"from": "/a"}]));
        assert_eq!(plain(&values, "d"), "1h 30m");
        assert_eq!(plain(&values, "s"), "08");
    }

    #[test]
    fn all_missing_variables_are_told() {
        let runbook = runbook("  a: {type: string}\n  b: {type: path}\n  c: {type: string, default: x}");
        let problems = resolve(&runbook, &Given::default()).unwrap_err();
        assert_eq!(codes(problems), ["movebook::missing_variable", "movebook::missing_variable"]);
    }

    #[test]
    fn a_secret_is_taken_from_a_file_or_the_environment_and_refused_as_an_argument() {
        let runbook = runbook("  key: {type: secret}");
        let from_file = Given { files: vec![("f".into(), "key: canary-value".into())], ..Given::default() };
        assert!(matches!(resolve(&runbook, &from_file).unwrap().get("key"), Some(Value::Secret(_))));
        let argument = Given { arguments: vec![("key".into(), "canary-value".into())], ..Given::default() };
        let problems = resolve(&runbook, &argument).unwrap_err();
        assert!(!format!("{:?}", problems.diagnostics).contains("canary"));
        assert_eq!(codes(problems), ["movebook::secret_argument"]);
    }

    #[test]
    fn a_secret_that_is_too_short_is_refused_without_being_shown() {
        let runbook = runbook("  key: {type: secret}");
        let given = Given { files: vec![("f".into(), "key: zq9".into())], ..Given::default() };
        let problems = resolve(&runbook, &given).unwrap_err();
        assert!(!format!("{:?}", problems.diagnostics).contains("zq9"));
        assert_eq!(codes(problems), ["movebook::wrong_variable"]);
    }

    #[test]
    fn values_are_in_the_order_of_their_declarations() {
        let runbook = runbook("  z: {type: string, default: ''}\n  a: {type: string, default: ''}");
        let values = resolve(&runbook, &Given::default()).unwrap();
        assert_eq!(values.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["z", "a"]);
    }
}
