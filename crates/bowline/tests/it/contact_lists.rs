//! The list of people: its file has all attributes, its columns can be none, and what was done is
//! said once.

use bowline_sandbox::intercom::NewContact;
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::contacts::{ON, copied, known, listed, until_so};
use crate::stage::{On, Stage, on_both};

on_both!(
    a_file_has_the_attributes_of_all_people,
    a_preview_says_what_changes_of_whom,
    columns_fall_back_to_the_usual_ones,
    what_was_done_is_said_once
);

async fn import(owner: &mut Browser, file: &str) {
    let fields = [("workspace", "acme"), ("text", file), ("step", "import")];
    let page = owner.send("/contacts/import", &fields).await;
    let list = page.goes_to();
    assert!(
        list.starts_with("/contacts?done=contacts-imported."),
        "{list}"
    );
}

async fn a_file_has_the_attributes_of_all_people(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    // Known first, so the last of the list.
    import(&mut owner, "email,rare\nfirst@example.com,\"a, b\"\n").await;
    let row = |number| format!("p{number}@example.com,{number}\n");
    let rows: Vec<String> = (0..600).map(row).collect();
    import(&mut owner, &format!("email,seats\n{}", rows.concat())).await;
    let people = listed(&stage, |_| ()).await;
    assert_eq!(people.len(), 601);
    assert_eq!(people[600].email.as_deref(), Some("first@example.com"));

    let file = owner.get("/contacts/export.csv").await;
    let mut lines = file.text.lines();
    let head = lines.next().unwrap();
    assert!(head.ends_with("\"custom.rare\",\"custom.seats\""), "{head}");
    let last = lines.next_back().unwrap();
    assert!(last.contains("\"first@example.com\""), "{last}");
    assert!(last.ends_with("\"a, b\",\"\""), "{last}");
    let columns = head.split(',').count();
    let newest = file.text.lines().nth(1).unwrap();
    assert_eq!(newest.split(',').count(), columns);
    assert!(newest.ends_with("\"\",\"599\""), "{newest}");
    assert_eq!(file.text.lines().count(), 602);
    // Who is asked for alone has the same columns.
    let one = owner.get("/contacts/export.csv?q=first").await;
    assert_eq!(one.text.lines().next(), Some(head));
    assert_eq!(one.text.lines().count(), 2);
}

async fn a_preview_says_what_changes_of_whom(on: On) {
    let stage = Stage::on(on, |plan| ON.clone_into(&mut plan.top)).await;
    let ben = stage
        .intercom()
        .create_contact(NewContact::user("Ben Lind", "ben@example.com"))
        .unwrap();
    copied(&stage).await;
    let known = until_so("Ben", async || known(&stage, &ben).await).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    owner
        .get("/contacts")
        .await
        .says("people of Intercom, as counted at");
    let long = "x".repeat(200);
    let file = format!(
        "email,name,plan,note\nnew@example.com,Ida,Pro,\nben@example.com,Ben Renamed,Pro,{long}\n"
    );
    let preview = [("workspace", "acme"), ("text", file.as_str())];
    let page = owner.send("/contacts/import", &preview).await;
    page.says("1 added, 1 changed, 0 unchanged");
    // Who changes stands first: as they are known, with each field as it is and as it will be.
    page.says("3 Ben Lind");
    page.says("Name: Ben Lind → becomes Ben Renamed");
    page.says("plan: nothing → becomes Pro");
    page.says(&format!("{}…", &long[..80]));
    let table = page.text.split("</table>").next().unwrap();
    assert!(!table.contains(&long[..81]), "bounded");
    assert!(
        page.text
            .contains(&format!("href=\"/contacts/{}\"", known.id))
    );
    let script = Script::new(&stage, "owner", &["read", "contacts"]).await;
    let body = json!({
        "workspace": "acme",
        "preview": true,
        "people": [{"email": "x@example.com"}, {"email": "ben@example.com", "name": "Ben Renamed"}],
    });
    let told = script
        .call("POST", "/api/v1/contacts/import", Some(body), "")
        .await;
    assert_eq!(
        told.body["changes"],
        json!([{
            "person": 1,
            "id": known.id.0,
            "name": "Ben Lind",
            "fields": [{"field": "name", "old": "Ben Lind", "new": "Ben Renamed"}],
        }])
    );
    let import = [
        ("workspace", "acme"),
        ("text", file.as_str()),
        ("step", "import"),
    ];
    let page = owner.send("/contacts/import", &import).await;
    let list = page.goes_to().to_owned();
    let page = owner.get(&list).await;
    page.says("Imported: 1 new, 1 changed, 0 unchanged, none left out.");
    page.says("and 1 person who is not at Intercom.");
    let whole = script.get(&format!("/api/v1/contacts/{}", known.id)).await;
    let imported = whole.body["imported"].as_array().unwrap();
    let fields: Vec<&str> = imported
        .iter()
        .map(|one| one["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["custom.note", "custom.plan", "email", "name"]);
    let page = owner.send("/contacts/import", &import).await;
    let list = page.goes_to().to_owned();
    owner
        .get(&list)
        .await
        .says("Imported: 0 new, 0 changed, 2 unchanged");
    owner
        .get("/audit?what=contacts_imported")
        .await
        .says("2 lines: 1 new, 1 changed, 0 unchanged, 0 left out");
}

async fn columns_fall_back_to_the_usual_ones(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let rows: Vec<String> = (0..60).map(|n| format!("p{n}@example.com\n")).collect();
    import(&mut owner, &format!("email\n{}", rows.concat())).await;
    let telephone = "<th scope=\"col\">Telephone</th>";
    let page = owner.get("/contacts?columns=chosen&column=phone").await;
    assert!(page.text.contains(telephone));
    assert!(!page.words().contains("No column was ticked"));
    page.says("Columns that are shown");
    let page = owner.get("/contacts?columns=chosen").await;
    page.says("No column was ticked, so the usual ones are shown: E-mail address, Companies");
    assert!(!page.text.contains(telephone));
    let next = page
        .text
        .split("href=\"")
        .find(|part| part.contains("before="));
    let next = next
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&");
    let page = owner.get(&next).await;
    assert!(
        !page.words().contains("No column was ticked"),
        "it is said once"
    );
    let page = owner.get("/contacts").await;
    assert!(
        !page.text.contains(telephone),
        "they are the choice from then on"
    );
}

async fn what_was_done_is_said_once(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let rows: Vec<String> = (0..60).map(|n| format!("p{n}@example.com\n")).collect();
    import(&mut owner, &format!("email\n{}", rows.concat())).await;
    let page = owner
        .get("/contacts?role=local&done=contacts-imported")
        .await;
    page.says("Imported.");
    let links: Vec<&str> = page.text.split("href=\"").skip(1).collect();
    let links: Vec<&str> = links
        .iter()
        .map(|link| link.split('"').next().unwrap_or_default())
        .filter(|link| link.starts_with("/contacts?"))
        .collect();
    assert!(
        links.iter().any(|link| link.contains("before=")),
        "the next page: {links:?}"
    );
    for link in links {
        assert!(!link.contains("done="), "{link}");
    }
    assert!(!page.text.contains("name=\"done\""), "nor by the form");
}
