//! One file and those that it includes → one [`Runbook`].
//!
//! An included file is named by its path relative to the main file's folder, with `/` on every system, so that a run
//! can go on from the texts in its journal. No include leaves the root, goes in a circle, or is read twice.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use indexmap::map::Entry;

use super::check::{self, Unread};
use super::diagnostics::{self, Diagnostic};
use super::entry::{self, PhaseOrInclude, RunbookEntry};
use super::model::{Defaults, Phase, Runbook, VarDecl};
use super::source::{Sources, Span, Spanned};
use super::{Problems, lower, scan, shown_path};

/// Few enough that a chain of them is far from the end of the stack.
const MAX_INCLUDES: usize = 64;

/// Reads a runbook and what it includes, and checks all that can be checked without values.
///
/// Includes stay below the nearest folder that has a `.git`, or else below the main file's folder.
pub fn load(path: &Path) -> Result<Runbook, Problems> {
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let root = root_of(&folder);
    let name = shown_path(path);
    let fetch = |wanted: &str| {
        if wanted == name {
            return read_text(path);
        }
        let file = folder.join(wanted);
        // Links are resolved: one that points out of the root is an include that leaves it.
        match (file.canonicalize(), &root) {
            (Ok(real), Some(root)) if !real.starts_with(root) => {
                Err(io::Error::new(io::ErrorKind::PermissionDenied, Outside))
            }
            (Err(error), _) => Err(error),
            _ => read_text(&file),
        }
    };
    read(&name, &fetch)
}

/// Reads a runbook whose texts come from elsewhere. `fetch` is asked for the main file by the name given, and for an
/// included one by its path relative to the main file's folder, such as `common/tail.yaml` or `../shared/tail.yaml`.
pub fn read(main: &str, fetch: &dyn Fn(&str) -> io::Result<String>) -> Result<Runbook, Problems> {
    let mut reading = Reading {
        fetch,
        main,
        sources: Sources::default(),
        problems: Vec::new(),
        read: BTreeSet::new(),
        unread: Unread::default(),
    };
    let runbook = reading.runbook();
    let Reading { sources, problems: mut diagnostics, unread, .. } = reading;
    let Some(mut runbook) = runbook else {
        return Err(Problems { sources, diagnostics: ordered(diagnostics) });
    };
    runbook.sources = sources;
    diagnostics.extend(check::check(&runbook, &unread));
    if diagnostics.is_empty() {
        return Ok(runbook);
    }
    Err(Problems { sources: runbook.sources, diagnostics: ordered(diagnostics) })
}

/// In the order of the text; what an alias repeats is told once.
fn ordered(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let place = |diagnostic: &Diagnostic| diagnostic.labels.first().map(|label| label.span);
    diagnostics.sort_by_key(place);
    diagnostics.dedup_by(|second, first| {
        place(second) == place(first) && second.code == first.code && second.message == first.message
    });
    diagnostics
}

/// The error of a file that lies outside of the root.
#[derive(Debug, thiserror::Error)]
#[error("it lies outside of the repository")]
struct Outside;

fn root_of(folder: &Path) -> Option<PathBuf> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let folder = folder.canonicalize().ok()?;
    let repository = folder.ancestors().find(|ancestor| ancestor.join(".git").exists());
    Some(repository.map_or_else(|| folder.clone(), Path::to_path_buf))
}

fn read_text(path: &Path) -> io::Result<String> {
    let bytes = read_bounded(path)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

/// A file that is larger than a runbook may be is read only so far that this is seen.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    use io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(scan::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

struct Reading<'f> {
    fetch: &'f dyn Fn(&str) -> io::Result<String>,
    main: &'f str,
    sources: Sources,
    problems: Vec<Diagnostic>,
    /// Included files by their names.
    read: BTreeSet<String>,
    unread: Unread,
}

/// What the files read so far add up to.
#[derive(Default)]
struct Parts {
    vars: IndexMap<String, VarDecl>,
    environment: Vec<Spanned<String>>,
    filters: IndexMap<String, Spanned<super::model::FilterDecl>>,
    phases: Vec<Phase>,
}

/// The files from the main one down to the one being read.
struct Chain<'c> {
    name: &'c str,
    parent: Option<&'c Chain<'c>>,
}

impl Chain<'_> {
    /// The names from the first occurrence of `name` down to here, where it is one of them.
    fn cycle(&self, name: &str) -> Option<Vec<String>> {
        if self.name == name {
            return Some(vec![name.to_owned()]);
        }
        let mut names = self.parent?.cycle(name)?;
        names.push(self.name.to_owned());
        Some(names)
    }
}

impl Reading<'_> {
    fn runbook(&mut self) -> Option<Runbook> {
        let name = self.main;
        let text = self.fetched(name, None)?;
        let entry = self.entry(name, &text)?;
        let defaults = entry.defaults.clone().map(|defaults| lower::defaults(defaults.value));
        let (runbook_name, title, description) =
            (entry.name.0.clone(), entry.title.clone(), entry.description.clone());
        let mut parts = Parts::default();
        // An include is relative to the including file, and the names of files are relative to the main one's folder.
        let chain = Chain { name: "", parent: None };
        self.collect(entry, "", &chain, &mut parts);
        Some(Runbook {
            sources: Sources::default(),
            name: runbook_name,
            title,
            description,
            vars: parts.vars,
            environment: parts.environment,
            filters: parts.filters,
            defaults: defaults.unwrap_or_else(Defaults::default),
            phases: parts.phases,
        })
    }

    fn entry(&mut self, name: &str, text: &str) -> Option<RunbookEntry> {
        let text = scan::without_mark(text);
        let file = self.sources.add_shown(name, self.shown(name), text);
        let tree = match scan::scan(file, text) {
            Ok(tree) => tree,
            Err(problems) => {
                self.problems.extend(problems);
                self.unread.files = true;
                return None;
            }
        };
        let before = self.problems.len();
        let entry = entry::read(&tree, &mut self.problems);
        if self.problems.len() > before {
            self.unread.note(&tree);
        }
        entry
    }

    /// The path from the working directory, which is what people and annotations need.
    fn shown(&self, name: &str) -> String {
        match self.main.rfind(['/', '\\']) {
            Some(end) if name != self.main => format!("{}{name}", &self.main[..=end]),
            _ => name.to_owned(),
        }
    }

    fn collect(&mut self, entry: RunbookEntry, folder: &str, chain: &Chain<'_>, parts: &mut Parts) {
        for (name, variable) in entry.vars {
            self.add_variable(lower::variable(name, variable), parts);
        }
        parts.environment.extend(entry.environment);
        for (name, filter) in entry.filters {
            match parts.filters.entry(name.0.value.clone()) {
                Entry::Vacant(free) => drop(free.insert(filter)),
                Entry::Occupied(taken) => {
                    self.problems.push(diagnostics::filter_twice(&name.0, taken.get().span));
                }
            }
        }
        for phase in entry.phases.0 {
            match phase {
                PhaseOrInclude::Phase(phase) => parts.phases.push(lower::phase(*phase)),
                PhaseOrInclude::Include(include) => self.include(&include.include, folder, chain, parts),
            }
        }
    }

    /// The including file may declare a variable of the same type, to set another default: it is read first.
    fn add_variable(&mut self, variable: VarDecl, parts: &mut Parts) {
        match parts.vars.entry(variable.name.value.clone()) {
            Entry::Vacant(free) => drop(free.insert(variable)),
            Entry::Occupied(taken) if taken.get().kind.value == variable.kind.value => {}
            Entry::Occupied(taken) => {
                self.problems.push(diagnostics::variable_twice(&variable, taken.get()));
            }
        }
    }

    fn include(&mut self, include: &Spanned<String>, folder: &str, chain: &Chain<'_>, parts: &mut Parts) {
        let name = match resolved(folder, include) {
            Ok(name) => name,
            Err(diagnostic) => {
                self.problems.push(diagnostic);
                return;
            }
        };
        if let Some(cycle) = chain.cycle(&name) {
            self.problems.push(diagnostics::include_cycle(include.span, &cycle));
            return;
        }
        if self.read.len() == MAX_INCLUDES {
            self.problems.push(diagnostics::too_many_includes(include.span, MAX_INCLUDES));
            return;
        }
        if !self.read.insert(name.clone()) {
            self.problems.push(diagnostics::included_twice(include));
            return;
        }
        let Some(text) = self.fetched(&name, Some(include)) else { return };
        let Some(entry) = self.entry(&name, &text) else { return };
        if let Some(defaults) = &entry.defaults {
            self.problems.push(diagnostics::defaults_in_include(defaults.span));
        }
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        self.collect(entry, &folder, &Chain { name: &name, parent: Some(chain) }, parts);
    }

    fn fetched(&mut self, name: &str, include: Option<&Spanned<String>>) -> Option<String> {
        match (self.fetch)(name) {
            Ok(text) => Some(text),
            Err(error) => {
                let span = include.map(|include| include.span);
                self.problems.push(unreadable(span, name, &error));
                self.unread.files = true;
                None
            }
        }
    }
}

fn unreadable(span: Option<Span>, name: &str, error: &io::Error) -> Diagnostic {
    let inner = error.get_ref();
    if let Some(not_text) = inner.and_then(|inner| inner.downcast_ref::<std::str::Utf8Error>()) {
        return diagnostics::not_utf8(span, name, not_text.valid_up_to());
    }
    match (span, inner.and_then(|inner| inner.downcast_ref::<Outside>())) {
        (Some(span), Some(_)) => diagnostics::include_outside(span),
        _ => diagnostics::unreadable_file(span, name, error),
    }
}

/// The path of an included file, relative to the main file's folder.
fn resolved(folder: &str, include: &Spanned<String>) -> Result<String, Diagnostic> {
    let written = include.value.replace('\\', "/");
    let drive = written.as_bytes().get(1) == Some(&b':');
    if written.starts_with('/') || drive {
        return Err(diagnostics::absolute_include(include.span));
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}
