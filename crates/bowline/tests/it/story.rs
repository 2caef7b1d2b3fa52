//! The demo's stories, played against every kind of installation.

use std::sync::Mutex;

use bowline::demo::{contacts, feedback, story, talk_story};
use bowline_sandbox::ChannelOptions;

use crate::stage::{On, Stage};

async fn told(stage: Stage) {
    let said = Mutex::new(Vec::new());
    let told = story::play(&stage.world, stage.addr(), |line| {
        said.lock().unwrap().push(line.to_owned());
    })
    .await;
    told.unwrap_or_else(|error| panic!("{error:#}\n{}", said.lock().unwrap().join("\n")));
    assert!(said.lock().unwrap().len() > 10);
}

#[tokio::test]
async fn on_sqlite_with_cloud() {
    told(Stage::cloud().await).await;
}

#[tokio::test]
async fn on_sqlite_with_data_center() {
    told(Stage::data_center().await).await;
}

#[tokio::test]
async fn on_postgres_with_cloud() {
    told(Stage::on(On::Postgres, |_| ()).await).await;
}

#[tokio::test]
async fn on_postgres_with_data_center() {
    told(Stage::on(On::Postgres, |plan| *plan = plan.clone().data_center()).await).await;
}

async fn talked(on: On, data_center: bool) {
    let change = |plan: &mut bowline::demo::Plan| {
        if data_center {
            *plan = plan.clone().data_center();
        }
        plan.channels = Some(ChannelOptions::default());
    };
    let stage = Stage::on(on, change).await;
    let said = Mutex::new(Vec::new());
    let told = talk_story::play(&stage.world, |line| {
        said.lock().unwrap().push(line.to_owned());
    })
    .await;
    told.unwrap_or_else(|error| panic!("{error:#}\n{}", said.lock().unwrap().join("\n")));
    assert!(said.lock().unwrap().len() > 15);
}

#[tokio::test]
async fn messaging_on_sqlite_with_cloud() {
    talked(On::Sqlite, false).await;
}

#[tokio::test]
async fn messaging_on_sqlite_with_data_center() {
    talked(On::Sqlite, true).await;
}

#[tokio::test]
async fn messaging_on_postgres_with_cloud() {
    talked(On::Postgres, false).await;
}

#[tokio::test]
async fn feedback_and_contacts_count_their_steps() {
    let change = |plan: &mut bowline::demo::Plan| {
        feedback::PRODUCT.clone_into(&mut plan.more);
        plan.intercom.invented_contacts = 320;
        plan.intercom.invented_companies = 12;
    };
    let mut stage = Stage::prepare(change).await;
    feedback::prepare(&stage.world);
    stage.start().await;
    let said = Mutex::new(Vec::new());
    let say = |line: &str| said.lock().unwrap().push(line.to_owned());
    let (world, service) = (&stage.world, stage.service());
    feedback::play(world, service, say).await.unwrap();
    let steps = |told: &[String]| {
        let mut steps = told.iter().filter(|line| !line.starts_with("    -> "));
        let first = steps.next().unwrap();
        assert!(first.starts_with(" 1. "), "{told:?}");
        let second = steps.next().unwrap();
        assert!(second.starts_with(" 2. "), "{told:?}");
    };
    steps(&said.lock().unwrap());
    said.lock().unwrap().clear();
    contacts::play(world, service, say).await.unwrap();
    steps(&said.lock().unwrap());
    // As many companies are copied as the demo announces.
    let companies = stage.intercom().companies_listed();
    let told = said.lock().unwrap().join("\n");
    let words = format!("people and {companies} companies were gone through");
    assert!(told.contains(&words), "{words}: {told}");
}
