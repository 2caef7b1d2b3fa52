//! A sign-in that was begun: what the browser keeps of it, in a cookie, until it comes back.
//!
//! Nothing is kept here meanwhile, so that whoever begins and never comes back costs nothing. State,
//! nonce and PKCE verifier are made of the browser's secret and of all that the sign-in is for:
//! what comes back is good in that browser alone, for what it was begun for, and for some minutes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bowline_domain::time::Millis;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// How long somebody may take at the provider, in milliseconds.
pub const BEGUN_MS_MAX: i64 = 10 * 60 * 1_000;

/// The longest place that is gone back to, in bytes: browsers take cookies up to 4 kB.
const PLACE_BYTES_MAX: usize = 1_500;

/// What a sign-in is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To come in.
    Enter,
    /// To join who they are there to the account that is signed in here.
    Join,
    /// To join who they are there to the account of this code, which an administrator handed over.
    Welcome(String),
}

/// A sign-in that was begun.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    secret: String,
    at: i64,
    purpose: Purpose,
    place: String,
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begun")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl Begun {
    /// Begins one with a secret that nobody can guess; `place` is where the browser wants to be.
    pub fn new(secret: String, at: Millis, purpose: Purpose, place: &str) -> Self {
        let place = if place.len() > PLACE_BYTES_MAX {
            "/"
        } else {
            place
        };
        Self {
            secret,
            at: at.0,
            purpose,
            place: place.to_owned(),
        }
    }

    /// The value of the cookie, in letters that fit one.
    pub fn kept(&self) -> String {
        // A structure of texts and numbers always becomes JSON.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// The reverse; `None` for anything else.
    pub fn read(kept: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(kept).ok()?;
        let begun: Self = serde_json::from_slice(&bytes).ok()?;
        (!begun.secret.is_empty()).then_some(begun)
    }

    /// What it is for.
    pub fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    /// Where the browser wants to be.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// When it ends.
    pub fn ends_at(&self) -> Millis {
        Millis(self.at).plus_ms(BEGUN_MS_MAX)
    }

    /// The name under which it is used up.
    pub fn key(&self) -> String {
        self.made_of("once", "")
    }

    /// A text that is made of all that the browser keeps, for one purpose. `session` is something
    /// that only the session knows which is signed in; empty without one.
    fn made_of(&self, purpose: &str, session: &str) -> String {
        let text = format!("oidc {purpose} {session} {}", self.kept());
        bowline_net::hex::encode(&Sha256::digest(text.as_bytes()))
    }

    pub(crate) fn state(&self, session: &str) -> String {
        self.made_of("state", session)
    }

    pub(crate) fn nonce(&self) -> String {
        self.made_of("nonce", "")
    }

    pub(crate) fn verifier(&self) -> String {
        self.made_of("verifier", "")
    }

    /// Is it in time, and is this its state?
    pub(crate) fn is_answered_by(&self, state: &str, session: &str, now: Millis) -> bool {
        let wanted = self.state(session);
        let in_time = now < self.ends_at() && now >= Millis(self.at);
        in_time && bool::from(wanted.as_bytes().ct_eq(state.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Millis = Millis(1_790_000_000_000);

    fn begun(secret: &str, purpose: Purpose, place: &str) -> Begun {
        Begun::new(secret.to_owned(), T0, purpose, place)
    }

    #[test]
    fn what_the_browser_keeps_is_read_again() {
        let long = format!("/{}", "x".repeat(PLACE_BYTES_MAX));
        for purpose in [
            Purpose::Enter,
            Purpose::Join,
            Purpose::Welcome("ab-cd".to_owned()),
        ] {
            let begun = begun("s", purpose, "/links?state=all");
            let kept = begun.kept();
            assert!(
                kept.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            );
            assert_eq!(Begun::read(&kept), Some(begun));
        }
        assert_eq!(begun("s", Purpose::Enter, &long).place(), "/");
        for other in [
            "",
            "e30",
            "not a cookie",
            "W10",
            &begun("", Purpose::Enter, "/").kept(),
        ] {
            assert_eq!(Begun::read(other), None, "{other}");
        }
    }

    #[test]
    fn an_answer_is_good_in_one_browser_for_one_purpose_in_time() {
        let own = begun("s", Purpose::Enter, "/");
        let state = own.state("");
        let later = |ms| T0.plus_ms(ms);
        for (what, begun, state, session, now, good) in [
            ("its own", &own, state.clone(), "", T0, true),
            (
                "just in time",
                &own,
                state.clone(),
                "",
                later(BEGUN_MS_MAX - 1),
                true,
            ),
            (
                "too late",
                &own,
                state.clone(),
                "",
                later(BEGUN_MS_MAX),
                false,
            ),
            (
                "before it was begun",
                &own,
                state.clone(),
                "",
                later(-1),
                false,
            ),
            ("no state", &own, String::new(), "", T0, false),
            ("a part", &own, state[..63].to_owned(), "", T0, false),
            (
                "somebody is signed in now",
                &own,
                state.clone(),
                "session",
                T0,
                false,
            ),
            (
                "another browser",
                &begun("t", Purpose::Enter, "/"),
                state.clone(),
                "",
                T0,
                false,
            ),
            (
                "another purpose",
                &begun("s", Purpose::Join, "/"),
                state.clone(),
                "",
                T0,
                false,
            ),
            (
                "another place",
                &begun("s", Purpose::Enter, "/links"),
                state.clone(),
                "",
                T0,
                false,
            ),
        ] {
            assert_eq!(begun.is_answered_by(&state, session, now), good, "{what}");
        }
        let texts = [own.state(""), own.nonce(), own.verifier(), own.key()];
        let different: std::collections::BTreeSet<&String> = texts.iter().collect();
        assert_eq!(different.len(), 4);
        // RFC 7636: a verifier has 43 to 128 letters.
        assert!((43..=128).contains(&own.verifier().len()));
    }
}
