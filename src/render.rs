//! One leaf → one value, by minijinja: strict, without a loader, with fuel.
//!
//! Pure: the same runbook, values and known results always render alike. What a template reads is never rendered again,
//! so a value that holds `{{` stays text. A template that touched the result of a step that has none yet is *late*.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::Environment;
use minijinja::value::{Enumerator, Object, Serde, Value as Rendering};
use serde_json::Value;

use crate::runbook::diagnostics::{self, Diagnostic};
use crate::runbook::model::{Leaf, Raw, Runbook};
use crate::runbook::source::{Span, Spanned};
use crate::runbook::template::{self, Failure, failure};
use crate::secret::Redactor;
use crate::values::{LeafType, is_template};
use crate::vars::{self, Values};

/// What is known beside the variables.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Answers by step, as the runbook writes its id.
    pub answers: BTreeMap<String, String>,
    /// The figures of steps that are done.
    pub steps: BTreeMap<String, BTreeMap<String, Value>>,
    /// What templates see as `run`.
    pub run: Value,
    /// The environment variables that the runbook lists.
    pub environment: BTreeMap<String, String>,
}

/// A value, or the steps that must be done before it can be known.
#[derive(Clone, Debug, PartialEq)]
pub enum Rendered<T> {
    Known(T),
    Late(Vec<String>),
}

impl<T> Rendered<T> {
    /// `(known after licensing)`.
    pub fn waiting_for(steps: &[String]) -> String {
        format!("(known after {})", steps.join(", "))
    }
}

/// Renders the leaves of one runbook.
pub struct Renderer<'a> {
    runbook: &'a Runbook,
    environment: Environment<'static>,
    context: Rendering,
    touched: Touched,
    redactor: Redactor,
    /// Results by text: most templates of a runbook are the same few.
    done: RefCell<HashMap<String, Rendered<Value>>>,
}

impl<'a> Renderer<'a> {
    pub fn new(runbook: &'a Runbook, values: &Values, known: &Known) -> Self {
        let touched = Touched::default();
        let redactor = Redactor::new();
        let mut context: BTreeMap<String, Rendering> = BTreeMap::new();
        for (name, value) in values.iter() {
            let value = match value {
                vars::Value::Plain(plain) => Rendering::from(Serde(plain)),
                vars::Value::Secret(secret) => {
                    redactor.learn(secret);
                    Rendering::from(secret.expose())
                }
            };
            context.insert(name.to_owned(), value);
        }
        let answers =
            known.answers.iter().map(|(step, answer)| (step.clone(), Rendering::from(answer))).collect();
        let figures =
            known.steps.iter().map(|(step, figures)| (step.clone(), Rendering::from(Serde(figures))));
        let steps: BTreeSet<String> = step_ids(runbook).map(str::to_owned).collect();
        let results = |results| Rendering::from_object(Results::new(&steps, results, touched.clone()));
        context.insert("answers".into(), results(answers));
        context.insert("steps".into(), results(figures.collect()));
        context.insert("run".into(), Rendering::from(Serde(&known.run)));
        context.insert("env".into(), Rendering::from(Serde(&known.environment)));
        Self {
            runbook,
            environment: template::environment(),
            context: Rendering::from(context),
            touched,
            redactor,
            done: RefCell::default(),
        }
    }

    /// The value of a leaf. `item` is the element where the step is expanded by `for_each`.
    pub fn leaf<T: LeafType>(&self, leaf: &Leaf<T>, item: Option<&Value>) -> Result<Rendered<T>, Diagnostic> {
        let rendered = self.raw(&leaf.raw, leaf.span, item)?;
        let value = match rendered {
            Rendered::Known(value) => value,
            Rendered::Late(steps) => return Ok(Rendered::Late(steps)),
        };
        match T::parse(&value) {
            Ok(value) => Ok(Rendered::Known(value)),
            Err(misfit) => {
                let shown = self.shown(&value);
                let origin = match leaf.raw.template() {
                    Some(_) => diagnostics::Origin::Rendered,
                    None => diagnostics::Origin::Written,
                };
                Err(diagnostics::misfit(leaf.span, &shown, &misfit, T::form(), origin))
            }
        }
    }

    /// Whether a `when:` or a `that:` holds. Anything but a boolean is an error.
    pub fn condition(
        &self,
        expression: &Spanned<String>,
        item: Option<&Value>,
    ) -> Result<Rendered<bool>, Diagnostic> {
        let text = format!("{{{{ {} }}}}", expression.value);
        match self.text(&text, expression.span, item, Offset(CONDITION_PREFIX))? {
            Rendered::Late(steps) => Ok(Rendered::Late(steps)),
            Rendered::Known(Value::Bool(truth)) => Ok(Rendered::Known(truth)),
            Rendered::Known(other) => {
                Err(diagnostics::condition_not_boolean(expression.span, kind_of(&other), &self.shown(&other)))
            }
        }
    }

    /// A leaf for people: its value, or `(known after STEP)`. Secrets are masked.
    pub fn preview<T: LeafType>(&self, leaf: &Leaf<T>, item: Option<&Value>) -> Result<String, Diagnostic> {
        Ok(match self.raw(&leaf.raw, leaf.span, item)? {
            Rendered::Late(steps) => Rendered::<T>::waiting_for(&steps),
            Rendered::Known(value) => self.shown(&value),
        })
    }

    fn raw(&self, raw: &Raw, span: Span, item: Option<&Value>) -> Result<Rendered<Value>, Diagnostic> {
        match raw {
            Raw::Text(text) if is_template(text) => self.text(text, span, item, Offset(0)),
            Raw::List(items) => {
                let (mut values, mut late) = (Vec::with_capacity(items.len()), BTreeSet::new());
                for element in items {
                    match self.raw(&element.value, element.span, item)? {
                        Rendered::Known(value) => values.push(value),
                        Rendered::Late(steps) => late.extend(steps),
                    }
                }
                Ok(known_or_late(Value::Array(values), late))
            }
            Raw::Map(members) => {
                let (mut values, mut late) = (serde_json::Map::new(), BTreeSet::new());
                for (key, member) in members {
                    match self.raw(&member.value, member.span, item)? {
                        Rendered::Known(value) => drop(values.insert(key.value.clone(), value)),
                        Rendered::Late(steps) => late.extend(steps),
                    }
                }
                Ok(known_or_late(Value::Object(values), late))
            }
            literal => Ok(Rendered::Known(literal.to_json())),
        }
    }

    fn text(
        &self,
        text: &str,
        span: Span,
        item: Option<&Value>,
        offset: Offset,
    ) -> Result<Rendered<Value>, Diagnostic> {
        if item.is_none()
            && let Some(done) = self.done.borrow().get(text)
        {
            return Ok(done.clone());
        }
        self.touched.clear();
        let context = match item {
            Some(item) => {
                minijinja::context! { item => Rendering::from(Serde(item)), ..self.context.clone() }
            }
            None => self.context.clone(),
        };
        let outcome = evaluate(&self.environment, text, context);
        let late = self.touched.take();
        let rendered = match outcome {
            _ if !late.is_empty() => Rendered::Late(late.into_iter().collect()),
            Ok(value) => Rendered::Known(value),
            Err(failure) => {
                let place =
                    diagnostics::Inside { sources: &self.runbook.sources, span, text, skip: offset.0 };
                let detail = self.redactor.redact(&failure.detail).into_owned();
                return Err(diagnostics::template_failed(&place, failure.range, failure.kind, &detail));
            }
        };
        if item.is_none() {
            self.done.borrow_mut().insert(text.to_owned(), rendered.clone());
        }
        Ok(rendered)
    }

    fn shown(&self, value: &Value) -> String {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.redactor.redact(&text).into_owned()
    }
}

/// How many bytes of a text are not the author's own.
#[derive(Clone, Copy)]
struct Offset(usize);

/// The length of `{{ ` that is put before a condition.
const CONDITION_PREFIX: usize = 3;

fn evaluate(environment: &Environment<'static>, text: &str, context: Rendering) -> Result<Value, Failure> {
    let Some(range) = template::sole_expression(text) else {
        return environment
            .template_from_named_str("template", text)
            .and_then(|template| template.render(context))
            .map(Value::String)
            .map_err(|error| failure(&error, 0));
    };
    let start = range.start;
    let value = environment
        .compile_expression(&text[range.clone()])
        .and_then(|expression| expression.eval(context))
        .map_err(|error| failure(&error, start))?;
    if value.is_undefined() {
        let kind = minijinja::ErrorKind::UndefinedError;
        return Err(Failure { kind, detail: String::new(), range: Some(range) });
    }
    serde_json::to_value(&value).map_err(|error| Failure {
        kind: minijinja::ErrorKind::BadSerialization,
        detail: error.to_string(),
        range: Some(range),
    })
}

fn known_or_late(value: Value, late: BTreeSet<String>) -> Rendered<Value> {
    if late.is_empty() { Rendered::Known(value) } else { Rendered::Late(late.into_iter().collect()) }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "no value",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

fn step_ids(runbook: &Runbook) -> impl Iterator<Item = &str> {
    runbook.phases.iter().flat_map(|phase| &phase.steps).map(|step| step.id.value.as_str())
}

/// Steps whose missing results a template asked for.
#[derive(Clone, Debug, Default)]
struct Touched(Arc<Mutex<BTreeSet<String>>>);

impl Touched {
    fn note(&self, step: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(step.to_owned());
    }

    fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// `answers` or `steps` as templates see them. A step is found by its id, or by its id with `_` for `-`.
struct Results {
    /// The id by its name in templates.
    ids: HashMap<String, String>,
    results: BTreeMap<String, Rendering>,
    touched: Touched,
}

impl Results {
    fn new(steps: &BTreeSet<String>, results: BTreeMap<String, Rendering>, touched: Touched) -> Self {
        let ids = steps.iter().chain(results.keys()).map(|id| (id.replace('-', "_"), id.clone())).collect();
        Self { ids, results, touched }
    }

    /// The results of a step that was expanded by `for_each`, in the order of its elements.
    fn expanded(&self, id: &str) -> Option<Rendering> {
        let elements: Vec<Rendering> =
            (0..).map_while(|index| self.results.get(&format!("{id}[{index}]")).cloned()).collect();
        (!elements.is_empty()).then(|| Rendering::from(elements))
    }
}

impl fmt::Debug for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.results.keys()).finish()
    }
}

impl Object for Results {
    fn get_value(self: &Arc<Self>, key: &Rendering) -> Option<Rendering> {
        let key = key.as_str()?;
        let id = self.ids.get(&key.replace('-', "_"))?;
        let result = self.results.get(id).cloned().or_else(|| self.expanded(id));
        if result.is_none() {
            self.touched.note(id);
        }
        result
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        // To go through all results is to wait for all of them: a list that grows would make two plans differ.
        for id in
            self.ids.values().filter(|id| !self.results.contains_key(*id) && self.expanded(id).is_none())
        {
            self.touched.note(id);
        }
        Enumerator::Values(self.results.keys().map(Rendering::from).collect())
    }
}
