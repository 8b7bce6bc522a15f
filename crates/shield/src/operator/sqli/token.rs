//! Tokens of SQL as all dialects together understand it: libinjection's reading, which must accept what any database does.

use super::words;
use memchr::{memchr, memmem};

/// What a token is; the letter is the one of fingerprints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Kind {
    /// No token.
    Nothing = 0,
    /// `OUTFILE`, `IN`
    Keyword = b'k',
    /// `UNION`, `EXCEPT`
    Union = b'U',
    /// `GROUP BY`, `LIMIT`
    Group = b'B',
    /// `SELECT`, `CASE`: what starts an expression.
    Expression = b'E',
    /// `INT`
    Type = b't',
    Function = b'f',
    /// A word without a meaning.
    Bareword = b'n',
    Number = b'1',
    Variable = b'v',
    Text = b's',
    Operator = b'o',
    /// `AND`, `||`
    Logic = b'&',
    Comment = b'c',
    /// `COLLATE`
    Collate = b'A',
    Open = b'(',
    Close = b')',
    OpenBrace = b'{',
    CloseBrace = b'}',
    Dot = b'.',
    Comma = b',',
    Colon = b':',
    Semicolon = b';',
    /// A statement of Transact-SQL.
    Tsql = b'T',
    Unknown = b'?',
    /// What databases read differently, or only to hide something.
    Evil = b'X',
    Backslash = b'\\',
}

impl Kind {
    /// The meaning of a letter in the list of words.
    pub(super) const fn of(letter: u8) -> Option<Self> {
        Some(match letter {
            b'k' => Self::Keyword,
            b'U' => Self::Union,
            b'B' => Self::Group,
            b'E' => Self::Expression,
            b't' => Self::Type,
            b'f' => Self::Function,
            b'n' => Self::Bareword,
            b'1' => Self::Number,
            b'v' => Self::Variable,
            b'o' => Self::Operator,
            b'&' => Self::Logic,
            b'A' => Self::Collate,
            b'T' => Self::Tsql,
            _ => return None,
        })
    }
}

/// Bytes of a token that are kept: more than any word has.
const KEPT: usize = 31;

/// A token.
#[derive(Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// The quote at the start and the one at the end, 0 where there is none.
    pub(super) open: u8,
    pub(super) close: u8,
    len: u8,
    text: [u8; KEPT],
}

impl Token {
    pub(super) const NOTHING: Self = Self { kind: Kind::Nothing, open: 0, close: 0, len: 0, text: [0; KEPT] };

    /// The first bytes of the token, a string's without its quotes.
    pub(super) fn text(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }

    pub(super) fn first(&self) -> u8 {
        self.text().first().copied().unwrap_or(0)
    }

    fn set(&mut self, kind: Kind, text: &[u8]) {
        let len = text.len().min(KEPT);
        self.kind = kind;
        self.text[..len].copy_from_slice(&text[..len]);
        self.len = len as u8;
    }

    /// Whether the text is this word, in any letter case.
    pub(super) fn is(&self, word: &str) -> bool {
        self.text().eq_ignore_ascii_case(word.as_bytes())
    }

    pub(super) fn is_unary(&self) -> bool {
        self.kind == Kind::Operator
            && (matches!(self.text(), b"+" | b"-" | b"!" | b"~" | b"!!") || self.is("NOT"))
    }

    pub(super) fn is_arithmetic(&self) -> bool {
        self.kind == Kind::Operator && matches!(self.text(), b"*" | b"/" | b"-" | b"+" | b"%")
    }

    /// Makes one token of two if they are a phrase, like `UNION ALL`.
    pub(super) fn merge(&mut self, next: &Self) -> bool {
        let may_start = |kind| {
            matches!(
                kind,
                Kind::Keyword
                    | Kind::Bareword
                    | Kind::Operator
                    | Kind::Union
                    | Kind::Function
                    | Kind::Expression
                    | Kind::Tsql
                    | Kind::Type
            )
        };
        let (first, second) = (self.text(), next.text());
        let len = first.len() + 1 + second.len();
        if !may_start(self.kind) || !(may_start(next.kind) || next.kind == Kind::Logic) || len > KEPT {
            return false;
        }
        let mut phrase = [b' '; KEPT];
        phrase[..first.len()].copy_from_slice(first);
        phrase[first.len() + 1..len].copy_from_slice(second);
        let Some(kind) = words::meaning(&phrase[..len]) else {
            return false;
        };
        self.set(kind, &phrase[..len]);
        true
    }
}

/// How a value is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// The quote that the value is thought to follow, or 0.
    pub(super) quote: u8,
    /// `#` starts a comment, and `--` only before white space.
    pub(super) mysql: bool,
    /// Numbers with an exponent that has no digits are nothing: MySQL reads `1.e(1)` as `(1)`.
    pub(super) skip_empty_exponents: bool,
}

/// Reads the tokens of a value.
pub(super) struct Tokens<'a> {
    value: &'a [u8],
    at: usize,
    reading: Reading,
    /// How many tokens were read, comments too.
    pub(super) count: usize,
    /// A comment was read that MySQL reads in another way.
    pub(super) other_in_mysql: bool,
    /// A number was read whose exponent has no digits.
    pub(super) empty_exponent: bool,
}

const WORD_ENDS: [bool; 256] = set(b" []{}<>:\\?=@!#~+-*/&|^%(),';\t\n\x0b\x0c\r\"\xa0\0");
const VARIABLE_ENDS: [bool; 256] = set(b" <>:\\?=@!#~+-*/&|^%(),';\t\n\x0b\x0c\r'`\"\0");
const WHITE: [bool; 256] = set(b" \t\n\x0b\x0c\r\xa0\0");
// A byte 0 counts as a digit here, as it does in the C library.
const HEX: [bool; 256] = set(b"0123456789ABCDEFabcdef\0");
const BINARY: [bool; 256] = set(b"01\0");
const MONEY: [bool; 256] = set(b"0123456789.,\0");
const LETTERS: [bool; 256] = set(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\0");

const fn set(bytes: &[u8]) -> [bool; 256] {
    let mut set = [false; 256];
    let mut at = 0;
    while at < bytes.len() {
        set[bytes[at] as usize] = true;
        at += 1;
    }
    set
}

/// How many bytes at the start are in the set.
fn span(bytes: &[u8], set: &[bool; 256]) -> usize {
    bytes.iter().take_while(|&&byte| set[usize::from(byte)]).count()
}

/// How many bytes at the start are not in the set.
fn span_until(bytes: &[u8], set: &[bool; 256]) -> usize {
    bytes.iter().take_while(|&&byte| !set[usize::from(byte)]).count()
}

impl<'a> Tokens<'a> {
    pub(super) fn new(value: &'a [u8], reading: Reading) -> Self {
        Self { value, at: 0, reading, count: 0, other_in_mysql: false, empty_exponent: false }
    }

    /// Reads the next token; false at the end.
    pub(super) fn next(&mut self, token: &mut Token) -> bool {
        *token = Token::NOTHING;
        if self.at == 0 && self.reading.quote != 0 {
            self.at = self.string(token, 0, self.reading.quote);
            token.open = 0;
            self.count += 1;
            return true;
        }
        while let Some(&byte) = self.value.get(self.at) {
            self.at = self.token(token, byte);
            if token.kind != Kind::Nothing {
                self.count += 1;
                return true;
            }
        }
        false
    }

    /// All from `from` on.
    fn rest(&self, from: usize) -> &'a [u8] {
        self.value.get(from..).unwrap_or_default()
    }

    /// The byte `ahead` of the current one.
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.value.get(self.at + ahead).copied()
    }

    /// Reads one token or a byte of white space, gives the place after it.
    fn token(&mut self, token: &mut Token, byte: u8) -> usize {
        match byte {
            0..=b' ' | 0x7f | 0xa0 => self.at + 1,
            b'\'' | b'"' => self.string(token, self.at + 1, byte),
            b'0'..=b'9' | b'.' => self.number(token),
            b'%' | b'+' | b'^' | b'~' => self.single(token, Kind::Operator),
            b'!' | b'&' | b'*' | b':' | b'<' | b'=' | b'>' | b'|' => self.operator(token),
            b'(' => self.single(token, Kind::Open),
            b')' => self.single(token, Kind::Close),
            b',' => self.single(token, Kind::Comma),
            b';' => self.single(token, Kind::Semicolon),
            b'{' => self.single(token, Kind::OpenBrace),
            b'}' => self.single(token, Kind::CloseBrace),
            b'?' | b']' => self.single(token, Kind::Unknown),
            b'#' => self.hash(token),
            b'-' => self.dash(token),
            b'/' => self.slash(token),
            b'$' => self.money(token),
            b'@' => self.variable(token),
            b'[' => self.bracketed(token),
            b'\\' => self.backslash(token),
            b'`' => self.ticked(token, self.at),
            _ => self.prefixed(token, byte).unwrap_or_else(|| self.word(token)),
        }
    }

    fn single(&self, token: &mut Token, kind: Kind) -> usize {
        token.set(kind, &self.value[self.at..=self.at]);
        self.at + 1
    }

    /// A token of the bytes from here to `end`.
    fn to(&self, token: &mut Token, kind: Kind, end: usize) -> usize {
        token.set(kind, &self.value[self.at..end]);
        end
    }

    /// Operators of one to three bytes.
    fn operator(&self, token: &mut Token) -> usize {
        let rest = self.rest(self.at);
        if rest.starts_with(b"<=>") {
            return self.to(token, Kind::Operator, self.at + 3);
        }
        if let Some(kind) = rest.get(..2).and_then(words::meaning) {
            return self.to(token, kind, self.at + 2);
        }
        let alone = rest[0] == b':' && rest.len() > 1;
        self.single(token, if alone { Kind::Colon } else { Kind::Operator })
    }

    fn line_comment(&self, token: &mut Token) -> usize {
        match memchr(b'\n', self.rest(self.at)) {
            Some(length) => self.to(token, Kind::Comment, self.at + length) + 1,
            None => self.to(token, Kind::Comment, self.value.len()),
        }
    }

    fn hash(&mut self, token: &mut Token) -> usize {
        self.other_in_mysql = true;
        if self.reading.mysql { self.line_comment(token) } else { self.single(token, Kind::Operator) }
    }

    fn dash(&mut self, token: &mut Token) -> usize {
        let after = self.peek(2);
        if self.peek(1) != Some(b'-') {
            return self.single(token, Kind::Operator);
        }
        if after.is_none_or(|byte| WHITE[usize::from(byte)]) {
            return self.line_comment(token);
        }
        // MySQL reads two operators here, all others a comment.
        if self.reading.mysql {
            return self.single(token, Kind::Operator);
        }
        self.other_in_mysql = true;
        self.line_comment(token)
    }

    /// `/*…*/`: one inside another and those of MySQL with code in them are evil.
    fn slash(&self, token: &mut Token) -> usize {
        if self.peek(1) != Some(b'*') {
            return self.single(token, Kind::Operator);
        }
        let inner = self.rest(self.at + 2);
        let length = memmem::find(inner, b"*/");
        let nested = length.is_some_and(|length| memmem::find(&inner[..=length], b"/*").is_some());
        let kind = if nested || inner.first() == Some(&b'!') { Kind::Evil } else { Kind::Comment };
        self.to(token, kind, length.map_or(self.value.len(), |length| self.at + 2 + length + 2))
    }

    fn backslash(&self, token: &mut Token) -> usize {
        // MySQL's other name of NULL.
        if self.peek(1) == Some(b'N') {
            return self.to(token, Kind::Number, self.at + 2);
        }
        self.single(token, Kind::Backslash)
    }

    /// A string whose text starts at `start`, up to the quote that is neither escaped nor doubled.
    fn string(&self, token: &mut Token, start: usize, quote: u8) -> usize {
        token.open = quote;
        let text = self.rest(start);
        let mut from = 0;
        while let Some(found) = text.get(from..).and_then(|rest| memchr(quote, rest)) {
            let end = from + found;
            let backslashes = text[..end].iter().rev().take_while(|&&byte| byte == b'\\').count();
            if backslashes % 2 == 1 {
                from = end + 1;
            } else if text.get(end + 1) == Some(&quote) {
                from = end + 2;
            } else {
                token.set(Kind::Text, &text[..end]);
                token.close = quote;
                return start + end + 1;
            }
        }
        token.set(Kind::Text, text);
        token.close = 0;
        self.value.len()
    }

    /// Words that may be the prefix of a string: `b'01'`, `e'…'`, `n'…'`, `q'(…)'`, `nq'(…)'`, `u&'…'`, `x'0f'`.
    fn prefixed(&self, token: &mut Token, byte: u8) -> Option<usize> {
        match byte {
            b'B' | b'b' => self.digits(token, &BINARY),
            b'X' | b'x' => self.digits(token, &HEX),
            b'E' | b'e' => self.escaped(token),
            b'N' | b'n' => self.escaped(token).or_else(|| self.quoted(token, self.at + 1)),
            b'Q' | b'q' => self.quoted(token, self.at),
            b'U' | b'u' => {
                if self.peek(1) != Some(b'&') || self.peek(2) != Some(b'\'') {
                    return None;
                }
                let end = self.string(token, self.at + 3, b'\'');
                token.open = b'u';
                if token.close == b'\'' {
                    token.close = b'u';
                }
                Some(end)
            }
            _ => None,
        }
    }

    fn digits(&self, token: &mut Token, set: &[bool; 256]) -> Option<usize> {
        if self.peek(1) != Some(b'\'') {
            return None;
        }
        let end = self.at + 2 + span(self.rest(self.at + 2), set);
        (self.value.get(end) == Some(&b'\'')).then(|| self.to(token, Kind::Number, end + 1))
    }

    fn escaped(&self, token: &mut Token) -> Option<usize> {
        (self.peek(1) == Some(b'\'') && self.peek(2).is_some())
            .then(|| self.string(token, self.at + 2, b'\''))
    }

    /// Oracle's string with a quote of its own, whose `q` is at `at`.
    fn quoted(&self, token: &mut Token, at: usize) -> Option<usize> {
        let [b'q' | b'Q', b'\'', quote @ 33..=127, text @ ..] = self.rest(at) else {
            return None;
        };
        let close = match quote {
            b'(' => b')',
            b'[' => b']',
            b'{' => b'}',
            b'<' => b'>',
            &other => other,
        };
        token.open = b'q';
        match memmem::find(text, &[close, b'\'']) {
            Some(length) => {
                token.set(Kind::Text, &text[..length]);
                token.close = b'q';
                Some(at + 3 + length + 2)
            }
            None => {
                token.set(Kind::Text, text);
                Some(self.value.len())
            }
        }
    }

    /// `[name]` of SQL Server.
    fn bracketed(&self, token: &mut Token) -> usize {
        let end = memchr(b']', self.rest(self.at)).map_or(self.value.len(), |length| self.at + length + 1);
        self.to(token, Kind::Bareword, end)
    }

    fn word(&self, token: &mut Token) -> usize {
        let length = span_until(self.rest(self.at), &WORD_ENDS);
        let end = self.to(token, Kind::Bareword, self.at + length);
        // `SELECT.1` and SELECT`column` are two tokens.
        for (before, &byte) in token.text().iter().enumerate() {
            if matches!(byte, b'.' | b'`')
                && let Some(kind) = words::meaning(&token.text()[..before])
                && kind != Kind::Bareword
            {
                return self.to(token, kind, self.at + before);
            }
        }
        if length <= KEPT {
            token.kind = words::meaning(token.text()).unwrap_or(Kind::Bareword);
        }
        end
    }

    /// MySQL's `name`, with the tick at `at`: a function if it is one's name, else a bare word.
    fn ticked(&self, token: &mut Token, at: usize) -> usize {
        let end = self.string(token, at + 1, b'`');
        token.kind = match words::meaning(token.text()) {
            Some(Kind::Function) => Kind::Function,
            _ => Kind::Bareword,
        };
        end
    }

    /// `@name`, `@@name`, @@`name`, `@'name'`.
    fn variable(&self, token: &mut Token) -> usize {
        let start = self.at + if self.peek(1) == Some(b'@') { 2 } else { 1 };
        let end = match self.value.get(start) {
            Some(b'`') => self.ticked(token, start),
            Some(&quote @ (b'\'' | b'"')) => self.string(token, start + 1, quote),
            _ => {
                let rest = self.rest(start);
                let length = span_until(rest, &VARIABLE_ENDS);
                token.set(Kind::Variable, &rest[..length]);
                start + length
            }
        };
        token.kind = Kind::Variable;
        end
    }

    /// `$1,000.00`, PostgreSQL's `$$…$$` and `$tag$…$tag$`.
    fn money(&self, token: &mut Token) -> usize {
        let after = self.rest(self.at + 1);
        if after.is_empty() {
            return self.single(token, Kind::Bareword);
        }
        match span(after, &MONEY) {
            0 => {}
            1 if after[0] == b'.' => return self.word(token),
            length => return self.to(token, Kind::Number, self.at + 1 + length),
        }
        let tag = if after[0] == b'$' { 0 } else { span(after, &LETTERS) };
        if after.get(tag) != Some(&b'$') {
            return self.single(token, Kind::Bareword);
        }
        let mark = &self.value[self.at..self.at + tag + 2];
        let text = self.rest(self.at + mark.len());
        token.open = b'$';
        match memmem::find(text, mark) {
            Some(length) => {
                token.set(Kind::Text, &text[..length]);
                token.close = b'$';
                self.at + mark.len() + length + mark.len()
            }
            None => {
                token.set(Kind::Text, text);
                self.value.len()
            }
        }
    }

    fn number(&mut self, token: &mut Token) -> usize {
        if let [b'0', base @ (b'x' | b'X' | b'b' | b'B'), digits @ ..] = self.rest(self.at) {
            let set = if base.eq_ignore_ascii_case(&b'x') { &HEX } else { &BINARY };
            let length = span(digits, set);
            let kind = if length == 0 { Kind::Bareword } else { Kind::Number };
            return self.to(token, kind, self.at + 2 + length);
        }
        let digits = |at: usize| at + self.rest(at).iter().take_while(|byte| byte.is_ascii_digit()).count();
        let byte = |at: usize| self.value.get(at).copied();
        let mut end = digits(self.at);
        if byte(end) == Some(b'.') {
            end = digits(end + 1);
            if end == self.at + 1 {
                return self.single(token, Kind::Dot);
            }
        }
        let mut empty_exponent = false;
        if matches!(byte(end), Some(b'e' | b'E')) {
            let sign = matches!(byte(end + 1), Some(b'+' | b'-'));
            let start = end + 1 + usize::from(sign);
            end = digits(start);
            empty_exponent = end == start;
        }
        // Oracle's suffixes, where a word does not start with them.
        if matches!(byte(end), Some(b'd' | b'D' | b'f' | b'F'))
            && byte(end + 1).is_none_or(|next| WHITE[usize::from(next)] || matches!(next, b';' | b'u' | b'U'))
        {
            end += 1;
        }
        if !empty_exponent {
            return self.to(token, Kind::Number, end);
        }
        self.empty_exponent = true;
        if self.reading.skip_empty_exponents { end } else { self.to(token, Kind::Bareword, end) }
    }
}

/// Whether a comment may hold what hides a statement from SQL Server's log.
pub(super) fn hides_from_log(value: &[u8]) -> bool {
    memmem::find(value, b"sp_password").is_some()
}
