//! A provider: what it says of itself, where browsers are sent, and what they bring back.

use std::sync::Arc;

use bowline_domain::time::{Clock, Millis};
use bowline_net::Transport;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims,
    CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType, CoreTokenResponse,
    CoreUserInfoClaims,
};
use openidconnect::{
    AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    DiscoveryError, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    Scope, TokenResponse as _,
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use url::Url;

use crate::begun::Begun;
use crate::error::{OidcError, denied, short};
use crate::told::Told;
use crate::wire::{Http, WireError};

/// How long what the provider says of itself, and its keys, are used before they are read again,
/// in milliseconds.
const KNOWN_MS: i64 = 60 * 60 * 1_000;

/// Keys that do not fit a token are read again at the earliest after so long, in milliseconds, so
/// that false tokens do not make us call the provider each time.
const KEYS_AGAIN_MS: i64 = 10 * 1_000;

/// A provider that failed is called again after so long, in milliseconds.
const FAILED_MS: i64 = 3 * 1_000;

/// What is asked for beside `openid`.
const SCOPES: [&str; 2] = ["email", "profile"];

/// The signatures that are taken: with a key that the provider alone has. Not `none`, and not those
/// whose key is the client secret.
const SIGNATURES: [CoreJwsSigningAlgorithm; 10] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EcdsaP521Sha512,
    CoreJwsSigningAlgorithm::EdDsa,
];

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// How a provider is used.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The provider's issuer, as it calls itself but perhaps for a slash at its end.
    pub issuer: Url,
    /// As what we are registered there.
    pub client_id: String,
    /// What goes with it; a public client has none.
    pub client_secret: Option<SecretString>,
    /// Where the provider sends browsers back.
    pub back: Url,
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

/// What was found of a provider without signing anybody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What it calls itself.
    pub issuer: String,
    /// Where people are sent.
    pub authorize: String,
    /// The keys that it publishes.
    pub keys: usize,
    /// Does it sign in a way that is taken?
    pub signs: bool,
    /// Does it give codes?
    pub gives_codes: bool,
}

/// What is known of the provider.
#[derive(Clone)]
struct Known {
    at: Millis,
    found: Result<CoreProviderMetadata, OidcError>,
}

impl Known {
    fn holds(&self, now: Millis, at_most_ms: i64) -> bool {
        let at_most_ms = if self.found.is_ok() {
            at_most_ms
        } else {
            FAILED_MS
        };
        (0..at_most_ms).contains(&now.since(self.at))
    }
}

/// A provider that people sign in with.
pub struct Provider {
    setup: Setup,
    http: Http,
    clock: Arc<dyn Clock>,
    /// Held while it is read, so that many browsers at once lead to one call.
    known: Mutex<Option<Known>>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider")
            .field("issuer", &self.setup.issuer.as_str())
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// A provider; it is called once somebody signs in.
    pub fn new(setup: Setup, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        Self {
            setup,
            http: Http::new(transport),
            clock,
            known: Mutex::default(),
        }
    }

    fn issuer(&self) -> String {
        self.setup.issuer.as_str().trim_end_matches('/').to_owned()
    }

    /// What the provider says of itself, at most so old.
    async fn known(&self, at_most_ms: i64) -> Result<CoreProviderMetadata, OidcError> {
        let mut kept = self.known.lock().await;
        let now = self.clock.now();
        if let Some(known) = kept.as_ref().filter(|known| known.holds(now, at_most_ms)) {
            return known.found.clone();
        }
        let found = self.discovered().await;
        *kept = Some(Known {
            at: now,
            found: found.clone(),
        });
        found
    }

    async fn discovered(&self) -> Result<CoreProviderMetadata, OidcError> {
        // Some call themselves by their address with a slash at its end.
        let plain = self.issuer();
        match self.discover(&plain).await {
            Err(first @ OidcError::NoProvider { .. }) => {
                let found = self.discover(&format!("{plain}/")).await;
                found.map_err(|_| first)
            }
            found => found,
        }
    }

    async fn discover(&self, issuer: &str) -> Result<CoreProviderMetadata, OidcError> {
        let no_provider = |why: String| OidcError::NoProvider {
            issuer: issuer.to_owned(),
            why: short(&why),
        };
        let url = IssuerUrl::new(issuer.to_owned());
        let url = url.map_err(|error| no_provider(error.to_string()))?;
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

    /// Looks whether the provider is one that people can sign in with.
    ///
    /// # Errors
    /// It cannot be reached, or is none.
    pub async fn check(&self) -> Result<Checked, OidcError> {
        let found = self.known(0).await?;
        let signs = found.id_token_signing_alg_values_supported();
        let gives_codes = found.response_types_supported();
        Ok(Checked {
            issuer: found.issuer().as_str().to_owned(),
            authorize: found.authorization_endpoint().as_str().to_owned(),
            keys: found.jwks().keys().len(),
            signs: signs.iter().any(|alg| SIGNATURES.contains(alg)),
            gives_codes: gives_codes
                .iter()
                .any(|types| types.contains(&CoreResponseType::Code)),
        })
    }

    /// Where to send a browser that keeps `begun`. `session` is something that only the session
    /// knows which is signed in; empty without one.
    ///
    /// # Errors
    /// The provider cannot be reached, or is none.
    pub async fn begin(&self, begun: &Begun, session: &str) -> Result<Url, OidcError> {
        let client = self.client(self.known(KNOWN_MS).await?);
        let verifier = PkceCodeVerifier::new(begun.verifier());
        let (state, nonce) = (begun.state(session), begun.nonce());
        let (url, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url)
    }

    /// A browser that keeps `begun` came back.
    ///
    /// # Errors
    /// See [`OidcError`].
    pub async fn finish(
        &self,
        begun: &Begun,
        session: &str,
        answer: &Answer<'_>,
    ) -> Result<Told, OidcError> {
        if !begun.is_answered_by(answer.state, session, self.clock.now()) {
            return Err(OidcError::NotOurs);
        }
        if !answer.error.is_empty() {
            return Err(OidcError::Denied(denied(answer.error, answer.description)));
        }
        let known = self.known(KNOWN_MS).await?;
        // RFC 9207: the answer of another provider is not taken for this one's.
        let other = !answer.iss.is_empty() && answer.iss != known.issuer().as_str();
        if other || answer.code.is_empty() {
            return Err(OidcError::NotOurs);
        }
        let token = self.exchange(&known, begun, answer.code).await?;
        let no_token = || OidcError::Untrusted("it sent no ID token".to_owned());
        let id_token = token.id_token().ok_or_else(no_token)?;
        let claims = self
            .claims(&known, id_token, &Nonce::new(begun.nonce()))
            .await?;
        let mut told = Told::of(&claims);
        if !told.is_whole() {
            self.ask_more(known, &token, &claims, &mut told).await?;
        }
        Ok(told)
    }

    async fn exchange(
        &self,
        known: &CoreProviderMetadata,
        begun: &Begun,
        code: &str,
    ) -> Result<CoreTokenResponse, OidcError> {
        let client = self.client(known.clone());
        let request = client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let request = request.map_err(|error| OidcError::NoProvider {
            issuer: self.issuer(),
            why: short(&error.to_string()),
        })?;
        let answered = request
            .set_pkce_verifier(PkceCodeVerifier::new(begun.verifier()))
            .request_async(&self.http)
            .await;
        answered.map_err(|error| match error {
            RequestTokenError::Request(error) => self.unreachable(&error),
            RequestTokenError::ServerResponse(refusal) => {
                OidcError::Refused(short(&refusal.to_string()))
            }
            RequestTokenError::Parse(error, _) => OidcError::Untrusted(short(&error.to_string())),
            error @ RequestTokenError::Other(_) => OidcError::Refused(short(&error.to_string())),
        })
    }

    /// The claims of a token, once it is shown to be the provider's, for us, for this sign-in, now.
    async fn claims(
        &self,
        known: &CoreProviderMetadata,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<CoreIdTokenClaims, OidcError> {
        let claims = match self.verified(known, token, nonce) {
            // Its keys may have changed since they were read.
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let known = self.known(KEYS_AGAIN_MS).await?;
                self.verified(&known, token, nonce)
            }
            verified => verified,
        };
        let claims = claims.map_err(|error| OidcError::Untrusted(short(&error.to_string())))?;
        let party = claims.authorized_party();
        if party.is_some_and(|party| party.as_str() != self.setup.client_id) {
            let words = "it was given to another application".to_owned();
            return Err(OidcError::Untrusted(words));
        }
        Ok(claims)
    }

    fn verified(
        &self,
        known: &CoreProviderMetadata,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let client = self.client(known.clone());
        let now = std::time::UNIX_EPOCH
            + std::time::Duration::from_millis(self.clock.now().0.try_into().unwrap_or(0));
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(SIGNATURES)
            .set_time_fn(move || now.into());
        token.claims(&verifier, nonce).cloned()
    }

    /// Asks for what the token does not say.
    async fn ask_more(
        &self,
        known: CoreProviderMetadata,
        token: &CoreTokenResponse,
        claims: &CoreIdTokenClaims,
        told: &mut Told,
    ) -> Result<(), OidcError> {
        let client = self.client(known);
        let subject = claims.subject().clone();
        // A provider without that address says no more.
        let Ok(request) = client.user_info(token.access_token().clone(), Some(subject)) else {
            return Ok(());
        };
        let more: Result<CoreUserInfoClaims, _> = request.request_async(&self.http).await;
        let more = more.map_err(|error| OidcError::Untrusted(short(&error.to_string())))?;
        told.complete(&more);
        Ok(())
    }

    fn client(&self, metadata: CoreProviderMetadata) -> Client {
        let secret = self.setup.client_secret.as_ref();
        let takes = metadata.token_endpoint_auth_methods_supported();
        let in_body = takes.is_some_and(|takes| {
            !takes.contains(&CoreClientAuthMethod::ClientSecretBasic)
                && takes.contains(&CoreClientAuthMethod::ClientSecretPost)
        });
        CoreClient::from_provider_metadata(
            metadata,
            ClientId::new(self.setup.client_id.clone()),
            secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned())),
        )
        .set_redirect_uri(RedirectUrl::from_url(self.setup.back.clone()))
        .set_auth_type(if in_body {
            AuthType::RequestBody
        } else {
            AuthType::BasicAuth
        })
    }
}
