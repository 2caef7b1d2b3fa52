//! Contacts: taken in, edited, merged, erased, imported, copied.

use bowline_domain::call::Call;
use bowline_domain::contacts::Life;
use bowline_domain::contacts::field::{FieldName, FieldValue};
use bowline_domain::contacts::ids::{ContactId, RemoteCompanyId, RemoteContactId};
use bowline_domain::contacts::matching::By;
use bowline_domain::contacts::profile::{Edit, Fields, Origin};
use bowline_domain::contacts::remote::{RemoteCompany, RemoteContact};
use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_store::Store;
use bowline_store::access::AuditEntry;
use bowline_store::contacts::{
    CompanyQuery, Contact, ContactChange, ContactChanges, ContactQuery, FieldEdit, Found,
    ImportStep, Imported, Pages, Prepared, RunKind, Taken,
};
use bowline_store::forget::Mark;
use bowline_store::model::{Decided, Settlement};

use crate::contact_runs::running;
use crate::support::*;

on_both!(
    what_intercom_tells_is_taken_in_once,
    imported_people_are_joined_or_asked_about,
    a_merge_moves_everything_and_keeps_where_they_went,
    what_is_erased_does_not_come_back,
    what_was_sent_about_who_is_erased_is_taken_out,
    a_local_edit_counts_until_intercom_is_used_again,
    events_change_contacts_with_their_decision,
    two_workspaces_may_have_the_same_ids
);

fn text(name: &str, value: &str) -> (FieldName, FieldValue) {
    (FieldName::new(name), FieldValue::text(value))
}

/// A contact as a page holds it.
pub(crate) fn prepared(contact: RemoteContact) -> Prepared {
    Prepared::of(&workspace(), contact).unwrap()
}

pub(crate) fn person(id: &str, name: &str, email: &str) -> RemoteContact {
    RemoteContact {
        id: RemoteContactId::new(id),
        role: "user".to_owned(),
        updated_at: 1_000,
        fields: [text("name", name), text("email", email)].into(),
        companies: Vec::new(),
        companies_complete: true,
    }
}

pub(crate) fn lead(id: &str) -> RemoteContact {
    RemoteContact {
        role: "lead".to_owned(),
        fields: Fields::new(),
        ..person(id, "", "")
    }
}

pub(crate) fn firm(id: &str, name: &str) -> RemoteCompany {
    RemoteCompany {
        id: RemoteCompanyId::new(id),
        name: name.to_owned(),
        plan: Some("Pro".to_owned()),
        monthly_spend: Some(4_900),
        people: Some(2),
        updated_at: 1_000,
        fields: Fields::new(),
    }
}

pub(crate) fn entry(what: &str) -> AuditEntry {
    AuditEntry {
        at: T0,
        who: "ana@example.com".to_owned(),
        account: None,
        what: what.to_owned(),
        subject: "contact".to_owned(),
        detail: String::new(),
    }
}

pub(crate) async fn take(store: &Store, contacts: Vec<RemoteContact>) -> Taken {
    store
        .take_contacts(&workspace(), contacts, T0)
        .await
        .unwrap()
}

pub(crate) async fn listed(store: &Store, change: impl FnOnce(&mut ContactQuery)) -> Vec<String> {
    let mut query = ContactQuery::all(workspace(), 50);
    change(&mut query);
    let found = store.contacts(&query).await.unwrap();
    found.into_iter().map(|contact| contact.name).collect()
}

pub(crate) async fn known(store: &Store, remote: &str) -> Contact {
    let remote = RemoteContactId::new(remote);
    let found = store.contact_by_remote(&workspace(), &remote).await;
    found.unwrap().expect("the contact is known")
}

pub(crate) async fn what_intercom_tells_is_taken_in_once(world: &World) {
    let store = &world.store;
    let all = vec![
        person("a1", "Noa Lind", "Noa@Example.com"),
        person("a2", "Ben Okafor", "ben@example.com"),
        lead("a3bb2b"),
        RemoteContact {
            companies: vec![RemoteCompanyId::new("c1"), RemoteCompanyId::new("c1")],
            ..person("a4", "Ada", "ada@example.com")
        },
    ];
    let taken = take(store, all.clone()).await;
    assert_eq!((taken.fresh, taken.updated, taken.unchanged), (4, 0, 0));
    let again = take(store, all.clone()).await;
    assert_eq!((again.fresh, again.updated, again.unchanged), (0, 0, 4));
    // Changed between two pages: both versions come in one batch, and an older one later.
    let newer = RemoteContact {
        updated_at: 3_000,
        companies: vec![RemoteCompanyId::new("c2")],
        ..person("a1", "Noa Berg", "noa@example.com")
    };
    let taken = take(store, vec![newer.clone(), all[0].clone()]).await;
    assert_eq!((taken.fresh, taken.updated, taken.unchanged), (0, 1, 1));
    let late = take(store, vec![all[0].clone()]).await;
    assert_eq!(late.unchanged, 1);
    let noa = known(store, "a1").await;
    assert_eq!(noa.name, "Noa Berg");
    assert_eq!(noa.email.as_deref(), Some("noa@example.com"));
    let of = |company| {
        move |query: &mut ContactQuery| query.company = Some(RemoteCompanyId::new(company))
    };
    assert_eq!(listed(store, of("c1")).await, ["Ada"]);
    assert_eq!(listed(store, of("c2")).await, ["Noa Berg"]);
    assert_eq!(
        listed(store, |_| ()).await,
        ["Ada", "Lead bb2b", "Ben Okafor", "Noa Berg"]
    );
    let part = listed(store, |query| query.before = Some(noa.id)).await;
    assert_eq!(part, Vec::<String>::new());
    // By the beginnings of words, in any order, of name and address.
    for (words, wanted) in [
        ("be noa", vec!["Noa Berg"]),
        ("NOA@exam", vec!["Noa Berg"]),
        ("lind", vec![]),
        ("bb2b", vec!["Lead bb2b"]),
        ("example", vec!["Ada", "Ben Okafor", "Noa Berg"]),
        (" ' \" ", vec![]),
    ] {
        let found = listed(store, |query| words.clone_into(&mut query.words)).await;
        assert_eq!(found, wanted, "{words}");
    }
    let leads = listed(store, |query| query.role = Some("lead".to_owned())).await;
    assert_eq!(leads, ["Lead bb2b"]);
    let newest = store.newest_leads(&workspace(), 5).await.unwrap();
    assert_eq!(newest, [RemoteContactId::new("a3bb2b")]);
    // Companies, read after their people, and changed.
    let pages = |companies| Pages {
        companies,
        ..Pages::default()
    };
    let run = running(store, RunKind::Copy).await;
    let until = T0.plus_ms(60_000);
    for (companies, name) in [
        (vec![firm("c1", "Acme"), firm("c2", "")], "Acme"),
        (vec![firm("c1", "Acme")], "Acme"),
        (
            vec![RemoteCompany {
                updated_at: 2_000,
                ..firm("c1", "Acme Group")
            }],
            "Acme Group",
        ),
    ] {
        store
            .take_pages((run, &workspace()), pages(companies), (T0, until))
            .await
            .unwrap();
        let ada = known(store, "a4").await;
        let of = store.companies_of(&[ada.id]).await.unwrap();
        assert_eq!(of.len(), 1);
        assert_eq!((of[0].0, of[0].1.name.as_str()), (ada.id, name));
    }
    let query = CompanyQuery {
        workspace: workspace(),
        words: String::new(),
        before: None,
        limit: 10,
    };
    let companies = store.companies(&query).await.unwrap();
    let names: Vec<&str> = companies.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        names,
        ["Company c2", "Acme Group"],
        "the latest known first"
    );
    let found = CompanyQuery {
        words: "grou".to_owned(),
        ..query.clone()
    };
    let found = store.companies(&found).await.unwrap();
    assert_eq!(found.len(), 1);
    let one = store.company(found[0].id).await.unwrap().unwrap();
    assert_eq!(one.monthly_spend, Some(4_900));
    let by_remote = async |id: &str| {
        let remote = RemoteCompanyId::new(id);
        let found = store.company_by_remote(&workspace(), &remote).await;
        found.unwrap().map(|company| company.id)
    };
    assert_eq!(by_remote("c1").await, Some(one.id));
    assert_eq!(by_remote("c999").await, None);
    let within = |query: &mut ContactQuery| query.company = Some(RemoteCompanyId::new("c1"));
    assert_eq!(listed(store, within).await, ["Ada"]);
    let both = listed(store, |query| {
        within(query);
        "ad".clone_into(&mut query.words);
    });
    assert_eq!(both.await, ["Ada"]);
    // Leaving it.
    let left = RemoteContact {
        updated_at: 5_000,
        ..person("a4", "Ada", "ada@example.com")
    };
    take(store, vec![left]).await;
    assert_eq!(listed(store, within).await, Vec::<String>::new());
    let by_email = store
        .contacts_by_email(&workspace(), "ada@example.com", 5)
        .await
        .unwrap();
    assert_eq!(by_email.len(), 1);
}

pub(crate) fn imported(external: Option<&str>, email: &str, plan: &str) -> Imported {
    Imported {
        remote: None,
        external_id: external.map(str::to_owned),
        fields: [
            text("email", email),
            (FieldName::custom("plan"), FieldValue::text(plan)),
        ]
        .into(),
    }
}

pub(crate) async fn imported_people_are_joined_or_asked_about(world: &World) {
    let store = &world.store;
    let file = vec![
        imported(Some("u-1"), "one@example.com", "Pro"),
        imported(None, "Two@example.com", "Pro"),
        imported(Some("u-3"), "three@example.com", "Pro"),
        imported(Some("u-4"), "three@example.com", "Free"),
    ];
    let preview = store.preview_import(&workspace(), file.clone(), T0).await;
    assert_eq!(preview.unwrap(), vec![ImportStep::Adds; 4]);
    assert_eq!(listed(store, |_| ()).await.len(), 0, "nothing was changed");
    let acme = workspace();
    let import = |file| store.import_contacts(&acme, file, "ana@example.com", T0);
    assert_eq!(
        import(file.clone()).await.unwrap(),
        vec![ImportStep::Adds; 4]
    );
    let again = import(file.clone()).await.unwrap();
    assert!(
        again.iter().all(|step| matches!(step, ImportStep::Same(_))),
        "{again:?}"
    );
    let changed = import(vec![imported(Some("u-1"), "one@example.com", "Max")]).await;
    assert!(matches!(changed.unwrap()[0], ImportStep::Edits(_)));
    let unclear = import(vec![imported(None, "three@example.com", "Max")]).await;
    assert_eq!(unclear.unwrap(), [ImportStep::Unclear]);
    let fields = async |of: &WorkspaceName| {
        let found = store.contact_fields(of, 100).await.unwrap();
        let names: Vec<String> = found.iter().map(ToString::to_string).collect();
        names
    };
    assert_eq!(fields(&acme).await, ["custom.plan", "email", "external_id"]);
    assert_eq!(fields(&WorkspaceName::new("other")).await, [""; 0]);
    let first = store.contact_fields(&acme, 1).await.unwrap();
    assert_eq!(first, [FieldName::custom("plan")]);

    let mut one = person("r1", "One", "other@example.com");
    one.fields.extend([text("external_id", "u-1")]);
    let all = vec![
        one,
        person("r2", "Two", "two@example.com"),
        person("r3", "Three", "three@example.com"),
        // A lead with the address of a user that was joined a moment ago is somebody else.
        person("r4", "Two as a lead", "two@example.com"),
    ];
    let taken = take(store, all.clone()).await;
    assert_eq!((taken.fresh, taken.updated), (2, 2));
    let one = known(store, "r1").await;
    assert_eq!(one.profile.text("custom.plan"), "Max");
    assert_eq!(
        one.profile.text("email"),
        "one@example.com",
        "it was set here"
    );
    assert!(one.differs);
    let differing = listed(store, |query| query.differs = true).await;
    assert_eq!(differing, ["One"]);
    // By the address nobody can be told apart.
    let asked = store.conflicts(&workspace(), 10).await.unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].by, asked[0].candidates.len()), (By::Email, 2));
    let three = known(store, "r3").await;
    assert_eq!(asked[0].contact, three.id);
    assert_eq!(
        store.conflict_of(three.id).await.unwrap().as_ref(),
        asked.first()
    );
    assert_eq!(listed(store, |query| query.unclear = true).await, ["Three"]);
    let into = asked[0].candidates[1];
    let decided = store
        .decide_conflict(asked[0].id, Some(into), entry("contact.decided"))
        .await;
    assert!(decided.unwrap());
    let three = known(store, "r3").await;
    assert_eq!((three.id, three.unclear), (into, false));
    assert_eq!(three.profile.text("custom.plan"), "Free");
    let again = store
        .decide_conflict(asked[0].id, None, entry("contact.decided"))
        .await;
    assert!(!again.unwrap(), "it is decided");
    assert_eq!(take(store, all).await.fresh, 0);

    // Somebody of their own.
    import(vec![
        imported(Some("u-5"), "five@example.com", "Pro"),
        imported(Some("u-6"), "five@example.com", "Pro"),
    ])
    .await
    .unwrap();
    take(store, vec![person("r5", "Five", "five@example.com")]).await;
    let asked = store.conflicts(&workspace(), 10).await.unwrap();
    let decided = store.decide_conflict(asked[0].id, None, entry("contact.decided"));
    assert!(decided.await.unwrap());
    assert!(!known(store, "r5").await.unclear);
    assert_eq!(store.conflicts(&workspace(), 10).await.unwrap(), []);
}

pub(crate) async fn a_merge_moves_everything_and_keeps_where_they_went(world: &World) {
    let store = &world.store;
    let mut first = lead("l1");
    first.fields.extend([text("phone", "+46701234567")]);
    first.companies = vec![RemoteCompanyId::new("c1")];
    take(store, vec![first, person("u1", "Noa", "noa@example.com")]).await;
    let (from, into) = (known(store, "l1").await.id, known(store, "u1").await.id);
    let joined = |from, into| store.join_contacts(from, into, entry("contact.merged"));
    assert!(joined(from, into).await.unwrap());
    assert!(!joined(from, into).await.unwrap(), "it is gone");
    assert!(!joined(into, into).await.unwrap());
    let noa = known(store, "u1").await;
    assert_eq!(noa.profile.text("phone"), "+46701234567");
    assert_eq!(known(store, "l1").await.id, into, "by its old id");
    assert_eq!(
        store.contact(from).await.unwrap(),
        Some(Found::Merged(into))
    );
    assert_eq!(store.contact(ContactId(999_999)).await.unwrap(), None);
    assert_eq!(store.aliases_of(into).await.unwrap(), ["l1"]);
    let within = |query: &mut ContactQuery| query.company = Some(RemoteCompanyId::new("c1"));
    assert_eq!(listed(store, within).await, ["Noa"]);
    // What is told of it late changes nothing.
    let taken = take(store, vec![lead("l1")]).await;
    assert_eq!((taken.fresh, taken.passed_over), (0, 1));
    // Merged on: both lead to the last.
    take(store, vec![person("u2", "Noa Lind", "noa2@example.com")]).await;
    let last = known(store, "u2").await.id;
    assert!(joined(into, last).await.unwrap());
    assert_eq!(
        store.contact(from).await.unwrap(),
        Some(Found::Merged(last))
    );
    assert_eq!(
        store.contact(into).await.unwrap(),
        Some(Found::Merged(last))
    );
    let conversations = [ConversationId::new("7")];
    let issues = store
        .issues_of_conversations(&workspace(), &conversations)
        .await
        .unwrap();
    assert_eq!(issues, []);
}

pub(crate) async fn what_is_erased_does_not_come_back(world: &World) {
    let store = &world.store;
    let noa = person("e1", "Noa", "noa@example.com");
    take(
        store,
        vec![noa.clone(), person("e2", "Ben", "ben@example.com")],
    )
    .await;
    let id = known(store, "e1").await.id;
    // A delivery about the person, one about another, and one that still waits.
    let told = |name: &str, body: &str| bowline_store::model::NewEvent {
        connection: intercom(),
        body: body.into(),
        take: false,
        ..event(name, name)
    };
    for (name, body) in [
        ("1", "{\"email\":\"noa@example.com\"}"),
        ("2", "{\"email\":\"ben@example.com\"}"),
    ] {
        let (id, _) = fresh(&store.accept(told(name, body)).await.unwrap());
        let sql = format!("UPDATE event SET state = 1 WHERE id = {id}");
        world.execute(&sql).await;
    }
    store.accept(told("3", "noa@example.com")).await.unwrap();
    assert!(
        store
            .erase_contact(id, entry("contact.erased"))
            .await
            .unwrap()
    );
    // Marked with the erasure, and kept until nothing waits.
    let marks = store.marks_to_forget(T0, 10).await.unwrap();
    let texts = ["e1", "noa@example.com"].map(|text| Mark::Text(text.to_owned()));
    assert_eq!(marks, texts.map(|mark| (workspace(), mark)));
    let mut waits = false;
    let mut after = Some(0);
    while let Some(from) = after {
        let come = store.forget_part(marks.clone(), from).await.unwrap();
        (after, waits) = (come.up_to, waits || come.waits);
    }
    assert!(waits);
    let bodies = world.texts("SELECT body FROM event ORDER BY id").await;
    let bodies: Vec<&str> = bodies
        .iter()
        .map(|row| row[0].as_deref().unwrap())
        .collect();
    assert_eq!(
        bodies,
        ["", "{\"email\":\"ben@example.com\"}", "noa@example.com"]
    );
    for wait_ms in [5_000, 60_000, 3_600_000, 3_600_000] {
        store.forget_again(marks.clone(), T0).await.unwrap();
        let (before, due) = (T0.plus_ms(wait_ms - 1), T0.plus_ms(wait_ms));
        assert_eq!(store.marks_to_forget(before, 10).await.unwrap(), []);
        assert_eq!(store.marks_to_forget(due, 10).await.unwrap(), marks);
    }
    store.forget_marks(marks).await.unwrap();
    let end = T0.plus_ms(7_200_000);
    assert_eq!(store.marks_to_forget(end, 10).await.unwrap(), []);
    world.execute("DELETE FROM event").await;
    world.execute("DELETE FROM lane").await;

    assert_eq!(store.contact(id).await.unwrap(), None);
    assert!(
        !store
            .erase_contact(id, entry("contact.erased"))
            .await
            .unwrap()
    );
    let late = RemoteContact {
        updated_at: 9_000,
        ..noa
    };
    let taken = take(store, vec![late]).await;
    assert_eq!((taken.fresh, taken.passed_over), (0, 1));
    assert_eq!(
        listed(store, |query| "noa".clone_into(&mut query.words))
            .await
            .len(),
        0
    );
    assert_eq!(listed(store, |_| ()).await, ["Ben"]);
    let left = world
        .texts("SELECT remote, name, remote_fields, edits FROM contact")
        .await;
    assert!(!format!("{left:?}").contains("noa"), "{left:?}");
}

pub(crate) async fn what_was_sent_about_who_is_erased_is_taken_out(world: &World) {
    let store = &world.store;
    let said = [
        "{\"to\":\"noa@example.com\"}",
        "{\"to\":\"ben@example.com\"}",
    ];
    let mut notes = Vec::new();
    for (conversation, said) in ["7", "8"].into_iter().zip(said) {
        let note = one_note(store, conversation, conversation).await;
        let call = Call {
            method: "POST".to_owned(),
            path: format!("/conversations/{conversation}/reply"),
            status: Some(200),
            response: Some(said.to_owned()),
            took_ms: 7,
            ..Call::default()
        };
        let done = Settlement {
            calls: Some(serde_json::to_string(&[call]).unwrap()),
            ..settlement(&note, confirmed("r1"))
        };
        store.settle(done).await.unwrap();
        notes.push(note.id);
    }
    let marks = vec![(workspace(), Mark::Text("noa@example.com".to_owned()))];
    let mut after = Some(0);
    while let Some(from) = after {
        after = store.forget_part(marks.clone(), from).await.unwrap().up_to;
    }
    let left = async |note| {
        let attempts = store.attempts_of(note).await.unwrap();
        attempts.iter().map(|one| one.calls.len()).sum::<usize>()
    };
    assert_eq!((left(notes[0]).await, left(notes[1]).await), (0, 1));
}

pub(crate) async fn a_local_edit_counts_until_intercom_is_used_again(world: &World) {
    let store = &world.store;
    let noa = person("n1", "Noa", "noa@example.com");
    take(store, vec![noa.clone()]).await;
    let id = known(store, "n1").await.id;
    let edit = |text: Option<&str>| FieldEdit {
        contact: id,
        name: FieldName::new("name"),
        edit: text.map(|text| Edit {
            value: Some(FieldValue::text(text)),
            origin: Origin::Person,
            by: "ana@example.com".to_owned(),
            at: T0,
        }),
    };
    let set = |text: Option<&'static str>| store.edit_field(edit(text), entry("contact.edited"));
    assert!(set(Some("Noa Lind")).await.unwrap());
    assert!(!set(Some("Noa Lind")).await.unwrap(), "it is so already");
    let newer = RemoteContact {
        updated_at: 2_000,
        ..person("n1", "N. L.", "noa@example.com")
    };
    take(store, vec![newer]).await;
    let now = known(store, "n1").await;
    assert_eq!((now.name.as_str(), now.differs), ("Noa Lind", true));
    let found = listed(store, |query| "lind".clone_into(&mut query.words)).await;
    assert_eq!(found, ["Noa Lind"]);
    assert!(set(None).await.unwrap());
    assert!(!set(None).await.unwrap());
    let now = known(store, "n1").await;
    assert_eq!((now.name.as_str(), now.differs), ("N. L.", false));
    let entries = world.texts("SELECT what FROM audit").await;
    assert_eq!(entries.len(), 2);
    let missing = FieldEdit {
        contact: ContactId(77_777),
        ..edit(None)
    };
    assert!(
        !store
            .edit_field(missing, entry("contact.edited"))
            .await
            .unwrap()
    );
}

pub(crate) async fn events_change_contacts_with_their_decision(world: &World) {
    let store = &world.store;
    take(store, vec![lead("v2")]).await;
    let id = |text: &str| RemoteContactId::new(text);
    let steps = [
        (
            vec![
                ContactChange::Take {
                    contact: Box::new(person("v1", "Noa", "noa@example.com")),
                    life: None,
                },
                ContactChange::Company(Box::new(firm("c7", "Acme"))),
            ],
            vec!["Noa", "Lead v2"],
        ),
        (
            vec![
                ContactChange::SetLife(id("v1"), Life::Archived),
                ContactChange::CompanyGone(RemoteCompanyId::new("c7")),
            ],
            vec!["Lead v2"],
        ),
        (
            vec![ContactChange::SetLife(id("v1"), Life::Live)],
            vec!["Noa", "Lead v2"],
        ),
        (
            vec![
                ContactChange::Merge {
                    from: id("v2"),
                    into: id("v1"),
                },
                ContactChange::Merge {
                    from: id("never-seen"),
                    into: id("v1"),
                },
            ],
            vec!["Noa"],
        ),
        (vec![ContactChange::Erase(id("v1"))], vec![]),
    ];
    for (at, (changes, wanted)) in steps.into_iter().enumerate() {
        let (event, lease) = taken(store, "10", &format!("step-{at}")).await;
        let decided = Decided {
            contacts: Some(Box::new(ContactChanges {
                workspace: workspace(),
                changes,
                at: T0,
            })),
            ..Decided::default()
        };
        decide(store, &lease, event, decided).await.unwrap();
        assert_eq!(listed(store, |_| ()).await, wanted, "step {at}");
    }
    let archived = listed(store, |query| query.life = Life::Archived).await;
    assert_eq!(archived, Vec::<String>::new());
    // Those that were merged into it are erased with it.
    let told = vec![
        person("v1", "Noa", "noa@example.com"),
        lead("v2"),
        lead("never-seen"),
    ];
    assert_eq!(take(store, told).await.passed_over, 3);
}

async fn two_workspaces_may_have_the_same_ids(world: &World) {
    let store = &world.store;
    let other = WorkspaceName::new("other");
    take(store, vec![person("a1", "Noa", "noa@example.com")]).await;
    let one = vec![person("a1", "Someone else", "noa@example.com")];
    let taken = store.take_contacts(&other, one, T0).await.unwrap();
    assert_eq!(taken.fresh, 1);
    assert_eq!(known(store, "a1").await.name, "Noa");
    let remote = RemoteContactId::new("a1");
    let theirs = store
        .contact_by_remote(&other, &remote)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(theirs.name, "Someone else");
    let joined = store.join_contacts(theirs.id, known(store, "a1").await.id, entry("x"));
    assert!(!joined.await.unwrap(), "they are of two workspaces");
    store.erase_contact(theirs.id, entry("x")).await.unwrap();
    assert_eq!(known(store, "a1").await.name, "Noa");
}
