//! The simulated MessageBird: the classic Conversations API with its channels, contacts and
//! conversations, signed webhooks, and the phones of the contacts.
//!
//! Shapes follow MessageBird's SDKs and recorded deliveries. Nobody publishes the numbers of its
//! rate limit, its schedule of retries or what a doubtful call gets; where the module chooses, it
//! says so.

mod config;
mod error;
mod events;
mod model;
mod rest;
mod sandbox;
mod send;
mod sent;
mod state;
mod view;

use std::io;
use std::net::SocketAddr;

pub use config::{Channel, Config, SMS, Signature, Template, WHATSAPP};
pub use error::ApiError;
pub use model::{Contact, Conversation, File, Hook, Message, OUTSIDE_WINDOW, Status};
pub use sandbox::{Phone, Sandbox};

use crate::common::control;
use crate::common::page::{self, Neighbours, Platform};
use crate::common::server::{self, Server};
use crate::phones::pages;

/// A running simulated MessageBird. Dropping it stops the server; the state lives on in clones of
/// `state`.
#[derive(Debug)]
pub struct Handle {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The account.
    pub state: Sandbox,
    server: Server,
}

impl Handle {
    /// The base address of the API (under `/v1`), pages and controls.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Stops the server, cutting all connections. [`serve`] with the same state brings it back.
    pub async fn shutdown(self) {
        self.server.stop().await;
    }
}

/// Makes an account and serves it; port 0 picks a free one.
///
/// # Errors
/// The address cannot be bound.
pub async fn start(config: Config, addr: SocketAddr, neighbours: Neighbours) -> io::Result<Handle> {
    serve(Sandbox::new(config, neighbours), addr).await
}

/// Serves an account that exists.
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
    state.set_base(&base);
    state.neighbours().set(Platform::MessageBird, base);
    Ok(Handle {
        addr: server.addr(),
        state,
        server,
    })
}
