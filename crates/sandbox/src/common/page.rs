//! What the pages of the platforms share: the frame, the style sheet, and the way to each other.

use std::sync::{Arc, RwLock};

use askama::Template;
use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};

/// Path of the style sheet that [`routes`] serves.
pub const STYLE_PATH: &str = "/_assets/sandbox.css";

/// Seconds between two looks for news on pages that keep themselves fresh.
pub const REFRESH_SECONDS: u32 = 2;

/// Which platform a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// The simulated Intercom.
    Intercom,
    /// The simulated Jira.
    Jira,
    /// The simulated MessageBird, with the phones of its contacts.
    MessageBird,
    /// The simulated WhatsApp Cloud, with the phones of its users.
    WhatsApp,
}

/// Addresses of the pages that a page links to: the other platforms' and the product's own.
/// They become known as the parts start, so they are looked up when a page is made.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    shared: Arc<RwLock<Addresses>>,
}

#[derive(Clone, Debug, Default)]
struct Addresses {
    intercom: Option<String>,
    jira: Option<String>,
    messagebird: Option<String>,
    whatsapp: Option<String>,
    product: Option<String>,
    panel: Option<PanelFrame>,
}

/// How the product's issue panel is shown in a frame of Jira's issue page: the page speaks for the
/// person at work, by a token that it signs.
#[derive(Clone, Debug)]
pub struct PanelFrame {
    /// What the product calls the site.
    pub site: String,
    /// What tokens are signed with.
    pub secret: String,
}

/// How long the token of a frame lives, in seconds.
const PANEL_TOKEN_S: i64 = 10 * 60;

/// What an agent may do in a panel, as tokens say it.
const PANEL_MAY: [&str; 4] = ["read", "links", "notes", "answers"];

impl Neighbours {
    /// None known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the base address of a platform, such as `http://127.0.0.1:4010`.
    pub fn set(&self, platform: Platform, url: String) {
        let mut addresses = self
            .shared
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match platform {
            Platform::Intercom => addresses.intercom = Some(url),
            Platform::Jira => addresses.jira = Some(url),
            Platform::MessageBird => addresses.messagebird = Some(url),
            Platform::WhatsApp => addresses.whatsapp = Some(url),
        }
    }

    /// Sets the base address of Bowline's own pages.
    pub fn set_product(&self, url: String) {
        let mut addresses = self
            .shared
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        addresses.product = Some(url);
    }

    /// Has the product's issue panel shown in a frame of Jira's issue page.
    pub fn set_panel(&self, panel: PanelFrame) {
        let mut addresses = self
            .shared
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        addresses.panel = Some(panel);
    }

    /// The address of the panel of an issue for a person, if it is shown at all.
    pub fn panel(&self, person: &str, key: &str, issue: &str, now_s: i64) -> Option<String> {
        let addresses = self.read();
        let (product, panel) = (addresses.product?, addresses.panel?);
        let claims = serde_json::json!({
            "aud": "bowline-panel", "sub": person, "site": panel.site, "issue": issue,
            "may": PANEL_MAY, "iat": now_s, "exp": now_s + PANEL_TOKEN_S,
        });
        let token = super::sign::jwt_hs256(&panel.secret, &claims);
        let site = &panel.site;
        Some(format!("{product}/embed/issues/{site}/{key}?token={token}"))
    }

    /// The base address of a platform, once known.
    pub fn get(&self, platform: Platform) -> Option<String> {
        let addresses = self.read();
        match platform {
            Platform::Intercom => addresses.intercom,
            Platform::Jira => addresses.jira,
            Platform::MessageBird => addresses.messagebird,
            Platform::WhatsApp => addresses.whatsapp,
        }
    }

    fn read(&self) -> Addresses {
        self.shared
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }
}

/// What the base layout `shared/base.html` needs. A page's template struct has a field
/// `shell: Shell`, begins with `{% extends "shared/base.html" %}`, and fills the block `content`.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The page's title.
    pub title: String,
    /// Whose page it is.
    pub platform: Platform,
    /// Whether the page looks for news by itself (the element with id `fresh` is replaced).
    pub refresh: bool,
    /// Base address of the simulated Intercom's pages, once known.
    pub intercom: Option<String>,
    /// Base address of the simulated Jira's pages, once known.
    pub jira: Option<String>,
    /// Base address of the simulated MessageBird's pages, once known.
    pub messagebird: Option<String>,
    /// Base address of the simulated WhatsApp Cloud's pages, once known.
    pub whatsapp: Option<String>,
    /// Base address of Bowline's pages, once known.
    pub product: Option<String>,
}

impl Shell {
    /// A page of a platform that does not refresh itself.
    pub fn new(title: impl Into<String>, platform: Platform, neighbours: &Neighbours) -> Self {
        let Addresses {
            intercom,
            jira,
            messagebird,
            whatsapp,
            product,
            panel: _,
        } = neighbours.read();
        Self {
            title: title.into(),
            platform,
            refresh: false,
            intercom,
            jira,
            messagebird,
            whatsapp,
            product,
        }
    }

    /// The same page, looking for news by itself.
    #[must_use]
    pub fn refreshing(mut self) -> Self {
        self.refresh = true;
        self
    }

    /// Whether it is a page of the simulated Intercom.
    pub fn in_intercom(&self) -> bool {
        self.platform == Platform::Intercom
    }

    /// Whether it is a page of the simulated Jira.
    pub fn in_jira(&self) -> bool {
        self.platform == Platform::Jira
    }

    /// Whether it is a page of the simulated MessageBird.
    pub fn in_messagebird(&self) -> bool {
        self.platform == Platform::MessageBird
    }

    /// Whether it is a page of the simulated WhatsApp Cloud.
    pub fn in_whatsapp(&self) -> bool {
        self.platform == Platform::WhatsApp
    }

    /// The platform's class of the page's body.
    pub fn class(&self) -> &'static str {
        match self.platform {
            Platform::Intercom => "intercom",
            Platform::Jira => "jira",
            Platform::MessageBird => "messagebird",
            Platform::WhatsApp => "whatsapp",
        }
    }

    /// What the platform is called on the page.
    pub fn platform_name(&self) -> &'static str {
        match self.platform {
            Platform::Intercom => "Simulated Intercom",
            Platform::Jira => "Simulated Jira",
            Platform::MessageBird => "Simulated MessageBird",
            Platform::WhatsApp => "Simulated WhatsApp",
        }
    }
}

/// Renders a page.
pub fn html(template: &impl Template) -> Response {
    match template.render() {
        Ok(page) => Html(page).into_response(),
        Err(error) => {
            tracing::error!(%error, "page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Sends the browser to another page after a form (303).
pub fn see_other(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path.to_owned())]).into_response()
}

/// The shared assets. Every platform merges them into its pages.
pub fn routes() -> Router {
    Router::new().route(STYLE_PATH, get(style))
}

async fn style() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (headers, include_str!("../../templates/shared/sandbox.css")).into_response()
}
