//! The demo's stories, played against every kind of installation.

use std::sync::Mutex;

use bowline::demo::{story, talk_story};
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
