//! The whole installation: the service between a simulated Intercom and a simulated Jira, over
//! real HTTP and signed webhooks. What is asserted is what the far side saw.

#![expect(
    clippy::unwrap_used,
    reason = "in a test, a failed unwrap is a failed test"
)]

mod account_pages;
mod alert_mail;
mod alerts;
mod api;
mod api_complete;
mod api_connections;
mod api_gets;
mod api_people;
mod api_talks;
mod attempts;
mod bad_input;
mod browser;
mod configuring;
mod connections;
mod contact_companies;
mod contact_mending;
mod contact_pages;
mod contact_person;
mod contacts;
mod deliveries;
mod desk_channels;
mod desk_pages;
mod desk_removal;
mod exporting;
mod failure;
mod feedback;
mod feedback_acting;
mod feedback_backfill;
mod feedback_merging;
mod feedback_missed;
mod feedback_pages;
mod feedback_people;
mod feedback_permissions;
mod feedback_switching;
mod finding_out;
mod formatting;
mod gathering;
mod link_import;
mod linking;
mod merging;
mod messaging_broken;
mod messaging_delivery;
mod messaging_ending;
mod messaging_merging;
mod messaging_out;
mod messaging_pages;
mod messaging_people;
mod messaging_promises;
mod messaging_rules;
mod messaging_soak;
mod messaging_stage;
mod messaging_talk;
mod messaging_times;
mod notes;
mod operations;
mod panel;
mod panel_pace;
mod panel_settings;
mod process;
mod projects;
mod pulse;
mod reasons;
mod reconciling;
mod record;
mod recorded_links;
mod reopening;
mod replaying;
mod replicas;
mod replicas_copying;
mod reporting;
mod second_factor;
mod service_desk;
mod signing_in;
mod stage;
mod story;
mod tallying;
mod trying;
mod unseen;
