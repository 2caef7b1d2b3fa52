//! Deliveries overtake each other: Jira promises no order. What people read is as it happened.

use std::sync::Arc;

use bowline::demo::{World, until};
use bowline_sandbox::common::Disturbance;
use bowline_sandbox::jira::Actor;

use crate::checker::plain;
use crate::driver::now_ms;
use crate::site::{self, handle};

/// A running service, two conversations, and eighty people.
struct Stage {
    world: World,
    service: bowline::service::Service,
    conversations: Vec<String>,
    _folder: tempfile::TempDir,
}

impl Stage {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::prepare(site::plan(folder.path())).await.unwrap();
        let config = world.config().unwrap();
        let service = bowline::service::Service::start(&config, Arc::new(String::new))
            .await
            .unwrap();
        site::connect(&world, service.addr);
        let conversations = site::conversations(&world, 2);
        Self {
            world,
            service,
            conversations,
            _folder: folder,
        }
    }

    /// A person who acts later than whoever acted before, by Jira's clock too.
    fn person(&self, number: usize) -> Actor {
        let before = now_ms();
        while now_ms() == before {
            std::thread::yield_now();
        }
        self.world.sandbox.jira.state.acting(&handle(number))
    }

    fn naming(&self, conversations: &[usize]) -> String {
        let intercom = &self.world.sandbox.intercom.state;
        let addresses = conversations
            .iter()
            .map(|number| intercom.conversation_address(&self.conversations[*number]));
        addresses.collect::<Vec<_>>().join(" and ")
    }

    /// Has each second thing that people do from now on arrive before the one before it.
    async fn swap_deliveries(&self) {
        let jira = &self.world.sandbox.jira.state;
        jira.sender().quiet().await;
        jira.disturb(Disturbance {
            reorder: true,
            ..Disturbance::default()
        });
    }

    /// The beginnings of a conversation's notes, once there are as many as expected.
    async fn hears(&self, conversation: usize, expected: &[&str]) {
        let id = &self.conversations[conversation];
        let intercom = &self.world.sandbox.intercom.state;
        until(|| (intercom.notes(id).len() >= expected.len()).then_some(())).await;
        self.world.sandbox.jira.state.sender().quiet().await;
        let notes: Vec<String> = intercom
            .notes(id)
            .iter()
            .map(|note| plain(&note.body))
            .collect();
        let as_expected = notes.len() == expected.len()
            && notes
                .iter()
                .zip(expected)
                .all(|(note, begins)| note.starts_with(begins));
        assert!(
            as_expected,
            "conversation {conversation} reads {notes:#?}, not {expected:#?}"
        );
    }
}

#[tokio::test]
async fn a_description_that_makes_a_link_is_overtaken_by_what_follows() {
    let stage = Stage::new().await;
    let issue = stage
        .person(1)
        .create("ENG", "Something", "No address yet.")
        .unwrap();
    stage.swap_deliveries().await;
    stage
        .person(2)
        .describe(&issue, stage.naming(&[0]).as_str())
        .unwrap();
    stage.person(3).comment(&issue, "It is known.").unwrap();
    stage
        .hears(0, &["Person Q02 linked", "Person Q03 commented"])
        .await;
    stage.service.stop().await;
}

#[tokio::test]
async fn a_creation_is_overtaken_by_a_comment() {
    let stage = Stage::new().await;
    stage.swap_deliveries().await;
    let issue = stage
        .person(1)
        .create("ENG", "Something", stage.naming(&[0]).as_str())
        .unwrap();
    stage.person(2).comment(&issue, "It is known.").unwrap();
    stage
        .hears(0, &["Person Q01 created", "Person Q02 commented"])
        .await;
    stage.service.stop().await;
}

#[tokio::test]
async fn two_descriptions_overtake_each_other() {
    let stage = Stage::new().await;
    let issue = stage
        .person(1)
        .create("ENG", "Something", "No address yet.")
        .unwrap();
    stage.swap_deliveries().await;
    stage
        .person(2)
        .describe(&issue, stage.naming(&[0]).as_str())
        .unwrap();
    stage
        .person(3)
        .describe(&issue, stage.naming(&[0, 1]).as_str())
        .unwrap();
    stage.hears(0, &["Person Q02 linked"]).await;
    stage.hears(1, &["Person Q03 linked"]).await;
    stage.service.stop().await;
}

#[tokio::test]
async fn a_comment_that_makes_a_second_link_is_overtaken_by_another() {
    let stage = Stage::new().await;
    let issue = stage
        .person(1)
        .create("ENG", "Something", stage.naming(&[0]).as_str())
        .unwrap();
    stage.hears(0, &["Person Q01 created"]).await;
    stage.swap_deliveries().await;
    stage
        .person(2)
        .comment(&issue, stage.naming(&[1]).as_str())
        .unwrap();
    stage.person(3).comment(&issue, "It is known.").unwrap();
    stage
        .hears(1, &["Person Q02 linked", "Person Q03 commented"])
        .await;
    stage.service.stop().await;
}
