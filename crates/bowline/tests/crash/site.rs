//! The simulated platforms of a run: many people, quick retries, loopback only.

use std::net::SocketAddr;
use std::path::Path;

use bowline::demo::{Plan, SITE, WEBHOOK_SECRET, WORKSPACE, World};
use bowline_sandbox::intercom::NewContact;
use bowline_sandbox::jira::{UserConfig, WebhookConfig};

/// People at work. Nobody assigns or moves the same issue twice in the same way, so that every
/// change has words of its own.
pub(crate) const PEOPLE: usize = 80;

/// The wait before a webhook of Jira is sent again, in milliseconds, and how often it is.
const RETRY_MS: u64 = 100;
const RETRIES: usize = 1_200;

/// The name people see of the n-th person.
pub(crate) fn person(number: usize) -> String {
    format!("Person Q{number:02}")
}

/// What the simulated Jira calls the n-th person.
pub(crate) fn handle(number: usize) -> String {
    format!("q{number:02}")
}

/// A plan with people enough, whose service listens on a port that stays the same.
pub(crate) fn plan(folder: &Path) -> Plan {
    let mut plan = Plan::new(folder);
    for number in 0..PEOPLE {
        let account = format!("712020:c0c0c0c0-0000-4000-8000-{number:012}");
        plan.jira.users.push(UserConfig::person(
            &handle(number),
            &account,
            &person(number),
        ));
    }
    plan.jira.retry_delays_ms = vec![RETRY_MS; RETRIES];
    plan.intercom.webhook_retry_ms = 300;
    "[limits]\nhops_per_link_hour = 100000\n".clone_into(&mut plan.top);
    "linked_label = \"intercom-linked\"\nlinked_number_field = \"customfield_10061\""
        .clone_into(&mut plan.binding);
    plan.listen = bowline_sandbox::common::lasting_address();
    plan
}

/// Enters the webhooks on both platforms without asking whether anyone listens. Jira's names the
/// issue and the comment in the address, so that the log of deliveries tells what each was about.
pub(crate) fn connect(world: &World, service: SocketAddr) {
    let query = "issue={issue.id}&comment={comment.id}";
    world.sandbox.jira.state.add_webhook(&WebhookConfig {
        name: "Bowline".to_owned(),
        url: format!("http://{service}/hooks/jira/{SITE}?{query}"),
        secret: Some(WEBHOOK_SECRET.to_owned()),
        ..WebhookConfig::default()
    });
    let intercom = &world.sandbox.intercom.state;
    intercom.set_webhook(Some(format!("http://{service}/hooks/intercom/{WORKSPACE}")));
}

/// Makes conversations of one customer.
pub(crate) fn conversations(world: &World, count: usize) -> Vec<String> {
    let intercom = &world.sandbox.intercom.state;
    let contact = intercom
        .create_contact(NewContact::user("Mia Holm", "mia@example.com"))
        .unwrap();
    (0..count)
        .map(|number| {
            intercom
                .create_conversation(&contact, &format!("Question {number}"))
                .unwrap()
        })
        .collect()
}
