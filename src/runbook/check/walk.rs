//! Goes through every leaf of a runbook, in order, and hands each to the references with what may be used there.

use std::collections::HashMap;

use super::references::{Item, References, Scope, Secrets};
use super::{diagnostics, pattern};
use crate::runbook::diagnostics::Diagnostic;
use crate::runbook::model::{
    ActionDecl, AnswerDecl, CheckDecl, CheckpointDecl, CommandDecl, CopyDecl, CopyOptions, Leaf, Raw,
    RetryDecl, Runbook, ServiceDecl, Step, VerifyDecl, WaitDecl,
};
use crate::runbook::source::Spanned;
use crate::values::{self, LeafType};

pub fn leaves(runbook: &Runbook, references: &mut References<'_>) -> Vec<Diagnostic> {
    let start = Scope { before: 0, item: Item::Absent, secrets: Secrets::Refused };
    let mut walk = Walk { references, scope: start };
    for filter in runbook.filters.values() {
        walk.texts(&filter.include);
        walk.texts(&filter.exclude);
        walk.texts(&filter.exclude_directories);
        walk.optional(&filter.min_age);
        walk.optional(&filter.max_age);
        walk.optional(&filter.min_size);
        walk.optional(&filter.max_size);
        walk.optional(&filter.max_depth);
        walk.optional(&filter.case);
    }
    // Defaults are used by every step: they may name only what is known from the start.
    walk.copy_options(&runbook.defaults.copy);
    walk.positive(&runbook.defaults.verify_threads);
    walk.optional(&runbook.defaults.verify_mtime_tolerance);
    walk.retry(&runbook.defaults.retry);
    let mut secret_checkpoints: HashMap<&str, &Step> = HashMap::new();
    let mut number = 0;
    for phase in &runbook.phases {
        walk.scope = Scope { before: number, ..start };
        walk.optional(&phase.title);
        walk.optional(&phase.description);
        walk.condition(phase.when.as_ref());
        for step in &phase.steps {
            walk.scope = Scope { before: number, ..start };
            walk.step(step, &secret_checkpoints);
            if let ActionDecl::Checkpoint(CheckpointDecl { answer: AnswerDecl::Secret, .. }) =
                &step.action.value
            {
                secret_checkpoints.insert(&step.id.value, step);
            }
            number += 1;
        }
    }
    std::mem::take(&mut walk.references.problems)
}

struct Walk<'w, 'r> {
    references: &'w mut References<'r>,
    scope: Scope,
}

impl Walk<'_, '_> {
    fn step(&mut self, step: &Step, secret_checkpoints: &HashMap<&str, &Step>) {
        if let Some(list) = &step.for_each {
            self.leaf(list);
            self.scope.item = Item::Present;
        }
        self.condition(step.when.as_ref());
        self.optional(&step.title);
        self.optional(&step.description);
        self.retry(&step.retry);
        self.optional(&step.on_interrupt);
        match &step.action.value {
            ActionDecl::Copy(copy) => self.copy(copy),
            ActionDecl::Verify(verify) => self.verify(verify),
            ActionDecl::Service(service) => self.service(service),
            ActionDecl::Command(command) => self.command(command),
            ActionDecl::Checkpoint(checkpoint) => self.checkpoint(checkpoint, secret_checkpoints),
            ActionDecl::Check(checks) => checks.iter().for_each(|check| self.check(check)),
            ActionDecl::Wait(WaitDecl::For(time)) => self.leaf(time),
            ActionDecl::Wait(WaitDecl::Until(time)) => {
                self.leaf(time);
                if let Some(text) = literal(time)
                    && text.parse::<jiff::civil::Time>().is_err()
                {
                    self.tell(diagnostics::bad_time_of_day(time.span, text));
                }
            }
        }
    }

    fn copy(&mut self, copy: &CopyDecl) {
        self.path(&copy.from);
        self.path(&copy.to);
        self.filter(copy.filter.as_ref());
        self.copy_options(&copy.options);
        if let Some(purge) = &copy.purge {
            self.optional(&purge.max_files);
            self.within(&purge.max_percent, 0, 100);
            self.optional(&purge.keep);
        }
        for expected in &copy.expect {
            self.leaf(expected);
            pattern(expected, &mut self.references.problems);
        }
        self.optional(&copy.adopt);
    }

    fn copy_options(&mut self, options: &CopyOptions) {
        self.optional(&options.engine);
        self.optional(&options.directories);
        self.optional(&options.errors);
        self.optional(&options.retries);
        self.optional(&options.wait);
        self.positive(&options.threads);
        self.optional(&options.compare);
        self.optional(&options.mtime_tolerance);
        self.optional(&options.links);
        options.preserve.iter().flatten().for_each(|thing| self.leaf(thing));
        self.optional(&options.bandwidth);
        self.optional(&options.gentle);
        self.optional(&options.backup);
        self.optional(&options.resume_over);
        options.extra_args.iter().flatten().for_each(|argument| self.leaf(argument));
        self.scope.secrets = Secrets::Allowed;
        options.environment.values().for_each(|value| self.leaf(value));
        self.scope.secrets = Secrets::Refused;
    }

    fn verify(&mut self, verify: &VerifyDecl) {
        self.path(&verify.from);
        self.path(&verify.to);
        self.filter(verify.filter.as_ref());
        self.optional(&verify.method);
        self.positive(&verify.threads);
        self.optional(&verify.mtime_tolerance);
        if let Some(manifest) = &verify.manifest {
            self.path(manifest);
        }
        self.optional(&verify.extra);
        self.optional(&verify.backup);
    }

    fn service(&mut self, service: &ServiceDecl) {
        self.leaf(&service.name);
        self.optional(&service.host);
        self.leaf(&service.state);
        self.optional(&service.wait);
        self.optional(&service.if_missing);
        self.texts(&service.status);
        self.texts(&service.start);
        self.texts(&service.stop);
    }

    fn command(&mut self, command: &CommandDecl) {
        self.texts(&command.run);
        self.optional(&command.shell);
        self.scope.secrets = Secrets::Allowed;
        command.environment.values().for_each(|value| self.leaf(value));
        self.optional(&command.input);
        self.scope.secrets = Secrets::Refused;
        if let Some(directory) = &command.directory {
            self.path(directory);
        }
        self.optional(&command.timeout);
        command.exit_codes.iter().for_each(|code| self.leaf(code));
    }

    fn checkpoint(&mut self, checkpoint: &CheckpointDecl, secret_checkpoints: &HashMap<&str, &Step>) {
        self.leaf(&checkpoint.ask);
        self.optional(&checkpoint.instructions);
        if let AnswerDecl::Choice(choices) = &checkpoint.answer {
            choices.values().for_each(|meaning| self.leaf(meaning));
        }
        self.optional(&checkpoint.evidence);
        self.optional(&checkpoint.expires);
        if let Some(same_as) = &checkpoint.same_as {
            if !matches!(checkpoint.answer, AnswerDecl::Secret) {
                self.tell(diagnostics::same_as_needs_secret(same_as));
                return;
            }
            match secret_checkpoints.get(same_as.value.as_str()) {
                None => {
                    let earlier = secret_checkpoints.keys().copied();
                    self.references.unknown_checkpoint(same_as, self.scope, earlier);
                }
                Some(Step { id, for_each: Some(list), .. }) => {
                    self.tell(diagnostics::same_as_many(same_as, id, list.span));
                }
                Some(_) => {}
            }
        }
    }

    fn check(&mut self, check: &Spanned<CheckDecl>) {
        match &check.value {
            CheckDecl::Path { path, exists, contains, free_space, writable } => {
                self.path(path);
                self.optional(exists);
                for contained in contains {
                    self.leaf(contained);
                    pattern(contained, &mut self.references.problems);
                }
                self.optional(writable);
                if let Some(space) = free_space {
                    self.leaf(&space.at_least);
                    match literal(&space.at_least) {
                        Some("source") if space.of.is_none() => {
                            self.tell(diagnostics::source_without_of(space.at_least.span));
                        }
                        Some("source") | None => {}
                        Some(text) => {
                            if let Err(misfit) = values::size(text) {
                                self.tell(diagnostics::bad_free_space(space.at_least.span, text, &misfit));
                            }
                        }
                    }
                    if let Some(of) = &space.of {
                        self.path(of);
                    }
                }
            }
            CheckDecl::Apart(paths) => {
                paths.iter().for_each(|path| self.path(path));
                if paths.len() < 2 {
                    self.tell(diagnostics::apart_from_nothing(check.span));
                }
            }
            CheckDecl::Tcp { host, port, timeout } => {
                self.leaf(host);
                self.within(&Some(port.clone()), 1, 65_535);
                self.optional(timeout);
            }
            CheckDecl::That { that, message } => {
                self.condition(Some(that));
                self.optional(message);
            }
        }
    }

    fn retry(&mut self, retry: &Option<RetryDecl>) {
        if let Some(retry) = retry {
            self.within(&Some(retry.attempts.clone()), 1, 1000);
            self.optional(&retry.wait);
        }
    }

    fn condition(&mut self, condition: Option<&Spanned<String>>) {
        if let Some(condition) = condition {
            self.references.condition(condition, self.scope);
        }
    }

    fn filter(&mut self, filter: Option<&Leaf<String>>) {
        let Some(filter) = filter else { return };
        self.leaf(filter);
        if let Some(name) = literal(filter) {
            self.references.filter(name, filter.span);
        }
    }

    /// A literal path that holds a control character was meant otherwise: `"C:\temp"`.
    fn path(&mut self, path: &Leaf<String>) {
        self.leaf(path);
        if let Some(text) = literal(path)
            && text.chars().any(char::is_control)
        {
            let diagnostic = diagnostics::escaped_path(path.span, self.references.written(path.span));
            self.tell(diagnostic);
        }
    }

    fn texts(&mut self, texts: &[Leaf<String>]) {
        texts.iter().for_each(|text| self.leaf(text));
    }

    fn optional<T: LeafType>(&mut self, leaf: &Option<Leaf<T>>) {
        if let Some(leaf) = leaf {
            self.leaf(leaf);
        }
    }

    fn positive(&mut self, leaf: &Option<Leaf<u32>>) {
        self.within(leaf, 1, 1024);
    }

    fn within(&mut self, leaf: &Option<Leaf<u32>>, least: i64, most: i64) {
        let Some(leaf) = leaf else { return };
        self.leaf(leaf);
        if let Raw::Integer(number) = leaf.raw
            && !(least..=most).contains(&number)
        {
            self.tell(diagnostics::out_of_range(leaf.span, number, least, most));
        }
    }

    fn leaf<T: LeafType>(&mut self, leaf: &Leaf<T>) {
        if self.references.raw(&leaf.raw, leaf.span, self.scope) == super::references::Templates::None
            && let Err(misfit) = T::parse(&leaf.raw.to_json())
        {
            let shown = match &leaf.raw {
                Raw::Text(text) => text.clone(),
                other => other.to_json().to_string(),
            };
            self.tell(diagnostics::misfit(
                leaf.span,
                &shown,
                &misfit,
                T::form(),
                diagnostics::Origin::Written,
            ));
        }
    }

    fn tell(&mut self, diagnostic: Diagnostic) {
        self.references.problems.push(diagnostic);
    }
}

fn literal(leaf: &Leaf<String>) -> Option<&str> {
    match &leaf.raw {
        Raw::Text(text) if leaf.raw.template().is_none() => Some(text),
        _ => None,
    }
}
