//! Logical lines of a file: continued lines joined, comments left out.

/// One directive, as one line, with the number of its first line in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u32,
    pub(super) text: String,
}

/// Splits a file. A backslash at the end of a line joins the next one to it, without the indentation that it begins with: that
/// is how long lists of actions are written. A comment is a line whose first character is `#`.
pub(super) fn logical(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut open: Option<Line> = None;
    for (number, raw) in (1_u32..).zip(text.lines()) {
        let raw = raw.trim_end_matches('\r');
        let trimmed = raw.trim_start();
        if open.is_none() && (trimmed.is_empty() || trimmed.starts_with('#')) {
            continue;
        }
        // A comment inside a continued directive ends nothing: Apache's reader would take it as text, and so would ModSecurity.
        let (piece, continues) = match raw.trim_end().strip_suffix('\\') {
            Some(before) => (before, true),
            None => (raw, false),
        };
        let line = match open.take() {
            Some(mut line) => {
                line.text.push_str(piece.trim_start());
                line
            }
            None => Line { number, text: piece.trim_start().to_owned() },
        };
        if continues {
            open = Some(line);
        } else {
            lines.push(line);
        }
    }
    lines.extend(open);
    lines
}

/// A word of a directive and what follows it: a quoted one ends at the next `"` that no backslash stands before, and `\"` in it
/// is a plain `"`; any other one ends at white space. `None` at the end of the line or where a quote is never closed.
pub(super) fn word(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let quote = match text.chars().next()? {
        quote @ ('"' | '\'') => quote,
        _ => {
            let end = text.find(char::is_whitespace).unwrap_or(text.len());
            return Some((text[..end].to_owned(), &text[end..]));
        }
    };
    let mut word = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some((_, next)) if next == quote => word.push(quote),
                Some((_, next)) => {
                    word.push('\\');
                    word.push(next);
                }
                None => return None,
            },
            _ if char == quote => return Some((word, &text[at + char.len_utf8()..])),
            _ => word.push(char),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continued_lines_are_one() {
        let lines = logical("# note\n\nSecRule A \"x\" \\\n    \"id:1,\\\n    pass\"\nSecMarker B\n");
        assert_eq!(
            lines,
            [
                Line { number: 3, text: "SecRule A \"x\" \"id:1,pass\"".into() },
                Line { number: 6, text: "SecMarker B".into() },
            ]
        );
    }

    #[test]
    fn words_end_at_their_quote() {
        assert_eq!(word(r#" "a \"b\" \d" rest"#), Some((r#"a "b" \d"#.into(), " rest")));
        assert_eq!(word("plain more"), Some(("plain".into(), " more")));
        assert_eq!(word(r#""never closed"#), None);
        assert_eq!(word("   "), None);
    }
}
