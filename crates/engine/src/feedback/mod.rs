//! Feedback: what tags mean is planned in the lane of their conversation; what no webhook told is
//! looked for; what people do is stored with what follows from it.

mod backfill;
mod event;
mod far;
mod follow;
mod look;
mod merged;
mod people;
mod person;
mod switch;
mod tie;
mod triage;
mod untold;
mod watch;

pub(crate) use event::{TOPIC, decide as decide_event};
pub(crate) use follow::{follow, tickets_behind};
pub(crate) use look::of_delivery;
pub(crate) use watch::run as watch;

pub(crate) use backfill::run as run_backfills;
pub(crate) use switch::declare;

pub use backfill::{CannotBegin, count as count_backfill};
pub use switch::{CannotSwitch, missing_permissions, tags_meant, tags_now, tags_of};
pub use tie::{issue_of_key, look_at};
pub use triage::{CannotMake, make_issue, triage};
