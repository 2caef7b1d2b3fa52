//! The part of Jira's query language that a client of this kind needs; anything else is refused as Jira refuses it.

mod eval;
mod parse;

pub(crate) use eval::{Bound, Cursor, UnknownIssues};
pub(crate) use parse::parse;
