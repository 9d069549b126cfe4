//! movebook as people run it: a runbook, a new state file, a process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::peers::Deed;
use crate::volumes::{Failure, told};

/// One run that is ready to be measured.
pub struct Run {
    program: PathBuf,
    runbook: PathBuf,
    state: PathBuf,
}

impl Run {
    /// Writes the runbook, and does what has to be done before the pass that is measured.
    pub fn prepare(program: &Path, deed: Deed, from: &Path, to: &Path, work: &Path) -> Result<Self, Failure> {
        let run = Self {
            program: program.to_owned(),
            runbook: work.join("bench.yaml"),
            state: work.join("bench.state.jsonl"),
        };
        for entry in fs::read_dir(work).map_err(|error| told("read", work, &error))?.flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(b"bench.") {
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let remove = if is_folder { fs::remove_dir_all } else { fs::remove_file };
                remove(entry.path()).map_err(|error| told("remove", &entry.path(), &error))?;
            }
        }
        fs::write(&run.runbook, text(deed, from, to, work))
            .map_err(|error| told("write", &run.runbook, &error))?;
        if deed == Deed::Purge {
            // A run purges only in a target of its own: this one takes it over, and the pass comes when it goes on.
            run.until(&run.command(), 3)?;
            run.until(&run.approval("take", "adopt"), 0)?;
            run.until(&run.command(), 3)?;
            run.until(&run.approval("go", "yes"), 0)?;
        }
        Ok(run)
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("run").arg(&self.runbook).arg("--state").arg(&self.state);
        command
    }

    /// Understands the runbook and looks at nothing else.
    pub fn plan(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["plan", "--no-scan"]).arg(&self.runbook);
        command
    }

    pub fn state(&self) -> PathBuf {
        self.state.clone()
    }

    fn approval(&self, step: &str, answer: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["approve", step, "--answer", answer]).arg("--state").arg(&self.state);
        command
    }

    fn until(&self, command: &Command, code: i32) -> Result<(), Failure> {
        let mut again = Command::new(command.get_program());
        let output = again
            .args(command.get_args())
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        match output.status.code() {
            Some(found) if found == code => Ok(()),
            _ => Err(format!(
                "movebook ended with {} instead of {code} while it was prepared: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            )),
        }
    }
}

/// Everything at its default: threads, filters, what is compared.
fn text(deed: Deed, from: &Path, to: &Path, work: &Path) -> String {
    let pair = format!("from: '{}', to: '{}'", from.display(), to.display());
    let steps = match deed {
        Deed::First | Deed::Nothing | Deed::Changed => format!("      - {{id: pass, copy: {{{pair}}}}}\n"),
        Deed::Verify => {
            let manifest = work.join("manifest");
            format!(
                "      - {{id: pass, verify: {{{pair}, method: blake3, manifest: '{}'}}}}\n",
                manifest.display()
            )
        }
        Deed::Purge => format!(
            "      - {{id: take, copy: {{{pair}, adopt: true, filter: nothing, directories: none}}}}\n      - {{id: go, checkpoint: {{ask: Go on?}}}}\n      - {{id: pass, copy: {{{pair}, purge: {{max_files: 100000000, max_percent: 100}}}}}}\n"
        ),
    };
    format!(
        "movebook: 1\nname: bench\nfilters:\n  nothing: {{include: ['no file has this name']}}\nphases:\n  - id: bench\n    steps:\n{steps}"
    )
}
