//! Where the lines go: the console, a log file, or both.
//!
//! A log that cannot be written any more ends the log and never the pass; it is told at the end, as an error.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};

use crate::error::{Error, ExitCode, Result};
use crate::robocopy::command_line::{Encoding, LogFrom};
use crate::robocopy::{Job, Log, Setting};

pub(super) struct Output {
    console: Option<Console>,
    log: Option<LogFile>,
}

struct Console {
    writer: BufWriter<io::Stdout>,
    encoding: Encoding,
}

impl Console {
    /// With `/unicode` whoever reads it gets UTF-16, with its mark and Windows' line ends, as from robocopy; a terminal gets
    /// what it can show.
    fn open(job: &Job) -> Self {
        let wide = job.has(Setting::Unicode) && !io::stdout().is_terminal();
        let mut writer = BufWriter::new(io::stdout());
        if wide {
            // It stays in the buffer, whose errors come with what is written behind it.
            let _ = writer.write_all(&[0xFF, 0xFE]);
        }
        Self { writer, encoding: if wide { Encoding::Utf16 } else { Encoding::Utf8 } }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        match self.encoding {
            Encoding::Utf8 => self.writer.write_all(text.as_bytes()),
            Encoding::Utf16 => self.writer.write_all(&wide(&text.replace('\n', "\r\n"))),
        }
    }
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

struct LogFile {
    file: BufWriter<File>,
    named: String,
    encoding: Encoding,
    failed: Option<io::Error>,
}

impl Output {
    /// With `/log` the console is silent but for `/tee`.
    pub(super) fn open(job: &Job) -> Result<Self> {
        let console = || Console::open(job);
        let Some(log) = &job.log else { return Ok(Self { console: Some(console()), log: None }) };
        let file = LogFile::open(log).map_err(|error| {
            Error::new(ExitCode::StepFailed, format!("cannot write the log {}", log.file))
                .caused_by(error)
                .hint("give a file in a folder that is there and can be written to")
        })?;
        let mut output = Self { console: Some(console()), log: None };
        output.print(&format!("\n Log File : {}\n\n", log.file));
        if !job.has(Setting::Tee) {
            // What is left of it is on the console already.
            output.flush();
            output.console = None;
        }
        output.log = Some(file);
        Ok(output)
    }

    pub(super) fn print(&mut self, text: &str) {
        // A reader that has gone away does not end a pass.
        if let Some(console) = &mut self.console
            && console.write(text).is_err()
        {
            self.console = None;
        }
        if let Some(log) = &mut self.log {
            log.write(text);
        }
    }

    /// What the program says once more when it ends: on a terminal, where both would stand together, that is enough.
    pub(super) fn print_error(&mut self, text: &str) {
        if io::stdout().is_terminal() && io::stderr().is_terminal() {
            if let Some(log) = &mut self.log {
                log.write(text);
            }
            return;
        }
        self.print(text);
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.flush();
        let Some(log) = self.log else { return Ok(()) };
        log.finish().map_err(|(named, error)| {
            Error::new(ExitCode::StepFailed, format!("the log {named} is not whole"))
                .caused_by(error)
                .hint("see to its drive; what was copied is not concerned")
        })
    }

    /// Brings the console up to what was printed.
    pub(super) fn flush(&mut self) {
        if let Some(console) = &mut self.console {
            // A reader that has gone away has what it wanted.
            let _ = console.writer.flush();
        }
    }
}

impl LogFile {
    fn open(log: &Log) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        match log.from {
            LogFrom::Anew => options.write(true).create(true).truncate(true),
            LogFrom::End => options.append(true).create(true),
        };
        let file = options.open(&log.file)?;
        let is_empty = file.metadata()?.len() == 0;
        let mut file = BufWriter::new(file);
        if log.encoding == Encoding::Utf16 && is_empty {
            file.write_all(&[0xFF, 0xFE])?;
        }
        Ok(Self { file, named: log.file.clone(), encoding: log.encoding, failed: None })
    }

    fn write(&mut self, text: &str) {
        if self.failed.is_some() {
            return;
        }
        let written = match self.encoding {
            Encoding::Utf8 => self.file.write_all(text.as_bytes()),
            Encoding::Utf16 => self.file.write_all(&wide(text)),
        };
        self.failed = written.err();
    }

    fn finish(mut self) -> Result<(), (String, io::Error)> {
        let ended = self.failed.map_or_else(|| self.file.flush(), Err);
        ended.map_err(|error| (self.named, error))
    }
}
