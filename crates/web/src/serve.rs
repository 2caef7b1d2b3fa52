//! The listening socket: bounded connections, bounded waiting, and an end that lets requests in
//! flight finish.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// How long a request's head may take to arrive.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);

/// What the socket is held to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections open at once; more wait to be accepted.
    pub connections_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
        }
    }
}

/// A socket that serves.
pub struct Listening {
    /// Where it listens.
    pub addr: SocketAddr,
    stop: CancellationToken,
    accepting: tokio::task::JoinHandle<()>,
    connections: TaskTracker,
}

/// Serves `router` at `addr` (port 0: any free one).
///
/// # Errors
/// The address cannot be listened on.
pub async fn listen(
    addr: SocketAddr,
    router: Router,
    limits: Limits,
) -> std::io::Result<Listening> {
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    Ok(Listening::at(addr, listener, router, limits))
}

impl Listening {
    /// Begins to accept. Not in [`listen`] itself: what is spawned by an `async fn` is compiled anew in
    /// each crate that awaits it.
    fn at(addr: SocketAddr, listener: TcpListener, router: Router, limits: Limits) -> Self {
        let (stop, connections) = (CancellationToken::new(), TaskTracker::new());
        let accepting = tokio::spawn(accept(
            listener,
            router,
            limits,
            stop.clone(),
            connections.clone(),
        ));
        Self {
            addr,
            stop,
            accepting,
            connections,
        }
    }

    /// Accepts nothing more and waits for the requests in flight, at most for `patience`.
    pub async fn stop(self, patience: Duration) {
        self.stop.cancel();
        let _ = self.accepting.await;
        self.connections.close();
        if tokio::time::timeout(patience, self.connections.wait())
            .await
            .is_err()
        {
            tracing::warn!("requests in flight were cut off");
        }
    }
}

async fn accept(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
    connections: TaskTracker,
) {
    let free = Arc::new(Semaphore::new(limits.connections_max));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = next(&listener, &free) => accepted,
        };
        let Some((stream, permit)) = accepted else {
            continue;
        };
        let (router, stop) = (router.clone(), stop.clone());
        connections.spawn(async move {
            serve(stream, router, stop).await;
            drop(permit);
        });
    }
}

async fn next(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(free).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            let _ = stream.set_nodelay(true);
            Some((stream, permit))
        }
        Err(error) => {
            // Out of file descriptors, most likely: accepting again at once would spin.
            tracing::warn!(%error, "a connection was not accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

async fn serve(stream: TcpStream, router: Router, stop: CancellationToken) {
    let peer = stream.peer_addr().ok().map(ConnectInfo);
    let service = router.map_request(move |mut request: http::Request<_>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(connection);
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended early");
                }
                return;
            }
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
