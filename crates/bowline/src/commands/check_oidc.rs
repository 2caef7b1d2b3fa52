//! `bowline check`: the provider that people sign in with.

use std::sync::Arc;

use crate::config::Config;
use crate::sign_in::{provider, return_url};
use bowline_net::{Guard, HttpTransport};

use super::check::Report;

/// Checks the provider if one is declared, by the same guarded way out that the service uses.
pub(super) async fn check_oidc(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let Some(oidc) = &config.oidc else {
        return Ok(());
    };
    println!("\nSigning in with {} ({})", oidc.label, oidc.issuer);
    let guard = Guard::default();
    guard.allow(&config.network_allowed, [&oidc.issuer]);
    let transport = HttpTransport::guarded(&crate::service::http_options(config)?, guard)
        .map_err(|why| anyhow::anyhow!("the HTTP client cannot be set up: {why}"))?;
    let provider = provider(oidc, &config.public_url, Arc::new(transport));
    match provider.check().await {
        Ok(found) => {
            Report::good(&format!(
                "{} answers, signs with {} keys and sends people to {}.",
                found.issuer, found.keys, found.authorize
            ));
            if found.keys == 0 || !found.signs {
                report.bad(
                    "signatures",
                    "It publishes no key for a signature that Bowline takes (RS, PS, ES or EdDSA). \
                     Have the provider sign ID tokens with RS256 or ES256.",
                );
            }
            if !found.gives_codes {
                report.bad("code", "It does not offer the authorization code flow.");
            }
        }
        Err(refusal) => report.bad("provider", &refusal.to_string()),
    }
    println!("  To enter at the provider:");
    println!("    Redirect URI   {}", return_url(&config.public_url));
    println!("    Flow           authorization code with PKCE; scopes openid, email, profile");
    Ok(())
}
