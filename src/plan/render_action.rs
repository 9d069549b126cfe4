//! One action as written → the action with every value known. Returns `None` where a leaf is late or wrong;
//! which, and why, is in [`Fields`].

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use super::diagnostics;
use super::engine;
use super::fields::Fields;
use super::{
    Action, Adopt, AnswerKind, CheckAction, CheckpointAction, CommandAction, CopyAction, Evidence, FreeSpace,
    IfMissing, Program, Purge, ServiceAction, ServiceCommands, VerifyAction, WaitAction,
};
use crate::copy::{
    Access, Compare, CopyPass, Directories, EngineName, Extra, Keep, Links, Method, OnErrors, Priority,
};
use crate::filter::{Case, Filter, Rules};
use crate::rclone::environment;
use crate::rclone::remote::Remote;
use crate::runbook::model::{
    ActionDecl, AnswerDecl, CheckDecl, CheckpointDecl, CommandDecl, CopyDecl, CopyOptions, FilterDecl, Leaf,
    Raw, Runbook, ServiceDecl, Size, VerifyDecl, WaitDecl,
};

/// Twice `robocopy /mt` without a number: what is cached is copied as fast with 2 as with 16, and from a cold disk or a share
/// more threads bring more (a first copy of 100,000 small files, cold, two cores: 5.7 s with 8, 5.3 s with 16, 5.5 s with 32).
const THREADS: u32 = 16;
/// How often and how long apart a file is tried again: the values of the published procedure, not robocopy's own million.
const RETRIES: u32 = 2;
const RETRY_WAIT: Duration = Duration::from_secs(2);
const SERVICE_WAIT: Duration = Duration::from_secs(120);
const TCP_TIMEOUT: Duration = Duration::from_secs(5);

/// The key of an action in the runbook.
pub(super) fn key(action: &ActionDecl) -> &'static str {
    match action {
        ActionDecl::Copy(_) => "copy",
        ActionDecl::Verify(_) => "verify",
        ActionDecl::Service(_) => "service",
        ActionDecl::Command(_) => "command",
        ActionDecl::Checkpoint(_) => "checkpoint",
        ActionDecl::Check(_) => "check",
        ActionDecl::Wait(_) => "wait",
    }
}

pub(super) fn action(runbook: &Runbook, decl: &ActionDecl, fields: &mut Fields<'_, '_>) -> Option<Action> {
    match decl {
        ActionDecl::Copy(decl) => copy(runbook, decl, fields).map(Action::Copy),
        ActionDecl::Verify(decl) => verify(runbook, decl, fields).map(Action::Verify),
        ActionDecl::Service(decl) => service(decl, fields).map(Action::Service),
        ActionDecl::Command(decl) => command(decl, fields).map(Action::Command),
        ActionDecl::Checkpoint(decl) => checkpoint(decl, fields).map(Action::Checkpoint),
        ActionDecl::Check(decls) => checks(decls, &runbook.defaults.copy, fields).map(Action::Check),
        ActionDecl::Wait(decl) => wait(decl, fields).map(Action::Wait),
    }
}

// Every function below renders all its leaves before the first `?`: else a late or wrong one would hide those after it.

fn copy(runbook: &Runbook, decl: &CopyDecl, fields: &mut Fields<'_, '_>) -> Option<CopyAction> {
    let (own, default) = (&decl.options, &runbook.defaults.copy);
    let from = fields.leaf("from", &decl.from);
    let to = fields.leaf("to", &decl.to);
    let filter = filter(runbook, decl.filter.as_ref(), fields);
    let engine = fields.first("engine", [own.engine.as_ref(), default.engine.as_ref()], EngineName::Native);
    let directories = fields.first(
        "directories",
        [own.directories.as_ref(), default.directories.as_ref()],
        Directories::All,
    );
    let errors = fields.first("errors", [own.errors.as_ref(), default.errors.as_ref()], OnErrors::Fail);
    let retries = fields.first("retries", [own.retries.as_ref(), default.retries.as_ref()], RETRIES);
    let wait = fields.first("wait", [own.wait.as_ref(), default.wait.as_ref()], RETRY_WAIT);
    let threads = fields.first("threads", [own.threads.as_ref(), default.threads.as_ref()], THREADS);
    let compare =
        fields.first("compare", [own.compare.as_ref(), default.compare.as_ref()], Compare::Metadata);
    let mtime_tolerance =
        fields.optional("mtime_tolerance", own.mtime_tolerance.as_ref().or(default.mtime_tolerance.as_ref()));
    let links = fields.first("links", [own.links.as_ref(), default.links.as_ref()], Links::Skip);
    let preserve = own.preserve.as_ref().or(default.preserve.as_ref());
    let preserve = preserve.map_or(Some(Vec::new()), |things| fields.list("preserve", things));
    let bandwidth = fields.optional("bandwidth", own.bandwidth.as_ref().or(default.bandwidth.as_ref()));
    let gentle = fields.optional("gentle", own.gentle.as_ref().or(default.gentle.as_ref()));
    let backup = fields.optional("backup", own.backup.as_ref().or(default.backup.as_ref()));
    let resume_over = fields.first(
        "resume_over",
        [own.resume_over.as_ref(), default.resume_over.as_ref()],
        Size(CopyPass::RESUME_OVER),
    );
    let extra_args = own.extra_args.as_ref().or(default.extra_args.as_ref());
    let extra_args = extra_args.map_or(Some(Vec::new()), |arguments| fields.list("extra_args", arguments));
    let purge = match &decl.purge {
        None => Some(None),
        Some(decl) => fields.within("purge", |fields| {
            let max_files = fields.first("max_files", [decl.max_files.as_ref(), None], Purge::MAX_FILES);
            let max_percent =
                fields.first("max_percent", [decl.max_percent.as_ref(), None], Purge::MAX_PERCENT);
            let keep = fields.first("keep", [decl.keep.as_ref(), None], Keep::Quarantine);
            Some(Some(Purge { max_files: max_files?, max_percent: max_percent?, keep: keep? }))
        }),
    };
    let environment = match engine {
        Some(EngineName::Rclone) => environment(&[&default.environment, &own.environment], fields),
        _ => Some(IndexMap::new()),
    };
    let expect = fields.list("expect", &decl.expect);
    let adopt = fields.optional("adopt", decl.adopt.as_ref());
    if let Some(threads @ (0 | 129..)) = threads {
        let span = own.threads.as_ref().or(default.threads.as_ref()).map(|leaf| leaf.span);
        fields.report(diagnostics::threads_out_of_range(threads, span));
    }
    for (path, leaf) in [(from.as_ref(), &decl.from), (to.as_ref(), &decl.to)] {
        match (engine, path) {
            (Some(EngineName::Native | EngineName::Robocopy), Some(path)) if Remote::of(path).is_some() => {
                fields.report(diagnostics::remote_needs_rclone(path, leaf.span));
            }
            _ => judge_remote(path, leaf, fields),
        }
    }
    let (filter_name, filter) = filter?;
    let action = CopyAction {
        from: PathBuf::from(from?),
        to: PathBuf::from(to?),
        filter_name,
        filter,
        engine: engine?,
        directories: directories?,
        errors: errors?,
        retries: retries?,
        wait: wait?,
        threads: threads?,
        compare: compare?,
        mtime_tolerance: mtime_tolerance?,
        links: links?,
        preserve: preserve?.into_iter().collect(),
        bandwidth: bandwidth?.filter(|bandwidth| !bandwidth.is_unlimited()),
        priority: if gentle?.unwrap_or(false) { Priority::Gentle } else { Priority::Normal },
        access: access(backup?),
        resume_over: resume_over?.0,
        purge: purge?,
        expect: expect?,
        adopt: if adopt?.unwrap_or(false) { Adopt::Ask } else { Adopt::No },
        extra_args: extra_args?,
        environment: environment?,
    };
    engine::judge(&action, decl, default).into_iter().for_each(|wrong| fields.report(wrong));
    Some(action)
}

/// What rclone gets in its environment, the later layer over the earlier one. Flags are refused, and secrets that everybody
/// could read in the runbook.
fn environment(
    layers: &[&IndexMap<String, Leaf<String>>],
    fields: &mut Fields<'_, '_>,
) -> Option<IndexMap<String, String>> {
    let mut leaves: IndexMap<&String, &Leaf<String>> = IndexMap::new();
    layers.iter().for_each(|layer| leaves.extend(layer.iter()));
    if leaves.is_empty() {
        return Some(IndexMap::new());
    }
    fields.within("environment", |fields| {
        let values: Vec<_> = leaves
            .into_iter()
            .map(|(name, leaf)| {
                if environment::is_flag(name) {
                    fields.report(diagnostics::flag_in_environment(name, leaf.span));
                }
                let value = fields.confidential(name, leaf);
                let text = match (&value, &leaf.raw) {
                    (Some(value), _) => value,
                    (None, Raw::Text(template)) => template,
                    (None, _) => "",
                };
                if environment::holds_secret(name, text) && !fields.names_secret(leaf) {
                    fields.report(diagnostics::plain_secret(name, leaf.span));
                }
                Some((name.clone(), value?))
            })
            .collect();
        values.into_iter().collect()
    })
}

/// What rclone gets for a step that has no environment of its own, where one of its paths is a remote.
fn environment_for(
    paths: &[Option<&String>],
    default: &CopyOptions,
    fields: &mut Fields<'_, '_>,
) -> Option<IndexMap<String, String>> {
    match paths.iter().flatten().any(|path| Remote::of(path).is_some()) {
        // The copy steps that it is written for show it.
        true => fields.unshown(|fields| environment(&[&default.environment], fields)),
        false => Some(IndexMap::new()),
    }
}

/// Reports what is wrong with a path that is a remote.
fn judge_remote(path: Option<&String>, leaf: &Leaf<String>, fields: &mut Fields<'_, '_>) {
    if let Some(Err(refusal)) = path.and_then(|path| Remote::of(path)).map(|remote| remote.judge()) {
        fields.report(diagnostics::refused_remote(&refusal.reason, &refusal.hint, leaf.span));
    }
}

fn access(backup: Option<bool>) -> Access {
    if backup.unwrap_or(false) { Access::Backup } else { Access::Ordinary }
}

/// The filter that a step names, with the name; every file where it names none.
fn filter(
    runbook: &Runbook,
    name: Option<&Leaf<String>>,
    fields: &mut Fields<'_, '_>,
) -> Option<(Option<String>, Filter)> {
    let Some(leaf) = name else {
        return Some((None, Filter::everything()));
    };
    let name = fields.leaf("filter", leaf)?;
    let Some(decl) = runbook.filters.get(&name) else {
        let known: Vec<&str> = runbook.filters.keys().map(String::as_str).collect();
        fields.report(crate::runbook::diagnostics::unknown_filter(&name, leaf.span, &known));
        return None;
    };
    let rules = fields.within("filter_rules", |fields| rules(decl, fields))?;
    match fields.filters.get(rules) {
        Ok(filter) => Some((Some(name), filter)),
        Err(error) => {
            fields.report(diagnostics::wrong_pattern(&error.to_string(), decl.span));
            None
        }
    }
}

fn rules(decl: &FilterDecl, fields: &mut Fields<'_, '_>) -> Option<Rules> {
    let include = fields.list("include", &decl.include);
    let exclude = fields.list("exclude", &decl.exclude);
    let exclude_directories = fields.list("exclude_directories", &decl.exclude_directories);
    let min_age = fields.optional("min_age", decl.min_age.as_ref());
    let max_age = fields.optional("max_age", decl.max_age.as_ref());
    let min_size = fields.optional("min_size", decl.min_size.as_ref());
    let max_size = fields.optional("max_size", decl.max_size.as_ref());
    let max_depth = fields.optional("max_depth", decl.max_depth.as_ref());
    let case = fields.optional("case", decl.case.as_ref());
    Some(Rules {
        include: include?,
        exclude: exclude?,
        exclude_directories: exclude_directories?,
        min_age: min_age?,
        max_age: max_age?,
        min_size: min_size?.map(|size| size.0),
        max_size: max_size?.map(|size| size.0),
        max_depth: max_depth?.map(NonZeroU32::get),
        case: case?.unwrap_or(Case::Insensitive),
    })
}

fn verify(runbook: &Runbook, decl: &VerifyDecl, fields: &mut Fields<'_, '_>) -> Option<VerifyAction> {
    let from = fields.leaf("from", &decl.from);
    let to = fields.leaf("to", &decl.to);
    let filter = filter(runbook, decl.filter.as_ref(), fields);
    let method = fields.first("method", [decl.method.as_ref(), None], Method::Blake3);
    let default_threads = runbook.defaults.verify_threads.as_ref().or(runbook.defaults.copy.threads.as_ref());
    let threads = fields.first("threads", [decl.threads.as_ref(), default_threads], THREADS);
    let defaults = &runbook.defaults;
    let default_tolerance =
        defaults.verify_mtime_tolerance.as_ref().or(defaults.copy.mtime_tolerance.as_ref());
    let mtime_tolerance =
        fields.optional("mtime_tolerance", decl.mtime_tolerance.as_ref().or(default_tolerance));
    let manifest = fields.optional("manifest", decl.manifest.as_ref());
    let extra = fields.first("extra", [decl.extra.as_ref(), None], Extra::Fail);
    let backup = fields.optional("backup", decl.backup.as_ref().or(defaults.copy.backup.as_ref()));
    if let Some(threads @ (0 | 129..)) = threads {
        let span = decl.threads.as_ref().or(default_threads).map(|leaf| leaf.span);
        fields.report(diagnostics::threads_out_of_range(threads, span));
    }
    let environment = environment_for(&[from.as_ref(), to.as_ref()], &defaults.copy, fields);
    for (path, leaf) in [(from.as_ref(), &decl.from), (to.as_ref(), &decl.to)] {
        judge_remote(path, leaf, fields);
        let remote = path.filter(|path| Remote::of(path).is_some());
        if let (Some(remote), Some(manifest)) = (remote, &decl.manifest) {
            let why = "rclone compares both sides, and knows no BLAKE3: leave `manifest` out";
            fields.report(diagnostics::no_remote_here("manifest", remote, why, Some(manifest.span)));
        }
    }
    let (filter_name, filter) = filter?;
    Some(VerifyAction {
        from: PathBuf::from(from?),
        to: PathBuf::from(to?),
        filter_name,
        filter,
        method: method?,
        threads: threads?,
        mtime_tolerance: mtime_tolerance?,
        manifest: manifest?.map(PathBuf::from),
        extra: extra?,
        access: access(backup?),
        environment: environment?,
    })
}

fn service(decl: &ServiceDecl, fields: &mut Fields<'_, '_>) -> Option<ServiceAction> {
    let name = fields.leaf("name", &decl.name);
    let host = fields.optional("host", decl.host.as_ref());
    let state = fields.leaf("state", &decl.state);
    let wait = fields.first("wait", [decl.wait.as_ref(), None], SERVICE_WAIT);
    let if_missing = fields.first("if_missing", [decl.if_missing.as_ref(), None], IfMissing::Fail);
    let status = fields.list("status", &decl.status);
    let start = fields.list("start", &decl.start);
    let stop = fields.list("stop", &decl.stop);
    let commands = ServiceCommands { status: status?, start: start?, stop: stop? };
    let given = !commands.status.is_empty();
    Some(ServiceAction {
        name: name?,
        host: host?.unwrap_or_default(),
        state: state?,
        wait: wait?,
        if_missing: if_missing?,
        commands: given.then_some(commands),
    })
}

fn command(decl: &CommandDecl, fields: &mut Fields<'_, '_>) -> Option<CommandAction> {
    let run = fields.list("run", &decl.run);
    let shell = fields.optional("shell", decl.shell.as_ref());
    let environment = match decl.environment.is_empty() {
        true => Some(IndexMap::new()),
        false => fields.within("environment", |fields| {
            let values: Vec<_> = decl
                .environment
                .iter()
                .map(|(name, leaf)| Some((name.clone(), fields.confidential(name, leaf)?)))
                .collect();
            values.into_iter().collect()
        }),
    };
    let directory = fields.optional("directory", decl.directory.as_ref());
    let input = match &decl.input {
        None => Some(None),
        Some(leaf) => fields.confidential("input", leaf).map(Some),
    };
    let timeout = fields.optional("timeout", decl.timeout.as_ref());
    let exit_codes = fields.list("exit_codes", &decl.exit_codes);
    let program = match shell? {
        Some(line) => Program::Shell(line),
        None => Program::Run(run?),
    };
    let exit_codes = exit_codes?;
    Some(CommandAction {
        program,
        environment: environment?,
        directory: directory?.map(PathBuf::from),
        input: input?,
        timeout: timeout?,
        exit_codes: if exit_codes.is_empty() { vec![0] } else { exit_codes },
    })
}

fn checkpoint(decl: &CheckpointDecl, fields: &mut Fields<'_, '_>) -> Option<CheckpointAction> {
    let ask = fields.leaf("ask", &decl.ask);
    let instructions = fields.optional("instructions", decl.instructions.as_ref());
    let answer = match &decl.answer {
        AnswerDecl::Confirm => Some(AnswerKind::Confirm),
        AnswerDecl::Text => Some(AnswerKind::Text),
        AnswerDecl::Secret => Some(AnswerKind::Secret),
        AnswerDecl::Choice(choices) => fields.within("choice", |fields| {
            let choices: Vec<_> =
                choices.iter().map(|(key, means)| Some((key.clone(), fields.leaf(key, means)?))).collect();
            choices.into_iter().collect::<Option<IndexMap<_, _>>>().map(AnswerKind::Choice)
        }),
    };
    if let Some(kind @ (AnswerKind::Confirm | AnswerKind::Text | AnswerKind::Secret)) = &answer {
        fields.show("answer", serde_json::to_value(kind).unwrap_or(Value::Null));
    }
    let evidence = fields.first("evidence", [decl.evidence.as_ref(), None], Evidence::None);
    let expires = fields.optional("expires", decl.expires.as_ref());
    if let Some(same_as) = &decl.same_as {
        fields.show("same_as", Value::String(same_as.value.clone()));
    }
    Some(CheckpointAction {
        ask: ask?,
        instructions: instructions?,
        answer: answer?,
        evidence: evidence?,
        expires: expires?,
        same_as: decl.same_as.as_ref().map(|step| step.value.clone()),
    })
}

fn checks(
    decls: &[crate::runbook::source::Spanned<CheckDecl>],
    default: &CopyOptions,
    fields: &mut Fields<'_, '_>,
) -> Option<Vec<CheckAction>> {
    let checks: Vec<_> = decls
        .iter()
        .enumerate()
        .map(|(at, decl)| fields.within(&format!("{}", at + 1), |fields| check(decl, default, fields)))
        .collect();
    checks.into_iter().collect()
}

fn check(decl: &CheckDecl, default: &CopyOptions, fields: &mut Fields<'_, '_>) -> Option<CheckAction> {
    match decl {
        CheckDecl::Path { path: leaf, exists, contains, free_space, writable } => {
            let path = fields.leaf("path", leaf);
            judge_remote(path.as_ref(), leaf, fields);
            let exists = fields.optional("exists", exists.as_ref());
            let contains = fields.list("contains", contains);
            let free_space = match free_space {
                None => Some(None),
                Some(decl) => fields.within("free_space", |fields| {
                    let at_least = fields.leaf("at_least", &decl.at_least);
                    let of = fields.optional("of", decl.of.as_ref());
                    let (at_least, of) = (at_least?, of?);
                    match (at_least.as_str(), of) {
                        ("source", Some(of)) => Some(Some(FreeSpace::Source(PathBuf::from(of)))),
                        ("source", None) => {
                            fields.report(diagnostics::free_space_of_what(decl.at_least.span));
                            None
                        }
                        (size, _) => match crate::values::size(size) {
                            Ok(size) => Some(Some(FreeSpace::Bytes(size.0))),
                            Err(reason) => {
                                fields.report(diagnostics::wrong_free_space(
                                    size,
                                    &reason.reason,
                                    decl.at_least.span,
                                ));
                                None
                            }
                        },
                    }
                }),
            };
            let writable = fields.optional("writable", writable.as_ref());
            let measured = match &free_space {
                Some(Some(FreeSpace::Source(of))) => of.to_str().map(str::to_owned),
                _ => None,
            };
            let environment = environment_for(&[path.as_ref(), measured.as_ref()], default, fields);
            Some(CheckAction::Path {
                path: PathBuf::from(path?),
                exists: exists?,
                contains: contains?,
                free_space: free_space?,
                writable: writable?.unwrap_or(false),
                environment: environment?,
            })
        }
        CheckDecl::Apart(paths) => fields
            .list("apart", paths)
            .map(|paths| CheckAction::Apart(paths.into_iter().map(PathBuf::from).collect())),
        CheckDecl::Tcp { host, port, timeout } => {
            let host_name = fields.leaf("host", host);
            let number = fields.leaf("port", port);
            let timeout = fields.first("timeout", [timeout.as_ref(), None], TCP_TIMEOUT);
            let number = number?;
            match u16::try_from(number) {
                Ok(number) if number > 0 => {
                    Some(CheckAction::Tcp { host: host_name?, port: number, timeout: timeout? })
                }
                _ => {
                    fields.report(diagnostics::port_out_of_range(number, port.span));
                    None
                }
            }
        }
        CheckDecl::That { that, message } => {
            let holds = fields.condition("that", that);
            let message = fields.optional("message", message.as_ref());
            let message = message?.unwrap_or_else(|| format!("`{}` does not hold", that.value));
            Some(CheckAction::That { that: that.value.clone(), holds: holds?, message })
        }
    }
}

fn wait(decl: &WaitDecl, fields: &mut Fields<'_, '_>) -> Option<WaitAction> {
    match decl {
        WaitDecl::For(leaf) => fields.leaf("for", leaf).map(WaitAction::For),
        WaitDecl::Until(leaf) => {
            let text = fields.leaf("until", leaf)?;
            match jiff::civil::Time::strptime("%H:%M", &text) {
                Ok(time) => Some(WaitAction::Until(time)),
                Err(_) => {
                    fields.report(diagnostics::wrong_time_of_day(&text, leaf.span));
                    None
                }
            }
        }
    }
}
