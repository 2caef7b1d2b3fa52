//! The simulated WhatsApp Cloud API of Meta: one business number, signed webhook batches, sending
//! and media, and the phones of its users.
//!
//! Shapes follow Meta's published OpenAPI description (v23.0). There are no conversations here.

mod config;
mod error;
mod events;
mod rest;
mod sandbox;
mod state;

use std::io;
use std::net::SocketAddr;

pub use config::{Config, OUTSIDE_WINDOW};
pub use error::ApiError;
pub use sandbox::{Phone, Sandbox};

use crate::common::control;
use crate::common::page::{self, Neighbours, Platform};
use crate::common::server::{self, Server};
use crate::phones::pages;

/// A running simulated WhatsApp Cloud. Dropping it stops the server; the state lives on in clones
/// of `state`.
#[derive(Debug)]
pub struct Handle {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The business account.
    pub state: Sandbox,
    server: Server,
}

impl Handle {
    /// The base address of the Graph API (under `/v23.0`), pages and controls.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Stops the server, cutting all connections. [`serve`] with the same state brings it back.
    pub async fn shutdown(self) {
        self.server.stop().await;
    }
}

/// Makes a business account and serves it; port 0 picks a free one.
///
/// # Errors
/// The address cannot be bound.
pub async fn start(config: Config, addr: SocketAddr, neighbours: Neighbours) -> io::Result<Handle> {
    serve(Sandbox::new(config, neighbours), addr).await
}

/// Serves a business account that exists.
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
        .merge(controls)
        .merge(rest::routes(&state));
    let server = server::serve(addr, router).await?;
    let base = format!("http://{}", server.addr());
    state.with(|inner| base.clone_into(&mut inner.base));
    state.neighbours().set(Platform::WhatsApp, base);
    Ok(Handle {
        addr: server.addr(),
        state,
        server,
    })
}
