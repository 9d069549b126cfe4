//! The JSON Schema of runbooks, for editors: generated from the types that the reader reads.
//!
//! The reader does not run it: both come from the same list of fields (see `written`), and a test holds them together
//! by running the schema and the reader over the same broken files.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::entry::RunbookEntry;
use super::model::{Raw, Runbook, VarDecl, VarType};
use crate::values::{DURATION_PATTERN, SIZE_PATTERN};

/// The schema of a runbook (draft 7, which editors' YAML servers understand best).
pub fn of_runbooks() -> Value {
    let mut schema =
        SchemaSettings::draft07().into_generator().into_root_schema_for::<RunbookEntry>().to_value();
    if let Value::Object(members) = &mut schema {
        members.insert("title".into(), json!("movebook runbook"));
    }
    schema
}

/// The schema of one runbook's variable files. Nothing is required: several files may make up one customer.
pub fn of_variables(runbook: &Runbook) -> Value {
    let properties: Map<String, Value> =
        runbook.vars.iter().map(|(name, declared)| (name.clone(), of_variable(declared))).collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": format!("variables of {}", runbook.name.value),
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn of_variable(declared: &VarDecl) -> Value {
    let mut schema = match declared.kind.value {
        VarType::String | VarType::Path => json!({"type": "string"}),
        VarType::Secret => json!({"type": "string", "minLength": crate::secret::Secret::SHORTEST}),
        VarType::Integer => json!({"type": "integer"}),
        VarType::Boolean => json!({"type": "boolean"}),
        VarType::Duration => json!({"type": "string", "pattern": DURATION_PATTERN}),
        VarType::Size => json!({"type": ["string", "integer"], "pattern": SIZE_PATTERN, "minimum": 0}),
        VarType::Choice => {
            json!({"enum": declared.choices.iter().map(|choice| choice.value.as_str()).collect::<Vec<_>>()})
        }
        VarType::List => json!({"type": "array"}),
    };
    let Value::Object(members) = &mut schema else { return schema };
    if let (Some(pattern), VarType::String | VarType::Path | VarType::Secret) =
        (&declared.pattern, declared.kind.value)
    {
        members.insert("pattern".into(), json!(format!("^(?:{})$", pattern.value)));
    }
    let (least, most) = match declared.kind.value {
        VarType::Integer => ("minimum", "maximum"),
        VarType::String | VarType::Path | VarType::Secret => ("minLength", "maxLength"),
        VarType::List => ("minItems", "maxItems"),
        _ => ("", ""),
    };
    for (keyword, bound) in [(least, &declared.min), (most, &declared.max)] {
        if let (false, Some(Raw::Integer(number))) =
            (keyword.is_empty(), bound.as_ref().map(|bound| &bound.value))
        {
            members.insert(keyword.into(), json!(number));
        }
    }
    if let Some(description) = &declared.description {
        members.insert("description".into(), json!(description.value));
    }
    if let (Some(default), false) = (&declared.default, declared.kind.value == VarType::Secret) {
        members.insert("default".into(), default.to_json());
    }
    if let Some(example) = &declared.example {
        members.insert("examples".into(), json!([example.to_json()]));
    }
    schema
}

/// A schema as it is printed and committed.
pub fn printed(schema: &Value) -> String {
    // Serialising a `Value` cannot fail: it has only string keys.
    let mut text = serde_json::to_string_pretty(schema).unwrap_or_default();
    text.push('\n');
    text
}
