//! The real transport against real sockets on loopback.

#![expect(
    clippy::unwrap_used,
    reason = "a failed step in a test helper is a failed test"
)]

use std::net::SocketAddr;
use std::time::Duration;

use bowline_net::{HttpOptions, HttpTransport, Request, Response, SendFailure, Transport};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const DEADLINE: Duration = Duration::from_secs(10);

/// What the far side does with a connection after it has read one request head.
enum FarSide {
    Answer(Vec<u8>),
    CloseAfterReading,
    NeverAnswer,
}

/// A server for one connection; the handle gives the request head it saw.
async fn serve(behaviour: FarSide) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = read_head(&mut stream).await;
        match behaviour {
            FarSide::Answer(bytes) => {
                stream.write_all(&bytes).await.unwrap();
                stream.shutdown().await.unwrap();
            }
            FarSide::CloseAfterReading => drop(stream),
            FarSide::NeverAnswer => {
                // Held open until the client gives up and closes.
                let _ = stream.read(&mut [0; 1]).await;
            }
        }
        head
    });
    (address, seen)
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
        let mut chunk = [0; 1024];
        let n = stream.read(&mut chunk).await.unwrap();
        assert!(n > 0, "the client closed before the head was complete");
        head.extend_from_slice(&chunk[..n]);
    }
    String::from_utf8(head).unwrap()
}

fn request(address: SocketAddr, deadline: Duration) -> Request {
    Request {
        method: http::Method::POST,
        url: format!("http://{address}/reply?secret=1").parse().unwrap(),
        headers: http::HeaderMap::new(),
        body: Some(Bytes::from_static(b"")),
        deadline,
    }
}

async fn send_with(
    options: &HttpOptions,
    behaviour: FarSide,
    deadline: Duration,
) -> Result<Response, SendFailure> {
    let (address, _seen) = serve(behaviour).await;
    HttpTransport::new(options)
        .unwrap()
        .send(request(address, deadline))
        .await
}

async fn send(behaviour: FarSide) -> Result<Response, SendFailure> {
    send_with(&HttpOptions::default(), behaviour, DEADLINE).await
}

fn answer(head: &str, body: &[u8]) -> FarSide {
    let mut bytes = format!("{head}\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    FarSide::Answer(bytes)
}

#[tokio::test]
async fn a_refused_connection_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let transport = HttpTransport::new(&HttpOptions::default()).unwrap();
    let failure = transport
        .send(request(address, DEADLINE))
        .await
        .unwrap_err();
    assert!(matches!(&failure, SendFailure::NotSent(_)), "{failure:?}");
    assert!(!failure.to_string().contains("secret"), "{failure}");
}

#[tokio::test]
async fn a_name_that_does_not_exist_was_not_sent() {
    let transport = HttpTransport::new(&HttpOptions::default()).unwrap();
    let mut request = request(SocketAddr::from(([127, 0, 0, 1], 1)), DEADLINE);
    // The label is longer than a name may be, so the resolver refuses it without a network.
    request.url = format!("http://{}.example.com/", "a".repeat(64))
        .parse()
        .unwrap();
    let failure = transport.send(request).await.unwrap_err();
    assert!(matches!(failure, SendFailure::NotSent(_)), "{failure:?}");
}

#[tokio::test]
async fn a_close_after_the_request_leaves_the_outcome_unknown() {
    let failure = send(FarSide::CloseAfterReading).await.unwrap_err();
    assert!(matches!(failure, SendFailure::Unknown(_)), "{failure:?}");
}

#[tokio::test]
async fn silence_until_the_deadline_leaves_the_outcome_unknown() {
    let deadline = Duration::from_millis(50);
    let failure = send_with(&HttpOptions::default(), FarSide::NeverAnswer, deadline)
        .await
        .unwrap_err();
    assert!(
        matches!(&failure, SendFailure::Unknown(why) if why.contains("timed out")),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_body_that_ends_early_leaves_the_outcome_unknown() {
    let cut = FarSide::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\"".to_vec());
    let failure = send(cut).await.unwrap_err();
    assert!(matches!(failure, SendFailure::Unknown(_)), "{failure:?}");
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_and_one_at_the_limit_is_read() {
    let options = HttpOptions {
        body_limit_bytes: 8,
        ..HttpOptions::default()
    };
    let at = send_with(&options, answer("HTTP/1.1 200 OK", b"12345678"), DEADLINE).await;
    assert_eq!(at.unwrap().body, "12345678");
    let above = send_with(&options, answer("HTTP/1.1 200 OK", b"123456789"), DEADLINE).await;
    assert_eq!(
        above.unwrap_err(),
        SendFailure::BodyTooLarge { limit_bytes: 8 }
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let moved = answer(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://192.0.2.1/",
        b"",
    );
    let response = send(moved).await.unwrap();
    assert_eq!(response.status, 307);
    assert_eq!(response.header("Location"), Some("http://192.0.2.1/"));
}

#[tokio::test]
async fn gzip_is_decoded() {
    // RFC 1952 member with one stored block that holds "hello".
    let packed = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x01\x05\0\xfa\xffhello\x86\xa6\x10\x36\x05\0\0\0";
    let response = send(answer("HTTP/1.1 200 OK\r\ncontent-encoding: gzip", packed))
        .await
        .unwrap();
    assert_eq!(response.body, "hello");
}

#[tokio::test]
async fn we_say_who_we_are_and_accept_gzip() {
    let (address, seen) = serve(answer("HTTP/1.1 204 No Content", b"")).await;
    let transport = HttpTransport::new(&HttpOptions::default()).unwrap();
    transport.send(request(address, DEADLINE)).await.unwrap();
    let head = seen.await.unwrap().to_ascii_lowercase();
    assert!(
        head.starts_with("post /reply?secret=1 http/1.1\r\n"),
        "{head}"
    );
    let agent = concat!("user-agent: bowline/", env!("CARGO_PKG_VERSION"), "\r\n");
    assert!(head.contains(agent), "{head}");
    assert!(head.contains("accept-encoding: gzip"), "{head}");
}

#[tokio::test]
async fn a_streamed_body_may_be_longer_than_what_is_kept_in_memory() {
    let options = HttpOptions {
        body_limit_bytes: 10,
        ..HttpOptions::default()
    };
    let body = vec![b'x'; 300_000];
    let transport = HttpTransport::new(&options).unwrap();
    let (address, _seen) = serve(answer("HTTP/1.1 200 OK", &body)).await;
    let mut incoming = transport.stream(request(address, DEADLINE)).await.unwrap();
    assert!(incoming.is_success());
    assert_eq!(incoming.header("content-length"), Some("300000"));
    let (mut read, mut pieces) = (0, 0);
    while let Some(piece) = incoming.body.next().await.unwrap() {
        read += piece.len();
        pieces += 1;
    }
    assert_eq!(read, body.len());
    assert!(pieces > 1);
    let (address, _seen) = serve(answer("HTTP/1.1 200 OK", &body)).await;
    let incoming = transport.stream(request(address, DEADLINE)).await.unwrap();
    let failure = incoming.read(1000).await.unwrap_err();
    assert_eq!(failure, SendFailure::BodyTooLarge { limit_bytes: 1000 });
}

#[tokio::test]
async fn a_streamed_body_that_breaks_off_is_no_end() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_vec();
    let (address, _seen) = serve(FarSide::Answer(half)).await;
    let transport = HttpTransport::new(&HttpOptions::default()).unwrap();
    let incoming = transport.stream(request(address, DEADLINE)).await.unwrap();
    let failure = incoming.read(1000).await.unwrap_err();
    assert!(matches!(failure, SendFailure::Unknown(_)), "{failure:?}");
}

/// A server that counts who comes.
async fn counting() -> (SocketAddr, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            read_head(&mut stream).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        }
    });
    (address, count)
}

#[tokio::test]
async fn a_guarded_transport_reaches_nothing_inside_unless_it_is_allowed() {
    let (address, count) = counting().await;
    let guard = bowline_net::Guard::default();
    let transport = HttpTransport::guarded(&HttpOptions::default(), guard.clone()).unwrap();
    let ask = async |host: &str| {
        let mut asked = request(address, DEADLINE);
        asked.url = format!("http://{host}:{}/", address.port())
            .parse()
            .unwrap();
        transport.send(asked).await
    };
    for host in ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"] {
        let refused = ask(host).await.unwrap_err();
        assert!(
            matches!(&refused, SendFailure::NotSent(_)),
            "{host}: {refused}"
        );
        assert!(
            refused.to_string().contains("no public address"),
            "{host}: {refused}"
        );
    }
    assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), 0);
    guard.allow(
        &["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()],
        [],
    );
    assert_eq!(ask("127.0.0.1").await.unwrap().status, 200);
    assert_eq!(ask("localhost").await.unwrap().status, 200);
    assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), 2);
    // What the operator declared, and no other port of it.
    let declared = format!("http://localhost:{}/", address.port())
        .parse()
        .unwrap();
    guard.allow(&[], [&declared]);
    assert_eq!(ask("localhost").await.unwrap().status, 200);
    assert!(ask("127.0.0.1").await.is_err());
}

/// A server for one connection by TLS, with a certificate for `localhost` that no system trusts.
async fn serve_by_tls() -> SocketAddr {
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let chain = CertificateDer::from_pem_slice(include_bytes!("../fixtures/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../fixtures/server.key")).unwrap();
    let provider = std::sync::Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust us breaks off.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut head = vec![0; 4_096];
            let _ = stream.read(&mut head).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

#[tokio::test]
async fn a_certificate_authority_of_ones_own_is_trusted_when_it_is_named() {
    let address = serve_by_tls().await;
    let ask = async |options: &HttpOptions| {
        let mut asked = request(address, DEADLINE);
        asked.url = format!("https://localhost:{}/", address.port())
            .parse()
            .unwrap();
        HttpTransport::new(options).unwrap().send(asked).await
    };
    let refused = ask(&HttpOptions::default()).await.unwrap_err();
    assert!(matches!(refused, SendFailure::NotSent(_)), "{refused}");
    let options = HttpOptions {
        authorities_pem: include_bytes!("../fixtures/ca.pem").to_vec(),
        ..HttpOptions::default()
    };
    assert_eq!(ask(&options).await.unwrap().status, 200);
    for wrong in [&b"no certificate"[..], b"-----BEGIN CERTIFICATE-----\n"] {
        let options = HttpOptions {
            authorities_pem: wrong.to_vec(),
            ..HttpOptions::default()
        };
        assert!(HttpTransport::new(&options).is_err());
    }
}
