//! Renders the leaves of one step and keeps, for the plan, what each became.
//!
//! A leaf that is late or wrong yields `None` and is noted; the others go on, so that all errors of a step are reported at once.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::copy::Bandwidth;
use crate::filter::{Filter, FilterError, Rules};
use crate::render::{Rendered, Renderer};
use crate::runbook::diagnostics::Diagnostic;
use crate::runbook::model::{Leaf, Raw, Size};
use crate::runbook::source::Spanned;
use crate::secret::MASK;
use crate::values::LeafType;

/// How a value is shown in a plan.
pub(super) trait Shown {
    fn shown(&self) -> Value;
}

impl Shown for Duration {
    fn shown(&self) -> Value {
        Value::String(crate::values::written(*self))
    }
}

impl Shown for Size {
    fn shown(&self) -> Value {
        Value::String(bytesize::ByteSize(self.0).display().iec().to_string())
    }
}

impl Shown for Bandwidth {
    fn shown(&self) -> Value {
        Value::String(self.to_string())
    }
}

macro_rules! shown_as_serialized {
    ($($kind:ty),*) => {
        $(impl Shown for $kind {
            fn shown(&self) -> Value {
                to_value(self)
            }
        })*
    };
}

shown_as_serialized!(
    String,
    bool,
    u16,
    u32,
    std::num::NonZeroU32,
    u64,
    i64,
    Vec<String>,
    Vec<i64>,
    Vec<Value>,
    crate::filter::Case,
    crate::copy::EngineName,
    crate::copy::Directories,
    crate::copy::OnErrors,
    crate::copy::Compare,
    crate::copy::Links,
    crate::copy::Preserved,
    crate::copy::Keep,
    crate::copy::Method,
    crate::copy::Extra,
    super::ServiceState,
    super::IfMissing,
    super::Evidence,
    super::OnInterrupt
);

fn to_value(value: &impl Serialize) -> Value {
    // These types have no map with a key that is no string, the only thing that could fail here.
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// Filters that were made ready: most steps of a runbook share a few, and making one is what a plan takes longest for.
#[derive(Default)]
pub(super) struct Filters(RefCell<Vec<Filter>>);

impl Filters {
    pub(super) fn get(&self, rules: Rules) -> Result<Filter, FilterError> {
        let known = self.0.borrow().iter().find(|filter| *filter.rules() == rules).cloned();
        if let Some(filter) = known {
            return Ok(filter);
        }
        let filter = Filter::new(rules)?;
        self.0.borrow_mut().push(filter.clone());
        Ok(filter)
    }
}

/// The leaves of one step, as they are rendered one after the other.
pub(super) struct Fields<'a, 'r> {
    renderer: &'a Renderer<'r>,
    pub(super) filters: &'a Filters,
    item: Option<&'a Value>,
    shown: Vec<Map<String, Value>>,
    /// Templates as written, for the digest: a late value has nothing else to be told by.
    templates: Vec<String>,
    waits: BTreeSet<String>,
    diagnostics: Vec<Diagnostic>,
}

/// What became of all the leaves of a step.
pub(super) struct Outcome {
    pub(super) shown: Value,
    pub(super) templates: Vec<String>,
    pub(super) waits: BTreeSet<String>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'a, 'r> Fields<'a, 'r> {
    pub(super) fn new(renderer: &'a Renderer<'r>, filters: &'a Filters, item: Option<&'a Value>) -> Self {
        Self {
            renderer,
            filters,
            item,
            shown: vec![Map::new()],
            templates: Vec::new(),
            waits: BTreeSet::new(),
            diagnostics: Vec::new(),
        }
    }

    pub(super) fn finish(mut self) -> Outcome {
        Outcome {
            shown: Value::Object(self.shown.pop().unwrap_or_default()),
            templates: self.templates,
            waits: self.waits,
            diagnostics: self.diagnostics,
        }
    }

    pub(super) fn leaf<T: LeafType + Shown>(&mut self, name: &str, leaf: &Leaf<T>) -> Option<T> {
        let (value, shown) = self.rendered(leaf);
        self.show(name, shown);
        value
    }

    /// A leaf that may hold a secret: what may be made of one is not shown.
    pub(super) fn confidential(&mut self, name: &str, leaf: &Leaf<String>) -> Option<String> {
        let rendered = self.renderer.confidential(leaf, self.item);
        let (value, mut shown) = self.noted(leaf, rendered);
        if value.is_some()
            && self.renderer.names_secret(&leaf.raw)
            && let Raw::Text(template) = &leaf.raw
        {
            self.templates.push(template.clone());
            shown = Value::from(MASK);
        }
        self.show(name, shown);
        value
    }

    /// Whether a leaf is made of a secret.
    pub(super) fn names_secret(&self, leaf: &Leaf<String>) -> bool {
        self.renderer.names_secret(&leaf.raw)
    }

    /// Renders one leaf: its value where it is known, and how it is shown.
    fn rendered<T: LeafType + Shown>(&mut self, leaf: &Leaf<T>) -> (Option<T>, Value) {
        let rendered = self.renderer.leaf(leaf, self.item);
        self.noted(leaf, rendered)
    }

    fn noted<T: Shown>(
        &mut self,
        leaf: &Leaf<T>,
        rendered: Result<Rendered<T>, Diagnostic>,
    ) -> (Option<T>, Value) {
        match rendered {
            Ok(Rendered::Known(value)) => {
                let shown = value.shown();
                (Some(value), shown)
            }
            Ok(Rendered::Late(waits)) => {
                if let Raw::Text(template) = &leaf.raw {
                    self.templates.push(template.clone());
                }
                let shown = Rendered::<T>::waiting_for(&waits);
                self.waits.extend(waits);
                (None, Value::String(shown))
            }
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                (None, Value::Null)
            }
        }
    }

    /// A leaf that may be missing: `Some(None)` where it is, `None` where it is late or wrong.
    pub(super) fn optional<T: LeafType + Shown>(
        &mut self,
        name: &str,
        leaf: Option<&Leaf<T>>,
    ) -> Option<Option<T>> {
        match leaf {
            None => Some(None),
            Some(leaf) => self.leaf(name, leaf).map(Some),
        }
    }

    /// The first leaf that is given, or else the built-in value, which is shown too.
    pub(super) fn first<T: LeafType + Shown>(
        &mut self,
        name: &str,
        leaves: [Option<&Leaf<T>>; 2],
        otherwise: T,
    ) -> Option<T> {
        match leaves.into_iter().flatten().next() {
            Some(leaf) => self.leaf(name, leaf),
            None => {
                self.show(name, otherwise.shown());
                Some(otherwise)
            }
        }
    }

    pub(super) fn list<T: LeafType + Shown>(&mut self, name: &str, leaves: &[Leaf<T>]) -> Option<Vec<T>> {
        let mut values = Some(Vec::with_capacity(leaves.len()));
        let mut shown = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let (value, look) = self.rendered(leaf);
            shown.push(look);
            match (value, &mut values) {
                (Some(value), Some(values)) => values.push(value),
                _ => values = None,
            }
        }
        if !leaves.is_empty() {
            self.show(name, Value::Array(shown));
        }
        values
    }

    pub(super) fn condition(&mut self, name: &str, expression: &Spanned<String>) -> Option<bool> {
        self.show(name, Value::String(expression.value.clone()));
        match self.renderer.condition(expression, self.item) {
            Ok(Rendered::Known(holds)) => Some(holds),
            Ok(Rendered::Late(waits)) => {
                self.waits.extend(waits);
                None
            }
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    /// Shows what follows inside a mapping of its own.
    pub(super) fn within<T>(&mut self, name: &str, fill: impl FnOnce(&mut Self) -> T) -> T {
        self.shown.push(Map::new());
        let value = fill(self);
        let shown = self.shown.pop().unwrap_or_default();
        self.show(name, Value::Object(shown));
        value
    }

    /// Shows nothing of what follows.
    pub(super) fn unshown<T>(&mut self, fill: impl FnOnce(&mut Self) -> T) -> T {
        self.shown.push(Map::new());
        let value = fill(self);
        self.shown.pop();
        value
    }

    pub(super) fn show(&mut self, name: &str, value: Value) {
        if let Some(shown) = self.shown.last_mut() {
            shown.insert(name.to_owned(), value);
        }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}
