//! The kinds of values that runbooks and variable files hold, and how each is written: `1h 30m`, `50MiB`, …
//!
//! Pure. What a schema says of a kind and what the parser takes come from the same [`Form`].

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::Value;

/// Durations as schemas describe them; [`duration`] decides.
pub const DURATION_PATTERN: &str = r"^\s*([0-9]+\s*(ms|s|m|h|d|w)\s*)+$";
/// Sizes as schemas describe them; [`size`] decides.
pub const SIZE_PATTERN: &str = r"^\s*[0-9]+(\.[0-9]+)?\s*([kKMGT]i?B|B)?\s*$";
/// Limits of bandwidth as schemas describe them; `copy::Bandwidth` decides.
pub const BANDWIDTH_PATTERN: &str = r"^\s*(off|[0-9]+(\.[0-9]+)?\s*([kKMGT]i?B|B)?|[0-9]{1,2}:[0-9]{2},(off|[0-9]+(\.[0-9]+)?([kKMGT]i?B|B)?)(\s+[0-9]{1,2}:[0-9]{2},(off|[0-9]+(\.[0-9]+)?([kKMGT]i?B|B)?))*)\s*$";
/// Text that is rendered before it is used.
pub const TEMPLATE_PATTERN: &str = r"\{[{%#]";

/// Whether a text is a template, to be rendered, or stands for itself.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

/// How a kind of value is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    Duration,
    Size,
    /// A size a second, or a timetable of them.
    Bandwidth,
    /// A whole number between the two, inclusive.
    Integer(i64, u64),
    Boolean,
    /// One of these words.
    Choice(&'static [&'static str]),
    List,
}

impl Form {
    /// What is allowed, to follow "expected".
    pub fn expected(&self) -> String {
        match self {
            Form::Text => "text".into(),
            Form::Duration => "a duration such as `30s` or `1h 30m`".into(),
            Form::Size => "a size such as `512KiB` or `2GiB`".into(),
            Form::Bandwidth => {
                "a size a second such as `5MiB`, or a timetable such as `07:00,5MiB 19:00,off`".into()
            }
            // Nobody comes near the largest number of 32 bits.
            Form::Integer(min, max) if *min > i64::MIN && *max >= u64::from(u32::MAX) => {
                format!("a whole number, {min} or more")
            }
            Form::Integer(min, max) if *min > i64::MIN && *max < i64::MAX as u64 => {
                format!("a whole number from {min} to {max}")
            }
            Form::Integer(..) => "a whole number".into(),
            Form::Boolean => "`true` or `false`".into(),
            Form::Choice(words) => alternatives(words),
            Form::List => "a list".into(),
        }
    }
}

/// `a`, `b` or `c`.
pub fn alternatives<S: AsRef<str>>(words: &[S]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.split_last() {
        None => "nothing".into(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// A value that is not what its place asks for. `reason` is the part of the sentence after the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    pub reason: String,
}

impl Misfit {
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }

    fn not(form: &Form) -> Self {
        Self::new(format!("expected {}", form.expected()))
    }
}

/// A type that a leaf of a runbook may have: it is made from a rendered value.
pub trait LeafType: Sized {
    fn form() -> Form;

    fn parse(value: &Value) -> Result<Self, Misfit>;
}

impl LeafType for String {
    fn form() -> Form {
        Form::Text
    }

    /// Numbers and booleans that a template yields are taken as they are shown.
    fn parse(value: &Value) -> Result<Self, Misfit> {
        match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(truth) => Ok(truth.to_string()),
            Value::Null => Err(Misfit::new("expected text, and there is no value")),
            Value::Array(_) => Err(Misfit::new("expected text, and this is a list")),
            Value::Object(_) => Err(Misfit::new("expected text, and this is a mapping")),
        }
    }
}

impl LeafType for bool {
    fn form() -> Form {
        Form::Boolean
    }

    fn parse(value: &Value) -> Result<Self, Misfit> {
        match value {
            Value::Bool(truth) => Ok(*truth),
            Value::String(text) if text == "true" => Ok(true),
            Value::String(text) if text == "false" => Ok(false),
            _ => Err(Misfit::not(&Form::Boolean)),
        }
    }
}

macro_rules! integer_leaf {
    ($($kind:ty: $min:expr, $max:expr;)*) => {$(
        impl LeafType for $kind {
            fn form() -> Form {
                Form::Integer($min, $max)
            }

            fn parse(value: &Value) -> Result<Self, Misfit> {
                let number: Option<i128> = match value {
                    Value::Number(number) => number
                        .as_i64()
                        .map(i128::from)
                        .or_else(|| number.as_u64().map(i128::from)),
                    Value::String(text) => text.trim().parse().ok(),
                    _ => None,
                };
                number
                    .and_then(|number| <$kind>::try_from(number).ok())
                    .ok_or_else(|| Misfit::not(&Self::form()))
            }
        }
    )*};
}

integer_leaf! {
    u32: 0, u32::MAX as u64;
    u64: 0, u64::MAX;
    i64: i64::MIN, i64::MAX as u64;
}

/// A number of which none would be nothing at all.
impl LeafType for NonZeroU32 {
    fn form() -> Form {
        Form::Integer(1, u64::from(u32::MAX))
    }

    fn parse(value: &Value) -> Result<Self, Misfit> {
        u32::parse(value).ok().and_then(Self::new).ok_or_else(|| Misfit::not(&Self::form()))
    }
}

impl LeafType for Duration {
    fn form() -> Form {
        Form::Duration
    }

    fn parse(value: &Value) -> Result<Self, Misfit> {
        match value {
            Value::String(text) => duration(text),
            Value::Number(number) => {
                Err(Misfit::new(format!("a duration needs a unit: `{number}s`, `{number}m`, `{number}h`")))
            }
            _ => Err(Misfit::not(&Form::Duration)),
        }
    }
}

impl LeafType for Vec<Value> {
    fn form() -> Form {
        Form::List
    }

    fn parse(value: &Value) -> Result<Self, Misfit> {
        value.as_array().cloned().ok_or_else(|| Misfit::not(&Form::List))
    }
}

/// A number of bytes, written `50MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl LeafType for Size {
    fn form() -> Form {
        Form::Size
    }

    fn parse(value: &Value) -> Result<Self, Misfit> {
        match value {
            Value::String(text) => size(text),
            Value::Number(number) => number
                .as_u64()
                .map(Size)
                .ok_or_else(|| Misfit::new("a size is a whole number of bytes, 0 or more")),
            _ => Err(Misfit::not(&Form::Size)),
        }
    }
}

/// Reads `2s`, `1d`, `1h 30m`: whole numbers, each with one of the units `ms`, `s`, `m`, `h`, `d`, `w`.
pub fn duration(text: &str) -> Result<Duration, Misfit> {
    let mut rest = text.trim();
    let mut milliseconds: u64 = 0;
    if rest.is_empty() {
        return Err(Misfit::not(&Form::Duration));
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Err(Misfit::not(&Form::Duration));
        }
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let factor: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "" => {
                return Err(Misfit::new(format!("`{number}` needs a unit: `ms`, `s`, `m`, `h`, `d` or `w`")));
            }
            _ => {
                return Err(Misfit::new(format!(
                    "`{unit}` is no unit of time; use `ms`, `s`, `m`, `h`, `d` or `w`"
                )));
            }
        };
        milliseconds = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(factor))
            .and_then(|part| milliseconds.checked_add(part))
            .ok_or_else(|| Misfit::new("this is longer than movebook can count"))?;
        rest = after.trim_start();
    }
    Ok(Duration::from_millis(milliseconds))
}

/// Reads `512`, `50MiB`, `1.5GB`: a number of bytes, with a decimal (`kB`, `MB`) or a binary unit (`KiB`, `MiB`).
pub fn size(text: &str) -> Result<Size, Misfit> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(Misfit::not(&Form::Size));
    }
    let factor: u64 = match unit.trim_start() {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "kiB" | "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        other => {
            return Err(Misfit::new(format!(
                "`{other}` is no unit of size; use `B`, `KiB`, `MiB`, `GiB` or `TiB` (or `kB`, `MB`, `GB`, `TB`)"
            )));
        }
    };
    let too_large = || Misfit::new("this is larger than movebook can count");
    let bytes =
        whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(factor)).ok_or_else(too_large)?;
    // Nine digits of a fraction are a byte in a gigabyte: more would not change any size that people write.
    let (mut part, mut scale) = (0u128, 1u128);
    for digit in fraction.bytes().take(9) {
        part = part * 10 + u128::from(digit - b'0');
        scale *= 10;
    }
    let part = u64::try_from(part * u128::from(factor) / scale).map_err(|_| too_large())?;
    bytes.checked_add(part).map(Size).ok_or_else(too_large)
}

/// A duration as the language writes it: `1d 2h`, `90s` becomes `1m 30s`. The inverse of [`duration`].
pub fn written(duration: Duration) -> String {
    let (seconds, milliseconds) = (duration.as_secs(), u64::from(duration.subsec_millis()));
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (milliseconds, "ms"),
    ];
    let text: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if text.is_empty() { "0s".to_owned() } else { text.join(" ") }
}

/// A size as the language writes it, exact: `5MiB`, `5MB`, `1500B`. The inverse of [`size`].
pub fn written_size(bytes: u64) -> String {
    const TENS: u64 = 1_000;
    let units = [
        (1 << 40, "TiB"),
        (TENS.pow(4), "TB"),
        (1 << 30, "GiB"),
        (TENS.pow(3), "GB"),
        (1 << 20, "MiB"),
        (TENS.pow(2), "MB"),
        (1 << 10, "KiB"),
        (TENS, "kB"),
    ];
    // The one with the shortest number is the one that was most likely written.
    let whole = units.into_iter().filter(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit));
    match whole.min_by_key(|(unit, _)| (bytes / unit).to_string().len()) {
        Some((unit, word)) => format!("{}{word}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

/// The nearest of the known names, where it is near enough to be what was meant.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    // A swap, a letter too much or too few: one in three letters may be wrong.
    let allowed = wanted.chars().count().div_ceil(3);
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_duration_reads_as_what_it_was() {
        for text in ["0s", "200ms", "30s", "1m 30s", "10m", "1d", "1d 2h", "365d"] {
            assert_eq!(written(duration(text).unwrap()), text);
        }
    }

    #[test]
    fn a_written_size_reads_as_what_it_was() {
        for text in [
            "0B", "1500B", "1KiB", "5MiB", "5MB", "250kB", "1024MB", "256MiB", "3GiB", "1TiB", "2TB",
            "1000MiB",
        ] {
            assert_eq!(written_size(size(text).unwrap().0), text);
        }
    }

    #[test]
    fn durations_add_their_parts() {
        assert_eq!(duration("1h 30m").unwrap(), Duration::from_secs(5400));
        assert_eq!(duration("1d").unwrap(), Duration::from_secs(86_400));
        assert_eq!(duration("250ms").unwrap(), Duration::from_millis(250));
        assert_eq!(duration(" 1 h30m ").unwrap(), Duration::from_secs(5400));
    }

    #[test]
    fn a_duration_needs_a_known_unit() {
        assert!(duration("30").unwrap_err().reason.contains("needs a unit"));
        assert!(duration("10 minutes").unwrap_err().reason.contains("`minutes`"));
        assert!(duration("").is_err());
        assert!(duration("soon").is_err());
        assert!(duration("99999999999999999w").is_err());
    }

    #[test]
    fn sizes_have_decimal_and_binary_units() {
        assert_eq!(size("50MiB").unwrap(), Size(50 << 20));
        assert_eq!(size("1.5GB").unwrap(), Size(1_500_000_000));
        assert_eq!(size("512").unwrap(), Size(512));
        assert_eq!(size("0.5 KiB").unwrap(), Size(512));
    }

    #[test]
    fn a_size_with_an_unknown_unit_or_too_large_is_refused() {
        assert!(size("5 megs").unwrap_err().reason.contains("`megs`"));
        assert!(size("99999999999TiB").is_err());
        assert!(size("1.2.3MB").is_err());
        assert!(size("MiB").is_err());
    }

    #[test]
    fn integers_keep_their_range() {
        assert_eq!(u32::parse(&Value::from(8)), Ok(8));
        assert!(u32::parse(&Value::from(-1)).is_err());
        assert!(u32::parse(&Value::from(1.5)).is_err());
        assert_eq!(u64::parse(&Value::from(u64::MAX)), Ok(u64::MAX));
        assert_eq!(u32::parse(&Value::from("12")), Ok(12));
    }

    #[test]
    fn the_nearest_name_is_offered_and_a_far_one_is_not() {
        assert_eq!(did_you_mean("contnet", ["content", "settled"]), Some("content"));
        assert_eq!(did_you_mean("zzz", ["content", "settled"]), None);
    }
}
