//! Signing in elsewhere: OpenID Connect, authorization code with PKCE.
//!
//! A browser that is sent to the provider keeps one secret, in a cookie; state, nonce and PKCE
//! verifier are made of it, so that what comes back is good in that browser alone, and nothing is
//! kept here until then. Every call goes out through the guarded transport.

mod claims;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bowline_net::Transport;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreGenderClaim, CoreIdToken, CoreIdTokenClaims,
    CoreProviderMetadata, CoreTokenResponse,
};
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, DiscoveryError,
    IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, TokenResponse as _, UserInfoClaims,
};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use url::Url;

pub use claims::Told;
use claims::{Extra, of_id_token};
use wire::{Http, WireError};

/// How long what the provider says of itself, and its keys, are used before they are read again.
const KNOWN_FOR: Duration = Duration::from_hours(1);

/// Keys that do not fit a token are read again at the earliest after so long, so that false tokens
/// do not make us call the provider each time.
const KEYS_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// How a provider is used.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The provider's issuer, exactly as it calls itself.
    pub issuer: Url,
    /// As what we are registered there.
    pub client_id: String,
    /// What goes with it; a public client has none.
    pub client_secret: Option<SecretString>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Where the provider sends browsers back.
    pub back: Url,
    /// The claim that says in which groups somebody is.
    pub groups_claim: String,
}

/// Why somebody is not signed in. The texts are for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// The provider does not answer.
    #[error(
        "The sign-in service {issuer} cannot be reached ({why}). Try again in a while; if it goes \
         on, whoever runs Bowline should look whether this machine may call it."
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

/// What is known of the provider.
#[derive(Clone)]
struct Known {
    at: Instant,
    metadata: CoreProviderMetadata,
}

/// A provider that people sign in with.
pub struct Provider {
    setup: Setup,
    http: Http,
    known: Mutex<Option<Known>>,
}

/// A text that is made of the browser's secret for one purpose.
fn made_of(secret: &str, purpose: &str) -> String {
    let digest = Sha256::digest(format!("oidc {purpose} {secret}").as_bytes());
    bowline_net::hex::encode(&digest)
}

impl Provider {
    /// A provider; it is called once somebody signs in.
    pub fn new(setup: Setup, transport: Arc<dyn Transport>) -> Self {
        Self {
            setup,
            http: Http::new(transport),
            known: Mutex::default(),
        }
    }

    fn issuer(&self) -> String {
        self.setup.issuer.as_str().trim_end_matches('/').to_owned()
    }

    /// What the provider says of itself, at most so old.
    async fn known(&self, at_most: Duration) -> Result<Known, OidcError> {
        let kept = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(known) = kept.filter(|known| known.at.elapsed() < at_most) {
            return Ok(known);
        }
        let known = Known {
            at: Instant::now(),
            metadata: self.discovered().await?,
        };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known.clone());
        Ok(known)
    }

    async fn discovered(&self) -> Result<CoreProviderMetadata, OidcError> {
        // An address without a path has none in the provider's own words either.
        let written = self.setup.issuer.as_str();
        let plain = self.issuer();
        let first = if self.setup.issuer.path() == "/" {
            plain.as_str()
        } else {
            written
        };
        match self.discover(first).await {
            // Some call themselves by their address with a final slash.
            Err(OidcError::NoProvider { .. }) if first != written => self.discover(written).await,
            found => found,
        }
    }

    async fn discover(&self, issuer: &str) -> Result<CoreProviderMetadata, OidcError> {
        let no_provider = |why: String| OidcError::NoProvider {
            issuer: issuer.to_owned(),
            why,
        };
        let url = IssuerUrl::new(issuer.to_owned()).map_err(|error| no_provider(error.to_string()))?;
        let found = CoreProviderMetadata::discover_async(url, &self.http).await;
        found.map_err(|error| match error {
            DiscoveryError::Request(error) => self.unreachable(&error),
            DiscoveryError::Parse(error) => no_provider(error.to_string()),
            DiscoveryError::Response(status, _, _) => {
                no_provider(format!("it answered with status {}", status.as_u16()))
            }
            error => no_provider(error.to_string()),
        })
    }

    fn unreachable(&self, error: &WireError) -> OidcError {
        OidcError::Unreachable {
            issuer: self.issuer(),
            why: error.to_string(),
        }
    }

    /// Where to send a browser that keeps this secret.
    ///
    /// # Errors
    /// The provider cannot be reached, or is none.
    pub async fn begin(&self, secret: &str) -> Result<Url, OidcError> {
        let known = self.known(KNOWN_FOR).await?;
        let client = self.client(known.metadata);
        let verifier = PkceCodeVerifier::new(made_of(secret, "verifier"));
        let (state, nonce) = (made_of(secret, "state"), made_of(secret, "nonce"));
        let scopes = self.setup.scopes.iter().filter(|scope| *scope != "openid");
        let (url, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(scopes.map(|scope| Scope::new(scope.clone())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url)
    }

    /// A browser that keeps this secret came back with these names and values.
    ///
    /// # Errors
    /// See [`OidcError`].
    pub async fn finish(
        &self,
        secret: &str,
        answer: &Answer<'_>,
    ) -> Result<Told, OidcError> {
        if secret.is_empty() || answer.state != made_of(secret, "state") {
            return Err(OidcError::NotOurs);
        }
        if !answer.error.is_empty() {
            return Err(OidcError::Denied(denied(answer)));
        }
        let known = self.known(KNOWN_FOR).await?;
        let issuer = known.metadata.issuer().as_str().to_owned();
        // RFC 9207: the answer of another provider is not taken for this one's.
        if !answer.iss.is_empty() && answer.iss != issuer || answer.code.is_empty() {
            return Err(OidcError::NotOurs);
        }
        let token = self.exchange(&known, secret, answer.code).await?;
        let id_token = token
            .id_token()
            .ok_or_else(|| OidcError::Untrusted("it sent no ID token".to_owned()))?;
        let nonce = Nonce::new(made_of(secret, "nonce"));
        let subject = match self.verified(&known, id_token, &nonce) {
            Ok(claims) => claims.subject().clone(),
            // Its keys may have changed since they were read.
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let known = self.known(KEYS_AGAIN_AFTER).await?;
                let claims = self.verified(&known, id_token, &nonce);
                claims.map_err(|error| untrusted(&error))?.subject().clone()
            }
            Err(error) => return Err(untrusted(&error)),
        };
        let mut told = of_id_token(&id_token.to_string(), &self.setup.groups_claim);
        told.issuer = issuer;
        told.subject = subject.to_string();
        let client = self.client(known.metadata);
        if let Ok(request) = client.user_info(token.access_token().clone(), Some(subject)) {
            let more: Result<UserInfoClaims<Extra, CoreGenderClaim>, _> =
                request.request_async(&self.http).await;
            let more = more.map_err(|error| OidcError::Untrusted(error.to_string()))?;
            told.complete(&more, &self.setup.groups_claim);
        }
        Ok(told)
    }

    fn verified<'t>(
        &self,
        known: &Known,
        token: &'t CoreIdToken,
        nonce: &Nonce,
    ) -> Result<&'t CoreIdTokenClaims, ClaimsVerificationError> {
        let client = self.client(known.metadata.clone());
        let verifier = client.id_token_verifier();
        token.claims(&verifier, nonce)
    }

    async fn exchange(
        &self,
        known: &Known,
        secret: &str,
        code: &str,
    ) -> Result<CoreTokenResponse, OidcError> {
        let client = self.client(known.metadata.clone());
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| OidcError::NoProvider {
                issuer: self.issuer(),
                why: error.to_string(),
            })?
            .set_pkce_verifier(PkceCodeVerifier::new(made_of(secret, "verifier")));
        let answered = request.request_async(&self.http).await;
        answered.map_err(|error| match error {
            RequestTokenError::Request(error) => self.unreachable(&error),
            RequestTokenError::ServerResponse(refusal) => OidcError::Refused(refusal.to_string()),
            error => OidcError::Refused(error.to_string()),
        })
    }

    fn client(
        &self,
        metadata: CoreProviderMetadata,
    ) -> CoreClient<
        openidconnect::EndpointSet,
        openidconnect::EndpointNotSet,
        openidconnect::EndpointNotSet,
        openidconnect::EndpointNotSet,
        openidconnect::EndpointMaybeSet,
        openidconnect::EndpointMaybeSet,
    > {
        let secret = self.setup.client_secret.as_ref();
        CoreClient::from_provider_metadata(
            metadata,
            ClientId::new(self.setup.client_id.clone()),
            secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned())),
        )
        .set_redirect_uri(RedirectUrl::from_url(self.setup.back.clone()))
    }
}

/// What a browser brings back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer<'a> {
    /// The state that it was sent with.
    pub state: &'a str,
    /// The code, if somebody was let in.
    pub code: &'a str,
    /// The provider that says it is.
    pub iss: &'a str,
    /// Why nobody was let in, as a word.
    pub error: &'a str,
    /// The same for people.
    pub description: &'a str,
}

/// Letters of a provider's words that are shown.
const WORDS_LETTERS_MAX: usize = 200;

fn denied(answer: &Answer<'_>) -> String {
    let words = match (answer.error, answer.description) {
        ("access_denied", "") => "the consent was not given, or your account there may not use \
                                  Bowline",
        (error, "") => error,
        (_, description) => description.trim_end_matches('.'),
    };
    words.chars().take(WORDS_LETTERS_MAX).collect()
}

fn untrusted(error: &ClaimsVerificationError) -> OidcError {
    OidcError::Untrusted(error.to_string())
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider")
            .field("issuer", &self.setup.issuer.as_str())
            .finish_non_exhaustive()
    }
}
