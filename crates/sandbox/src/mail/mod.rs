//! A mail server that takes letters by SMTP (RFC 5321) and keeps them to be looked at: with
//! STARTTLS (RFC 3207) or TLS from the first byte, and signing in (RFC 4954), where asked for.

mod letter;
mod talk;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use letter::Letter;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How the way to the server is kept secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// It is not.
    #[default]
    Plain,
    /// STARTTLS is offered, and letters are taken only behind it.
    StartTls(Certificate),
    /// TLS from the first byte.
    Implicit(Certificate),
}

/// A certificate with its key (PEM).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate, and those above it.
    pub chain: String,
    /// The private key.
    pub key: String,
}

/// How the server is set up.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// How the way to it is kept secret.
    pub security: Security,
    /// Who may sign in, with the password; then nobody else gets letters taken.
    pub login: Option<(String, String)>,
}

/// How the server behaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// It takes letters.
    #[default]
    Takes,
    /// It turns everybody away for now.
    Away,
    /// It answers so to the address of each letter.
    Refuses(u16),
    /// It takes letters and never says so.
    Silent,
}

#[derive(Debug, Default)]
struct State {
    behaviour: Behaviour,
    letters: Vec<Letter>,
    calls: usize,
    turned_away: usize,
}

/// What the connections share.
#[derive(Clone)]
struct Shared {
    state: Arc<Mutex<State>>,
    config: Arc<Config>,
    acceptor: Option<TlsAcceptor>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running mail server. Dropping it stops it.
pub struct MailServer {
    /// Where it listens.
    pub addr: SocketAddr,
    shared: Shared,
    task: JoinHandle<()>,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn acceptor(certificate: &Certificate) -> io::Result<TlsAcceptor> {
    let chain = CertificateDer::pem_slice_iter(certificate.chain.as_bytes());
    let chain = chain
        .collect::<Result<Vec<_>, _>>()
        .map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key.map_err(io::Error::other)?)
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl MailServer {
    /// Starts it there; port 0 picks a free one.
    ///
    /// # Errors
    /// The address is taken, or the certificate cannot be read.
    pub async fn start(addr: SocketAddr, config: Config) -> io::Result<Self> {
        let acceptor = match &config.security {
            Security::Plain => None,
            Security::StartTls(certificate) | Security::Implicit(certificate) => {
                Some(acceptor(certificate)?)
            }
        };
        let shared = Shared {
            state: Arc::default(),
            config: Arc::new(config),
            acceptor,
        };
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let all = shared.clone();
        let task = tokio::spawn(async move {
            // Ends with the server, and with it what is being said.
            let mut talks = tokio::task::JoinSet::new();
            loop {
                let Ok((socket, _)) = listener.accept().await else {
                    continue;
                };
                while talks.try_join_next().is_some() {}
                talks.spawn(talk::run(socket, all.clone()));
            }
        });
        Ok(Self { addr, shared, task })
    }

    /// Has it behave so from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.shared.state().behaviour = behaviour;
    }

    /// The letters that it took, the oldest first.
    pub fn letters(&self) -> Vec<Letter> {
        self.shared.state().letters.clone()
    }

    /// Times that somebody connected.
    pub fn calls(&self) -> usize {
        self.shared.state().calls
    }

    /// Times that it turned somebody away, or refused an address.
    pub fn turned_away(&self) -> usize {
        self.shared.state().turned_away
    }
}
