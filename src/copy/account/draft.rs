//! Names of what is about to be done, before it is known what becomes of it.
//!
//! A pass that another program does is surveyed first; only behind it is known which files failed. A draft lies beside the
//! file of names meanwhile, and is gone when it is dropped. Memory holds one line of it.

use std::path::PathBuf;

use jiff::Timestamp;

use super::{Entry, FORMAT, Head, Line, Reader, Writer};

/// A file of names that nobody but this pass reads.
#[derive(Debug)]
pub struct Draft {
    writer: Option<Writer>,
    path: PathBuf,
}

impl Draft {
    /// Begins one beside the names that it is for; `what` tells it from others there.
    pub fn beside(names: &Writer, what: &str) -> Self {
        let mut path = names.path().as_os_str().to_os_string();
        path.push(format!(".{what}"));
        let path = PathBuf::from(path);
        let head = Head {
            account: FORMAT,
            run: String::new(),
            step: String::new(),
            attempt: 0,
            started: Timestamp::UNIX_EPOCH,
            from: String::new(),
            to: String::new(),
        };
        Self { writer: Some(Writer::begin(&path, &head)), path }
    }

    pub fn writer(&self) -> Option<&Writer> {
        self.writer.as_ref()
    }

    /// Gives every name to `each`; nothing is written into it any more. Where the draft cannot be read to its end, the names
    /// that it is for are lost, and `names` says why when it is finished.
    pub fn read(&mut self, names: &Writer, mut each: impl FnMut(Entry)) {
        let lose = |why: String| names.lose(format!("the names of the survey before it {why}"));
        if let Some(writer) = self.writer.take()
            && let (super::Names::Lost(why), _) = writer.finish(&super::PassSummary::default())
        {
            return lose(format!("could not be kept: {why}"));
        }
        let reader = match Reader::open(&self.path) {
            Ok(reader) => reader,
            Err(error) => return lose(format!("cannot be read: {error}")),
        };
        let mut is_whole = false;
        for line in reader {
            match line {
                Ok(Line::Entry(entry)) => each(entry),
                Ok(Line::End { .. }) => is_whole = true,
                Ok(Line::Head(_)) => {}
                Err(error) => return lose(format!("cannot be read: {error}")),
            }
        }
        if !is_whole {
            lose("were cut off".to_owned());
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.writer = None;
        // What stays is overwritten by the next pass of the step.
        let _ = std::fs::remove_file(&self.path);
    }
}
