//! A scalar without quotes → a value, by YAML 1.2's core schema.

use super::model::Raw;

/// A scalar without quotes, by YAML's core schema. What looks like a number and is none to everybody (`007`, `1_000`)
/// stays text.
pub fn plain(text: &str) -> Raw {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Raw::Null,
        "true" | "True" | "TRUE" => return Raw::Boolean(true),
        "false" | "False" | "FALSE" => return Raw::Boolean(false),
        _ => {}
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return Raw::Text(text.to_owned());
    }
    number(text).unwrap_or_else(|| Raw::Text(text.to_owned()))
}

fn number(text: &str) -> Option<Raw> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            return plain.then(|| i64::from_str_radix(digits, radix).ok().map(Raw::Integer)).flatten();
        }
    }
    if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Some(
            text.parse().map_or_else(|_| Raw::Float(text.parse().unwrap_or(f64::MAX)), Raw::Integer),
        );
    }
    // Rust reads `inf`, `nan` and `infinity` too; YAML's numbers have a digit first, or a point and a digit.
    let shape = digits.strip_prefix('.').unwrap_or(digits);
    if !shape.starts_with(|first: char| first.is_ascii_digit())
        || !digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
    {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    if !number.is_finite() {
        return None;
    }
    // `8.0` is the number 8: a schema takes it for a whole number, and so does the reader.
    let whole = number.fract() == 0.0 && number.abs() < 9e15;
    Some(if whole { Raw::Integer(number as i64) } else { Raw::Float(number) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema_of_yaml_1_2() {
        for (text, expected) in [
            ("yes", Raw::Text("yes".into())),
            ("on", Raw::Text("on".into())),
            ("true", Raw::Boolean(true)),
            ("FALSE", Raw::Boolean(false)),
            ("~", Raw::Null),
            ("null", Raw::Null),
            ("", Raw::Null),
            ("12", Raw::Integer(12)),
            ("-3", Raw::Integer(-3)),
            ("+4", Raw::Integer(4)),
            ("0", Raw::Integer(0)),
            ("0x1F", Raw::Integer(31)),
            ("0o17", Raw::Integer(15)),
            ("1.5", Raw::Float(1.5)),
            ("8.0", Raw::Integer(8)),
            ("1e3", Raw::Integer(1000)),
            (".5", Raw::Float(0.5)),
            ("18446744073709551615", Raw::Float(18_446_744_073_709_551_615.0)),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_stays_text() {
        for text in [
            "007", "1_000", "1h", ".inf", ".nan", "-", "+", ".", "0x", "0xZZ", "1.2.3", "--1", "1e999", "e5",
            "22:30",
        ] {
            assert_eq!(plain(text), Raw::Text(text.into()), "{text}");
        }
    }
}
