//! The way to the mail server: TLS in both forms, signing in, and what `bowline check` says.

use std::net::SocketAddr;

use bowline::demo::until;
use bowline_sandbox::mail::{Certificate, Config, MailServer, Security};

use crate::browser::Browser;
use crate::process::run;
use crate::stage::Stage;

/// A certificate for `localhost`, and the authority above it.
const CHAIN: &str = include_str!("../../../net/tests/fixtures/server.pem");
const KEY: &str = include_str!("../../../net/tests/fixtures/server.key");
const AUTHORITY: &str = include_str!("../../../net/tests/fixtures/ca.pem");

fn certificate() -> Certificate {
    Certificate {
        chain: CHAIN.to_owned(),
        key: KEY.to_owned(),
    }
}

fn login() -> (String, String) {
    ("bowline".to_owned(), "correct horse".to_owned())
}

async fn server(security: Security) -> MailServer {
    let config = Config {
        security,
        login: Some(login()),
    };
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    MailServer::start(any, config).await.unwrap()
}

/// Declares the server, and this about it.
fn declare(stage: &Stage, server: &MailServer, more: &str, trusted: bool) {
    let path = &stage.world.config_path;
    let text = std::fs::read_to_string(path).unwrap();
    let (before, after) = text.split_once("[[site]]").unwrap();
    let before = before.split("[alert_mail]").next().unwrap();
    let before = before.replace("ca_file = \"ca.pem\"\n", "");
    let trust = if trusted {
        let folder = path.parent().unwrap();
        std::fs::write(folder.join("ca.pem"), AUTHORITY).unwrap();
        "ca_file = \"ca.pem\"\n"
    } else {
        ""
    };
    let text = format!(
        "{trust}{before}[alert_mail]\nhost = \"localhost\"\nport = {}\n{more}\n\
         from = \"bowline@example.com\"\nto = [\"ops@example.com\"]\n\n[[site]]{after}",
        server.addr.port()
    );
    std::fs::write(path, text).unwrap();
}

const SIGN_IN: &str = "user = \"bowline\"\npassword = \"correct horse\"";

#[tokio::test]
async fn letters_go_by_tls_and_signed_in() {
    for (security, tls) in [
        (Security::StartTls(certificate()), "starttls"),
        (Security::Implicit(certificate()), "tls"),
    ] {
        let server = server(security).await;
        let mut stage = Stage::prepare(|_| ()).await;
        declare(
            &stage,
            &server,
            &format!("tls = \"{tls}\"\n{SIGN_IN}"),
            true,
        );
        let said = run(&stage, &["check"]).await.out;
        assert!(
            said.contains(
                "ok: the server answers, its certificate is trusted, bowline may sign in"
            ),
            "{said}"
        );
        assert_eq!(server.letters(), [], "a check sends nothing");
        stage.start().await;
        let mut browser = Browser::signed_in(&stage, "owner").await;
        browser.send("/alerts/test", &[]).await;
        let came = || server.letters().first().cloned();
        let letter = until(came).await.unwrap();
        assert!(letter.secured, "{tls}");
        assert_eq!(letter.user.as_deref(), Some("bowline"));
        assert_eq!(letter.from, "bowline@example.com");
    }
}

#[tokio::test]
async fn what_is_wrong_on_the_way_to_the_server_is_said() {
    let stage = Stage::prepare(|_| ()).await;
    let starttls = server(Security::StartTls(certificate())).await;
    let plain = server(Security::Plain).await;
    let wrong = "user = \"bowline\"\npassword = \"wrong battery\"";
    for (server, more, trusted, words) in [
        (&starttls, SIGN_IN, false, "ertificate"),
        (&starttls, wrong, true, "535"),
        (
            &starttls,
            &format!("tls = \"tls\"\n{SIGN_IN}"),
            true,
            "localhost:",
        ),
        // A server that offers no TLS does not get the password.
        (&plain, SIGN_IN, true, "STARTTLS"),
    ] {
        declare(&stage, server, more, trusted);
        let finished = run(&stage, &["check"]).await;
        let said = &finished.out;
        assert_eq!(finished.code, Some(1), "{said}");
        let (_, line) = said.split_once("TO MEND: the mail server").expect(said);
        let line = line.lines().next().unwrap();
        assert!(line.contains(words), "{words}: {line}");
        assert!(!said.contains("battery") && !said.contains("horse"));
    }
    assert_eq!((starttls.letters(), plain.letters()), (vec![], vec![]));
}
