//! The simulated platforms, over real HTTP on loopback.

#![expect(
    clippy::unwrap_used,
    reason = "in a test, a failed unwrap is a failed test"
)]

mod channels;
mod independent;
mod intercom;
mod intercom_data;
mod intercom_faults;
mod intercom_people;
mod intercom_webhooks;
mod jira;
mod jira_desk;
mod jira_issues;
mod jira_search;
mod jira_webhooks;
mod messagebird;
mod messagebird_webhooks;
mod whatsapp;
