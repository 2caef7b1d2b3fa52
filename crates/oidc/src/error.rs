//! Why somebody is not signed in.

/// Letters of a provider's words that are shown.
const WORDS_LETTERS_MAX: usize = 200;

/// Why somebody is not signed in. The texts are for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// The provider does not answer.
    #[error(
        "The sign-in service {issuer} cannot be reached ({why}). Try again in a while; if it goes \
         on, whoever runs Bowline should look whether this machine may call it: bowline check \
         tells."
    )]
    Unreachable {
        /// Which one.
        issuer: String,
        /// Why not.
        why: String,
    },
    /// It answers something else.
    #[error(
        "{issuer} answers, but not as the sign-in service that the configuration names ({why}). \
         Whoever runs Bowline should compare oidc.issuer with what the service calls itself."
    )]
    NoProvider {
        /// Which one.
        issuer: String,
        /// What is wrong.
        why: String,
    },
    /// What came back does not belong to what this browser asked for.
    #[error(
        "This answer of the sign-in service does not belong to what this browser asked for, was \
         used already, or took too long. Nobody was signed in. Begin again here."
    )]
    NotOurs,
    /// The provider did not let them in.
    #[error("The sign-in service did not let you in: {0}.")]
    Denied(String),
    /// It refuses our code or us.
    #[error(
        "The sign-in service refuses what it sent a moment ago ({0}). Begin again; if it goes on, \
         whoever runs Bowline should compare oidc.client_id, oidc.client_secret and the return \
         address with what is registered there."
    )]
    Refused(String),
    /// What it says of the person cannot be relied on.
    #[error(
        "What the sign-in service says of you cannot be relied on ({0}), so nobody was signed in. \
         Begin again; if it goes on, tell whoever runs Bowline."
    )]
    Untrusted(String),
}

/// What a provider says, short, on one line, without the point at its end.
pub(crate) fn short(words: &str) -> String {
    let plain = words
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    let plain: String = plain.take(WORDS_LETTERS_MAX).collect();
    plain.trim().trim_end_matches('.').to_owned()
}

/// Why a provider did not let somebody in, in words.
pub(crate) fn denied(error: &str, description: &str) -> String {
    match (error, description) {
        ("access_denied", "") => "you went back, or your account there may not use Bowline".into(),
        ("login_required" | "interaction_required" | "consent_required", "") => {
            "it wanted to ask you something and could not".into()
        }
        ("temporarily_unavailable" | "server_error", "") => "it does not work at the moment".into(),
        (error, "") => short(error),
        (_, description) => short(description),
    }
}
