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
use crate::secret::{MASK, Redactor};
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
    /// What templates see, without the secrets.
    context: Rendering,
    /// The same with them.
    confidential: Rendering,
    touched: Touched,
    redactor: Redactor,
    /// Results by text: most templates of a runbook are the same few.
    done: RefCell<HashMap<String, Rendered<Value>>>,
    /// The names of the secrets.
    secrets: Vec<String>,
}

impl<'a> Renderer<'a> {
    pub fn new(runbook: &'a Runbook, values: &Values, known: &Known) -> Self {
        let touched = Touched::default();
        let redactor = Redactor::new();
        let mut context: BTreeMap<String, Rendering> = BTreeMap::new();
        let mut hidden: BTreeMap<String, Rendering> = BTreeMap::new();
        for (name, value) in values.iter() {
            match value {
                vars::Value::Plain(plain) => context.insert(name.to_owned(), Rendering::from(Serde(plain))),
                vars::Value::Secret(secret) => {
                    redactor.learn(secret);
                    hidden.insert(name.to_owned(), Rendering::from(secret.expose()))
                }
            };
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
        let secrets = hidden.keys().cloned().collect();
        hidden.extend(context.iter().map(|(name, value)| (name.clone(), value.clone())));
        Self {
            runbook,
            environment: template::environment(),
            context: Rendering::from(context),
            confidential: Rendering::from(hidden),
            secrets,
            touched,
            redactor,
            done: RefCell::default(),
        }
    }

    /// The value of a leaf, which sees no secret. `item` is the element where the step is expanded by `for_each`.
    pub fn leaf<T: LeafType>(&self, leaf: &Leaf<T>, item: Option<&Value>) -> Result<Rendered<T>, Diagnostic> {
        self.fitted(leaf, item, Secrets::Hidden)
    }

    /// The value of a leaf that may hold a secret: what a command is given by its environment or its input.
    pub fn confidential<T: LeafType>(
        &self,
        leaf: &Leaf<T>,
        item: Option<&Value>,
    ) -> Result<Rendered<T>, Diagnostic> {
        self.fitted(leaf, item, Secrets::Seen)
    }

    /// Whether a text may be made of a secret. It is so wherever the name of one occurs, whatever for.
    pub fn names_secret(&self, raw: &Raw) -> bool {
        match raw {
            Raw::Text(text) if is_template(text) => self.secrets.iter().any(|name| {
                text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == name)
            }),
            Raw::List(items) => items.iter().any(|item| self.names_secret(item)),
            Raw::Map(members) => members.iter().any(|(_, member)| self.names_secret(member)),
            _ => false,
        }
    }

    fn fitted<T: LeafType>(
        &self,
        leaf: &Leaf<T>,
        item: Option<&Value>,
        secrets: Secrets,
    ) -> Result<Rendered<T>, Diagnostic> {
        let rendered = self.raw(&leaf.raw, leaf.span, item, secrets)?;
        let value = match rendered {
            Rendered::Known(value) => value,
            Rendered::Late(steps) => return Ok(Rendered::Late(steps)),
        };
        match T::parse(&value) {
            Ok(value) => Ok(Rendered::Known(value)),
            Err(misfit) => {
                let shown = self.shown(&value, &leaf.raw);
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
        match self.text(&text, expression.span, item, Offset(CONDITION_PREFIX), Secrets::Seen)? {
            Rendered::Late(steps) => Ok(Rendered::Late(steps)),
            Rendered::Known(Value::Bool(truth)) => Ok(Rendered::Known(truth)),
            Rendered::Known(other) => {
                let shown = self.shown(&other, &Raw::Text(text));
                Err(diagnostics::condition_not_boolean(expression.span, kind_of(&other), &shown))
            }
        }
    }

    /// A leaf for people: its value, or `(known after STEP)`. Secrets are masked.
    pub fn preview<T: LeafType>(&self, leaf: &Leaf<T>, item: Option<&Value>) -> Result<String, Diagnostic> {
        Ok(match self.raw(&leaf.raw, leaf.span, item, Secrets::Hidden)? {
            Rendered::Late(steps) => Rendered::<T>::waiting_for(&steps),
            Rendered::Known(value) => self.shown(&value, &leaf.raw),
        })
    }

    fn raw(
        &self,
        raw: &Raw,
        span: Span,
        item: Option<&Value>,
        secrets: Secrets,
    ) -> Result<Rendered<Value>, Diagnostic> {
        match raw {
            Raw::Text(text) if is_template(text) => self.text(text, span, item, Offset(0), secrets),
            Raw::List(items) => {
                let (mut values, mut late) = (Vec::with_capacity(items.len()), BTreeSet::new());
                for element in items {
                    match self.raw(&element.value, element.span, item, secrets)? {
                        Rendered::Known(value) => values.push(value),
                        Rendered::Late(steps) => late.extend(steps),
                    }
                }
                Ok(known_or_late(Value::Array(values), late))
            }
            Raw::Map(members) => {
                let (mut values, mut late) = (serde_json::Map::new(), BTreeSet::new());
                for (key, member) in members {
                    match self.raw(&member.value, member.span, item, secrets)? {
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
        secrets: Secrets,
    ) -> Result<Rendered<Value>, Diagnostic> {
        let is_kept = item.is_none() && secrets == Secrets::Hidden;
        if is_kept && let Some(done) = self.done.borrow().get(text) {
            return Ok(done.clone());
        }
        self.touched.clear();
        let around = match secrets {
            Secrets::Hidden => self.context.clone(),
            Secrets::Seen => self.confidential.clone(),
        };
        let context = match item {
            Some(item) => minijinja::context! { item => Rendering::from(Serde(item)), ..around },
            None => around,
        };
        let outcome = evaluate(&self.environment, text, context);
        let late = self.touched.take();
        let rendered = match outcome {
            _ if !late.is_empty() => Rendered::Late(late.into_iter().collect()),
            Ok(value) => Rendered::Known(value),
            Err(failure) => {
                let place =
                    diagnostics::Inside { sources: &self.runbook.sources, span, text, skip: offset.0 };
                // What became of a secret cannot be told from the rest of the text.
                let detail = match self.names_secret(&Raw::Text(text.to_owned())) {
                    true => String::new(),
                    false => self.redactor.redact(&failure.detail).into_owned(),
                };
                return Err(diagnostics::template_failed(&place, failure.range, failure.kind, &detail));
            }
        };
        if is_kept {
            self.done.borrow_mut().insert(text.to_owned(), rendered.clone());
        }
        Ok(rendered)
    }

    /// A value for people; one that may be made of a secret is not shown at all.
    fn shown(&self, value: &Value, made_of: &Raw) -> String {
        if self.names_secret(made_of) {
            return MASK.to_owned();
        }
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.redactor.redact(&text).into_owned()
    }
}

/// Whether a template sees the variables of type `secret`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Secrets {
    Hidden,
    Seen,
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::runbook::model::{ActionDecl, CopyDecl};
    use crate::vars::Given;

    const RUNBOOK: &str = r"
movebook: 1
name: test
vars:
  old: {type: path, default: 'D:\{{ archive }}'}
  threads: {type: integer, default: 8}
  key: {type: secret}
phases:
  - id: one
    steps:
      - {id: first-ask, checkpoint: {ask: Which?, answer: text}}
      - {id: list, for_each: [1, 2], command: {run: [x]}}
      - {id: copy, copy: {from: FROM, to: /new, threads: THREADS, adopt: ADOPT, wait: WAIT}}
";

    struct Case {
        runbook: Runbook,
        known: Known,
    }

    /// A copy step whose leaves are as given.
    fn case(changes: &[(&str, &str)]) -> Case {
        let mut text = RUNBOOK.to_owned();
        for (name, value) in changes {
            text = text.replace(name, value);
        }
        for (name, value) in [("FROM", "/old"), ("THREADS", "8"), ("ADOPT", "false"), ("WAIT", "1s")] {
            text = text.replace(name, value);
        }
        let runbook = crate::runbook::read("test.yaml", &|_| Ok(text.clone()))
            .unwrap_or_else(|problems| panic!("{:?}", problems.diagnostics));
        Case { runbook, known: Known::default() }
    }

    impl Case {
        fn renderer(&self) -> Renderer<'_> {
            let given = Given { files: vec![("v".into(), "key: canary-value".into())], ..Given::default() };
            let values = crate::vars::resolve(&self.runbook, &given).unwrap();
            Renderer::new(&self.runbook, &values, &self.known)
        }

        fn copy(&self) -> &CopyDecl {
            match &self.runbook.phases[0].steps[2].action.value {
                ActionDecl::Copy(copy) => copy,
                other => panic!("{other:?}"),
            }
        }

        fn from(&self) -> Result<Rendered<String>, Diagnostic> {
            self.renderer().leaf(&self.copy().from, None)
        }
    }

    #[test]
    fn a_single_expression_keeps_its_type() {
        let case = case(&[("THREADS", "'{{ threads * 2 }}'"), ("ADOPT", "'{{ threads > 4 }}'")]);
        let renderer = case.renderer();
        let threads = renderer.leaf(case.copy().options.threads.as_ref().unwrap(), None).unwrap();
        assert_eq!(threads, Rendered::Known(16));
        assert_eq!(renderer.leaf(case.copy().adopt.as_ref().unwrap(), None).unwrap(), Rendered::Known(true));
    }

    #[test]
    fn a_value_is_never_rendered_again() {
        assert_eq!(
            case(&[("FROM", "'{{ old }}'")]).from().unwrap(),
            Rendered::Known(r"D:\{{ archive }}".into())
        );
    }

    #[test]
    fn text_around_an_expression_is_kept_with_its_line_ends() {
        let case = case(&[("FROM", "\"a {{ threads }}\\n\"")]);
        let rendered: Rendered<String> = case.renderer().leaf(&case.copy().from.clone(), None).unwrap();
        assert_eq!(rendered, Rendered::Known("a 8\n".into()));
    }

    #[test]
    fn a_result_that_is_not_there_yet_makes_a_value_late() {
        let late = Rendered::Late(vec!["first-ask".into()]);
        for template in ["'{{ answers.first_ask }}'", "'x{{ answers[\"first-ask\"] }}'"] {
            assert_eq!(case(&[("FROM", template)]).from().unwrap(), late);
        }
        let case = case(&[("FROM", "'{{ answers.first_ask | default(\"none\") }}'")]);
        assert_eq!(case.from().unwrap(), late);
        assert_eq!(case.renderer().preview(&case.copy().from, None).unwrap(), "(known after first-ask)");
    }

    #[test]
    fn a_result_is_found_under_both_spellings() {
        for template in ["'{{ answers.first_ask }}'", "'{{ answers[\"first-ask\"] }}'"] {
            let mut case = case(&[("FROM", template)]);
            case.known.answers.insert("first-ask".into(), "yes".into());
            assert_eq!(case.from().unwrap(), Rendered::Known("yes".into()));
        }
    }

    #[test]
    fn the_results_of_an_expanded_step_are_a_list() {
        let mut case = case(&[("FROM", "'{{ steps.list | map(attribute=\"seconds\") | sum }}'")]);
        for index in 0..2 {
            let figures = [("seconds".to_owned(), Value::from(index + 1))].into();
            case.known.steps.insert(format!("list[{index}]"), figures);
        }
        assert_eq!(case.from().unwrap(), Rendered::Known("3".into()));
    }

    #[test]
    fn a_field_that_a_step_does_not_have_is_an_error() {
        let mut case = case(&[("FROM", "'{{ steps.first_ask.nothing }}'")]);
        case.known.steps.insert("first-ask".into(), BTreeMap::new());
        assert_eq!(case.from().unwrap_err().code, "movebook::undefined");
    }

    #[test]
    fn an_element_is_seen_only_where_it_is_given() {
        let case = case(&[("THREADS", "'{{ threads }}'")]);
        let leaf = Leaf::<String>::new(Raw::Text("{{ item.from }}".into()), case.copy().from.span);
        let item = serde_json::json!({"from": "/x"});
        assert_eq!(case.renderer().leaf(&leaf, Some(&item)).unwrap(), Rendered::Known("/x".into()));
        assert!(case.renderer().leaf(&leaf, None).is_err());
    }

    #[test]
    fn a_value_that_does_not_fit_is_shown_without_its_secret() {
        let case = case(&[]);
        for text in ["{{ key }}", "{{ [key | upper] }}"] {
            let leaf = Leaf::<Duration>::new(Raw::Text(text.into()), case.copy().from.span);
            let diagnostic = case.renderer().confidential(&leaf, None).unwrap_err();
            assert_eq!(diagnostic.code, "movebook::wrong_duration");
            assert!(diagnostic.message.contains("***"), "{}", diagnostic.message);
            assert!(!format!("{diagnostic:?}").to_lowercase().contains("canary"), "{diagnostic:?}");
        }
    }

    #[test]
    fn a_leaf_sees_no_secret_by_whatever_way() {
        let case = case(&[]);
        for text in ["{{ key }}", "{% set key = key %}{{ key }}", "{{ debug() }}", "{{ key | default('') }}"]
        {
            let leaf = Leaf::<String>::new(Raw::Text(text.into()), case.copy().from.span);
            if let Ok(rendered) = case.renderer().leaf(&leaf, None) {
                assert_eq!(rendered, Rendered::Known(String::new()), "{text}");
            }
        }
        let leaf = Leaf::<String>::new(Raw::Text("{{ key }}".into()), case.copy().from.span);
        let seen = case.renderer().confidential(&leaf, None).unwrap();
        assert_eq!(seen, Rendered::Known("canary-value".into()));
    }

    #[test]
    fn a_condition_sees_a_secret_and_does_not_show_what_became_of_it() {
        let case = case(&[]);
        let span = case.copy().from.span;
        let condition = |text: &str| case.renderer().condition(&Spanned::new(text.into(), span), None);
        assert_eq!(condition("key == 'canary-value'").unwrap(), Rendered::Known(true));
        let diagnostic = condition("key | upper").unwrap_err();
        assert_eq!(diagnostic.code, "movebook::condition_not_boolean");
        assert!(!format!("{diagnostic:?}").contains("CANARY"), "{diagnostic:?}");
    }

    #[test]
    fn a_condition_that_is_no_boolean_is_an_error_and_not_false() {
        let case = case(&[]);
        let span = case.copy().from.span;
        let condition = |text: &str| case.renderer().condition(&Spanned::new(text.into(), span), None);
        assert_eq!(condition("threads > 4").unwrap(), Rendered::Known(true));
        assert_eq!(condition("threads").unwrap_err().code, "movebook::condition_not_boolean");
        assert_eq!(condition("'false'").unwrap_err().code, "movebook::condition_not_boolean");
        assert_eq!(condition("answers.first_ask == 'x'").unwrap(), Rendered::Late(vec!["first-ask".into()]));
    }

    #[test]
    fn a_template_that_never_ends_is_stopped() {
        let case = case(&[]);
        let text = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        let leaf = Leaf::<String>::new(Raw::Text(text.into()), case.copy().from.span);
        let diagnostic = case.renderer().leaf(&leaf, None).unwrap_err();
        assert_eq!(diagnostic.code, "movebook::template_too_costly");
    }

    #[test]
    fn no_template_reads_a_file() {
        let case = case(&[]);
        let leaf =
            Leaf::<String>::new(Raw::Text("{% include '/etc/passwd' %}".into()), case.copy().from.span);
        assert!(case.renderer().leaf(&leaf, None).is_err());
    }
}
