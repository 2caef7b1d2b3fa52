//! What hangs on a person besides Intercom's conversations: their feedback, and what they write on
//! messaging channels.

use bowline_domain::contacts::field::FieldName;
use bowline_domain::feedback::ids::ContactId as FeedbackContact;
use bowline_domain::messaging::end_user::Identity;
use bowline_store::contacts::Contact;
use bowline_store::talk_browse::{TalkQuery, TalkSubject};

use super::person::{Item, Section};
use crate::App;
use crate::error::PageError;
use crate::feedback::words::title;
use crate::reader::Reader;
use crate::talk_words;

/// Tickets and conversations that are shown of each kind.
const SHOWN_MAX: i64 = 100;

/// The feedback that they gave.
pub(super) async fn tickets(
    app: &App,
    reader: &Reader,
    contact: &Contact,
) -> Result<Section, PageError> {
    let store = &app.shared.store;
    let mut items = Vec::new();
    if let Some(remote) = &contact.remote {
        let products = store.products().await?;
        let by = FeedbackContact::new(remote.as_str());
        let given = store.tickets_given_by(&contact.workspace, &by, SHOWN_MAX);
        for ticket in given.await? {
            let product = products.iter().find(|product| product.id == ticket.product);
            let status = product.map_or_else(
                || ticket.status.title(),
                |product| product.status_name(ticket.status),
            );
            let product = product.map_or("", |product| product.name.as_str());
            items.push(Item {
                text: title(&ticket),
                here: Some(format!("/feedback/{}", ticket.id)),
                there: None,
                note: format!(
                    "{}, {product}, {}",
                    status.to_lowercase(),
                    reader.when(ticket.said_at).text()
                ),
            });
        }
    }
    Ok(Section {
        id: "tickets",
        title: "Feedback",
        items,
        empty: "No feedback of this person is known.".to_owned(),
    })
}

/// What they are known by on channels: the telephone number in its international form, the address.
pub(super) fn known_by(contact: &Contact) -> Vec<String> {
    let phone = Identity::phone(&contact.profile.text(FieldName::PHONE));
    let phone = phone.map(|identity| identity.value);
    phone.into_iter().chain(contact.email.clone()).collect()
}

/// Their conversations on messaging channels, found by what they are known by.
pub(super) async fn messages(
    app: &App,
    reader: &Reader,
    contact: &Contact,
) -> Result<Section, PageError> {
    let store = &app.shared.store;
    let mut items: Vec<Item> = Vec::new();
    for value in known_by(contact) {
        let asked = TalkQuery {
            about: Some(TalkSubject::Identity(value.clone())),
            limit: SHOWN_MAX,
            ..TalkQuery::default()
        };
        for talk in store.talk_page(&asked).await? {
            let here = talk_words::conversation_path(&talk.whose);
            if items.iter().any(|item| item.here.as_deref() == Some(&here)) {
                continue;
            }
            let request = &talk.request;
            let key = request.issue.as_ref().map(|(_, key)| key.as_str());
            items.push(Item {
                text: key.unwrap_or("Not in Jira yet").to_owned(),
                here: Some(here),
                there: None,
                note: format!(
                    "{}, by {value}, last written {}",
                    talk_words::stage_word(request),
                    reader.when(request.last_inbound_at).text()
                ),
            });
        }
    }
    Ok(Section {
        id: "messages",
        title: "Messages on channels",
        items,
        empty: "Nobody with this telephone number or address has written on a channel.".to_owned(),
    })
}
