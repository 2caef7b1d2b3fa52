//! The style and the script, under addresses that change with their content.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use bowline_access::digest;

/// Letters of the digest that stand in an address.
const DIGEST_LETTERS: usize = 12;

/// A file that pages load.
pub(crate) struct Asset {
    /// Its address.
    pub(crate) path: String,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(name: &str, ending: &str, kind: &'static str, text: &'static str) -> Self {
        let digest = &digest(text)[..DIGEST_LETTERS];
        Self {
            path: format!("/assets/{name}-{digest}.{ending}"),
            kind,
            text,
        }
    }
}

pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("../assets/bowline.css");
    Asset::new("bowline", "css", "text/css; charset=utf-8", text)
});

pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("../assets/bowline.js");
    Asset::new("bowline", "js", "text/javascript; charset=utf-8", text)
});

/// The sign that stands beside the title in a browser's tab.
pub(crate) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("../assets/bowline.svg");
    Asset::new("bowline", "svg", "image/svg+xml", text)
});

/// Serves one. Its content never changes under its address.
pub(crate) async fn serve(Path(name): Path<String>) -> Response {
    let path = format!("/assets/{name}");
    let all = [&STYLE, &SCRIPT, &ICON];
    match all.into_iter().find(|asset| asset.path == path) {
        Some(asset) => {
            let headers = [
                (CONTENT_TYPE, asset.kind),
                (CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (headers, asset.text).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
