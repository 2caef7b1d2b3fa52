//! Feedback: a tag in Intercom becomes a ticket, seen from both ends.

use bowline::demo::{Plan, WORKSPACE};
use bowline_domain::feedback::ids::{ProductId, TicketId};
use bowline_domain::feedback::product::Product;
use bowline_domain::feedback::ticket::Status;
use bowline_domain::ids::WorkspaceName;
use bowline_domain::outcome::Reason;
use bowline_engine::feedback::triage;
use bowline_sandbox::common::FaultKind;
use bowline_sandbox::common::page::Neighbours;
use bowline_sandbox::intercom::{self, NewContact};
use bowline_store::feedback::{TicketChange, TicketQuery, TicketRow, TicketView};
use bowline_store::model::EventView;

use crate::browser::Browser;
use crate::failure::{fault, status};
use crate::messaging_stage::until_async;
use crate::stage::{On, Stage, on_both};

on_both!(
    a_tagged_message_becomes_a_ticket_with_who_gave_it,
    the_same_message_has_one_ticket_however_often_it_is_told,
    a_conversation_that_we_began_is_tagged_as_a_whole,
    two_products_and_two_tags,
    what_a_teammate_wrote_is_not_the_customers,
    a_tag_that_no_product_counts_is_said_to_be_the_reason,
    what_was_tagged_while_away_is_found,
    what_is_erased_in_intercom_is_erased_here,
    a_conversation_is_told_once_what_became_of_it,
    a_tag_is_renamed_and_deleted,
    a_message_of_a_million_characters_and_a_far_side_that_fails,
    files_are_copied_before_their_addresses_end,
    two_workspaces_with_the_same_ids_do_not_meet
);

/// A product in the configuration that counts the tag “idea”.
pub(crate) const IDEAS: &str =
    "[[product]]\nname = \"Mobile app\"\nworkspace = \"acme\"\ntags = [\"idea\"]\n";

/// A stage whose workspace has the tag “idea” and more, and whose configuration ends with this.
pub(crate) struct Feedback {
    pub(crate) stage: Stage,
    pub(crate) idea: String,
    pub(crate) bug: String,
}

impl Feedback {
    pub(crate) async fn on(on: On, products: &str, change: impl FnOnce(&mut Plan)) -> Self {
        let mut it = Self::prepare(on, products, change).await;
        it.stage.start().await;
        it.resolved().await;
        it
    }

    pub(crate) async fn prepare(on: On, products: &str, change: impl FnOnce(&mut Plan)) -> Self {
        let stage = Stage::prepare_on(on, change).await;
        let idea = stage.intercom().create_tag("idea");
        let bug = stage.intercom().create_tag("bug");
        let path = &stage.world.config_path;
        let text = std::fs::read_to_string(path).unwrap();
        std::fs::write(path, format!("{text}\n{products}")).unwrap();
        Self { stage, idea, bug }
    }

    /// Waits until every word of the configuration was looked up in Intercom.
    pub(crate) async fn resolved(&self) {
        let store = self.stage.store();
        until_async(async || {
            let products = store.products().await.unwrap();
            let done = |product: &Product| {
                !product.tags.is_empty() || !product.settings.unknown_tags.is_empty()
            };
            (!products.is_empty() && products.iter().all(done)).then_some(())
        })
        .await;
    }

    pub(crate) fn workspace() -> WorkspaceName {
        WorkspaceName::new(WORKSPACE)
    }

    /// Someone at a company that pays.
    pub(crate) fn customer(&self, name: &str, company: &str, spend: i64) -> String {
        let intercom = self.stage.intercom();
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
        let contact = intercom
            .create_contact(NewContact::user(name, &email))
            .unwrap();
        let company = intercom.create_company(company, &contact).unwrap();
        intercom.set_company_money(&company, Some("Pro"), spend);
        contact
    }

    pub(crate) fn says(&self, contact: &str, text: &str) -> String {
        self.stage
            .intercom()
            .create_conversation(contact, text)
            .unwrap()
    }

    pub(crate) fn tag(&self, conversation: &str, part: &str, tag: &str) {
        let teammate = self.stage.teammate();
        self.stage
            .intercom()
            .tag_message(conversation, part, tag, &teammate)
            .unwrap();
    }

    pub(crate) async fn tickets(&self) -> Vec<TicketRow> {
        let query = TicketQuery {
            limit: 100,
            ..TicketQuery::default()
        };
        self.stage.store().ticket_page(&query).await.unwrap().rows
    }

    /// Waits for this many tickets, the newest first.
    pub(crate) async fn ticket_count(&self, count: usize) -> Vec<TicketRow> {
        until_async(async || {
            let tickets = self.tickets().await;
            (tickets.len() >= count).then_some(tickets)
        })
        .await
    }

    pub(crate) async fn view(&self, id: TicketId) -> TicketView {
        self.stage.store().ticket(id).await.unwrap().unwrap()
    }

    /// Why the first tag that was told of came to nothing.
    async fn tagging_came_to(&self) -> Vec<Reason> {
        until_async(async || {
            let events = self.stage.events().await;
            let tagged = |view: &&EventView| view.event.topic == "conversation_part.tag.created";
            let outcome = events.iter().find(tagged)?.outcome.as_ref()?;
            Some(outcome.reasons.clone())
        })
        .await
    }

    /// A person moves tickets.
    pub(crate) async fn moves(&self, id: TicketId, status: Status) {
        let shared = self.stage.service().shared();
        triage(
            &shared,
            vec![id],
            TicketChange::Status(status),
            "pm@example.com",
            Vec::new(),
        )
        .await
        .unwrap()
        .unwrap();
    }

    /// A product by its name.
    pub(crate) async fn product(&self, name: &str) -> Product {
        let products = self.stage.store().products().await.unwrap();
        products
            .into_iter()
            .find(|product| product.name == name)
            .unwrap()
    }
}

async fn a_tagged_message_becomes_a_ticket_with_who_gave_it(on: On) {
    let it = Feedback::on(on, IDEAS, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 1_200);
    let conversation = it.says(&noa, "<p>Where is the export?</p>");
    let intercom = it.stage.intercom();
    let teammate = it.stage.teammate();
    intercom
        .teammate_reply(&conversation, &teammate, "<p>In the menu.</p>")
        .unwrap();
    let wish = intercom
        .customer_reply(
            &conversation,
            "<p>Found it. A <b>dark mode</b> would help.</p>",
        )
        .unwrap();
    intercom
        .customer_reply(&conversation, "<p>Thanks!</p>")
        .unwrap();
    it.tag(&conversation, &wish, &it.idea);
    let ticket = it.ticket_count(1).await.remove(0);
    assert_eq!(ticket.title, "Found it. A dark mode would help.");
    assert_eq!(
        (ticket.author.as_str(), ticket.status),
        ("Noa Lind", Status::New)
    );
    assert_eq!(ticket.company_name.as_deref(), Some("Example Ltd"));
    assert_eq!(
        (ticket.people, ticket.companies, ticket.spend),
        (1, 1, 1_200)
    );
    let view = it.view(ticket.id).await;
    assert_eq!(
        (view.part.as_str(), view.plan.as_deref()),
        (wish.as_str(), Some("Pro"))
    );
    assert_eq!(view.email.as_deref(), Some("noa.lind@example.com"));
    let said: Vec<&str> = view
        .transcript
        .iter()
        .map(|line| line.text.as_str())
        .collect();
    assert_eq!(said, ["Where is the export?", "In the menu.", "Thanks!"]);
    let (tag, removed) = &view.tags[0];
    assert_eq!(
        (tag.name.as_str(), tag.by.as_deref()),
        ("idea", Some(teammate.as_str()))
    );
    assert!(removed.is_none());
    // What they pay later does not change what they paid then.
    it.stage.settled().await;
    assert!(it.stage.reasons().await.contains(&"ticket_made"));
    assert_eq!(
        it.stage.texts(&conversation).len(),
        0,
        "nothing is posted by default"
    );
}

async fn the_same_message_has_one_ticket_however_often_it_is_told(on: On) {
    let it = Feedback::on(on, IDEAS, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "A dark mode, please.");
    it.tag(&conversation, "source", &it.idea);
    let ticket = it.ticket_count(1).await.remove(0);
    it.stage.settled().await;
    let teammate = it.stage.teammate();
    let intercom = it.stage.intercom();
    intercom.untag(&conversation, &it.idea, &teammate).unwrap();
    // No webhook tells of that; the next one about the conversation is the occasion.
    intercom.close(&conversation, &teammate).unwrap();
    until_async(async || it.view(ticket.id).await.tags[0].1).await;
    it.tag(&conversation, "source", &it.idea);
    until_async(async || it.view(ticket.id).await.tags[0].1.is_none().then_some(())).await;
    // The whole conversation, tagged by the same: still that ticket.
    intercom
        .tag_conversation(&conversation, &it.idea, &teammate)
        .unwrap();
    it.stage.settled().await;
    // The same delivery twice, and in other shapes.
    for (number, item) in [
        serde_json::json!({"type": "conversation_part", "conversation_id": conversation,
            "tags_added": {"type": "tag.list", "tags": [{"id": it.idea, "name": "idea"}]}}),
        serde_json::json!({"type": "conversation", "id": conversation}),
        serde_json::json!({"type": "conversation", "id": conversation, "tags_added":
            {"tags": [{"type": "tag", "id": it.idea.parse::<i64>().unwrap(), "name": "idea"}]}}),
    ]
    .into_iter()
    .enumerate()
    {
        let body = serde_json::json!({"type": "notification_event", "app_id": "sbx00001",
            "id": format!("notif_{number}"), "topic": "conversation_part.tag.created",
            "data": {"type": "notification_event_data", "item": item}, "created_at": 1});
        for _ in 0..2 {
            let (status, text) = it.stage.deliver_intercom(body.to_string().as_bytes()).await;
            assert_eq!(status, 200, "{text}");
        }
    }
    it.stage.settled().await;
    assert_eq!(it.tickets().await.len(), 1);
    assert!(it.stage.reasons().await.contains(&"ticket_known"));
}

async fn what_a_teammate_wrote_is_not_the_customers(on: On) {
    let it = Feedback::on(on, IDEAS, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "Hello?");
    let intercom = it.stage.intercom();
    let teammate = it.stage.teammate();
    let part = intercom
        .teammate_reply(&conversation, &teammate, "She asked for a dark mode.")
        .unwrap();
    it.tag(&conversation, &part, &it.idea);
    let ticket = it.ticket_count(1).await.remove(0);
    let view = it.view(ticket.id).await;
    assert_eq!(view.text, "She asked for a dark mode.");
    assert_eq!(view.row.author, "Noa Lind", "whose feedback it is");
    let wrote = view.said_by.unwrap();
    let mut admin = Browser::signed_in(&it.stage, "administrator").await;
    let page = admin.get(&format!("/feedback/{}", ticket.id)).await;
    let shown = format!("{wrote}, a teammate, to Noa Lind");
    assert!(page.words().contains(&shown), "{shown}: {}", page.words());
    // What the customer wrote is the customer's.
    it.tag(&conversation, "source", &it.idea);
    let tickets = it.ticket_count(2).await;
    let own = tickets.iter().find(|row| row.id != ticket.id).unwrap();
    assert_eq!(it.view(own.id).await.said_by, None);
}

async fn a_tag_that_no_product_counts_is_said_to_be_the_reason(on: On) {
    let it = Feedback::on(on, IDEAS, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "The menu flickers.");
    it.stage.settled().await;
    it.tag(&conversation, "source", &it.bug);
    assert_eq!(it.tagging_came_to().await, [Reason::TagNotChosen]);
}

/// The tag is on no message: a conversation that a teammate began stands for the customer's latest.
async fn a_conversation_that_we_began_is_tagged_as_a_whole(on: On) {
    let it = Feedback::on(on, IDEAS, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let (intercom, teammate) = (it.stage.intercom(), it.stage.teammate());
    let began = |words: &str| intercom.begin_as_teammate(&teammate, &noa, words).unwrap();
    let unanswered = began("How do you like it?");
    intercom
        .tag_conversation(&unanswered, &it.idea, &teammate)
        .unwrap();
    assert_eq!(it.tagging_came_to().await, [Reason::NothingFromCustomer]);

    let answered = began("Anything that you miss?");
    intercom.customer_reply(&answered, "No.").unwrap();
    let latest = intercom
        .customer_reply(&answered, "Dark mode, in fact.")
        .unwrap();
    intercom
        .teammate_reply(&answered, &teammate, "Noted.")
        .unwrap();
    it.stage.settled().await;
    intercom
        .tag_conversation(&answered, &it.idea, &teammate)
        .unwrap();
    let tickets = it.ticket_count(1).await;
    let view = it.view(tickets[0].id).await;
    assert_eq!(view.part.as_str(), latest);
    assert_eq!(view.row.author, "Noa Lind");
    assert_eq!(view.said_by, None);
    it.stage.settled().await;
    assert_eq!(it.tickets().await.len(), 1);
}

async fn two_products_and_two_tags(on: On) {
    let products = format!(
        "{IDEAS}[[product]]\nname = \"Web\"\nworkspace = \"acme\"\ntags = [\"idea\", \"bug\"]\n"
    );
    let it = Feedback::on(on, &products, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "The menu flickers.");
    it.tag(&conversation, "source", &it.bug);
    it.tag(&conversation, "source", &it.idea);
    it.ticket_count(2).await;
    it.stage.settled().await;
    let (app, web) = (it.product("Mobile app").await, it.product("Web").await);
    let of = async |product: ProductId| {
        let tickets = it.tickets().await;
        let mut own = tickets
            .into_iter()
            .filter(|ticket| ticket.product == product);
        let ticket = own.next().unwrap();
        assert!(own.next().is_none());
        it.view(ticket.id).await.tags.len()
    };
    assert_eq!((of(app.id).await, of(web.id).await), (1, 2));
}

async fn what_was_tagged_while_away_is_found(on: On) {
    let mut it = Feedback::on(on, IDEAS, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let (one, other) = (
        it.says(&noa, "Before the start."),
        it.says(&noa, "While away."),
    );
    it.stage.settled().await;
    it.stage.stop().await;
    it.tag(&other, "source", &it.idea);
    it.tag(&one, "source", &it.bug);
    // Both attempts of the webhook fail meanwhile.
    it.stage.intercom().sender().quiet().await;
    it.stage.start().await;
    let tickets = it.ticket_count(1).await;
    assert_eq!(tickets[0].title, "While away.");
    it.stage.settled().await;
    assert_eq!(it.tickets().await.len(), 1);
}

/// All that is stored of what came in and what went out, as it is stored.
async fn what_was_told(it: &Feedback) -> String {
    let config = it.stage.world.config().unwrap();
    let url = secrecy::ExposeSecret::expose_secret(&config.database.url()).to_owned();
    let mut all = String::new();
    for sql in [
        "SELECT body FROM event",
        "SELECT calls FROM attempt",
        "SELECT act FROM effect",
    ] {
        let rows = bowline_store::testing::texts(&url, sql).await.unwrap();
        all.extend(rows.into_iter().flatten().flatten());
    }
    all
}

async fn what_is_erased_in_intercom_is_erased_here(on: On) {
    let products = format!("{IDEAS}notes = [\"planned\"]\n");
    let it = Feedback::on(on, &products, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let max = it.customer("Max Roth", "Sample GmbH", 20);
    let redacted = it.says(&noa, "My number is 555 0100.");
    let deleted = it.says(&noa, "Delete me.");
    let gone = it.says(&max, "Forget me.");
    let untagged = it.says(&noa, "Hello.");
    let stays = it.says(&noa, "Keep this.");
    for conversation in [&redacted, &deleted, &gone] {
        it.tag(conversation, "source", &it.idea);
    }
    let intercom = it.stage.intercom();
    let secret = intercom
        .customer_reply(&untagged, "The key is under the mat.")
        .unwrap();
    intercom.customer_reply(&stays, "Keep this too.").unwrap();
    // Notes quote what was said.
    for ticket in it.ticket_count(3).await {
        it.moves(ticket.id, Status::Planned).await;
    }
    it.stage.settled().await;
    let told = what_was_told(&it).await;
    let said = [
        "555 0100",
        "Delete me",
        "Forget me",
        "under the mat",
        "Keep this too",
    ];
    for text in said {
        assert!(told.contains(text), "{text}");
    }
    intercom.redact(&untagged, &secret).unwrap();
    intercom.redact(&redacted, "source").unwrap();
    intercom.delete_conversation(&deleted).unwrap();
    intercom.delete_contact(&max).unwrap();
    let tickets = until_async(async || {
        let tickets = it.tickets().await;
        tickets
            .iter()
            .all(|ticket| ticket.erased.is_some())
            .then_some(tickets)
    })
    .await;
    for ticket in tickets {
        let view = it.view(ticket.id).await;
        assert_eq!((ticket.title.as_str(), ticket.author.as_str()), ("", ""));
        assert_eq!(
            (view.text.as_str(), view.email, view.contact),
            ("", None, None)
        );
        assert_eq!((ticket.people, ticket.companies, ticket.spend), (0, 0, 0));
        assert_eq!(view.tags[0].0.name, "idea", "the shell stays");
        assert!(view.erased_at.is_some());
    }
    for word in ["number", "delete", "forget", "noa"] {
        let query = TicketQuery {
            text: Some(word.to_owned()),
            limit: 10,
            ..TicketQuery::default()
        };
        let found = it.stage.store().ticket_page(&query).await.unwrap();
        assert!(found.rows.is_empty(), "{word}");
    }
    it.stage.settled().await;
    assert!(it.stage.reasons().await.contains(&"feedback_erased"));
    // What deliveries, attempts and notes said of it goes too, and nothing else.
    let left = async || {
        let told = what_was_told(&it).await;
        said.map(|text| told.contains(text))
    };
    until_async(async || (!left().await[..4].contains(&true)).then_some(())).await;
    assert!(left().await[4]);
}

async fn a_conversation_is_told_once_what_became_of_it(on: On) {
    let products = format!("{IDEAS}notes = [\"done\", \"planned\"]\n");
    let it = Feedback::on(on, &products, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "A dark mode, please.");
    let second = it
        .stage
        .intercom()
        .customer_reply(&conversation, "And a light one.")
        .unwrap();
    it.tag(&conversation, "source", &it.idea);
    it.tag(&conversation, &second, &it.idea);
    let tickets = it.ticket_count(2).await;
    it.moves(tickets[0].id, Status::InReview).await;
    it.moves(tickets[0].id, Status::Planned).await;
    it.stage
        .note(&conversation, &["Feedback for Mobile app is planned"])
        .await;
    it.moves(tickets[1].id, Status::Planned).await;
    it.moves(tickets[0].id, Status::New).await;
    it.moves(tickets[0].id, Status::Planned).await;
    // The answer to the second note is lost after it was posted.
    it.stage
        .intercom()
        .faults()
        .add(fault("POST", "/reply", 0, 1, FaultKind::DropAfter));
    it.moves(tickets[0].id, Status::Done).await;
    it.stage.note(&conversation, &["is done"]).await;
    it.stage.settled().await;
    it.moves(tickets[1].id, Status::Declined).await;
    it.stage.settled().await;
    let texts = it.stage.texts(&conversation);
    assert_eq!(texts.len(), 2, "{texts:?}");
}

async fn a_tag_is_renamed_and_deleted(on: On) {
    let it = Feedback::on(on, IDEAS, |_| ()).await;
    let intercom = it.stage.intercom();
    intercom.rename_tag(&it.idea, "suggestion").unwrap();
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "A dark mode, please.");
    it.tag(&conversation, "source", &it.idea);
    it.ticket_count(1).await;
    it.stage.configure().await;
    let store = it.stage.store();
    until_async(async || {
        let name = it.product("Mobile app").await.tags[0].name.clone();
        (name == "suggestion").then_some(())
    })
    .await;
    intercom.delete_tag(&it.idea).unwrap();
    it.stage.configure().await;
    until_async(async || it.product("Mobile app").await.tags[0].gone_at).await;
    let product = it.product("Mobile app").await;
    assert_eq!(product.settings.unknown_tags, ["idea"]);
    assert_eq!(
        store
            .products_of(&Feedback::workspace())
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(it.tickets().await.len(), 1);
}

async fn a_message_of_a_million_characters_and_a_far_side_that_fails(on: On) {
    let it = Feedback::on(on, IDEAS, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let long = format!("<p>Dark {}</p>", "mode ".repeat(200_000));
    let conversation = it.says(&noa, &long);
    let faults = it.stage.intercom().faults();
    let path = format!("/conversations/{conversation}");
    faults.add(fault("GET", &path, 0, 1, status(429)));
    faults.add(fault("GET", "/companies", 0, 1, status(500)));
    it.tag(&conversation, "source", &it.idea);
    let ticket = until_async(async || it.tickets().await.pop()).await;
    let view = it.view(ticket.id).await;
    assert!(
        view.text.chars().count() <= 20_001,
        "{}",
        view.text.chars().count()
    );
    assert_eq!(ticket.company_name.as_deref(), Some("Example Ltd"));
}

async fn files_are_copied_before_their_addresses_end(on: On) {
    let it = Feedback::on(on, IDEAS, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "It looks like this.");
    let intercom = it.stage.intercom();
    intercom
        .attach(
            &conversation,
            "source",
            ("screen.png", "image/png"),
            b"a picture",
        )
        .unwrap();
    let large = vec![7_u8; 5 * 1_024 * 1_024 + 1];
    intercom
        .attach(&conversation, "source", ("video.mp4", "video/mp4"), &large)
        .unwrap();
    it.tag(&conversation, "source", &it.idea);
    let ticket = it.ticket_count(1).await.remove(0);
    let files = until_async(async || {
        let files = it.view(ticket.id).await.files;
        (!files.is_empty()).then_some(files)
    })
    .await;
    assert_eq!((files[0].name.as_str(), files[0].bytes), ("screen.png", 9));
    let why = files[1].why_not.as_deref().unwrap();
    assert!(why.contains("larger than 5 MB"), "{why}");
    let (_, content) = it
        .stage
        .store()
        .ticket_file(ticket.id, 0)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(content, "YSBwaWN0dXJl");
}

async fn two_workspaces_with_the_same_ids_do_not_meet(on: On) {
    let mut it = Feedback::prepare(on, IDEAS, |_| ()).await;
    let config = intercom::Config {
        workspace: "sbx00002".to_owned(),
        access_token: "another-token".to_owned(),
        client_secret: "another-secret".to_owned(),
        webhook_retry_ms: 200,
        ..intercom::Config::default()
    };
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let other = intercom::start(config, any, Neighbours::new())
        .await
        .unwrap();
    let tags = ["idea", "bug"].map(|name| other.state.create_tag(name));
    assert_eq!(tags, [it.idea.clone(), it.bug.clone()], "the same ids");
    let path = &it.stage.world.config_path;
    let text = std::fs::read_to_string(path).unwrap();
    let more = format!(
        "[[workspace]]\nname = \"other\"\nregion = \"us\"\napi_url = \"{}\"\n\
         access_token = \"another-token\"\nclient_secret = \"another-secret\"\n\
         [[product]]\nname = \"Web\"\nworkspace = \"other\"\ntags = [\"idea\"]\n",
        other.url()
    );
    std::fs::write(path, format!("{text}{more}")).unwrap();
    it.stage.start().await;
    it.resolved().await;
    let hook = it.stage.url("/hooks/intercom/other");
    other.state.connect_webhook(&hook).await.unwrap();
    let ours = it.says(
        &it.customer("Noa Lind", "Example Ltd", 10),
        "A wish of ours.",
    );
    let noa = NewContact::user("Noa Lind", "noa@example.com");
    let contacts = [
        other.state.create_contact(noa).unwrap(),
        other
            .state
            .create_contact(NewContact::user("Zoe", "zoe@example.com"))
            .unwrap(),
    ];
    let theirs = other
        .state
        .create_conversation(&contacts[1], "A wish of theirs.")
        .unwrap();
    assert_eq!(ours, theirs, "the same ids");
    let teammate = it.stage.teammate();
    other
        .state
        .tag_message(&theirs, "source", &it.idea, &teammate)
        .unwrap();
    let tickets = it.ticket_count(1).await;
    assert_eq!(tickets[0].title, "A wish of theirs.");
    it.tag(&ours, "source", &it.idea);
    let tickets = it.ticket_count(2).await;
    assert_eq!(tickets[0].workspace, Feedback::workspace());
    it.stage.intercom().redact(&ours, "source").unwrap();
    until_async(async || it.view(tickets[0].id).await.erased_at).await;
    it.stage.settled().await;
    assert!(it.view(tickets[1].id).await.erased_at.is_none());
    other.shutdown().await;
}
