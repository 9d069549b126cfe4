//! Lines that stop and start services: `net`, `sc`, PowerShell's own commands, `systemctl`, `service`.

use super::{Meaning, Service, left};
use crate::import::script::{Dialect, program};
use crate::plan::action::ServiceState;

/// `net` and `-DisplayName` take what is shown to people.
const SHOWN_NAME: &str = "a step needs the key name of the service, and this may be the name that is shown: `sc getkeyname \"NAME\"` tells it";
const RESTART: &str =
    "it stops and starts in one: write two `service` steps, with what is to be done between them";

/// What a line means, if it is about a service.
pub fn meaning(first: &str, name: &str, arguments: &[String], dialect: Dialect) -> Option<Meaning> {
    match name {
        "net" | "net1" if dialect != Dialect::Posix => net(arguments),
        // To PowerShell `sc` alone is another command.
        "sc" if dialect != Dialect::Posix
            && (dialect == Dialect::Batch || first.to_lowercase().ends_with(".exe")) =>
        {
            Some(sc(arguments))
        }
        "stop-service" | "spsv" => Some(of_powershell(arguments, ServiceState::Stopped)),
        "start-service" | "sasv" => Some(of_powershell(arguments, ServiceState::Running)),
        "restart-service" => Some(left(RESTART)),
        "systemctl" => Some(systemctl(arguments)),
        "service" | "invoke-rc.d" | "rc-service" if dialect == Dialect::Posix => Some(service(arguments)),
        _ => None,
    }
}

fn state_of(word: &str) -> Option<ServiceState> {
    match word.to_ascii_lowercase().as_str() {
        "stop" => Some(ServiceState::Stopped),
        "start" => Some(ServiceState::Running),
        _ => None,
    }
}

fn services<'n>(names: impl Iterator<Item = &'n String>, host: &str, state: ServiceState) -> Meaning {
    let found: Vec<Service> =
        names.map(|name| Service { name: name.clone(), host: host.to_owned(), state, note: None }).collect();
    if found.is_empty() || found.iter().any(|service| service.name.trim().is_empty()) {
        return left("it names no service");
    }
    if let Some(odd) = found
        .iter()
        .find(|service| service.name.contains(['*', '?']) || service.name.contains(char::is_control))
    {
        return left(format!("`{}` is no name of one service: write a step for each", odd.name));
    }
    Meaning::Services(found)
}

fn net(arguments: &[String]) -> Option<Meaning> {
    let (verb, names) = arguments.split_first()?;
    let state = state_of(verb)?;
    let names: Vec<&String> = names
        .iter()
        .filter(|word| !word.eq_ignore_ascii_case("/y") && !word.eq_ignore_ascii_case("/yes"))
        .collect();
    Some(match names.as_slice() {
        // It lists what runs.
        [] => Meaning::Nothing,
        [name] => noted(services([*name].into_iter(), "", state), name.contains(' ')),
        [first, ..] => left(format!(
            "behind `{verb}` stand several words: put the name in quotes, if `{first}` is not all of it"
        )),
    })
}

fn noted(meaning: Meaning, is_shown_name: bool) -> Meaning {
    match meaning {
        Meaning::Services(mut found) if is_shown_name => {
            found.iter_mut().for_each(|service| service.note = Some(SHOWN_NAME));
            Meaning::Services(found)
        }
        meaning => meaning,
    }
}

/// `sc [\\host] stop NAME`
fn sc(arguments: &[String]) -> Meaning {
    let (host, rest) = match arguments.split_first() {
        Some((first, rest)) if first.starts_with("\\\\") => (first.trim_start_matches('\\'), rest),
        _ => ("", arguments),
    };
    match rest {
        [verb, name] if state_of(verb).is_some() => {
            services([name].into_iter(), host, state_of(verb).unwrap_or(ServiceState::Stopped))
        }
        [verb, _, more, ..] if state_of(verb).is_some() => {
            left(format!("`{more}` behind the service's name is not carried over"))
        }
        [verb, ..]
            if ["query", "queryex", "qc", "getkeyname", "getdisplayname", "enumdepend"]
                .contains(&verb.to_lowercase().as_str()) =>
        {
            Meaning::Nothing
        }
        [verb, ..] => {
            left(format!("`sc {verb}` changes more than whether a service runs: write a `command` step"))
        }
        [] => Meaning::Nothing,
    }
}

fn of_powershell(arguments: &[String], state: ServiceState) -> Meaning {
    match named(arguments) {
        Ok(Named { names, is_shown_name, host }) => {
            noted(services(names.iter(), &host, state), is_shown_name)
        }
        Err(meaning) => meaning,
    }
}

/// Services that a command of PowerShell names.
#[derive(Default)]
struct Named {
    names: Vec<String>,
    is_shown_name: bool,
    host: String,
}

fn named(arguments: &[String]) -> Result<Named, Meaning> {
    let mut found = Named::default();
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let lower = word.to_lowercase();
        match lower.as_str() {
            "-name" => {}
            "-displayname" => found.is_shown_name = true,
            "-computername" | "-cn" => found.host = rest.next().cloned().unwrap_or_default(),
            "-force" | "-passthru" | "-verbose" | "-nowait" => {}
            "-erroraction" | "-ea" | "-warningaction" | "-wa" => drop(rest.next()),
            "-whatif" => return Err(Meaning::Nothing),
            _ if lower.starts_with("-confirm") => {}
            _ if lower.starts_with('-') => {
                return Err(left(format!("`{word}` is not carried over: name the service by `-Name`")));
            }
            _ => found.names.push(word.clone()),
        }
    }
    Ok(found)
}

/// `Get-Service -ComputerName old x | Stop-Service`
pub fn piped(get: &[String], then: &[String]) -> Option<Meaning> {
    let (first, named_by) = get.split_first()?;
    let (second, options) = then.split_first()?;
    let state = match program(second).as_str() {
        "stop-service" | "spsv" => ServiceState::Stopped,
        "start-service" | "sasv" => ServiceState::Running,
        _ => return None,
    };
    if !matches!(program(first).as_str(), "get-service" | "gsv") {
        return None;
    }
    Some(match (named(named_by), named(options)) {
        (Ok(Named { names, is_shown_name, host }), Ok(options)) if options.names.is_empty() => {
            noted(services(names.iter(), &host, state), is_shown_name)
        }
        (Err(meaning), _) | (_, Err(meaning)) => meaning,
        _ => left("it names services on both sides of `|`"),
    })
}

fn systemctl(arguments: &[String]) -> Meaning {
    let quiet = ["--quiet", "-q", "--no-block", "--no-pager", "--system", "--wait"];
    let words: Vec<&String> = arguments.iter().filter(|word| !quiet.contains(&word.as_str())).collect();
    if let Some(option) = words.iter().find(|word| word.starts_with('-')) {
        return left(format!("`systemctl {option}` is not carried over: write the `service` step by hand"));
    }
    match words.as_slice() {
        [verb, names @ ..] if state_of(verb).is_some() => {
            services(names.iter().copied(), "", state_of(verb).unwrap_or(ServiceState::Stopped))
        }
        [verb, ..]
            if ["status", "is-active", "is-enabled", "list-units", "show", "cat"]
                .contains(&verb.as_str()) =>
        {
            Meaning::Nothing
        }
        [verb, ..] if verb.contains("restart") => left(RESTART),
        [verb, ..] => left(format!(
            "`systemctl {verb}` changes more than whether a service runs: write a `command` step"
        )),
        [] => Meaning::Nothing,
    }
}

/// `service NAME stop`
fn service(arguments: &[String]) -> Meaning {
    match arguments {
        [name, verb] if state_of(verb).is_some() => {
            services([name].into_iter(), "", state_of(verb).unwrap_or(ServiceState::Stopped))
        }
        [_, verb] if verb == "status" => Meaning::Nothing,
        [_, verb, ..] if verb.contains("restart") => left(RESTART),
        _ => left("it neither stops nor starts a service: write a `command` step"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str, dialect: Dialect) -> Meaning {
        let words = crate::import::script::windows_words(line);
        let meant = meaning(&words[0], &program(&words[0]), &words[1..], dialect);
        meant.unwrap_or_else(|| panic!("{line} is about no service"))
    }

    fn shown(meaning: Meaning) -> String {
        let state = |state| if state == ServiceState::Stopped { "stopped" } else { "running" };
        match meaning {
            Meaning::Services(services) => services
                .iter()
                .map(|service| format!("{}@{}:{}", service.name, service.host, state(service.state)))
                .collect::<Vec<_>>()
                .join(" "),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn services_are_stopped_and_started_in_every_language() {
        for (line, dialect, expected) in [
            (r#"net stop "MailStore Server" /y"#, Dialect::Batch, "MailStore Server@:stopped"),
            ("NET.EXE START Spooler", Dialect::Batch, "Spooler@:running"),
            (r"sc \\old stop MailStoreServer", Dialect::Batch, "MailStoreServer@old:stopped"),
            ("sc.exe start x", Dialect::PowerShell, "x@:running"),
            ("Stop-Service -Name a b -Force -ErrorAction Stop", Dialect::PowerShell, "a@:stopped b@:stopped"),
            ("systemctl stop --no-block a.service", Dialect::Posix, "a.service@:stopped"),
            ("service cron start", Dialect::Posix, "cron@:running"),
        ] {
            assert_eq!(shown(of(line, dialect)), expected, "{line}");
        }
        let piped = piped(
            &["Get-Service", "-ComputerName", "old", "x"].map(str::to_owned),
            &["Stop-Service".to_owned(), "-Force".to_owned()],
        );
        assert_eq!(shown(piped.unwrap()), "x@old:stopped");
    }

    #[test]
    fn a_name_that_is_shown_is_told() {
        let Meaning::Services(found) = of(r#"net stop "MailStore Server""#, Dialect::Batch) else { panic!() };
        assert!(found[0].note.is_some());
    }

    #[test]
    fn what_does_more_is_left_and_what_asks_is_nothing() {
        for line in [
            "sc config x start= disabled",
            "systemctl disable x",
            "net stop a b",
            "sc stop a & del b",
            "Restart-Service x",
            "Stop-Service *",
        ] {
            assert!(matches!(of(line, Dialect::Batch), Meaning::Left(_)), "{line}");
        }
        for line in ["sc query x", "net start", "systemctl status x", "Stop-Service x -WhatIf"] {
            assert_eq!(of(line, Dialect::Batch), Meaning::Nothing, "{line}");
        }
    }
}
