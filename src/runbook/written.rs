//! How types are written in YAML: one definition gives the struct, its reader and its schema.
//!
//! [`Written`] is the only way from the tree to a type, and its two halves are made from the same list of fields by
//! [`written!`]: what the schema accepts, the reader accepts, and the reverse.

use indexmap::IndexMap;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::diagnostics::{self, Diagnostic};
use super::model::{Leaf, Raw};
use super::source::{Span, Spanned};
use crate::values::{
    BANDWIDTH_PATTERN, DURATION_PATTERN, Form, LeafType, SIZE_PATTERN, TEMPLATE_PATTERN, did_you_mean,
    is_template,
};

/// A type that can be read from the tree and described by a schema.
pub trait Written: Sized {
    fn schema(generator: &mut SchemaGenerator) -> Schema;

    /// Reads a node. What is wrong goes to `problems`; what can be read in spite of it is the value.
    fn read(node: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<Self>;

    /// The value where the key is not there; `None` for a key that must be.
    fn absent() -> Option<Self> {
        None
    }
}

/// What holds between the keys of a mapping.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    ExactlyOneOf(&'static [&'static str]),
    /// The first key makes sense only beside the second.
    Needs(&'static str, &'static str),
    /// Keys that begin with `x-` are for the author: anchors have their home there.
    Extensions,
}

/// Defines structs that are written as YAML mappings; see the module.
macro_rules! written {
    ($(
        $(#[doc = $doc:expr])*
        $(#[derive($($derive:ident),*)])?
        pub struct $name:ident {
            $($(#[doc = $field_doc:expr])* pub $field:ident: $kind:ty,)*
        }
        $(rules $rules:expr;)?
    )*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Debug $($(, $derive)*)?)]
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: $kind,)*
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).trim_end_matches("Decl").trim_end_matches("Entry").into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                #[allow(unused_mut, unused_assignments)]
                let mut rules: &[$crate::runbook::written::Rule] = &[];
                $(rules = $rules;)?
                $crate::runbook::written::mapping_schema(
                    concat!($($doc, "\n",)*),
                    vec![$($crate::runbook::written::FieldSchema {
                        name: $crate::runbook::written::key(stringify!($field)),
                        doc: concat!($($field_doc, "\n",)* ""),
                        required: <$kind as $crate::runbook::written::Written>::absent().is_none(),
                        schema: <$kind as $crate::runbook::written::Written>::schema(generator),
                    },)*],
                    rules,
                )
            }
        }

        impl $crate::runbook::written::Written for $name {
            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }

            fn read(
                node: &$crate::runbook::source::Spanned<$crate::runbook::model::Raw>,
                problems: &mut Vec<$crate::runbook::diagnostics::Diagnostic>,
            ) -> Option<Self> {
                #[allow(unused_mut, unused_assignments)]
                let mut rules: &[$crate::runbook::written::Rule] = &[];
                $(rules = $rules;)?
                const KEYS: &[&str] = &[$($crate::runbook::written::key(stringify!($field)),)*];
                let mapping = $crate::runbook::written::Mapping::open(node, KEYS, rules, problems)?;
                $(let $field = mapping.field::<$kind>($crate::runbook::written::key(stringify!($field)), problems);)*
                // All fields are read before a missing one ends it, so that every problem is told.
                Some(Self { $($field: $field?,)* })
            }
        }
    )*};
}
pub(super) use written;

/// The key of a field: `for` of `r#for`.
pub const fn key(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// A field of a mapping as the schema describes it.
pub struct FieldSchema {
    pub name: &'static str,
    pub doc: &'static str,
    pub required: bool,
    pub schema: Schema,
}

/// The schema of a mapping with these fields and no others.
pub fn mapping_schema(doc: &str, fields: Vec<FieldSchema>, rules: &[Rule]) -> Schema {
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut properties = Map::new();
    for field in fields {
        properties.insert(field.name.to_owned(), described(field.schema, field.doc).to_value());
    }
    let mut schema = json_schema!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    for rule in rules {
        match rule {
            Rule::ExactlyOneOf(keys) => {
                let branches: Vec<Value> = keys.iter().map(|key| json!({"required": [key]})).collect();
                schema.insert("oneOf".into(), json!(branches));
            }
            Rule::Needs(key, other) => {
                let dependencies = schema.ensure_object().entry("dependencies").or_insert_with(|| json!({}));
                if let Value::Object(dependencies) = dependencies {
                    dependencies.insert((*key).to_owned(), json!([other]));
                }
            }
            Rule::Extensions => {
                schema.insert("patternProperties".into(), json!({"^x-": true}));
            }
        }
    }
    described(schema, doc)
}

/// The schema with a description; a reference is wrapped, since draft 7 looks at nothing beside `$ref`.
fn described(schema: Schema, doc: &str) -> Schema {
    let doc = doc.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let doc = doc.trim();
    if doc.is_empty() {
        return schema;
    }
    let mut schema = match schema.get("$ref") {
        Some(_) => json_schema!({"allOf": [schema.to_value()]}),
        None if schema.as_object().is_none() => Schema::default(),
        None => schema,
    };
    schema.insert("description".into(), json!(doc));
    schema
}

/// A mapping whose keys have been looked at.
pub struct Mapping<'a> {
    span: Span,
    members: &'a [(Spanned<String>, Spanned<Raw>)],
    /// Keys that were meant where others were written: they are not reported as missing too.
    meant: Vec<&'static str>,
}

impl<'a> Mapping<'a> {
    /// Tells what is no mapping, unknown keys, and what the rules forbid.
    pub fn open(
        node: &'a Spanned<Raw>,
        keys: &'static [&'static str],
        rules: &[Rule],
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let Raw::Map(members) = &node.value else {
            problems.push(match &node.value {
                Raw::Null => diagnostics::no_value(node.span, "a mapping"),
                other => diagnostics::wrong_type(node.span, "a mapping", other),
            });
            return None;
        };
        let before = problems.len();
        let mut mapping = Self { span: node.span, members, meant: Vec::new() };
        let extensions = rules.iter().any(|rule| matches!(rule, Rule::Extensions));
        for (key, value) in members {
            if keys.contains(&key.value.as_str()) || (extensions && key.starts_with("x-")) {
                continue;
            }
            let absent: Vec<&'static str> =
                keys.iter().copied().filter(|name| mapping.key(name).is_none()).collect();
            let meant = did_you_mean(key, absent.iter().copied());
            problems.push(match &value.value {
                Raw::Null if is_without_colon(value) => diagnostics::comma_in_text(key),
                _ => diagnostics::unknown_key(key, meant, keys),
            });
            mapping.meant.extend(absent.into_iter().find(|name| Some(*name) == meant));
        }
        for rule in rules {
            mapping.judge(rule, problems, before);
        }
        Some(mapping)
    }

    fn judge(&self, rule: &Rule, problems: &mut Vec<Diagnostic>, before: usize) {
        match rule {
            Rule::ExactlyOneOf(choices) => {
                let given: Vec<&Spanned<String>> = self
                    .members
                    .iter()
                    .map(|(key, _)| key)
                    .filter(|key| choices.contains(&key.value.as_str()))
                    .collect();
                // A mistyped action is told as such, not as a missing one too.
                if given.len() > 1 || (given.is_empty() && problems.len() == before) {
                    problems.push(diagnostics::exactly_one(self.span, choices, &given));
                }
            }
            Rule::Needs(key, other) => {
                // Where nothing says what the mapping is, that is told alone.
                if let (Some(given), None) = (self.key(key), self.key(other))
                    && problems.len() == before
                {
                    problems.push(diagnostics::key_needs(given, other));
                }
            }
            Rule::Extensions => {}
        }
    }

    /// Reads a field. One that is wrong counts as absent, so that the rest can be checked too; `None` where it must
    /// be there.
    pub fn field<T: Written>(&self, name: &str, problems: &mut Vec<Diagnostic>) -> Option<T> {
        match self.members.iter().find(|(key, _)| key.value == name) {
            Some((_, node)) => T::read(node, problems).or_else(T::absent),
            None => T::absent().or_else(|| {
                if !self.meant.contains(&name) {
                    problems.push(diagnostics::missing_key(self.span, name));
                }
                None
            }),
        }
    }

    fn key(&self, name: &str) -> Option<&'a Spanned<String>> {
        self.members.iter().map(|(key, _)| key).find(|key| key.value == name)
    }
}

/// Whether a key in a flow mapping stands there without `:`, as after a comma in a text without quotes.
fn is_without_colon(value: &Spanned<Raw>) -> bool {
    value.span.start == value.span.end
}

impl<T: Written> Written for Option<T> {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }

    fn read(node: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        T::read(node, problems).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Written> Written for Vec<T> {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let items = T::schema(generator);
        json_schema!({"type": "array", "items": items})
    }

    fn read(node: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        let Raw::List(items) = &node.value else {
            problems.push(diagnostics::unfit_literal(node, &Form::List));
            return None;
        };
        Some(items.iter().filter_map(|item| T::read(item, problems)).collect())
    }

    fn absent() -> Option<Self> {
        Some(Vec::new())
    }
}

/// A mapping from names that the author chooses, in their order.
impl<K: Key, T: Written> Written for IndexMap<K, T> {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let members = T::schema(generator);
        json_schema!({
            "type": "object",
            "propertyNames": {"pattern": K::PATTERN},
            "additionalProperties": members,
        })
    }

    fn read(node: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        let Raw::Map(members) = &node.value else {
            problems.push(match &node.value {
                Raw::Null => diagnostics::no_value(node.span, "a mapping"),
                other => diagnostics::wrong_type(node.span, "a mapping", other),
            });
            return None;
        };
        let read = members
            .iter()
            .filter_map(|(key, member)| {
                let member = T::read(member, problems);
                let key = K::from_key(key).or_else(|| {
                    problems.push(diagnostics::bad_name(key, K::PATTERN));
                    None
                });
                Some((key?, member?))
            })
            .collect();
        Some(read)
    }

    fn absent() -> Option<Self> {
        Some(IndexMap::new())
    }
}

/// A name that an author gives to something.
pub trait Key: Sized + std::hash::Hash + Eq {
    const PATTERN: &'static str;

    fn from_key(key: &Spanned<String>) -> Option<Self>;
}

impl<T: LeafType> Written for Leaf<T> {
    fn schema(_: &mut SchemaGenerator) -> Schema {
        leaf_schema(&T::form())
    }

    fn read(node: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        let form = T::form();
        if !is_written_as(&form, &node.value) {
            problems.push(diagnostics::unfit_literal(node, &form));
            return None;
        }
        Some(Leaf::new(node.value.clone(), node.span))
    }
}

/// What a leaf looks like: a literal of its form, or a template.
fn leaf_schema(form: &Form) -> Schema {
    match form {
        Form::Text => json_schema!({"type": "string"}),
        Form::Duration => json_schema!({"type": "string", "pattern": either(DURATION_PATTERN)}),
        Form::Size => {
            json_schema!({"type": ["string", "integer"], "minimum": 0, "pattern": either(SIZE_PATTERN)})
        }
        Form::Bandwidth => {
            json_schema!({"type": ["string", "integer"], "minimum": 1, "pattern": either(BANDWIDTH_PATTERN)})
        }
        Form::Boolean => json_schema!({"type": ["boolean", "string"], "pattern": TEMPLATE_PATTERN}),
        Form::Integer(min, max) => {
            let mut schema = json_schema!({"type": ["integer", "string"], "pattern": TEMPLATE_PATTERN});
            if *min > i64::MIN {
                schema.insert("minimum".into(), json!(min));
            }
            if *max < i64::MAX as u64 {
                schema.insert("maximum".into(), json!(max));
            }
            schema
        }
        Form::Choice(words) => {
            json_schema!({"anyOf": [{"enum": words}, {"type": "string", "pattern": TEMPLATE_PATTERN}]})
        }
        Form::List => json_schema!({"type": ["array", "string"], "pattern": TEMPLATE_PATTERN}),
    }
}

/// A pattern, or a template.
fn either(pattern: &str) -> String {
    format!("{pattern}|{TEMPLATE_PATTERN}")
}

/// The reader's half of [`leaf_schema`].
fn is_written_as(form: &Form, raw: &Raw) -> bool {
    match (form, raw) {
        (_, Raw::Text(text)) if is_template(text) => true,
        (Form::Text, Raw::Text(_)) | (Form::Boolean, Raw::Boolean(_)) | (Form::List, Raw::List(_)) => true,
        (Form::Duration, Raw::Text(text)) => matches_pattern(DURATION_PATTERN, text),
        (Form::Size, Raw::Text(text)) => matches_pattern(SIZE_PATTERN, text),
        (Form::Size, Raw::Integer(bytes)) => *bytes >= 0,
        (Form::Bandwidth, Raw::Text(text)) => matches_pattern(BANDWIDTH_PATTERN, text),
        (Form::Bandwidth, Raw::Integer(bytes)) => *bytes >= 1,
        (Form::Integer(min, max), Raw::Integer(number)) => {
            (i128::from(*min)..=i128::from(*max)).contains(&i128::from(*number))
        }
        (Form::Choice(words), Raw::Text(text)) => words.contains(&text.as_str()),
        _ => false,
    }
}

/// Whether a text matches one of the patterns that schemas hold.
pub fn matches_pattern(pattern: &'static str, text: &str) -> bool {
    use std::cell::RefCell;
    use std::collections::HashMap;
    thread_local! {
        static COMPILED: RefCell<HashMap<&'static str, Option<regex::Regex>>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        compiled
            .entry(pattern)
            .or_insert_with(|| regex::Regex::new(pattern).ok())
            .as_ref()
            .is_some_and(|pattern| pattern.is_match(text))
    })
}

impl Written for Spanned<String> {
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }

    fn read(node: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        match &node.value {
            Raw::Text(text) => Some(Spanned::new(text.clone(), node.span)),
            _ => {
                problems.push(diagnostics::unfit_literal(node, &Form::Text));
                None
            }
        }
    }
}

/// Anything at all.
impl Written for Spanned<Raw> {
    fn schema(_: &mut SchemaGenerator) -> Schema {
        Schema::default()
    }

    fn read(node: &Spanned<Raw>, _: &mut Vec<Diagnostic>) -> Option<Self> {
        Some(node.clone())
    }
}

impl Written for Spanned<bool> {
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "boolean"})
    }

    fn read(node: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        match node.value {
            Raw::Boolean(truth) => Some(Spanned::new(truth, node.span)),
            _ => {
                problems.push(diagnostics::unfit_literal(node, &Form::Boolean));
                None
            }
        }
    }
}
