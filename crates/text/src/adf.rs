//! The Atlassian Document Format: the JSON of descriptions and comments in Jira Cloud's REST v3.

mod inline;
mod read;
mod write;

pub use read::read;
pub(crate) use read::read_blocks;
pub use write::write;
