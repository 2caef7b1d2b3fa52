//! Simulated Intercom, Jira with Service Management, MessageBird and WhatsApp Cloud: REST, signed
//! webhooks, faults, a journal of every call, and small web pages. Used by the demo, by tests and by
//! benchmarks.
//!
//! The state is in memory; the HTTP is real. The platforms judge what they are asked as the real
//! ones do: authentication, content types, bodies, ids, limits. A platform's human pages are
//! served under `/`, its REST under the real paths, and its controls under `/_control`.

#![recursion_limit = "256"] // a contact has more fields than the json! macro can nest by default

pub mod common;
pub mod intercom;
pub mod jira;
pub mod mail;
pub mod messagebird;
pub mod phones;
pub mod whatsapp;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use common::page::{Neighbours, Platform};

/// What to start, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// The simulated Intercom.
    pub intercom: intercom::Config,
    /// Where it listens; port 0 picks a free one.
    pub intercom_addr: SocketAddr,
    /// The simulated Jira.
    pub jira: jira::Config,
    /// Where it listens; port 0 picks a free one.
    pub jira_addr: SocketAddr,
}

impl Default for Options {
    /// Default platforms on free loopback ports.
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            intercom: intercom::Config::default(),
            intercom_addr: any,
            jira: jira::Config::default(),
            jira_addr: any,
        }
    }
}

/// The channel providers to start, and where.
#[derive(Clone, Debug)]
pub struct ChannelOptions {
    /// The simulated MessageBird.
    pub messagebird: messagebird::Config,
    /// Where it listens; port 0 picks a free one.
    pub messagebird_addr: SocketAddr,
    /// The simulated WhatsApp Cloud.
    pub whatsapp: whatsapp::Config,
    /// Where it listens; port 0 picks a free one.
    pub whatsapp_addr: SocketAddr,
}

impl Default for ChannelOptions {
    /// Default providers on free loopback ports.
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            messagebird: messagebird::Config::default(),
            messagebird_addr: any,
            whatsapp: whatsapp::Config::default(),
            whatsapp_addr: any,
        }
    }
}

/// The channel providers, running. Dropping it stops them.
#[derive(Debug)]
pub struct Channels {
    /// The simulated MessageBird.
    pub messagebird: messagebird::Handle,
    /// The simulated WhatsApp Cloud.
    pub whatsapp: whatsapp::Handle,
}

impl Channels {
    /// Every message of both providers, oldest first within each.
    pub fn lines(&self) -> Vec<phones::Line> {
        let mut lines = self.messagebird.state.lines();
        lines.extend(self.whatsapp.state.lines());
        lines
    }

    /// Internal text of a Jira site that was sent to a channel. There must be none.
    pub fn leaks(&self, jira: &jira::Sandbox) -> Vec<phones::Leak> {
        jira.markers().leaks(&self.lines())
    }
}

/// Starts both channel providers beside platforms that run.
///
/// # Errors
/// An address cannot be bound.
pub async fn start_channels(
    options: ChannelOptions,
    neighbours: &Neighbours,
) -> io::Result<Channels> {
    let ChannelOptions {
        messagebird,
        messagebird_addr,
        whatsapp,
        whatsapp_addr,
    } = options;
    Ok(Channels {
        messagebird: messagebird::start(messagebird, messagebird_addr, neighbours.clone()).await?,
        whatsapp: whatsapp::start(whatsapp, whatsapp_addr, neighbours.clone()).await?,
    })
}

/// Both platforms, running. Dropping it stops them.
#[derive(Debug)]
pub struct Running {
    /// The simulated Intercom.
    pub intercom: intercom::Handle,
    /// The simulated Jira.
    pub jira: jira::Handle,
    /// What their pages know of each other; the product's address can be added.
    pub neighbours: Neighbours,
}

/// Starts both platforms.
///
/// # Errors
/// An address cannot be bound.
pub async fn start(options: Options) -> io::Result<Running> {
    let neighbours = Neighbours::new();
    let intercom =
        intercom::start(options.intercom, options.intercom_addr, neighbours.clone()).await?;
    let jira = jira::start(options.jira, options.jira_addr, neighbours.clone()).await?;
    neighbours.set(Platform::Intercom, format!("http://{}", intercom.addr));
    neighbours.set(Platform::Jira, format!("http://{}", jira.addr));
    Ok(Running {
        intercom,
        jira,
        neighbours,
    })
}
