//! The simulated Intercom: one workspace with its inbox, REST API and webhooks.
//!
//! What it does and how it words things follows Intercom's published OpenAPI description of
//! version 2.16 and its developer documentation of 2026. Where those are silent the module says
//! so. Versions 2.0 to 2.17 and Preview are accepted; the differences that matter to a client that
//! links conversations are kept.

mod consent;
mod contact_json;
mod contacts;
mod cursor;
mod developer_hub;
mod error;
mod files;
mod html;
mod json;
pub mod limit;
mod model;
mod pages;
mod population;
mod rest;
mod sandbox;
mod search;
mod state;
mod tagging;
pub mod topics;
mod version;

use std::io;
use std::net::SocketAddr;

pub use error::ApiError;
pub use limit::Window;
pub use model::{Admin, Config, ConversationState, NewContact, Note, PartView, Region, Tag};
pub use sandbox::Sandbox;

use crate::common::control;
use crate::common::page::{self, Neighbours};
use crate::common::server::{self, Server};

/// A running simulated Intercom. Dropping it stops the server; the state lives on in clones of
/// `state`.
#[derive(Debug)]
pub struct Handle {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The workspace.
    pub state: Sandbox,
    server: Server,
}

impl Handle {
    /// The base address of REST, pages and controls, such as `http://127.0.0.1:4010`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Stops the server, cutting all connections. [`serve`] with the same state brings it back.
    pub async fn shutdown(self) {
        self.server.stop().await;
    }
}

/// Makes a workspace and serves it; port 0 picks a free one.
///
/// # Errors
/// The address cannot be bound.
pub async fn start(config: Config, addr: SocketAddr, neighbours: Neighbours) -> io::Result<Handle> {
    serve(Sandbox::new(config, neighbours), addr).await
}

/// Serves a workspace that exists.
///
/// # Errors
/// The address cannot be bound.
pub async fn serve(state: Sandbox, addr: SocketAddr) -> io::Result<Handle> {
    let controls = control::routes(
        state.journal().clone(),
        state.faults().clone(),
        state.sender().clone(),
    );
    let router = pages::routes(state.clone())
        .merge(page::routes())
        .merge(files::routes(state.clone()))
        .merge(controls)
        .fallback_service(rest::routes(state.clone()));
    let server = server::serve(addr, router).await?;
    state.with(|held, _| held.base_url = format!("http://{}", server.addr()));
    tokio::spawn(sandbox::keep_time(state.clone(), server.stopped()));
    Ok(Handle {
        addr: server.addr(),
        state,
        server,
    })
}
