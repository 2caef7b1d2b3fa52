//! Text of a query to its structure.

use super::super::error::Refusal;

/// Longest accepted query, in bytes.
const MAX_BYTES: usize = 50_000;
/// Deepest accepted nesting of parentheses and NOT.
const MAX_DEPTH: usize = 50;

/// A parsed query.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Query {
    /// The condition; `None` matches everything.
    pub(crate) condition: Option<Condition>,
    /// Sort fields, lower case, with whether they descend (`None` = the field's own default).
    pub(crate) order: Vec<(String, Option<bool>)>,
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Is(Clause),
}

/// `field operator values`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Clause {
    /// Field as written.
    pub(crate) field: String,
    /// Operator.
    pub(crate) operator: Operator,
    /// Operands.
    pub(crate) values: Vec<Operand>,
}

/// An operand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    /// A word or quoted text.
    Text(String),
    /// `EMPTY` or `NULL`.
    Empty,
    /// A function without arguments, by lower-case name.
    Function(String),
}

/// An operator; IN and IS are equality over a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Contains,
    NotContains,
    Less,
    LessEqual,
    More,
    MoreEqual,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(&'static str),
}

/// Parses a query.
pub(crate) fn parse(text: &str) -> Result<Query, Refusal> {
    if text.len() > MAX_BYTES {
        return Err(Refusal::bad("The JQL query is too long."));
    }
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
    };
    let condition = if parser.peek().is_none() || parser.is_word(0, "order") {
        None
    } else {
        Some(parser.any(0)?)
    };
    let order = parser.order()?;
    match parser.next() {
        None => Ok(Query { condition, order }),
        Some(token) => Err(error(&format!(
            "Expecting either 'OR' or 'AND' but got '{}'.",
            show(&token)
        ))),
    }
}

fn error(detail: &str) -> Refusal {
    Refusal::bad(format!("Error in the JQL Query: {detail}"))
}

fn show(token: &Token) -> &str {
    match token {
        Token::Word(text) | Token::Quoted(text) => text,
        Token::Sign(sign) => sign,
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    const SIGNS: [&str; 11] = ["!=", "!~", "<=", ">=", "=", "~", "<", ">", "(", ")", ","];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if matches!(first, '"' | '\'') {
            let (quoted, after) = quoted(rest, first)?;
            tokens.push(Token::Quoted(quoted));
            rest = after;
        } else {
            let end = rest
                .find(|c: char| c.is_whitespace() || "!=~<>(),\"'".contains(c))
                .unwrap_or(rest.len());
            if end == 0 {
                return Err(error(&format!(
                    "The character '{first}' is a reserved JQL character."
                )));
            }
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

fn quoted(text: &str, quote: char) -> Result<(String, &str), Refusal> {
    let mut value = String::new();
    let mut chars = text[1..].char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c if c == quote => return Ok((value, &text[at + 2..])),
            c => value.push(c),
        }
    }
    Err(error("The quoted string has not been completed."))
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        matches!(self.tokens.get(self.at + ahead), Some(Token::Word(text)) if text.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        self.at += usize::from(found);
        found
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(s)) if *s == sign);
        self.at += usize::from(found);
        found
    }

    fn any(&mut self, depth: usize) -> Result<Condition, Refusal> {
        let mut parts = vec![self.all(depth)?];
        while self.take_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Condition::Or(parts)
        })
    }

    fn all(&mut self, depth: usize) -> Result<Condition, Refusal> {
        let mut parts = vec![self.one(depth)?];
        while self.take_word("and") {
            parts.push(self.one(depth)?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Condition::And(parts)
        })
    }

    fn one(&mut self, depth: usize) -> Result<Condition, Refusal> {
        if depth > MAX_DEPTH {
            return Err(error("The query is nested too deeply."));
        }
        if self.take_word("not") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take_sign("(") {
            let inner = self.any(depth + 1)?;
            return if self.take_sign(")") {
                Ok(inner)
            } else {
                Err(error("Expecting ')' before the end of the query."))
            };
        }
        let field = match self.next() {
            Some(Token::Word(text) | Token::Quoted(text)) => text,
            Some(Token::Sign(sign)) => {
                return Err(error(&format!("Expecting a field name but got '{sign}'.")));
            }
            None => return Err(error("Expecting a field name at the end of the query.")),
        };
        let (operator, list) = self.operator(&field)?;
        let values = if list {
            self.list()?
        } else {
            vec![self.operand()?]
        };
        Ok(Condition::Is(Clause {
            field,
            operator,
            values,
        }))
    }

    /// The operator, and whether a parenthesised list follows.
    fn operator(&mut self, field: &str) -> Result<(Operator, bool), Refusal> {
        if self.take_word("in") {
            return Ok((Operator::Equal, true));
        }
        if self.is_word(0, "not") && self.is_word(1, "in") {
            self.at += 2;
            return Ok((Operator::NotEqual, true));
        }
        if self.take_word("is") {
            let negated = self.take_word("not");
            return Ok((
                if negated {
                    Operator::NotEqual
                } else {
                    Operator::Equal
                },
                false,
            ));
        }
        let operator = match self.next() {
            Some(Token::Sign("=")) => Operator::Equal,
            Some(Token::Sign("!=")) => Operator::NotEqual,
            Some(Token::Sign("~")) => Operator::Contains,
            Some(Token::Sign("!~")) => Operator::NotContains,
            Some(Token::Sign("<")) => Operator::Less,
            Some(Token::Sign("<=")) => Operator::LessEqual,
            Some(Token::Sign(">")) => Operator::More,
            Some(Token::Sign(">=")) => Operator::MoreEqual,
            Some(token) => {
                return Err(error(&format!(
                    "Expecting operator but got '{}'. The valid operators are '=', '!=', '<', '>', '<=', '>=', '~', \
                     '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'.",
                    show(&token)
                )));
            }
            None => return Err(error(&format!("Expecting operator after '{field}'."))),
        };
        Ok((operator, false))
    }

    fn list(&mut self) -> Result<Vec<Operand>, Refusal> {
        if !self.take_sign("(") {
            return Err(error("Expecting '(' after IN."));
        }
        let mut values = vec![self.operand()?];
        while self.take_sign(",") {
            values.push(self.operand()?);
        }
        if self.take_sign(")") {
            Ok(values)
        } else {
            Err(error("Expecting ')' after the list."))
        }
    }

    fn operand(&mut self) -> Result<Operand, Refusal> {
        match self.next() {
            Some(Token::Word(text)) if self.take_sign("(") => {
                if self.take_sign(")") {
                    Ok(Operand::Function(text.to_lowercase()))
                } else {
                    Err(error(&format!(
                        "Function '{text}' does not take these arguments."
                    )))
                }
            }
            Some(Token::Word(text))
                if ["empty", "null"].contains(&text.to_lowercase().as_str()) =>
            {
                Ok(Operand::Empty)
            }
            Some(Token::Word(text) | Token::Quoted(text)) => Ok(Operand::Text(text)),
            Some(Token::Sign(sign)) => Err(error(&format!(
                "Expecting either a value, list or function but got '{sign}'."
            ))),
            None => Err(error(
                "Expecting either a value, list or function before the end of the query.",
            )),
        }
    }

    fn order(&mut self) -> Result<Vec<(String, Option<bool>)>, Refusal> {
        let mut order = Vec::new();
        if !self.take_word("order") {
            return Ok(order);
        }
        if !self.take_word("by") {
            return Err(error("Expecting 'BY' after 'ORDER'."));
        }
        loop {
            let field = match self.next() {
                Some(Token::Word(text) | Token::Quoted(text)) => text.to_lowercase(),
                _ => return Err(error("Expecting a field name after 'ORDER BY'.")),
            };
            let descending = if self.take_word("desc") {
                Some(true)
            } else if self.take_word("asc") {
                Some(false)
            } else {
                None
            };
            order.push((field, descending));
            if !self.take_sign(",") {
                return Ok(order);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_and_refuses() {
        for (text, accepted) in [
            ("project = ENG", true),
            (
                "project in (ENG, \"OPS\") and updated >= \"2026/09/27 10:03\" order by updated asc, key",
                true,
            ),
            ("(a = 1 or not b != 2) and c is not empty", true),
            ("assignee = currentUser()", true),
            ("order by created", true),
            ("", true),
            ("project", false),
            ("project = ", false),
            ("project = (", false),
            ("project = ENG updated > -1d", false),
            ("project = \"ENG", false),
            ("and", false),
            ("(project = ENG", false),
            ("project = ENG order updated", false),
        ] {
            assert_eq!(parse(text).is_ok(), accepted, "{text}: {:?}", parse(text));
        }
        assert!(parse(&"(".repeat(10_000)).is_err());
        assert!(parse(&"not ".repeat(10_000)).is_err());
    }

    #[test]
    fn and_binds_tighter_than_or() {
        let query = parse("a = 1 OR b = 2 AND c = 3").unwrap();
        let Some(Condition::Or(parts)) = query.condition else {
            panic!("not an OR: {query:?}")
        };
        assert!(
            matches!(&parts[1], Condition::And(inner) if inner.len() == 2),
            "{parts:?}"
        );
    }
}
