//! What people ask for in a conversation: put into the lane of its end user, where it is decided
//! among everything else that happens to them.

use bowline_domain::effect::EffectKey;
use bowline_domain::ids::EventId;
use bowline_domain::messaging::delivery::Resolution;
use bowline_domain::messaging::ids::RequestRef;
use bowline_domain::time::Millis;
use bowline_store::Store;

use super::{TalkEvent, queue};
use crate::ingress::Refusal;

/// Puts what a person `(by)` decided about a message into the lane of its end user. `now` and
/// `chance` name the decision.
///
/// # Errors
/// The store fails, or there is no such message.
pub async fn queue_about_send(
    store: &Store,
    key: &EffectKey,
    (how, by): (Resolution, &str),
    (now, chance): (Millis, u64),
) -> Result<EventId, Refusal> {
    let Some((whose, _)) = store.outbound(key).await? else {
        return Err(Refusal::BadBody("there is no such message".to_owned()));
    };
    let (key, by) = (key.clone(), by.to_owned());
    let told = match how {
        Resolution::SentAgain => TalkEvent::SendAgain { key, by },
        Resolution::Arrived | Resolution::Dropped => TalkEvent::LetBe {
            key,
            arrived: how == Resolution::Arrived,
            by,
        },
    };
    let name = format!("{}-{}-{chance:016x}", told.word(), now.0);
    queue(store, &whose, &told, (name, now)).await
}

/// Has a test message sent in a conversation. `now` and `chance` name the asking.
///
/// # Errors
/// The store fails.
pub async fn queue_test_message(
    store: &Store,
    whose: &RequestRef,
    (now, chance): (Millis, u64),
) -> Result<EventId, Refusal> {
    let generation = whose.generation;
    let told = TalkEvent::TestMessage { generation };
    let name = format!("{}-{}-{chance:016x}", told.word(), now.0);
    queue(store, whose, &told, (name, now)).await
}
