//! The last stop before a stream: every line passes the redactor, whoever wrote it.
//!
//! A stream that nobody reads any more (a closed terminal, a pipe to `head`) is no reason to end a run: the journal has
//! what was to be said.

use std::io::Write;

use crate::secret::Redactor;

/// Where lines go.
pub struct Out {
    stream: Box<dyn Write + Send>,
    redactor: Redactor,
}

impl Out {
    pub fn new(stream: impl Write + Send + 'static, redactor: Redactor) -> Self {
        Self { stream: Box::new(stream), redactor }
    }

    pub fn line(&mut self, text: &str) {
        let text = self.redactor.redact(text).into_owned();
        self.clean_line(&text);
    }

    /// A line that is known to hold no secret: a JSON text whose values were redacted one by one.
    pub(super) fn clean_line(&mut self, text: &str) {
        // See the module's invariant: nobody reads it, and nobody needs to.
        let _ = writeln!(self.stream, "{text}").and_then(|()| self.stream.flush());
    }

    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }
}
