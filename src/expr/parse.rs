//! Tokens to an untyped tree; see the room's doc for the grammar.

use std::ops::Range;

use super::error::ExprError;
use super::literal::Literal;
use super::token::{Token, tokens};

/// Longest text read, in bytes: far beyond what a person writes.
const LONGEST: usize = 64 << 10;
/// Brackets, signs and the like within each other; each costs the parser's stack.
const NESTED: u32 = 100;
/// Deepest tree built, so that no walk over it can exhaust a thread's stack.
const DEEPEST: u32 = 500;

/// A tree of what was written, each part with its place.
#[derive(Debug, Clone)]
pub(super) struct Ast {
    pub(super) kind: AstKind,
    pub(super) span: Range<usize>,
    depth: u32,
}

#[derive(Debug, Clone)]
pub(super) enum AstKind {
    Literal(Literal),
    /// A column, constant or misplaced function.
    Name(String),
    /// A column in backticks.
    Quoted(String),
    List(Vec<Ast>),
    /// An operator, by the name of its function.
    Operator(&'static str, Vec<Ast>),
    /// `a < b <= c`: operands, and the functions between them.
    Chain(Vec<Ast>, Vec<&'static str>),
    /// `x not in list`, `x not between low and high`, by the test without the word.
    Negated(Box<Ast>),
    /// `name(arguments)`.
    Call(String, Range<usize>, Vec<Ast>),
    /// `of.name` or `of.name(arguments)`.
    Member {
        of: Box<Ast>,
        name: String,
        name_span: Range<usize>,
        arguments: Option<Vec<Ast>>,
    },
}

impl Ast {
    /// A name taken for a text.
    pub(super) fn text(name: &str, span: Range<usize>) -> Ast {
        Ast { kind: AstKind::Literal(Literal::Text(name.to_owned())), span, depth: 1 }
    }
}

/// Reads a whole text as one expression.
pub(super) fn parse(text: &str) -> Result<Ast, ExprError> {
    if text.len() > LONGEST {
        let message =
            format!("this expression has {} bytes; the longest that is read has {LONGEST}", text.len());
        return Err(ExprError::new(message, 0..0));
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    if parser.peek() == &Token::End {
        return Err(ExprError::new("an expression is expected here", 0..text.len()));
    }
    let ast = parser.choice()?;
    let span = parser.span();
    match parser.peek() {
        Token::End => Ok(ast),
        Token::Symbol(s @ (")" | "]")) => {
            Err(ExprError::new(format!("this {s} closes a bracket that was never opened"), span))
        }
        Token::Name(name) => Err(ExprError::new(format!("an operator is expected before {name}"), span)),
        Token::Symbol(",") => Err(ExprError::new("one expression only: a comma has no meaning here", span)),
        _ => Err(ExprError::new("an operator is expected here", span)),
    }
}

/// Whether a name is a word of the language and therefore no bare column name.
pub(super) fn is_keyword(name: &str) -> bool {
    keyword(name).is_some()
}

/// The keyword a name is: written small or, as in SQL, in capitals throughout.
fn keyword(name: &str) -> Option<&'static str> {
    const KEYWORDS: [&str; 12] =
        ["and", "or", "not", "in", "between", "is", "if", "else", "true", "false", "null", "none"];
    KEYWORDS.into_iter().find(|k| *k == name || k.to_uppercase() == name).or(match name {
        "True" => Some("true"),
        "False" => Some("false"),
        "None" => Some("none"),
        _ => None,
    })
}

const IS_WHAT: &str = "null, nan, true or false is expected here: x is null";

struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: u32,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn span(&self) -> Range<usize> {
        self.tokens[self.at].1.clone()
    }

    fn before(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |i| self.tokens[i].1.end)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(s) if *s == symbol);
        if found {
            self.next();
        }
        found
    }

    fn word(&self) -> Option<&'static str> {
        match self.peek() {
            Token::Name(name) => keyword(name),
            _ => None,
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.word() == Some(word);
        if found {
            self.next();
        }
        found
    }

    fn close(&mut self, symbol: &'static str, opened: Range<usize>) -> Result<(), ExprError> {
        if self.take(symbol) {
            return Ok(());
        }
        if self.peek() == &Token::End {
            return Err(ExprError::new(format!("this bracket is never closed with {symbol}"), opened));
        }
        let expected = if matches!(self.peek(), Token::Symbol(")" | "]")) {
            format!("{symbol} is expected here")
        } else {
            format!("an operator, a comma or {symbol} is expected here")
        };
        Err(ExprError::new(expected, self.span()))
    }

    fn node(&self, kind: AstKind, start: usize) -> Result<Ast, ExprError> {
        let span = start..self.before();
        let depth = 1 + match &kind {
            AstKind::Literal(_) | AstKind::Name(_) | AstKind::Quoted(_) => 0,
            AstKind::List(parts)
            | AstKind::Operator(_, parts)
            | AstKind::Chain(parts, _)
            | AstKind::Call(_, _, parts) => deepest(parts) + u32::from(matches!(kind, AstKind::Chain(..))),
            // Every operand is asked whether it is missing.
            AstKind::Negated(test) => test.depth + 4,
            AstKind::Member { of, arguments, .. } => of.depth.max(arguments.as_deref().map_or(0, deepest)),
        };
        if depth > DEEPEST {
            return Err(ExprError::new(too_deep(), start..start));
        }
        Ok(Ast { kind, span, depth })
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Parser) -> Result<T, ExprError>) -> Result<T, ExprError> {
        if self.depth >= NESTED {
            return Err(ExprError::new(too_deep(), self.span()));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// `yes if condition else no`, or anything below it.
    fn choice(&mut self) -> Result<Ast, ExprError> {
        self.deeper(|p| {
            let start = p.span().start;
            let yes = p.or()?;
            if !p.take_word("if") {
                return Ok(yes);
            }
            let condition = p.or()?;
            if !p.take_word("else") {
                return Err(ExprError::new("else is expected here: yes if condition else no", p.span()));
            }
            let no = p.choice()?;
            p.node(AstKind::Operator("if", vec![condition, yes, no]), start)
        })
    }

    fn or(&mut self) -> Result<Ast, ExprError> {
        let start = self.span().start;
        let mut left = self.and()?;
        while self.take_word("or") || self.take("||") || self.take("|") {
            let right = self.and()?;
            left = self.node(AstKind::Operator("or", vec![left, right]), start)?;
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Ast, ExprError> {
        let start = self.span().start;
        let mut left = self.not()?;
        while self.take_word("and") || self.take("&&") || self.take("&") {
            let right = self.not()?;
            left = self.node(AstKind::Operator("and", vec![left, right]), start)?;
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Ast, ExprError> {
        let start = self.span().start;
        if self.take_word("not") || self.take("!") || self.take("~") {
            let operand = self.deeper(Parser::not)?;
            return self.node(AstKind::Operator("not", vec![operand]), start);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Ast, ExprError> {
        let start = self.span().start;
        let first = self.sum()?;
        let mut operands = vec![first];
        let mut functions = Vec::new();
        loop {
            let function = match self.peek() {
                Token::Symbol("<") => "less",
                Token::Symbol("<=") => "less_equal",
                Token::Symbol(">") => "greater",
                Token::Symbol(">=") => "greater_equal",
                Token::Symbol("==") => "equal",
                Token::Symbol("!=") => "not_equal",
                _ => break,
            };
            self.next();
            functions.push(function);
            operands.push(self.sum()?);
        }
        let is_chain = functions.len() > 1;
        let mut left = match (operands.len(), functions.first()) {
            (2, Some(function)) => self.node(AstKind::Operator(function, operands), start)?,
            (1, _) => operands.remove(0),
            _ => self.node(AstKind::Chain(operands, functions), start)?,
        };
        loop {
            let negated = self.take_word("not");
            left = if self.take_word("in") {
                let list = self.sum()?;
                let test = self.node(AstKind::Operator("isin", vec![left, list]), start)?;
                if negated { self.node(AstKind::Negated(Box::new(test)), start)? } else { test }
            } else if self.take_word("between") {
                let low = self.sum()?;
                if !self.take_word("and") {
                    return Err(ExprError::new("and is expected here: x between 1 and 2", self.span()));
                }
                let high = self.sum()?;
                let test = self.between(left, low, high, start)?;
                if negated { self.node(AstKind::Negated(Box::new(test)), start)? } else { test }
            } else if self.take_like() {
                let pattern = self.sum()?;
                let test = self.node(AstKind::Operator("like", vec![left, pattern]), start)?;
                if negated { self.node(AstKind::Operator("not", vec![test]), start)? } else { test }
            } else if negated {
                return Err(ExprError::new("in, between or like is expected here", self.span()));
            } else if self.take_word("is") {
                let negated = self.take_word("not");
                let place = self.span();
                let kind = match self.next() {
                    Token::Name(name) => match keyword(&name) {
                        Some("null" | "none") => AstKind::Operator("ismissing", vec![left]),
                        Some(word @ ("true" | "false")) => {
                            let truth = AstKind::Literal(Literal::Bool(word == "true"));
                            AstKind::Operator("equal", vec![left, self.node(truth, place.start)?])
                        }
                        None if name.eq_ignore_ascii_case("nan") => AstKind::Operator("isnan", vec![left]),
                        _ => return Err(ExprError::new(IS_WHAT, place)),
                    },
                    _ => return Err(ExprError::new(IS_WHAT, place)),
                };
                let test = self.node(kind, start)?;
                if negated { self.node(AstKind::Operator("not", vec![test]), start)? } else { test }
            } else {
                break;
            };
        }
        if is_chain && matches!(self.peek(), Token::Symbol("<" | "<=" | ">" | ">=" | "==" | "!=")) {
            return Err(ExprError::new("an operator other than a comparison is expected here", self.span()));
        }
        Ok(left)
    }

    fn between(&self, value: Ast, low: Ast, high: Ast, start: usize) -> Result<Ast, ExprError> {
        self.node(AstKind::Chain(vec![low, value, high], vec!["less_equal", "less_equal"]), start)
    }

    /// No word of the language: a column may be called so.
    fn take_like(&mut self) -> bool {
        let found = matches!(self.peek(), Token::Name(name) if name.eq_ignore_ascii_case("like"));
        if found {
            self.next();
        }
        found
    }

    fn sum(&mut self) -> Result<Ast, ExprError> {
        let start = self.span().start;
        let mut left = self.product()?;
        loop {
            let function = match self.peek() {
                Token::Symbol("+") => "add",
                Token::Symbol("-") => "subtract",
                _ => return Ok(left),
            };
            self.next();
            let right = self.product()?;
            left = self.node(AstKind::Operator(function, vec![left, right]), start)?;
        }
    }

    fn product(&mut self) -> Result<Ast, ExprError> {
        let start = self.span().start;
        let mut left = self.sign()?;
        loop {
            let function = match self.peek() {
                Token::Symbol("*") => "multiply",
                Token::Symbol("/") => "divide",
                Token::Symbol("//") => "floor_divide",
                Token::Symbol("%") => "mod",
                _ => return Ok(left),
            };
            self.next();
            let right = self.sign()?;
            left = self.node(AstKind::Operator(function, vec![left, right]), start)?;
        }
    }

    fn sign(&mut self) -> Result<Ast, ExprError> {
        let start = self.span().start;
        if self.take("+") {
            return self.deeper(Parser::sign);
        }
        if self.take("-") {
            let operand = self.deeper(Parser::sign)?;
            if let AstKind::Literal(literal) = &operand.kind
                && let Some(negated) = literal.negated()
            {
                return self.node(AstKind::Literal(negated), start);
            }
            return self.node(AstKind::Operator("negate", vec![operand]), start);
        }
        if self.word() == Some("not") || matches!(self.peek(), Token::Symbol("!" | "~")) {
            self.next();
            let operand = self.deeper(Parser::sign)?;
            return self.node(AstKind::Operator("not", vec![operand]), start);
        }
        self.power()
    }

    fn power(&mut self) -> Result<Ast, ExprError> {
        let start = self.span().start;
        let base = self.postfix()?;
        if self.take("**") || self.take("^") {
            let exponent = self.deeper(Parser::sign)?;
            return self.node(AstKind::Operator("power", vec![base, exponent]), start);
        }
        Ok(base)
    }

    fn postfix(&mut self) -> Result<Ast, ExprError> {
        let start = self.span().start;
        let mut of = self.primary()?;
        loop {
            let place = self.span();
            if self.take(".") {
                let name_span = self.span();
                let Token::Name(name) = self.next() else {
                    return Err(ExprError::new("a method's name is expected after the dot", name_span));
                };
                let opened = self.span();
                let arguments = if self.take("(") { Some(self.list(")", opened)?) } else { None };
                let kind = AstKind::Member { of: Box::new(of), name, name_span, arguments };
                of = self.node(kind, start)?;
            } else if matches!(self.peek(), Token::Symbol("[")) {
                let message = "an index has no meaning here; a part of a text is x.str.slice(0, 3), an item of a list getitem(x, 0)";
                return Err(ExprError::new(message, place));
            } else {
                return Ok(of);
            }
        }
    }

    fn primary(&mut self) -> Result<Ast, ExprError> {
        let place = self.span();
        let start = place.start;
        match self.next() {
            Token::Literal(literal) => self.node(AstKind::Literal(literal), start),
            Token::Quoted(name) => self.node(AstKind::Quoted(name), start),
            Token::Symbol("(") => {
                let mut inner = self.choice()?;
                if matches!(self.peek(), Token::Symbol(",")) {
                    self.next();
                    let mut items = vec![inner];
                    if !matches!(self.peek(), Token::Symbol(")")) {
                        items.append(&mut self.items(")")?);
                    }
                    self.close(")", place)?;
                    return self.node(AstKind::List(items), start);
                }
                self.close(")", place)?;
                inner.span = start..self.before();
                Ok(inner)
            }
            Token::Symbol("[") => {
                let items = self.list("]", place)?;
                self.node(AstKind::List(items), start)
            }
            Token::Name(name) => {
                let opened = self.span();
                let calls = matches!(self.peek(), Token::Symbol("("));
                match keyword(&name) {
                    Some("true") => self.node(AstKind::Literal(Literal::Bool(true)), start),
                    Some("false") => self.node(AstKind::Literal(Literal::Bool(false)), start),
                    Some("null" | "none") => self.node(AstKind::Literal(Literal::Null), start),
                    Some("between") if calls => {
                        self.next();
                        match <[Ast; 3]>::try_from(self.list(")", opened)?) {
                            Ok([value, low, high]) => self.between(value, low, high, start),
                            Err(_) => {
                                let message =
                                    "three values are expected: between(x, 1, 2), or x between 1 and 2";
                                Err(ExprError::new(message, start..self.before()))
                            }
                        }
                    }
                    Some(word) if word != "if" || !calls => {
                        Err(ExprError::new(format!("a value is expected here, not the word {name}"), place))
                    }
                    _ if calls => {
                        self.next();
                        let arguments = self.list(")", opened)?;
                        self.node(AstKind::Call(name, place, arguments), start)
                    }
                    _ => self.node(AstKind::Name(name), start),
                }
            }
            Token::End => Err(ExprError::new("a value is expected here, but the text ends", place)),
            Token::Symbol(s) => Err(ExprError::new(format!("a value is expected here, not {s}"), place)),
        }
    }

    /// Expressions up to a closing bracket, and the bracket.
    fn list(&mut self, closing: &'static str, opened: Range<usize>) -> Result<Vec<Ast>, ExprError> {
        if self.take(closing) {
            return Ok(Vec::new());
        }
        let items = self.items(closing)?;
        self.close(closing, opened)?;
        Ok(items)
    }

    fn items(&mut self, closing: &'static str) -> Result<Vec<Ast>, ExprError> {
        let mut items = vec![self.choice()?];
        while self.take(",") {
            if matches!(self.peek(), Token::Symbol(s) if *s == closing) {
                break;
            }
            items.push(self.choice()?);
        }
        Ok(items)
    }
}

fn deepest(parts: &[Ast]) -> u32 {
    parts.iter().map(|part| part.depth).max().unwrap_or(0)
}

fn too_deep() -> String {
    format!("this expression is nested too deeply (brackets: {NESTED}, operators: {DEEPEST})")
}
