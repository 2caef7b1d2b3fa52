//! The demo's story, played against every kind of installation.

use std::sync::Mutex;

use bowline::demo::story;

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
