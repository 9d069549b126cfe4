//! How many bytes a second a pass may move, by the time of day: `5MiB`, or `07:00,5MiB 19:00,off`.
//!
//! Pure: which limit holds is asked with a time; the engine's throttle has the clock.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::values::{self, Form, LeafType, Misfit};

/// A limit for the whole day, or a timetable (as rclone's `--bwlimit` has it).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    /// At least one, sorted, each time once. The last one holds over midnight until the first.
    changes: Vec<Change>,
}

/// From this time of day on, this limit holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    from: Time,
    /// Never 0: nothing would ever be done. `None`: no limit.
    limit: Option<u64>,
}

impl Bandwidth {
    /// Bytes a second that may be moved at a time of day; `None` where there is no limit.
    pub fn limit_at(&self, time: Time) -> Option<u64> {
        self.changes.iter().rev().find(|change| change.from <= time).or(self.changes.last())?.limit
    }

    /// Whether there is never a limit, so that nobody need look at the clock.
    pub fn is_unlimited(&self) -> bool {
        self.changes.iter().all(|change| change.limit.is_none())
    }
}

impl FromStr for Bandwidth {
    type Err = Misfit;

    fn from_str(text: &str) -> Result<Self, Misfit> {
        let text = text.trim();
        if !text.contains([',', ':']) {
            return Ok(Self { changes: vec![Change { from: Time::midnight(), limit: limit(text)? }] });
        }
        let mut changes = Vec::new();
        for entry in text.split_whitespace() {
            let (time, given) = entry.split_once(',').ok_or_else(|| no_limit(entry))?;
            let from = Time::strptime("%H:%M", time)
                .map_err(|_| Misfit::new(format!("`{time}` is no time of day, such as `07:00`")))?;
            let limit = limit(given)?;
            if changes.iter().any(|change: &Change| change.from == from) {
                return Err(Misfit::new(format!("{time} is there twice")));
            }
            changes.push(Change { from, limit });
        }
        changes.sort_by_key(|change| change.from);
        Ok(Self { changes })
    }
}

fn no_limit(entry: &str) -> Misfit {
    Misfit::new(if entry.contains(':') {
        format!("`{entry}` is a time without a limit: write `{entry},5MiB` or `{entry},off`")
    } else {
        format!("`{entry}` is no `TIME,LIMIT`, such as `07:00,5MiB`")
    })
}

fn limit(text: &str) -> Result<Option<u64>, Misfit> {
    if text == "off" {
        return Ok(None);
    }
    match values::size(text)?.0 {
        0 => Err(Misfit::new("with 0 bytes a second nothing would ever be done; `off` is no limit")),
        bytes => Ok(Some(bytes)),
    }
}

impl LeafType for Bandwidth {
    fn form() -> Form {
        Form::Bandwidth
    }

    fn parse(value: &Value) -> Result<Self, Misfit> {
        match value {
            Value::String(text) => text.parse(),
            // A number is a number of bytes.
            Value::Number(number) if number.is_u64() => number.to_string().parse(),
            _ => Err(Misfit::new(format!("expected {}", Form::Bandwidth.expected()))),
        }
    }
}

/// As it is written.
impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let always = |change: &Change| change.from == Time::midnight();
        for (at, change) in self.changes.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            if self.changes.len() > 1 || !always(change) {
                write!(f, "{:02}:{:02},", change.from.hour(), change.from.minute())?;
            }
            match change.limit {
                None => f.write_str("off")?,
                Some(bytes) => write!(f, "{}", values::written_size(bytes))?,
            }
        }
        Ok(())
    }
}

impl Serialize for Bandwidth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::time;

    const MIB: u64 = 1 << 20;

    fn bandwidth(text: &str) -> Bandwidth {
        text.parse().unwrap()
    }

    fn refused(text: &str) -> String {
        text.parse::<Bandwidth>().unwrap_err().reason
    }

    #[test]
    fn one_limit_holds_all_day() {
        let always = bandwidth("5MiB");
        for hour in [0, 7, 23] {
            assert_eq!(always.limit_at(time(hour, 30, 0, 0)), Some(5 * MIB));
        }
        assert!(!always.is_unlimited());
        assert!(bandwidth("off").is_unlimited());
    }

    #[test]
    fn a_timetable_changes_to_the_minute_and_holds_over_midnight() {
        let table = bandwidth("07:00,5MiB 12:30,1MiB 19:00,off");
        for (at, expected) in [
            (time(7, 0, 0, 0), Some(5 * MIB)),
            (time(12, 29, 59, 999_999_999), Some(5 * MIB)),
            (time(12, 30, 0, 0), Some(MIB)),
            (time(18, 59, 59, 0), Some(MIB)),
            (time(19, 0, 0, 0), None),
            (time(23, 59, 59, 0), None),
            (time(0, 0, 0, 0), None),
            (time(6, 59, 59, 0), None),
        ] {
            assert_eq!(table.limit_at(at), expected, "{at}");
        }
    }

    #[test]
    fn a_timetable_may_be_written_in_any_order() {
        assert_eq!(bandwidth(" 19:00,off   7:00,5MiB "), bandwidth("07:00,5MiB 19:00,off"));
    }

    #[test]
    fn what_is_no_limit_is_refused_with_its_reason() {
        for (text, part) in [
            ("fast", "expected a size"),
            ("0", "`off` is no limit"),
            ("10M", "`M` is no unit"),
            ("07:00,5MiB 19:00", "`19:00` is a time without a limit: write `19:00,5MiB` or `19:00,off`"),
            ("12:00", "`12:00` is a time without a limit"),
            ("07:00,5MiB 19", "`19` is no `TIME,LIMIT`"),
            ("5MiB 19:00,off", "`5MiB` is no `TIME,LIMIT`"),
            ("25:00,5MiB", "`25:00` is no time of day"),
            ("Mon-07:00,5MiB", "`Mon-07:00` is no time of day"),
            ("07:00,5MiB 7:00,off", "7:00 is there twice"),
            ("07:00,", "expected a size"),
        ] {
            assert!(refused(text).contains(part), "{text}: {}", refused(text));
        }
    }

    #[test]
    fn a_bandwidth_is_written_as_it_is_read() {
        for text in ["off", "5MiB", "1500B", "5MB", "07:00,5MiB 19:00,off", "07:00,5MiB", "9:30,250kB"] {
            assert_eq!(bandwidth(text).to_string(), text.replace("9:30", "09:30"));
            assert_eq!(bandwidth(&bandwidth(text).to_string()), bandwidth(text));
        }
    }
}
