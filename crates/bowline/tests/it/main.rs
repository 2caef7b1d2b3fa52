//! The whole installation: the service between a simulated Intercom and a simulated Jira, over
//! real HTTP and signed webhooks. What is asserted is what the far side saw.

mod bad_input;
mod deliveries;
mod failure;
mod formatting;
mod linking;
mod notes;
mod operations;
mod process;
mod reconciling;
mod record;
mod reopening;
mod stage;
mod story;
