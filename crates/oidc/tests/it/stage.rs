//! A provider that answers what the test wants, and a clock that it turns.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bowline_domain::time::{Clock, Millis};
use bowline_net::testing::{FakeTransport, json, response};
use bowline_net::{Request, Response, SendFailure};
use bowline_oidc::{Answer, Begun, OidcError, Provider, Purpose, Setup, Told};
use serde_json::{Value, json};
use url::Url;

pub(crate) const ISSUER: &str = "https://id.example.com/realm";
pub(crate) const CLIENT: &str = "bowline";
pub(crate) const SECRET: &str = "what only the two know";

/// When the tests begin.
pub(crate) const T0: i64 = 1_790_000_000_000;

/// A clock that stands until it is turned.
pub(crate) struct Hands(AtomicI64);

impl Hands {
    pub(crate) fn turn(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for Hands {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::Relaxed))
    }
}

/// A key that signs, with the name under which it is published.
pub(crate) struct Key {
    id: String,
    pair: EcdsaKeyPair,
}

impl Key {
    pub(crate) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
        }
    }

    /// As the provider publishes it.
    pub(crate) fn published(&self) -> Value {
        // An uncompressed point: 4, x, y.
        let point = self.pair.public_key().as_ref();
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id,
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        })
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let text = unsigned(
            &json!({ "alg": "ES256", "kid": self.id, "typ": "JWT" }),
            claims,
        );
        let signature = self
            .pair
            .sign(&SystemRandom::new(), text.as_bytes())
            .unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Header and claims of a token.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// A token that is signed with the client secret.
pub(crate) fn by_secret(claims: &Value) -> String {
    let text = unsigned(&json!({ "alg": "HS256" }), claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// What the provider answers.
pub(crate) struct Answers {
    pub(crate) discovery: Value,
    pub(crate) keys: Vec<Value>,
    pub(crate) token: Result<Response, SendFailure>,
    pub(crate) userinfo: Response,
}

pub(crate) struct Stage {
    pub(crate) clock: Arc<Hands>,
    pub(crate) key: Key,
    pub(crate) answers: Arc<Mutex<Answers>>,
    pub(crate) transport: Arc<FakeTransport>,
    pub(crate) provider: Provider,
}

/// What the provider says of itself.
pub(crate) fn discovery() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/authorize?tenant=a"),
        "token_endpoint": format!("{ISSUER}/token"),
        "userinfo_endpoint": format!("{ISSUER}/userinfo"),
        "jwks_uri": format!("{ISSUER}/keys"),
        "response_types_supported": ["code", "id_token"],
        "subject_types_supported": ["public"],
        // It says that it does without signatures and with the secret, too.
        "id_token_signing_alg_values_supported": ["none", "HS256", "ES256", "RS256"],
    })
}

fn answer(answers: &Answers, request: &Request) -> Result<Response, SendFailure> {
    match request.url.path() {
        "/realm/.well-known/openid-configuration" => Ok(json(200, &answers.discovery)),
        "/realm/keys" => Ok(json(200, &json!({ "keys": answers.keys }))),
        "/realm/token" => answers.token.clone(),
        "/realm/userinfo" => Ok(answers.userinfo.clone()),
        _ => Ok(response(404, &[], "nothing here")),
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::as_client(Some(SECRET))
    }

    pub(crate) fn as_client(secret: Option<&str>) -> Self {
        let key = Key::new("k1");
        let clock = Arc::new(Hands(AtomicI64::new(T0)));
        let answers = Arc::new(Mutex::new(Answers {
            discovery: discovery(),
            keys: vec![key.published()],
            token: Ok(response(500, &[], "")),
            userinfo: response(500, &[], ""),
        }));
        let asked = Arc::clone(&answers);
        let transport = FakeTransport::new(move |request| answer(&asked.lock().unwrap(), request));
        let setup = Setup {
            issuer: Url::parse(ISSUER).unwrap(),
            client_id: CLIENT.to_owned(),
            client_secret: secret.map(|secret| secret.to_owned().into()),
            back: Url::parse("https://bowline.example.com/sign-in/oidc/back").unwrap(),
        };
        let hands: Arc<dyn Clock> = Arc::<Hands>::clone(&clock);
        let sends: Arc<dyn bowline_net::Transport> = Arc::<FakeTransport>::clone(&transport);
        Self {
            provider: Provider::new(setup, sends, hands),
            clock,
            key,
            answers,
            transport,
        }
    }

    pub(crate) fn begun(&self, secret: &str) -> Begun {
        Begun::new(
            secret.to_owned(),
            self.clock.now(),
            Purpose::Enter,
            "/links",
        )
    }

    /// The address that a browser is sent to, by its names.
    pub(crate) async fn sent(&self, begun: &Begun) -> Sent {
        Sent(self.provider.begin(begun, "").await.unwrap())
    }

    /// The claims of a token that is good now.
    pub(crate) fn claims(&self, nonce: &str) -> Value {
        let now_s = self.clock.now().0 / 1_000;
        json!({
            "iss": ISSUER, "sub": "7", "aud": CLIENT, "nonce": nonce,
            "iat": now_s, "exp": now_s + 300,
            "email": "ana@example.com", "email_verified": true, "name": "Ana Lind",
        })
    }

    pub(crate) fn gives(&self, token: &str) {
        let token = json!({
            "access_token": "access", "token_type": "Bearer", "id_token": token, "expires_in": 60,
        });
        self.answers.lock().unwrap().token = Ok(json(200, &token));
    }

    /// Goes there and comes back with the token that is made of the nonce.
    pub(crate) async fn round(
        &self,
        token: impl FnOnce(&Self, &str) -> String,
    ) -> Result<Told, OidcError> {
        let begun = self.begun("a browser's secret");
        let sent = self.sent(&begun).await;
        self.gives(&token(self, &sent.get("nonce")));
        self.back(&begun, &sent.get("state")).await
    }

    pub(crate) async fn back(&self, begun: &Begun, state: &str) -> Result<Told, OidcError> {
        let answer = Answer {
            state,
            code: "a code",
            ..Answer::default()
        };
        self.provider.finish(begun, "", &answer).await
    }

    /// How often this path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        let requests = self.transport.requests();
        requests
            .iter()
            .filter(|request| request.url.path().ends_with(path))
            .count()
    }
}

/// Where a browser was sent.
pub(crate) struct Sent(pub(crate) Url);

impl Sent {
    pub(crate) fn get(&self, name: &str) -> String {
        let found = self.0.query_pairs().find(|(known, _)| known == name);
        found.map_or_else(String::new, |(_, value)| value.into_owned())
    }
}
