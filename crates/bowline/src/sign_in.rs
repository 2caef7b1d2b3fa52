//! Signing in at a provider, as it is declared.

use std::sync::Arc;

use bowline_access::{Access, ElsewhereRules, PasswordsOf};
use bowline_net::Transport;
use bowline_oidc::{Provider, Setup};
use bowline_pages::{Elsewhere, ElsewhereNow};
use url::Url;

use crate::config::{Config, Oidc};
use crate::system::SystemClock;

/// Where the provider sends people back.
pub fn return_url(public_url: &Url) -> Url {
    let back = ["sign-in", "oidc", "back"];
    bowline_net::endpoint::endpoint(public_url, &back).unwrap_or_else(|| public_url.clone())
}

/// The provider of a configuration, called by this transport.
pub fn provider(oidc: &Oidc, public_url: &Url, transport: Arc<dyn Transport>) -> Provider {
    let setup = Setup {
        issuer: oidc.issuer.clone(),
        client_id: oidc.client_id.clone(),
        client_secret: oidc.client_secret.clone(),
        back: return_url(public_url),
    };
    Provider::new(setup, transport, Arc::new(SystemClock))
}

/// Has the pages use what is declared.
pub(crate) struct Elsewheres {
    transport: Arc<dyn Transport>,
    access: Access,
    now: ElsewhereNow,
}

impl Elsewheres {
    pub(crate) fn new(transport: Arc<dyn Transport>, access: Access) -> Self {
        Self {
            transport,
            access,
            now: ElsewhereNow::default(),
        }
    }

    pub(crate) fn now(&self) -> ElsewhereNow {
        self.now.clone()
    }

    /// Takes what is declared into use.
    pub(crate) fn take(&self, config: &Config) {
        let oidc = config.oidc.as_ref();
        self.now.set(oidc.map(|oidc| Elsewhere {
            provider: provider(oidc, &config.public_url, Arc::clone(&self.transport)),
            rules: rules(oidc),
        }));
        self.access.take_passwords_of(match oidc {
            Some(oidc) if !oidc.passwords => PasswordsOf::Owners,
            _ => PasswordsOf::Everyone,
        });
    }
}

fn rules(oidc: &Oidc) -> ElsewhereRules {
    ElsewhereRules {
        label: oidc.label.clone(),
        domains: oidc.allowed_domains.clone(),
        new_people: oidc.new_people,
        trust_emails: oidc.trust_emails,
    }
}
