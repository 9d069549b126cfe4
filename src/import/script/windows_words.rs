//! A command line as Windows' programs take it apart.

/// The words of a line: blanks part them but between quotes, and backslashes are themselves but in front of a quote, where
/// each two are one and an odd one makes the quote a letter.
pub fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\n' if !is_quoted => words.extend(word.take()),
            '\\' => {
                let mut count = 1;
                while letters.next_if_eq(&'\\').is_some() {
                    count += 1;
                }
                let word = word.get_or_insert_default();
                let before_quote = letters.peek() == Some(&'"');
                let kept = if before_quote { count / 2 } else { count };
                word.extend(std::iter::repeat_n('\\', kept));
                if before_quote && count % 2 == 1 {
                    letters.next();
                    word.push('"');
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                // Two quotes between quotes are one that is a letter.
                if is_quoted && letters.next_if_eq(&'"').is_some() {
                    word.push('"');
                } else {
                    is_quoted = !is_quoted;
                }
            }
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_those_that_a_program_gets() {
        for (line, expected) in [
            (r#"robocopy "C:\Mail Archive" D:\b /e"#, &["robocopy", r"C:\Mail Archive", r"D:\b", "/e"][..]),
            (r#"a "C:\" D:\b"#, &["a", r#"C:" D:\b"#]),
            (r#"a "C:\\" D:\b"#, &["a", r"C:\", r"D:\b"]),
            (r#"a "" b"#, &["a", "", "b"]),
            (r#"a x"b c"d"#, &["a", "xb cd"]),
            ("  a\t b ", &["a", "b"]),
            ("", &[]),
        ] {
            assert_eq!(words(line), expected, "{line}");
        }
    }
}
