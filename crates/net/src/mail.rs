//! Mail to people: one letter to one address, by the server that the operator declared.
//!
//! What a letter means and when it is sent again is decided elsewhere. Its `Message-ID` is given,
//! so that a letter that had to be sent twice is shown once by programs that look at it.

use std::fmt;
use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error, SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

/// How long the server may take to answer one command.
const COMMAND_DEADLINE: Duration = Duration::from_secs(10);

/// How long a whole letter may take, from connecting to the server's word that it has it.
pub const MAIL_DEADLINE: Duration = Duration::from_secs(20);

/// The longest text of a server that we carry in an error, in characters.
const WORDS_CHARS_MAX: usize = 300;

/// How the way to the server is kept secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// The connection begins in the clear and goes on only by TLS (RFC 3207).
    StartTls,
    /// None.
    Off,
}

impl MailTls {
    /// The port that servers listen on for it.
    pub fn usual_port(self) -> u16 {
        match self {
            Self::Implicit => SUBMISSIONS_PORT,
            Self::StartTls => SUBMISSION_PORT,
            Self::Off => SMTP_PORT,
        }
    }
}

/// Which server, and as whom.
#[derive(Clone)]
pub struct MailServer {
    /// Its name, which its certificate has to bear.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is kept secret.
    pub tls: MailTls,
    /// User and password, if it asks for them.
    pub login: Option<(String, String)>,
    /// Certificate authorities that are trusted beside those of the system (PEM).
    pub authorities_pem: Vec<u8>,
    /// What we call ourselves to it.
    pub hello: String,
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailServer({}:{}, {:?})", self.host, self.port, self.tls)
    }
}

/// A letter to one address.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The sender, as `Bowline <bowline@example.com>` or the address alone.
    pub from: String,
    /// The address.
    pub to: String,
    /// The subject, one line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// Its name, without angle brackets: the same for the same letter.
    pub message_id: String,
    /// When it was written, in milliseconds since 1970.
    pub written_at_ms: i64,
}

/// Why a letter was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct MailFailure {
    /// In words.
    pub words: String,
    /// The server refused this letter or its address for good: the same again helps nothing.
    pub for_good: bool,
}

impl MailFailure {
    fn new(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            for_good: false,
        }
    }
}

/// Is this an address that letters go to or come from?
pub fn is_mailbox(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

/// The part of a mailbox behind the `@`; `None` if it is no mailbox.
pub fn domain_of(mailbox: &str) -> Option<String> {
    let mailbox: Mailbox = mailbox.parse().ok()?;
    Some(mailbox.email.domain().to_owned())
}

/// Written by a program: others' programs are not to answer (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl MailServer {
    /// Hands a letter over. When this answers that it worked, the server has taken it.
    ///
    /// # Errors
    /// In words, and whether the same again may help.
    pub async fn send(&self, letter: &Letter) -> Result<(), MailFailure> {
        let message = write(letter)?;
        let transport = self.transport()?;
        match tokio::time::timeout(MAIL_DEADLINE, transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.failure(&error)),
            Err(_) => Err(self.too_slow()),
        }
    }

    /// Connects, secures the connection and signs in, and sends nothing.
    ///
    /// # Errors
    /// In words.
    pub async fn check(&self) -> Result<(), MailFailure> {
        let transport = self.transport()?;
        match tokio::time::timeout(MAIL_DEADLINE, transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(MailFailure::new(format!(
                "{} answered that it takes nothing now",
                self.place()
            ))),
            Ok(Err(error)) => Err(self.failure(&error)),
            Err(_) => Err(self.too_slow()),
        }
    }

    fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn too_slow(&self) -> MailFailure {
        let seconds = MAIL_DEADLINE.as_secs();
        MailFailure::new(format!(
            "{} did not take it within {seconds} s",
            self.place()
        ))
    }

    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailFailure> {
        let tls = match self.tls {
            MailTls::Off => Tls::None,
            MailTls::StartTls => Tls::Required(self.tls_parameters()?),
            MailTls::Implicit => Tls::Wrapper(self.tls_parameters()?),
        };
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(self.host.as_str())
                .port(self.port)
                .hello_name(ClientId::Domain(self.hello.clone()))
                .timeout(Some(COMMAND_DEADLINE))
                .tls(tls);
        if let Some((user, password)) = &self.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(builder.build())
    }

    fn tls_parameters(&self) -> Result<TlsParameters, MailFailure> {
        let wrong =
            |error: Error| MailFailure::new(format!("TLS cannot be set up: {}", whole(&error)));
        let mut builder = TlsParameters::builder(self.host.clone());
        if !self.authorities_pem.is_empty() {
            let authorities = Certificate::from_pem(&self.authorities_pem).map_err(wrong)?;
            builder = builder.add_root_certificate(authorities);
        }
        builder.build().map_err(wrong)
    }

    fn failure(&self, error: &Error) -> MailFailure {
        let code = error.status().map(u16::from);
        MailFailure {
            words: format!("{}: {}", self.place(), whole(error)),
            for_good: code.is_some_and(refuses_for_good),
        }
    }
}

/// Does this code refuse the letter or its address for good (RFC 5321, 4.2)? Others of the five
/// hundreds are about signing in, about what the server can do, or about who we are to it (554 as
/// a greeting), which somebody may mend.
fn refuses_for_good(code: u16) -> bool {
    matches!(code, 501 | 550..=553 | 555 | 556)
}

fn write(letter: &Letter) -> Result<Message, MailFailure> {
    let for_good = |words: String| MailFailure {
        words,
        for_good: true,
    };
    let mailbox = |text: &str| {
        text.parse::<Mailbox>()
            .map_err(|error| for_good(format!("“{text}” is no address: {error}")))
    };
    let written_at = u64::try_from(letter.written_at_ms).unwrap_or(0);
    Message::builder()
        .from(mailbox(&letter.from)?)
        .to(mailbox(&letter.to)?)
        .subject(letter.subject.as_str())
        .message_id(Some(format!("<{}>", letter.message_id)))
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(written_at))
        .header(AutoSubmitted)
        .singlepart(
            SinglePart::builder()
                .header(ContentType::TEXT_PLAIN)
                .body(letter.text.clone()),
        )
        .map_err(|error| for_good(format!("the letter cannot be written: {error}")))
}

/// An error with its causes, shortened and on one line.
fn whole(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = inner.source();
    }
    let plain = words
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    plain.take(WORDS_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            from: "Bowline <bowline@example.com>".to_owned(),
            to: "ops@example.com".to_owned(),
            subject: "Die Verbindung „acme“ geht nicht".to_owned(),
            text: "Ein Wort – und noch eins.\nhttps://bowline.example.com/".to_owned(),
            message_id: "0192.1a2b@example.com".to_owned(),
            written_at_ms: 1_795_600_000_000,
        }
    }

    #[test]
    fn a_letter_is_the_same_each_time_it_is_written() {
        let written = |letter: &Letter| {
            let message = super::write(letter).unwrap();
            String::from_utf8(message.formatted()).unwrap()
        };
        let text = written(&letter());
        assert_eq!(text, written(&letter()));
        for part in [
            "Message-ID: <0192.1a2b@example.com>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Date: Wed, 25 Nov 2026 ",
            "To: ops@example.com\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn a_subject_cannot_make_headers_of_its_own() {
        let mut hostile = letter();
        hostile.subject = "Hello\r\nBcc: eve@example.com".to_owned();
        let text = super::write(&hostile).map(|message| message.formatted());
        let text = String::from_utf8(text.unwrap()).unwrap();
        assert!(!text.lines().any(|line| line.starts_with("Bcc:")), "{text}");
        hostile.to = "nobody".to_owned();
        assert!(super::write(&hostile).unwrap_err().for_good);
    }

    #[test]
    fn codes_about_the_letter_are_for_good_and_those_about_signing_in_are_not() {
        for code in [501, 550, 551, 553, 555, 556] {
            assert!(refuses_for_good(code), "{code}");
        }
        for code in [
            421, 450, 451, 452, 500, 502, 503, 504, 521, 530, 534, 535, 538, 554,
        ] {
            assert!(!refuses_for_good(code), "{code}");
        }
    }

    #[test]
    fn the_password_does_not_print() {
        let server = MailServer {
            host: "mail.example.com".to_owned(),
            port: 587,
            tls: MailTls::StartTls,
            login: Some(("bowline".to_owned(), "a-secret".to_owned())),
            authorities_pem: Vec::new(),
            hello: "bowline.example.com".to_owned(),
        };
        assert!(!format!("{server:?}").contains("a-secret"));
        assert_eq!(MailTls::Implicit.usual_port(), 465);
    }
}
