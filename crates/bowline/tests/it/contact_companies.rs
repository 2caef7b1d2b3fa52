//! Companies follow what webhooks tell of them.

use bowline_store::contacts::{Company, CompanyQuery};

use crate::contacts::{ON, acme, copied, known, listed, until_so};
use crate::stage::{On, Stage, on_both};

on_both!(companies_and_who_belongs_to_them_follow_what_is_told);

async fn companies(stage: &Stage) -> Vec<Company> {
    let query = CompanyQuery {
        workspace: acme(),
        words: String::new(),
        before: None,
        limit: 100,
    };
    stage.store().companies(&query).await.unwrap()
}

async fn called(stage: &Stage, name: &str) -> Option<Company> {
    let all = companies(stage).await;
    all.into_iter().find(|company| company.name == name)
}

async fn companies_and_who_belongs_to_them_follow_what_is_told(on: On) {
    let stage = Stage::on(on, |plan| {
        ON.clone_into(&mut plan.top);
        plan.intercom.invented_contacts = 20;
        plan.intercom.invented_companies = 3;
    })
    .await;
    copied(&stage).await;
    let before = companies(&stage).await.len();
    let intercom = stage.intercom();
    let (one, two) = (intercom.invented_contact(8), intercom.invented_contact(9));
    let company = intercom.create_company("Example Ltd", &one).unwrap();
    let made = until_so("the company", async || called(&stage, "Example Ltd").await).await;
    assert_eq!(companies(&stage).await.len(), before + 1);
    let people = async || {
        let remote = made.remote.clone();
        let of = listed(&stage, |query| query.company = Some(remote)).await;
        let mut names: Vec<String> = of
            .into_iter()
            .map(|one| one.remote.unwrap().as_str().to_owned())
            .collect();
        names.sort();
        names
    };
    until_so("who belongs to it", async || {
        (people().await == [one.as_str()]).then_some(())
    })
    .await;
    intercom.set_member(&two, &company, true).unwrap();
    until_so("who came", async || {
        (people().await.len() == 2).then_some(())
    })
    .await;
    intercom.set_member(&one, &company, false).unwrap();
    until_so("who left", async || {
        (people().await == [two.as_str()]).then_some(())
    })
    .await;
    intercom.rename_company(&company, "Renamed Ltd").unwrap();
    until_so("the new name", async || called(&stage, "Renamed Ltd").await).await;
    intercom.set_company_money(&company, Some("Gold"), 1_234);
    until_so("what it pays", async || {
        let now = called(&stage, "Renamed Ltd").await?;
        (now.monthly_spend == Some(123_400) && now.plan.as_deref() == Some("Gold")).then_some(())
    })
    .await;
    intercom.delete_company(&company).unwrap();
    until_so("it is gone", async || {
        called(&stage, "Renamed Ltd").await.is_none().then_some(())
    })
    .await;
    assert_eq!(companies(&stage).await.len(), before);
    assert!(known(&stage, &two).await.is_some(), "its people stay");
}
