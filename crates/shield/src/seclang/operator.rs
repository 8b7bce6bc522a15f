//! Operators: what is asked of each value, as it stands in the text.

use super::fault::Reason;
use super::text::Text;

/// How two numbers are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compare {
    /// `@eq`
    Equal,
    /// `@ge`
    GreaterOrEqual,
    /// `@gt`
    Greater,
    /// `@le`
    LessOrEqual,
    /// `@lt`
    Less,
}

/// How two texts are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Match {
    /// `@streq`
    Equal,
    /// `@contains`, `@strmatch`
    Contains,
    /// `@containsWord`
    ContainsWord,
    /// `@beginsWith`
    BeginsWith,
    /// `@endsWith`
    EndsWith,
    /// `@within`: the value stands within the argument.
    Within,
}

/// Numbers with a check digit that a value may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checked {
    /// `@verifyCC`: card numbers (Luhn).
    Card,
    /// `@verifyCPF`: Brazil.
    Cpf,
    /// `@verifySSN`: United States.
    Ssn,
    /// `@verifySVNR`: Austria.
    Svnr,
}

/// An operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operator {
    /// `@rx`, and what has no operator's name.
    Pattern(String),
    /// `@rxGlobal`: every match of the pattern.
    PatternGlobal(String),
    /// `@pm`: any of these phrases.
    Phrases(String),
    /// `@pmFromFile`, `@pmf`: any phrase of these files.
    PhrasesOfFiles(Vec<String>),
    /// A comparison of numbers.
    Number(Compare, Text),
    /// A comparison of texts.
    Text(Match, Text),
    /// `@ipMatch`
    Address(String),
    /// `@ipMatchFromFile`, `@ipMatchF`
    AddressOfFiles(Vec<String>),
    /// `@validateByteRange`: true where a byte lies outside.
    ByteRange(String),
    /// `@validateUrlEncoding`: true where an escape is wrong.
    UrlEncoding,
    /// `@validateUtf8Encoding`: true where the value is not UTF-8.
    Utf8,
    /// `@verifyCC` and its kin, after a pattern.
    Checked(Checked, String),
    /// `@detectSQLi`
    Sqli,
    /// `@detectXSS`
    Xss,
    /// `@unconditionalMatch` and `SecAction`
    Always,
    /// `@noMatch`
    Never,
}

/// Reads an operator: `!`, `@name argument`, or a bare pattern. The first member of the pair says whether it is negated.
///
/// # Errors
/// The operator that cannot be honoured, and why.
pub(super) fn operator(text: &str) -> Result<(bool, Operator), (String, Reason)> {
    let trimmed = text.trim_start();
    let (negated, rest) = match trimmed.strip_prefix('!') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, trimmed),
    };
    let Some(named) = rest.strip_prefix('@') else {
        // A pattern keeps the blanks that it begins with.
        let pattern = if negated { rest } else { text };
        return Ok((negated, Operator::Pattern(pattern.to_owned())));
    };
    let (name, argument) = named.split_once(char::is_whitespace).unwrap_or((named, ""));
    let argument = argument.trim_start();
    let operator = by_name(name, argument).map_err(|reason| (format!("@{name}"), reason))?;
    Ok((negated, operator))
}

fn by_name(name: &str, argument: &str) -> Result<Operator, Reason> {
    let text = || Text::parse(argument).map_err(|(_, reason)| reason);
    let number = |compare| text().map(|text| Operator::Number(compare, text));
    let matched = |kind| text().map(|text| Operator::Text(kind, text));
    let checked = |kind| Operator::Checked(kind, argument.to_owned());
    Ok(match name.to_ascii_lowercase().as_str() {
        "rx" => Operator::Pattern(argument.to_owned()),
        "rxglobal" => Operator::PatternGlobal(argument.to_owned()),
        "pm" => Operator::Phrases(argument.to_owned()),
        "pmfromfile" | "pmf" => Operator::PhrasesOfFiles(files(argument)?),
        "eq" => number(Compare::Equal)?,
        "ge" => number(Compare::GreaterOrEqual)?,
        "gt" => number(Compare::Greater)?,
        "le" => number(Compare::LessOrEqual)?,
        "lt" => number(Compare::Less)?,
        "streq" => matched(Match::Equal)?,
        "contains" | "strmatch" => matched(Match::Contains)?,
        "containsword" => matched(Match::ContainsWord)?,
        "beginswith" => matched(Match::BeginsWith)?,
        "endswith" => matched(Match::EndsWith)?,
        "within" => matched(Match::Within)?,
        "ipmatch" => Operator::Address(argument.to_owned()),
        "ipmatchfromfile" | "ipmatchf" => Operator::AddressOfFiles(files(argument)?),
        "validatebyterange" => Operator::ByteRange(argument.to_owned()),
        "validateurlencoding" => Operator::UrlEncoding,
        "validateutf8encoding" => Operator::Utf8,
        "verifycc" => checked(Checked::Card),
        "verifycpf" => checked(Checked::Cpf),
        "verifyssn" => checked(Checked::Ssn),
        "verifysvnr" => checked(Checked::Svnr),
        "detectsqli" => Operator::Sqli,
        "detectxss" => Operator::Xss,
        "unconditionalmatch" => Operator::Always,
        "nomatch" => Operator::Never,
        "geolookup" | "rbl" | "gsblookup" | "inspectfile" | "fuzzyhash" | "validatedtd"
        | "validateschema" | "rsub" => {
            return Err(Reason::ReachesOut);
        }
        _ => return Err(Reason::UnknownOperator),
    })
}

fn files(argument: &str) -> Result<Vec<String>, Reason> {
    let names: Vec<_> = argument.split_whitespace().map(str::to_owned).collect();
    if names.is_empty() { Err(Reason::BadArgument) } else { Ok(names) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case() {
        assert_eq!(operator("!@RX a b").unwrap(), (true, Operator::Pattern("a b".into())));
        assert_eq!(operator("^bare$").unwrap(), (false, Operator::Pattern("^bare$".into())));
        assert_eq!(
            operator("@pmf a.data b.data").unwrap().1,
            Operator::PhrasesOfFiles(vec!["a.data".into(), "b.data".into()])
        );
        assert!(matches!(operator("@lt %{tx.level}").unwrap().1, Operator::Number(Compare::Less, _)));
        assert_eq!(operator("@detectSQLi").unwrap().1, Operator::Sqli);
    }

    #[test]
    fn what_would_reach_out_is_refused() {
        assert_eq!(operator("@rbl example.org").unwrap_err(), ("@rbl".into(), Reason::ReachesOut));
        assert_eq!(operator("@rxx a").unwrap_err().1, Reason::UnknownOperator);
        assert_eq!(operator("@pmFromFile").unwrap_err().1, Reason::BadArgument);
    }
}
