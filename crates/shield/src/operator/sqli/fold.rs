//! Folding: the tokens of a value reduced to at most five that tell its shape. What is only an operand, a sign or a bracket more
//! goes, so that `1, 2, 3+4` and `1` look alike.

use super::token::{Kind, Reading, Token, Tokens};

/// Tokens of a fingerprint.
pub(super) const LONGEST: usize = 5;

/// What is left of a value.
pub(super) struct Folded {
    /// One more than a fingerprint has, since the meaning of the last may depend on the next; and one spare.
    pub(super) tokens: [Token; LONGEST + 2],
    pub(super) length: usize,
    /// Tokens that were read for it.
    pub(super) read: usize,
    /// MySQL would have read other ones.
    pub(super) other_in_mysql: bool,
    /// There are numbers whose exponent has no digits.
    pub(super) empty_exponent: bool,
}

struct Folding<'a> {
    source: Tokens<'a>,
    tokens: [Token; LONGEST + 2],
    /// Where the next token goes.
    next: usize,
    /// How many tokens at the start are done.
    left: usize,
    /// The last token read was a comment.
    comment: Token,
    more: bool,
}

/// What a step of folding leads to.
enum Outcome {
    /// Begin again at `left`.
    Again,
    /// No rule fits these tokens.
    NoRule,
    /// Nothing can be said of the rest.
    Stop,
}

/// Reads and folds a value.
pub(super) fn fold(value: &[u8], reading: Reading) -> Folded {
    let mut folding = Folding {
        source: Tokens::new(value, reading),
        tokens: [Token::NOTHING; LONGEST + 2],
        next: 0,
        left: 0,
        comment: Token::NOTHING,
        more: true,
    };
    let length = folding.run();
    Folded {
        tokens: folding.tokens,
        length,
        read: folding.source.count,
        other_in_mysql: folding.source.other_in_mysql,
        empty_exponent: folding.source.empty_exponent,
    }
}

impl Folding<'_> {
    fn run(&mut self) -> usize {
        if !self.skip_start() {
            return 0;
        }
        loop {
            self.restart_if_full();
            if !self.more || self.left >= LONGEST {
                self.left = self.next;
                break;
            }
            if !self.fill(2) {
                self.left = self.next;
                continue;
            }
            match self.two() {
                Outcome::Again => continue,
                Outcome::Stop => return self.left + 2,
                Outcome::NoRule => {}
            }
            if !self.fill(3) {
                self.left = self.next;
                continue;
            }
            if let Outcome::NoRule = self.three() {
                self.left += 1;
            }
        }
        if self.left < LONGEST && self.comment.kind == Kind::Comment {
            self.tokens[self.left] = self.comment;
            self.left += 1;
        }
        self.left.min(LONGEST)
    }

    /// Comments, brackets, types and signs at the start do not count.
    fn skip_start(&mut self) -> bool {
        loop {
            if !self.source.next(&mut self.tokens[0]) {
                return false;
            }
            let first = &self.tokens[0];
            if !matches!(first.kind, Kind::Comment | Kind::Open | Kind::Type) && !first.is_unary() {
                self.next = 1;
                return true;
            }
        }
    }

    /// Five tokens that are an operand with brackets are one operand.
    fn restart_if_full(&mut self) {
        use Kind::{Bareword, Close, Comma, Number, Open, Operator};
        if self.next < LONGEST {
            return;
        }
        let kinds: [Kind; LONGEST] = std::array::from_fn(|at| self.tokens[at].kind);
        let operand = matches!(
            kinds,
            [Number, Operator | Comma, Open, Number, Close]
                | [Bareword, Operator, Open, Bareword | Number, Close]
                | [Number, Close, Comma, Open, Number]
                | [Bareword, Close, Operator, Open, Bareword]
        );
        if operand {
            self.left = 0;
            if self.next > LONGEST {
                self.tokens[1] = self.tokens[LONGEST];
                self.next = 2;
            } else {
                self.next = 1;
            }
        }
    }

    /// Reads tokens until `wanted` are not done; false if there are too few.
    fn fill(&mut self, wanted: usize) -> bool {
        while self.more && self.next <= LONGEST && self.next - self.left < wanted {
            self.more = self.source.next(&mut self.tokens[self.next]);
            if !self.more {
                break;
            }
            if self.tokens[self.next].kind == Kind::Comment {
                self.comment = self.tokens[self.next];
            } else {
                self.comment.kind = Kind::Nothing;
                self.next += 1;
            }
        }
        self.next - self.left >= wanted
    }

    /// Takes back `count` tokens and begins again at the start.
    fn again(&mut self, count: usize) -> Outcome {
        self.next -= count;
        self.left = 0;
        Outcome::Again
    }

    /// Takes back a token and goes one back.
    fn one_back(&mut self) -> Outcome {
        self.next -= 1;
        self.left = self.left.saturating_sub(1);
        Outcome::Again
    }

    /// Rules for two tokens.
    fn two(&mut self) -> Outcome {
        let left = self.left;
        let second = self.tokens[left + 1];
        let first = &mut self.tokens[left];
        match (first.kind, second.kind) {
            (Kind::Text, Kind::Text) | (Kind::Semicolon, Kind::Semicolon) => {
                self.next -= 1;
                return Outcome::Again;
            }
            (Kind::Operator | Kind::Logic, kind) if second.is_unary() || kind == Kind::Type => {
                return self.again(1);
            }
            (Kind::Open, _) if second.is_unary() => return self.one_back(),
            _ if first.merge(&second) => return self.one_back(),
            (Kind::Semicolon, Kind::Function)
                if second.text().get(..2).is_some_and(|start| start.eq_ignore_ascii_case(b"IF")) =>
            {
                // In Transact-SQL a statement may start so.
                self.tokens[left + 1].kind = Kind::Tsql;
                return Outcome::Again;
            }
            (Kind::Bareword | Kind::Variable, Kind::Open) if names_function(first) => {
                first.kind = Kind::Function;
                return Outcome::Again;
            }
            (Kind::Keyword, kind) if first.is("IN") || first.is("NOT IN") => {
                first.kind = if kind == Kind::Open { Kind::Operator } else { Kind::Bareword };
                return Outcome::Again;
            }
            (Kind::Operator, kind) if first.is("LIKE") || first.is("NOT LIKE") => {
                first.kind = if kind == Kind::Open { Kind::Function } else { Kind::Operator };
            }
            (
                Kind::Type,
                Kind::Bareword
                | Kind::Number
                | Kind::Type
                | Kind::Open
                | Kind::Function
                | Kind::Variable
                | Kind::Text,
            ) => {
                *first = second;
                return self.again(1);
            }
            // There are too many collations to know them all.
            (Kind::Collate, Kind::Bareword)
                if second.text().split(|&byte| byte == 0).next().is_some_and(|name| name.contains(&b'_')) =>
            {
                self.tokens[left + 1].kind = Kind::Type;
                self.left = 0;
            }
            (Kind::Backslash, _) => {
                if second.is_arithmetic() {
                    // Transact-SQL reads `\%1` as `0 % 1`.
                    first.kind = Kind::Number;
                    return self.again(0);
                }
                *first = second;
                return self.again(1);
            }
            (Kind::Open, Kind::Open) | (Kind::Close, Kind::Close) => return self.again(1),
            (Kind::OpenBrace, Kind::Bareword) => {
                if second.text().is_empty() {
                    // MySQL takes ``{ ``.``.id }``, which three tokens cannot tell.
                    self.tokens[left + 1].kind = Kind::Evil;
                    return Outcome::Stop;
                }
                return self.again(2);
            }
            (_, Kind::CloseBrace) => return self.again(1),
            _ => {}
        }
        Outcome::NoRule
    }

    /// Rules for three tokens.
    fn three(&mut self) -> Outcome {
        use Kind::{
            Bareword, Comma, Dot, Expression, Function, Group, Keyword, Logic, Number, Open, Operator, Text,
            Type, Variable,
        };
        let left = self.left;
        let [first, second, third] = [self.tokens[left], self.tokens[left + 1], self.tokens[left + 2]];
        let unary = second.is_unary();
        match (first.kind, second.kind, third.kind) {
            (Number, Operator, Number) => self.again(2),
            (Operator, kind, Operator) if kind != Open => self.again(2),
            (Logic, _, Logic) => self.again(2),
            (Variable, Operator, Variable | Number | Bareword)
            | (Bareword | Number, Operator, Number | Bareword) => self.again(2),
            (Bareword | Number | Variable | Text, Operator, Type) if second.text() == b"::" => self.again(2),
            (Bareword | Number | Text | Variable, Comma, Number | Bareword | Text | Variable) => {
                self.again(2)
            }
            (Expression | Group | Comma, _, Open) if unary => self.drop_second(),
            (Keyword | Expression | Group, _, Number | Bareword | Variable | Text | Function) if unary => {
                self.drop_second()
            }
            (Comma, _, Number | Bareword | Variable | Text) if unary => {
                // `1,-1` is `1`, so the comma must be looked at again.
                self.tokens[left + 1] = third;
                self.again(3)
            }
            (Comma, _, Function) if unary => self.drop_second(),
            (Bareword, Dot, Bareword) => self.again(2),
            (Expression, Dot, Bareword) => self.drop_second(),
            (Function, Open, kind) => {
                // USER() has no argument; with one it is no function.
                if kind != Kind::Close && first.is("USER") {
                    self.tokens[left].kind = Bareword;
                }
                Outcome::NoRule
            }
            _ => Outcome::NoRule,
        }
    }

    fn drop_second(&mut self) -> Outcome {
        self.tokens[self.left + 1] = self.tokens[self.left + 2];
        self.again(1)
    }
}

/// Names that may be columns, and are functions before a bracket.
fn names_function(token: &Token) -> bool {
    [
        "USER_ID",
        "USER_NAME",
        "DATABASE",
        "PASSWORD",
        "USER",
        "CURRENT_USER",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "LOCALTIME",
        "LOCALTIMESTAMP",
    ]
    .iter()
    .any(|name| token.is(name))
}
