//! Events as JSON Lines, for programs.
//!
//! One event is one line; a line is always a whole JSON object.

use super::out::Out;
use crate::event::{Event, Sink};

pub struct JsonLines(Out);

impl JsonLines {
    pub fn new(out: Out) -> Self {
        Self(out)
    }
}

impl Sink for JsonLines {
    fn event(&mut self, event: &Event) {
        let line = match serde_json::to_value(event) {
            Ok(mut value) => {
                self.0.redactor().redact_json(&mut value);
                value.to_string()
            }
            // No event has a map with keys that are no strings; if one ever does, its reader shall know.
            Err(error) => serde_json::json!({"event": "unprintable", "error": error.to_string()}).to_string(),
        };
        self.0.clean_line(&line);
    }
}
