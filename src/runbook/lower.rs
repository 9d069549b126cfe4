//! Entries as YAML has them → the model's types. Nothing is decided here: only shapes change.

use super::entry::{
    AnswerEntry, CheckEntry, CheckpointEntry, CopyEntry, DefaultsEntry, PhaseEntry, StepEntry, VariableEntry,
    VariableName, WaitEntry,
};
use super::model::{
    ActionDecl, AnswerDecl, CheckDecl, CheckpointDecl, CopyDecl, CopyOptions, Defaults, Phase, Step, VarDecl,
    WaitDecl,
};
use super::source::Spanned;

pub fn defaults(entry: DefaultsEntry) -> Defaults {
    let (verify_threads, verify_mtime_tolerance) =
        entry.verify.map_or((None, None), |verify| (verify.threads, verify.mtime_tolerance));
    Defaults {
        copy: entry.copy.unwrap_or_default(),
        verify_threads,
        verify_mtime_tolerance,
        retry: entry.retry,
    }
}

pub fn variable(name: VariableName, entry: VariableEntry) -> VarDecl {
    VarDecl {
        name: name.0,
        kind: entry.r#type,
        default: entry.default,
        description: entry.description,
        example: entry.example,
        pattern: entry.pattern,
        choices: entry.choices.unwrap_or_default(),
        min: entry.min,
        max: entry.max,
    }
}

pub fn phase(entry: PhaseEntry) -> Phase {
    Phase {
        id: entry.id.0,
        title: entry.title,
        description: entry.description,
        when: entry.when.map(|when| when.0),
        downtime: entry.downtime.is_some_and(|downtime| downtime.value),
        steps: entry.steps.0.into_iter().filter_map(step).collect(),
    }
}

/// The reader has made sure of exactly one action; a step with none cannot come here.
fn step(entry: StepEntry) -> Option<Step> {
    let action = entry
        .copy
        .map(|node| node.map(|copy| ActionDecl::Copy(self::copy(copy))))
        .or_else(|| entry.verify.map(|node| node.map(ActionDecl::Verify)))
        .or_else(|| entry.service.map(|node| node.map(ActionDecl::Service)))
        .or_else(|| entry.command.map(|node| node.map(ActionDecl::Command)))
        .or_else(|| entry.checkpoint.map(|node| node.map(|entry| ActionDecl::Checkpoint(checkpoint(entry)))))
        .or_else(|| {
            entry.check.map(|node| {
                node.map(|checks| ActionDecl::Check(checks.into_iter().filter_map(check).collect()))
            })
        })
        .or_else(|| {
            let node = entry.wait?;
            let span = node.span;
            wait(node.value).map(|wait| Spanned::new(ActionDecl::Wait(wait), span))
        })?;
    Some(Step {
        id: entry.id.0,
        title: entry.title,
        description: entry.description,
        when: entry.when.map(|when| when.0),
        for_each: entry.for_each,
        retry: entry.retry,
        on_interrupt: entry.on_interrupt,
        action,
    })
}

fn copy(entry: CopyEntry) -> CopyDecl {
    CopyDecl {
        from: entry.from,
        to: entry.to,
        filter: entry.filter,
        options: CopyOptions {
            engine: entry.engine,
            directories: entry.directories,
            errors: entry.errors,
            retries: entry.retries,
            wait: entry.wait,
            threads: entry.threads,
            compare: entry.compare,
            mtime_tolerance: entry.mtime_tolerance,
            links: entry.links,
            preserve: entry.preserve,
            bandwidth: entry.bandwidth,
            gentle: entry.gentle,
            backup: entry.backup,
            resume_over: entry.resume_over,
            extra_args: entry.extra_args,
            environment: entry.environment,
        },
        purge: entry.purge,
        expect: entry.expect,
        adopt: entry.adopt,
    }
}

fn checkpoint(entry: CheckpointEntry) -> CheckpointDecl {
    CheckpointDecl {
        ask: entry.ask,
        instructions: entry.instructions,
        answer: match entry.answer {
            AnswerEntry::Confirm => AnswerDecl::Confirm,
            AnswerEntry::Text => AnswerDecl::Text,
            AnswerEntry::Secret => AnswerDecl::Secret,
            AnswerEntry::Choice(choices) => AnswerDecl::Choice(
                choices.into_iter().map(|(name, meaning)| (name.0.value, meaning)).collect(),
            ),
        },
        evidence: entry.evidence,
        expires: entry.expires,
        same_as: entry.same_as,
    }
}

/// The reader has made sure of exactly one kind of check.
fn check(node: Spanned<CheckEntry>) -> Option<Spanned<CheckDecl>> {
    let (span, entry) = (node.span, node.value);
    let check = if let Some(path) = entry.path {
        CheckDecl::Path {
            path,
            exists: entry.exists,
            contains: entry.contains,
            free_space: entry.free_space,
            writable: entry.writable,
        }
    } else if let Some(paths) = entry.apart {
        CheckDecl::Apart(paths)
    } else if let Some(tcp) = entry.tcp {
        CheckDecl::Tcp { host: tcp.host, port: tcp.port, timeout: tcp.timeout }
    } else {
        CheckDecl::That { that: entry.that?.0, message: entry.message }
    };
    Some(Spanned::new(check, span))
}

fn wait(entry: WaitEntry) -> Option<WaitDecl> {
    entry.r#for.map(WaitDecl::For).or_else(|| entry.until.map(WaitDecl::Until))
}
