//! Both providers on a fake transport.

use std::sync::Arc;

use bowline_messagebird::conversations::{self, MessageBird};
use bowline_messagebird::whatsapp::{self, Secrets, WhatsApp};
use bowline_messagebird::{ChannelProvider, Content, Media, MediaAt, MediaKind, Message};
use bowline_messagebird::{ProviderEvent, UnknownEvent};
use bowline_net::testing::FakeTransport;
use bowline_net::{Request, Response, SendFailure};
use serde_json::Value;

pub(crate) const KEY: &str = "live-example-key";

pub(crate) type AnswerOnce = Result<Response, SendFailure>;

pub(crate) fn messagebird(answer: AnswerOnce) -> (MessageBird, Arc<FakeTransport>) {
    let fake = FakeTransport::always(answer);
    (messagebird_on(fake.clone(), conversations::API_URL), fake)
}

pub(crate) fn messagebird_on(fake: Arc<FakeTransport>, api: &str) -> MessageBird {
    MessageBird::new(
        fake,
        &api.parse().unwrap(),
        KEY.into(),
        vec!["signing".into()],
    )
}

pub(crate) fn whatsapp(answer: AnswerOnce) -> (WhatsApp, Arc<FakeTransport>) {
    let fake = FakeTransport::always(answer);
    (whatsapp_on(fake.clone()), fake)
}

pub(crate) fn whatsapp_on(fake: Arc<FakeTransport>) -> WhatsApp {
    let secrets = Secrets {
        access_token: KEY.into(),
        app_secrets: vec!["app".into()],
        verify_token: "verify".into(),
    };
    WhatsApp::new(fake, whatsapp::API_URL.parse().unwrap(), secrets)
}

pub(crate) fn only(fake: &FakeTransport) -> Request {
    let mut all = fake.requests();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

pub(crate) fn parse(provider: &dyn ChannelProvider, body: &Value) -> Vec<ProviderEvent> {
    provider.parse(body.to_string().as_bytes()).unwrap()
}

pub(crate) fn inbound(event: &ProviderEvent) -> &Message {
    match event {
        ProviderEvent::Inbound(message) => message,
        other => panic!("not an inbound message: {other:?}"),
    }
}

pub(crate) fn unknown(event: &ProviderEvent) -> &UnknownEvent {
    match event {
        ProviderEvent::Unknown(unknown) => unknown,
        other => panic!("something was made of it: {other:?}"),
    }
}

pub(crate) fn media(kind: MediaKind, at: MediaAt) -> Media {
    Media {
        kind,
        at,
        caption: None,
        file_name: None,
        mime_type: None,
        sha256: None,
    }
}

pub(crate) fn text(words: &str) -> Content {
    Content::Text(words.to_owned())
}

/// Identities as `kind value`.
pub(crate) fn identities(person: &bowline_messagebird::Sender) -> Vec<String> {
    let one = |i: &bowline_messagebird::Identity| format!("{} {}", i.kind.code(), i.value);
    person.identities.iter().map(one).collect()
}
