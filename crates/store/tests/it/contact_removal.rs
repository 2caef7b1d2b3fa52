//! Removing what was copied, on both databases: who was imported stays, with what was imported.

use bowline_domain::contacts::field::{FieldName, FieldValue};
use bowline_domain::contacts::ids::{ContactId, RemoteCompanyId, RemoteContactId};
use bowline_domain::contacts::profile::{Edit, Origin};
use bowline_domain::contacts::remote::RemoteContact;
use bowline_store::Store;
use bowline_store::contacts::{CompanyQuery, FieldEdit, Found, Pages, Removed, RunKind, RunState};

use crate::contact_runs::running;
use crate::contacts::{entry, firm, imported, known, listed, person, take};
use crate::feedback;
use crate::support::*;

on_both!(
    who_was_imported_stays_though_intercom_has_them_too,
    what_was_set_above_a_file_stays_although_intercom_says_it_too,
    companies_stay_for_who_stays_and_for_tickets
);

/// Contacts and companies that went, and contacts that stay without what Intercom says.
pub(crate) async fn removed(store: &Store) -> (u64, u64, u64) {
    let mut removed = Removed::default();
    // One at a time, so that it is also gone on with in the middle.
    loop {
        let part = store.remove_copied(&workspace(), 1).await.unwrap();
        if part.is_end() {
            return (removed.contacts, removed.companies, removed.kept);
        }
        removed += part;
    }
}

fn with_external(contact: RemoteContact, external: &str) -> RemoteContact {
    let mut contact = contact;
    let id = FieldName::new(FieldName::EXTERNAL_ID);
    contact.fields.insert(id, FieldValue::text(external));
    let seen = FieldName::new("country");
    contact.fields.insert(seen, FieldValue::text("Sweden"));
    contact
}

async fn edit(store: &Store, contact: ContactId, name: &str, value: &str) {
    let edit = Edit {
        value: Some(FieldValue::text(value)),
        origin: Origin::Person,
        by: "Ana".to_owned(),
        at: T0,
    };
    let edit = FieldEdit {
        contact,
        name: FieldName::new(name),
        edit: Some(edit),
    };
    assert!(store.edit_field(edit, entry("edited")).await.unwrap());
}

async fn companies(store: &Store) -> Vec<String> {
    let query = CompanyQuery {
        workspace: workspace(),
        words: String::new(),
        before: None,
        limit: 50,
    };
    let found = store.companies(&query).await.unwrap();
    found.into_iter().map(|company| company.name).collect()
}

async fn copy(store: &Store, names: &[(&str, &str)]) {
    let run = running(store, RunKind::Copy).await;
    let pages = Pages {
        companies: names.iter().map(|(id, name)| firm(id, name)).collect(),
        ..Pages::default()
    };
    let of = (run, &workspace());
    store.take_pages(of, pages, (T0, T0)).await.unwrap();
    let ended = store.end_run(run, (RunState::Done, None), None, T0);
    ended.await.unwrap();
}

pub(crate) async fn who_was_imported_stays_though_intercom_has_them_too(world: &World) {
    let store = &world.store;
    let file = vec![
        // Intercom will say the same of the first one, word for word.
        imported(Some("x-9"), "new1@example.com", "Pro"),
        imported(Some("t-1"), "tw@example.com", "Free"),
        imported(Some("t-2"), "tw@example.com", "Free"),
        imported(None, "only@example.com", "Pro"),
    ];
    let import = async |file| {
        let steps = store.import_contacts(&workspace(), file, "Ana", T0).await;
        steps.unwrap();
    };
    import(file).await;
    let mut joined = with_external(person("r9", "New One", "new1@example.com"), "x-9");
    let plan = FieldName::custom("plan");
    joined.fields.insert(plan.clone(), FieldValue::text("Pro"));
    joined.companies = vec![RemoteCompanyId::new("c1")];
    take(
        store,
        vec![
            joined,
            person("lead", "Tw", "tw@example.com"),
            person("plain", "Copied only", "copied@example.com"),
            person("later", "In a file later", "later@example.com"),
        ],
    )
    .await;
    // A file that says what Intercom says is an import all the same.
    import(vec![imported(None, "later@example.com", "Team")]).await;
    copy(store, &[("c1", "Acme"), ("c2", "Nobody's")]).await;
    let new_one = known(store, "r9").await;
    assert!(new_one.profile.edits.is_empty(), "{:?}", new_one.profile);
    edit(store, new_one.id, "phone", "+4670").await;
    let imported = store.imported_of(new_one.id).await.unwrap();
    assert!(imported.contains_key(&FieldName::new("phone")));
    let plain = known(store, "plain").await.id;
    assert!(store.imported_of(plain).await.unwrap().is_empty());
    let asked = store.conflicts(&workspace(), 10).await.unwrap().remove(0);
    let into = asked.candidates[0];
    let decided = store.decide_conflict(asked.id, Some(into), entry("decided"));
    assert!(decided.await.unwrap());

    assert_eq!(removed(store).await, (1, 1, 3));

    let mut names = listed(store, |_| ()).await;
    names.sort();
    let wanted = ["later@example.com", "new1@example.com", "only@example.com"];
    assert_eq!(names[..3], wanted);
    assert_eq!(names[3..], ["tw@example.com", "tw@example.com"]);
    assert_eq!(store.local_contacts(&workspace(), 10).await.unwrap(), 5);
    assert_eq!(store.local_contacts(&workspace(), 2).await.unwrap(), 2);
    let contact = async |id| match store.contact(id).await.unwrap() {
        Some(Found::Here(contact)) => contact,
        other => panic!("it stays: {other:?}"),
    };
    let stays = contact(new_one.id).await;
    assert_eq!((stays.remote, stays.role.as_str()), (None, "local"));
    assert!(stays.profile.remote.is_empty(), "nothing of Intercom");
    let values: Vec<(&str, String)> = stays
        .profile
        .edits
        .iter()
        .map(|(name, edit)| {
            let value = edit.value.as_ref().map(FieldValue::as_text);
            (name.as_str(), value.unwrap_or_default())
        })
        .collect();
    assert_eq!(
        values,
        [
            ("custom.plan", "Pro".to_owned()),
            ("email", "new1@example.com".to_owned()),
            ("external_id", "x-9".to_owned()),
            ("phone", "+4670".to_owned()),
        ]
    );
    assert_eq!(stays.profile.edits[&plan].origin, Origin::Import);
    assert_eq!(contact(into).await.remote, None);
    assert_eq!(companies(store).await, ["Acme"], "of who stays");

    // Found by what was imported, and joined again when all is copied anew.
    assert_eq!(
        listed(store, |query| "x-9".clone_into(&mut query.words)).await,
        ["new1@example.com"]
    );
    let again = with_external(person("r9", "New One", "new1@example.com"), "x-9");
    let taken = take(store, vec![again]).await;
    assert_eq!((taken.fresh, taken.updated), (0, 1));
    assert_eq!(known(store, "r9").await.id, new_one.id);
    let nobody = RemoteContactId::new("plain");
    let gone = store
        .contact_by_remote(&workspace(), &nobody)
        .await
        .unwrap();
    assert_eq!(gone, None);
}

pub(crate) async fn what_was_set_above_a_file_stays_although_intercom_says_it_too(world: &World) {
    let store = &world.store;
    let plan = FieldName::custom("plan");
    let at_intercom = |id: &str, email: &str, plan_there: &str, at: i64| {
        let mut contact = person(id, "", email);
        let value = FieldValue::text(plan_there);
        contact.fields.insert(plan.clone(), value);
        contact.updated_at = at;
        contact
    };
    let file = [("e1@example.com", "Free"), ("e2@example.com", "Free")];
    let file = file.map(|(email, plan)| imported(None, email, plan));
    let acme = workspace();
    let steps = store.import_contacts(&acme, file.to_vec(), "Ana", T0);
    steps.await.unwrap();
    let both = |plan: &str, at: i64| {
        vec![
            at_intercom("e1", "e1@example.com", plan, at),
            at_intercom("e2", "e2@example.com", plan, at),
        ]
    };
    take(store, both("Old", 1_000)).await;
    let (first, second) = (known(store, "e1").await.id, known(store, "e2").await.id);
    edit(store, first, "custom.plan", "Pro").await;
    edit(store, second, "custom.plan", "Pro").await;
    take(store, both("Pro", 2_000)).await;
    assert!(known(store, "e1").await.profile.edits.is_empty());
    // Of the second one what Intercom says is to count: what the file said is all that is set then.
    edit(store, second, "custom.plan", "Max").await;
    let back = FieldEdit {
        contact: second,
        name: plan.clone(),
        edit: None,
    };
    assert!(store.edit_field(back, entry("edited")).await.unwrap());
    // An imported one who is merged into another one takes what was imported along.
    take(store, vec![person("e3", "Survivor", "e3@example.com")]).await;
    let survivor = known(store, "e3").await.id;
    let joined = store.join_contacts(first, survivor, entry("merged"));
    assert!(joined.await.unwrap());

    assert_eq!(removed(store).await, (0, 0, 2));
    let plan_of = async |id| match store.contact(id).await.unwrap() {
        Some(Found::Here(contact)) => contact.profile.text("custom.plan"),
        other => panic!("it stays: {other:?}"),
    };
    assert_eq!(plan_of(survivor).await, "Pro");
    assert_eq!(plan_of(second).await, "");
}

pub(crate) async fn companies_stay_for_who_stays_and_for_tickets(world: &World) {
    let store = &world.store;
    let product = feedback::product(store, "App").await;
    let of = |id: &str, company: &str| RemoteContact {
        companies: vec![RemoteCompanyId::new(company)],
        ..person(id, id, &format!("{id}@example.com"))
    };
    take(store, vec![of("said", "c1"), of("silent", "c2")]).await;
    copy(
        store,
        &[("c1", "Of who stays"), ("c2", "Of nobody"), ("c3", "Named")],
    )
    .await;
    let who = feedback::person("said", Some(("c3", 10)));
    feedback::made(store, product, "1", "Dark mode", who).await;
    assert_eq!(removed(store).await, (1, 1, 0));
    assert_eq!(listed(store, |_| ()).await, ["said"]);
    let said = known(store, "said").await;
    let mut left = companies(store).await;
    left.sort();
    assert_eq!(left, ["Named", "Of who stays"]);
    let hers = store.companies_of(&[said.id]).await.unwrap();
    assert_eq!(hers.len(), 1);
}
