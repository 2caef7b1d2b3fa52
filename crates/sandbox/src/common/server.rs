//! A small HTTP server that can hang up without answering, which no handler of a web framework can.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// Put into the extensions of a response to close the connection instead of sending it.
#[derive(Clone, Copy, Debug)]
pub struct HangUp;

/// The reason a connection was closed on purpose.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the sandbox hung up on purpose")
    }
}

impl std::error::Error for Closed {}

/// A running server. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    stop: CancellationToken,
    connections: TaskTracker,
}

impl Server {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Ends when the server is stopped; for background work of the same life time.
    pub fn stopped(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Closes the listener and all connections, whatever they are doing, and waits for that.
    pub async fn stop(self) {
        self.stop.cancel();
        self.connections.close();
        self.connections.wait().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Serves the router on the address; port 0 picks a free one.
pub async fn serve(addr: SocketAddr, router: Router) -> io::Result<Server> {
    let listener = TcpListener::bind(addr).await?;
    let server = Server {
        addr: listener.local_addr()?,
        stop: CancellationToken::new(),
        connections: TaskTracker::new(),
    };
    let (stop, connections) = (server.stop.clone(), server.connections.clone());
    server.connections.spawn(async move {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                // Out of file handles or an aborted connection: give others time to close.
                tokio::task::yield_now().await;
                continue;
            };
            let (stop, router) = (stop.clone(), router.clone());
            connections.spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = connection(stream, router) => {}
                }
            });
        }
    });
    Ok(server)
}

async fn connection(stream: TcpStream, router: Router) {
    // Small answers must not wait for the client's acknowledgement of the previous one.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let Ok(response) = router.oneshot(request).await;
            if response.extensions().get::<HangUp>().is_some() {
                return Err(Closed);
            }
            Ok(response)
        }
    });
    // An error here is a client that went away or a hang-up that was asked for.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
