//! Long and short options as rclone and rsync have them.

/// An option or a word that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// `--name` or `--name=value`; without the dashes.
    Long {
        name: String,
        value: Option<String>,
    },
    /// One letter of `-avz`; what stands behind it in the same word may be its value.
    Short {
        letter: char,
        rest: String,
    },
    Word(String),
}

/// Goes through the words of a line. A value in a word of its own is asked for by whoever knows that the option has one.
pub struct Arguments<'w> {
    words: std::slice::Iter<'w, String>,
    /// Letters of the same word that are still to come.
    letters: String,
    /// Behind `--` all are words.
    only_words: bool,
}

impl<'w> Arguments<'w> {
    pub fn new(words: &'w [String]) -> Self {
        Self { words: words.iter(), letters: String::new(), only_words: false }
    }

    /// The value of an option that was just read.
    ///
    /// # Errors
    /// There is none; what to say of that.
    pub fn value(&mut self, argument: &Argument) -> Result<String, String> {
        let inner = match argument {
            Argument::Long { value: Some(value), .. } => Some(value.clone()),
            Argument::Short { rest, .. } if !rest.is_empty() => {
                self.letters.clear();
                Some(rest.strip_prefix('=').unwrap_or(rest).to_owned())
            }
            _ => None,
        };
        inner
            .or_else(|| self.words.next().cloned())
            .ok_or_else(|| format!("`{}` has no value: write it behind the option", argument.shown()))
    }
}

impl Iterator for Arguments<'_> {
    type Item = Argument;

    fn next(&mut self) -> Option<Argument> {
        let mut letters = self.letters.chars();
        if let Some(letter) = letters.next() {
            let rest = letters.as_str().to_owned();
            self.letters.clone_from(&rest);
            return Some(Argument::Short { letter, rest });
        }
        let word = self.words.next()?;
        if self.only_words || word == "-" {
            return Some(Argument::Word(word.clone()));
        }
        if word == "--" {
            self.only_words = true;
            return self.next();
        }
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            return Some(Argument::Long { name: name.to_owned(), value });
        }
        match word.strip_prefix('-') {
            Some(letters) => {
                letters.clone_into(&mut self.letters);
                self.next()
            }
            None => Some(Argument::Word(word.clone())),
        }
    }
}

impl Argument {
    /// As a person writes it: `--delete`, `-a`.
    pub fn shown(&self) -> String {
        match self {
            Self::Long { name, .. } => format!("--{name}"),
            Self::Short { letter, .. } => format!("-{letter}"),
            Self::Word(word) => word.clone(),
        }
    }
}

/// A number with a unit of 1024 (`10M`, `10MiB`), where no unit means so many bytes.
pub fn size(text: &str, bare: u64) -> Option<u64> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].to_ascii_lowercase().as_str() {
        "" => bare,
        "b" => 1,
        "k" | "ki" | "kib" => 1 << 10,
        "m" | "mi" | "mib" => 1 << 20,
        "g" | "gi" | "gib" => 1 << 30,
        "t" | "ti" | "tib" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(unit)
}

pub fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("`{text}` is no whole number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_in_all_their_forms() {
        let words = ["-avf", "x", "--max=3", "--min", "4", "a", "--", "-b"].map(str::to_owned);
        let mut arguments = Arguments::new(&words);
        let mut shown = Vec::new();
        while let Some(argument) = arguments.next() {
            let has_value = matches!(argument.shown().as_str(), "-f" | "--max" | "--min");
            let value = if has_value { arguments.value(&argument).unwrap() } else { String::new() };
            shown.push(format!("{}{value}", argument.shown()));
        }
        assert_eq!(shown, ["-a", "-v", "-fx", "--max3", "--min4", "a", "-b"]);
    }

    #[test]
    fn an_option_without_its_value_is_told() {
        let words = ["--max".to_owned()];
        let mut arguments = Arguments::new(&words);
        let argument = arguments.next().unwrap();
        assert!(arguments.value(&argument).unwrap_err().contains("--max"));
    }

    #[test]
    fn sizes_have_units_of_1024() {
        assert_eq!(
            [size("10", 1024), size("10B", 1), size("2M", 1), size("1GiB", 1)],
            [Some(10_240), Some(10), Some(2 << 20), Some(1 << 30)]
        );
        assert_eq!([size("x", 1), size("1MB", 1), size("99999999999T", 1), size("", 1)], [None; 4]);
    }
}
