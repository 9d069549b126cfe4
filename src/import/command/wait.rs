//! Lines that wait: for some time, or for a person.

use std::time::Duration;

use super::{Meaning, left};
use crate::import::script::Dialect;
use crate::values;

/// Nobody waits longer in a script.
const LONGEST: f64 = 30.0 * 24.0 * 3600.0;

/// What a line means, if it waits.
pub fn meaning(name: &str, arguments: &[String], dialect: Dialect) -> Option<Meaning> {
    match name {
        "pause" => Some(Meaning::Pause { ask: None }),
        "read" if dialect == Dialect::Posix => {
            Some(Meaning::Pause { ask: text_behind(arguments, &["-p", "-rp"]) })
        }
        "read-host" => {
            let words: Vec<&str> =
                arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
            let ask = words.join(" ");
            Some(Meaning::Pause { ask: (!ask.trim().is_empty()).then_some(ask) })
        }
        "choice" if dialect == Dialect::Batch => choice(arguments),
        "timeout" if dialect != Dialect::Posix => Some(timeout(arguments)),
        "sleep" => Some(sleep(arguments)),
        "start-sleep" => Some(start_sleep(arguments)),
        "ping" => ping(arguments),
        _ => None,
    }
}

fn text_behind(arguments: &[String], flags: &[&str]) -> Option<String> {
    let at = arguments.iter().position(|word| flags.contains(&word.as_str()))?;
    arguments.get(at + 1).filter(|text| !text.trim().is_empty()).cloned()
}

/// `choice /c yn /m "Go on"` asks for yes or no; a list of ways to go, or an answer that comes by itself, is no question of a step.
fn choice(arguments: &[String]) -> Option<Meaning> {
    let flag = |wanted: &str| arguments.iter().position(|word| word.eq_ignore_ascii_case(wanted));
    let behind = |wanted: &str| flag(wanted).and_then(|at| arguments.get(at + 1));
    if flag("/t").is_some() || behind("/c").is_some_and(|letters| letters.chars().count() != 2) {
        return None;
    }
    Some(Meaning::Pause { ask: behind("/m").filter(|text| !text.trim().is_empty()).cloned() })
}

fn seconds(seconds: f64) -> Meaning {
    match seconds {
        _ if seconds > 0.0 && seconds <= LONGEST => {
            Meaning::Wait(Duration::from_millis((seconds * 1000.0).ceil() as u64))
        }
        0.0 => Meaning::Nothing,
        _ => left("no step waits for so long: write `wait: {until: …}` or a checkpoint"),
    }
}

fn of_text(text: &str) -> Meaning {
    match text.parse() {
        Ok(number) => seconds(number),
        Err(_) => left(format!("`{text}` is no number of seconds")),
    }
}

/// `timeout /t 30 /nobreak`; -1 waits for a key.
fn timeout(arguments: &[String]) -> Meaning {
    let mut time = None;
    for word in arguments {
        match word.to_ascii_lowercase().as_str() {
            "/t" | "-t" | "/nobreak" | "-nobreak" => {}
            _ if time.is_some() => return left(format!("`{word}` stands behind the time")),
            _ => time = Some(word.as_str()),
        }
    }
    match time {
        Some("-1") => Meaning::Pause { ask: None },
        Some(time) => of_text(time),
        None => Meaning::Nothing,
    }
}

/// `sleep 1m 30s`
fn sleep(arguments: &[String]) -> Meaning {
    let [word] = arguments else {
        let text = arguments.join(" ");
        return match values::duration(&text) {
            Ok(time) => seconds(time.as_secs_f64()),
            Err(_) => left(format!("`{text}` is no time")),
        };
    };
    let (number, unit) = match word.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, &word[number.len()..]),
        None => (word.as_str(), "s"),
    };
    let factor = match unit {
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => 1.0,
    };
    match number.parse::<f64>() {
        Ok(number) => seconds(number * factor),
        Err(_) => left(format!("`{word}` is no time")),
    }
}

/// `Start-Sleep -Seconds 30`, `-Milliseconds 500`, `30`
fn start_sleep(arguments: &[String]) -> Meaning {
    match arguments {
        [time] => of_text(time),
        [unit, time] if "-seconds".starts_with(&unit.to_lowercase()) => of_text(time),
        [unit, time] if "-milliseconds".starts_with(&unit.to_lowercase()) => match time.parse::<f64>() {
            Ok(number) => seconds(number / 1000.0),
            Err(_) => left(format!("`{time}` is no number of milliseconds")),
        },
        _ => left("how long it waits is not understood"),
    }
}

/// `ping -n 31 127.0.0.1` waits 30 seconds; another machine is asked whether it is there.
fn ping(arguments: &[String]) -> Option<Meaning> {
    let is_here = |word: &String| matches!(word.to_lowercase().as_str(), "127.0.0.1" | "localhost" | "::1");
    if !arguments.iter().any(is_here) {
        return None;
    }
    let count =
        text_behind(arguments, &["-n", "/n", "-c"]).map_or(Some(4), |count| count.parse::<u32>().ok())?;
    Some(seconds(f64::from(count.saturating_sub(1))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::script::program;

    fn of(line: &str, dialect: Dialect) -> Option<Meaning> {
        let words = crate::import::script::windows_words(line);
        meaning(&program(&words[0]), &words[1..], dialect)
    }

    #[test]
    fn times_are_read_in_every_language() {
        for (line, dialect, milliseconds) in [
            ("timeout /t 30 /nobreak", Dialect::Batch, 30_000),
            ("timeout 5", Dialect::Batch, 5000),
            ("ping -n 31 127.0.0.1", Dialect::Batch, 30_000),
            ("Start-Sleep -s 3", Dialect::PowerShell, 3000),
            ("Start-Sleep -Milliseconds 500", Dialect::PowerShell, 500),
            ("Start-Sleep 2", Dialect::PowerShell, 2000),
            ("sleep 1m", Dialect::Posix, 60_000),
            ("sleep 0.5", Dialect::Posix, 500),
            ("sleep 1m 30s", Dialect::Posix, 90_000),
        ] {
            assert_eq!(of(line, dialect), Some(Meaning::Wait(Duration::from_millis(milliseconds))), "{line}");
        }
    }

    #[test]
    fn a_person_is_waited_for() {
        for (line, dialect) in
            [("pause", Dialect::Batch), ("timeout /t -1", Dialect::Batch), ("read", Dialect::Posix)]
        {
            assert_eq!(of(line, dialect), Some(Meaning::Pause { ask: None }), "{line}");
        }
        let ask = Some("Go on?".to_owned());
        assert_eq!(
            of(r#"choice /C YN /M "Go on?""#, Dialect::Batch),
            Some(Meaning::Pause { ask: ask.clone() })
        );
        assert_eq!(of("choice /c abc", Dialect::Batch), None);
        assert_eq!(
            of(r#"Read-Host -Prompt "Go on?""#, Dialect::PowerShell),
            Some(Meaning::Pause { ask: ask.clone() })
        );
        assert_eq!(of(r#"read -p "Go on?""#, Dialect::Posix), Some(Meaning::Pause { ask }));
    }

    #[test]
    fn times_that_are_none_are_left() {
        for line in [
            "timeout /t x",
            "timeout /t 99999999999",
            "sleep x",
            "Start-Sleep -Days 1",
            "timeout 1e300",
            "timeout NaN",
        ] {
            assert!(matches!(of(line, Dialect::Batch), Some(Meaning::Left(_))), "{line}");
        }
        assert_eq!(of("ping srv", Dialect::Batch), None);
    }
}
