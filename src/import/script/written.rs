//! Whether a line writes into a file by a redirection: what it does then is more than to show something.

use super::Dialect;

/// The first file that a line writes into, as it stands there. What goes nowhere, or into another stream, is none.
pub fn written(line: &str, dialect: Dialect) -> Option<String> {
    let mut quote = None;
    let mut letters = line.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match (letter, quote) {
            (letter, Some(open)) if letter == open => quote = None,
            (_, Some(_)) => {}
            ('"', None) => quote = Some('"'),
            // Batch files know double quotes alone.
            ('\'', None) if dialect != Dialect::Batch => quote = Some('\''),
            ('^', None) if dialect == Dialect::Batch => drop(letters.next()),
            ('\\', None) if dialect == Dialect::Posix => drop(letters.next()),
            ('`', None) if dialect == Dialect::PowerShell => drop(letters.next()),
            ('>', None) => {
                let target = line[at..].trim_start_matches(['>', '|']);
                if let Some(file) = file(target) {
                    return Some(file);
                }
            }
            _ => {}
        }
    }
    None
}

/// The file behind `>`; none behind `>&2`, `> nul`, `> /dev/null`, `> $null`.
fn file(target: &str) -> Option<String> {
    if target.starts_with('&') {
        return None;
    }
    let target = target.trim_start();
    let end = match target.strip_prefix(['"', '\'']) {
        Some(rest) => rest.find(['"', '\'']).map_or(target.len(), |end| end + 2),
        None => target
            .find(|letter: char| letter.is_whitespace() || "&|<>;)".contains(letter))
            .unwrap_or(target.len()),
    };
    let file = &target[..end];
    (!goes_nowhere(file)).then(|| file.to_owned())
}

/// Whether what is written there is kept nowhere.
pub fn goes_nowhere(file: &str) -> bool {
    let bare = file.trim_matches(['"', '\'']).trim_end_matches(':').to_ascii_lowercase();
    matches!(bare.as_str(), "" | "nul" | "con" | "/dev/null" | "/dev/stderr" | "/dev/tty" | "$null")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_from_what_goes_nowhere() {
        use Dialect::{Batch, Posix, PowerShell};

        for (line, dialect, expected) in [
            (r"echo on > D:\maintenance.flag", Batch, Some(r"D:\maintenance.flag")),
            (r#"type nul >"D:\a b.flag""#, Batch, Some(r#""D:\a b.flag""#)),
            ("date >> /mnt/stamp", Posix, Some("/mnt/stamp")),
            ("echo don't > x.flag", Batch, Some("x.flag")),
            ("ls 2> /var/errors", Posix, Some("/var/errors")),
            ("Get-Date > C:\\stamp", PowerShell, Some("C:\\stamp")),
            ("echo done >nul 2>&1", Batch, None),
            ("echo done > NUL", Batch, None),
            ("echo failed >&2", Posix, None),
            ("date > /dev/null", Posix, None),
            ("Get-Date > $null", PowerShell, None),
            ("echo \"a > b\"", Batch, None),
            ("echo a ^> b", Batch, None),
            ("echo 'a > b'", Posix, None),
            (r"echo a \> b", Posix, None),
            ("echo a `> b", PowerShell, None),
        ] {
            assert_eq!(written(line, dialect).as_deref(), expected, "{line}");
        }
    }
}
