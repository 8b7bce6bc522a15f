//! Text with macros: `%{tx.score}`, `%{REQUEST_HEADERS.Host}`.

use super::fault::Reason;
use super::variable::Variable;

/// A piece of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Stands as it is.
    Plain(Box<[u8]>),
    /// The value of a variable, or of one member of a collection (its name in lower case).
    Value(Variable, Option<Box<[u8]>>),
}

/// A text that is put together when a rule matches.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Text(Box<[Piece]>);

impl Text {
    /// Reads a text.
    ///
    /// # Errors
    /// The macro that names no variable.
    pub fn parse(text: &str) -> Result<Self, (String, Reason)> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("%{") {
            let Some(length) = rest[start..].find('}') else { break };
            if start > 0 {
                pieces.push(Piece::Plain(rest.as_bytes()[..start].into()));
            }
            let macro_text = &rest[start + 2..start + length];
            pieces.push(value(macro_text).map_err(|reason| (format!("%{{{macro_text}}}"), reason))?);
            rest = &rest[start + length + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Plain(rest.as_bytes().into()));
        }
        Ok(Self(pieces.into()))
    }

    /// Its pieces.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The text, if it holds no macro.
    #[must_use]
    pub fn constant(&self) -> Option<&[u8]> {
        match &*self.0 {
            [] => Some(b""),
            [Piece::Plain(bytes)] => Some(bytes),
            _ => None,
        }
    }

    /// The text, if it holds no macro, as a string.
    #[must_use]
    pub fn plain(&self) -> Option<&str> {
        self.constant().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }
}

fn value(inner: &str) -> Result<Piece, Reason> {
    let inner = inner.trim();
    let at = inner.find(['.', ':']);
    let (name, key) = match at {
        Some(at) => (&inner[..at], Some(&inner[at + 1..])),
        None => (inner, None),
    };
    let variable = Variable::parse(name).ok_or(Reason::UnknownVariable)?;
    if key.is_some() && !variable.is_collection() {
        return Err(Reason::NotACollection);
    }
    Ok(Piece::Value(variable, key.map(|key| key.to_ascii_lowercase().into_bytes().into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_are_found() {
        let text = Text::parse("a %{tx.Score}%{MATCHED_VAR} b").unwrap();
        assert_eq!(
            text.pieces(),
            [
                Piece::Plain(b"a ".as_slice().into()),
                Piece::Value(Variable::Tx, Some(b"score".as_slice().into())),
                Piece::Value(Variable::MatchedVar, None),
                Piece::Plain(b" b".as_slice().into()),
            ]
        );
        assert_eq!(text.constant(), None);
        assert_eq!(Text::parse("50 %{ open").unwrap().plain(), Some("50 %{ open"));
        assert_eq!(Text::parse("%{nothing}").unwrap_err().0, "%{nothing}");
    }
}
