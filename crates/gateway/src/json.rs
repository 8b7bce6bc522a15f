//! Where the strings of a JSON text stand (RFC 8259), so that some can be replaced and all other bytes stay as they are:
//! numbers keep their digits, members their order.

/// Deepest nesting.
const DEPTH: usize = 100;
/// Most strings.
const STRINGS: usize = 200_000;

/// A string that is a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// Its pointer (RFC 6901).
    pub(crate) pointer: String,
    /// Its first byte behind the opening quote.
    pub(crate) start: usize,
    /// Its closing quote.
    pub(crate) end: usize,
}

impl Text {
    /// What it says.
    pub(crate) fn decoded(&self, json: &[u8]) -> Option<String> {
        serde_json::from_slice(json.get(self.start - 1..=self.end)?).ok()
    }
}

/// Why a text was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// Not JSON.
    Syntax,
    /// Two members of one name: two programs could take either.
    Twice,
    /// Too deep, or too many strings.
    Size,
}

enum Frame {
    Object { names: std::collections::HashSet<String>, name: String },
    Array(usize),
}

/// All strings that are values, in order.
pub(crate) fn strings(json: &[u8]) -> Result<Vec<Text>, JsonError> {
    // The library says whether it is JSON at all; what follows may then rely on it.
    serde_json::from_slice::<serde::de::IgnoredAny>(json).map_err(|_| JsonError::Syntax)?;
    let mut walk = Walk { json, at: 0, frames: Vec::new(), texts: Vec::new(), want_name: false };
    walk.run()?;
    Ok(walk.texts)
}

struct Walk<'a> {
    json: &'a [u8],
    at: usize,
    frames: Vec<Frame>,
    texts: Vec<Text>,
    want_name: bool,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), JsonError> {
        while let Some(&byte) = self.json.get(self.at) {
            match byte {
                b'"' => self.string()?,
                b'{' => {
                    self.enter(Frame::Object {
                        names: std::collections::HashSet::new(),
                        name: String::new(),
                    })?;
                    self.want_name = true;
                }
                b'[' => {
                    self.enter(Frame::Array(0))?;
                    self.want_name = false;
                }
                b'}' | b']' => {
                    self.frames.pop();
                    self.want_name = false;
                }
                b',' => match self.frames.last_mut() {
                    Some(Frame::Object { .. }) => self.want_name = true,
                    Some(Frame::Array(index)) => *index += 1,
                    None => return Err(JsonError::Syntax),
                },
                _ => {}
            }
            self.at += 1;
        }
        Ok(())
    }

    fn enter(&mut self, frame: Frame) -> Result<(), JsonError> {
        self.frames.push(frame);
        if self.frames.len() > DEPTH { Err(JsonError::Size) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<(), JsonError> {
        let start = self.at + 1;
        let mut end = start;
        loop {
            match self.json.get(end).ok_or(JsonError::Syntax)? {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        self.at = end;
        if self.want_name {
            self.want_name = false;
            let text = self.json.get(start - 1..=end).ok_or(JsonError::Syntax)?;
            let decoded: String = serde_json::from_slice(text).map_err(|_| JsonError::Syntax)?;
            if let Some(Frame::Object { names, name }) = self.frames.last_mut() {
                if !names.insert(decoded.clone()) {
                    return Err(JsonError::Twice);
                }
                *name = decoded;
            }
            return Ok(());
        }
        if self.texts.len() >= STRINGS {
            return Err(JsonError::Size);
        }
        self.texts.push(Text { pointer: self.pointer(), start, end });
        Ok(())
    }

    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for frame in &self.frames {
            pointer.push('/');
            match frame {
                Frame::Object { name, .. } => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
                Frame::Array(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }
}

/// A text as the inside of a JSON string that may also stand in a page: `<`, `>`, `&` and the line ends of JavaScript
/// are escaped.
pub(crate) fn escaped(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    let inside = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    let mut out = String::with_capacity(inside.len());
    for char in inside.chars() {
        match char {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_string_has_its_pointer() {
        let json = br#" {"a":"x","b":[1,"y",{"c/d~":"z\"q"}],"e":{"f":1.50,"g":["h",[ "i"]]},"k":"" } "#;
        let all = strings(json).expect("json");
        let found: Vec<(String, String)> =
            all.iter().map(|text| (text.pointer.clone(), text.decoded(json).expect("text"))).collect();
        let want = [
            ("/a", "x"),
            ("/b/1", "y"),
            ("/b/2/c~1d~0", "z\"q"),
            ("/e/g/0", "h"),
            ("/e/g/1/0", "i"),
            ("/k", ""),
        ];
        assert_eq!(found, want.map(|(pointer, text)| (pointer.to_owned(), text.to_owned())));
        assert_eq!(strings(br#""alone""#).expect("json")[0].pointer, "");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        assert_eq!(strings(br#"{"a":"x","\u0061":"y"}"#), Err(JsonError::Twice));
        assert_eq!(strings(br#"{"a":"x"} {"#), Err(JsonError::Syntax));
        assert_eq!(strings(b"{'a':1}"), Err(JsonError::Syntax));
        assert_eq!(strings(["[".repeat(101), "]".repeat(101)].concat().as_bytes()), Err(JsonError::Size));
    }

    #[test]
    fn nothing_breaks_out_of_a_page() {
        assert_eq!(escaped("</script>&\"\\\u{2028}ü"), "\\u003c/script\\u003e\\u0026\\\"\\\\\\u2028ü");
    }

    proptest! {
        #[test]
        fn replacing_nothing_changes_nothing(values in proptest::collection::vec(".{0,12}", 0..8)) {
            let json = serde_json::to_vec(&serde_json::json!({ "list": values, "n": 1 })).expect("json");
            let found = strings(&json).expect("json");
            let texts: Vec<String> = found.iter().map(|text| text.decoded(&json).expect("text")).collect();
            prop_assert_eq!(texts, values);
        }

        #[test]
        fn what_is_escaped_reads_back(text in any::<String>()) {
            let back: String = serde_json::from_str(&format!("\"{}\"", escaped(&text))).expect("json");
            prop_assert_eq!(back, text);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = strings(&bytes);
        }
    }
}
