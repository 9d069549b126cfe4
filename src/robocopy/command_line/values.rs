//! The values of switches: numbers, sizes, ages and flags. An error follows the switch in a sentence; what to do comes
//! behind a `; `.

use jiff::civil::Date;

use super::Age;
use crate::copy::Preserved;

pub(super) const TOO_LARGE: &str = "is too large a number";

pub(super) fn number(value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| match value.bytes().all(|byte| byte.is_ascii_digit()) {
        true => TOO_LARGE.to_owned(),
        false => "is no whole number".to_owned(),
    })
}

/// Bytes. robocopy's documentation knows no units here: `/max:10M` from a script may be a mistake of long standing.
pub(super) fn size(value: &str) -> Result<u64, String> {
    let bytes = |digits: &str, unit: u64| digits.parse::<u64>().ok()?.checked_mul(unit);
    let meant = ["k", "m", "g", "t"].into_iter().enumerate().find_map(|(power, unit)| {
        bytes(value.to_ascii_lowercase().trim_end_matches('b').strip_suffix(unit)?, 1 << (10 * (power + 1)))
    });
    match meant {
        Some(meant) => Err(format!(
            "has a unit, and robocopy takes bytes alone; if it means units of 1024, write {meant}"
        )),
        None => number(value),
    }
}

/// Days below 1900, else a date (robocopy `/minage`).
pub(super) fn age(value: &str) -> Result<Age, String> {
    let number = number(value)?;
    if let Ok(days @ 0..1900) = u32::try_from(number) {
        return Ok(Age::Days(days));
    }
    let date = match value.len() {
        8 => Date::strptime("%Y%m%d", value).ok(),
        _ => None,
    };
    date.map(Age::Since)
        .ok_or_else(|| "is neither a number of days below 1900 nor a date; write it YYYYMMDD".to_owned())
}

pub(super) fn lets_something_in<T: PartialEq>(limit: T, nothing: T) -> Result<T, String> {
    if limit == nothing {
        return Err("lets nothing in; leave it out for all files".to_owned());
    }
    Ok(limit)
}

/// `/copy:DATSO`
pub(super) fn file_flags(flags: &str) -> Result<Vec<Preserved>, String> {
    let upper = flags.to_ascii_uppercase();
    if let Some(other) = upper.chars().find(|flag| !"DATSOUX".contains(*flag)) {
        return Err(format!("has the letter {other}; the letters are D, A, T, S, O and U"));
    }
    if upper.contains('X') {
        return Err("leaves alternate data streams out (X), which go with the data; leave X out".to_owned());
    }
    if upper.contains('U') && !upper.contains('S') {
        return Err(
            "has U without S, and what is recorded of accesses goes with the access list; write U and S"
                .to_owned(),
        );
    }
    always_carried(&upper, "file")?;
    let wanted = [('S', Preserved::Acls), ('O', Preserved::Owner)];
    Ok(wanted.into_iter().filter(|(letter, _)| upper.contains(*letter)).map(|(_, thing)| thing).collect())
}

/// `/dcopy:DAT`
pub(super) fn directory_flags(flags: &str) -> Result<(), String> {
    match flags.to_ascii_uppercase().chars().find(|flag| !"DAT".contains(*flag)) {
        Some(other) => {
            Err(format!("has the letter {other}; the letters are D, A and T, which are always carried over"))
        }
        None => Ok(()),
    }
}

fn always_carried(flags: &str, of: &str) -> Result<(), String> {
    match "DAT".chars().find(|flag| !flags.contains(*flag)) {
        Some(missing) => Err(format!(
            "leaves {missing} out, and D, A and T of a {of} are always carried over; write /COPY:DAT"
        )),
        None => Ok(()),
    }
}
