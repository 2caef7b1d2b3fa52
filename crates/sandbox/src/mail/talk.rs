//! What is said on one connection.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::letter::Letter;
use super::{Behaviour, Security, Shared};

/// The longest line that is read, in bytes (RFC 5321, 4.5.3.1).
const LINE_BYTES_MAX: usize = 1_000;

/// The longest letter, in lines.
const LINES_MAX: usize = 10_000;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A connection as it is now.
struct Talk {
    stream: BufReader<Box<dyn Stream>>,
    shared: Shared,
    secured: bool,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

/// What follows a command.
enum Next {
    Say(String),
    SayAndEnd(String),
    /// Ready for TLS.
    Secure,
    /// The letter follows.
    Letter,
    /// Signing in in two steps.
    AskLogin,
}

pub(super) async fn run(socket: TcpStream, shared: Shared) {
    let (stream, secured): (Box<dyn Stream>, bool) =
        match (&shared.config.security, &shared.acceptor) {
            (Security::Implicit(_), Some(acceptor)) => match acceptor.accept(socket).await {
                Ok(stream) => (Box::new(stream), true),
                Err(_) => return,
            },
            _ => (Box::new(socket), false),
        };
    let mut talk = Talk {
        stream: BufReader::new(stream),
        shared,
        secured,
        user: None,
        from: None,
        to: Vec::new(),
    };
    // Whoever breaks off has ended it.
    let _ = talk.whole().await;
}

fn say(words: &str) -> Next {
    Next::Say(words.to_owned())
}

/// What stands between angle brackets.
fn address(argument: &str) -> String {
    let inner = argument
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or("", |(address, _)| address).to_owned()
}

impl Talk {
    async fn whole(&mut self) -> std::io::Result<()> {
        let away = {
            let mut state = self.shared.state();
            state.calls += 1;
            let away = state.behaviour == Behaviour::Away;
            state.turned_away += usize::from(away);
            away
        };
        if away {
            return self.answer("421 sandbox is closed for now").await;
        }
        self.answer("220 sandbox ready").await?;
        loop {
            let Some(line) = self.line().await? else {
                return Ok(());
            };
            match self.command(&line) {
                Next::Say(words) => self.answer(&words).await?,
                Next::SayAndEnd(words) => return self.answer(&words).await,
                Next::Secure => {
                    self.answer("220 go ahead").await?;
                    if !self.secure().await {
                        return Ok(());
                    }
                }
                Next::Letter => {
                    self.answer("354 end with a dot").await?;
                    if !self.letter().await? {
                        return Ok(());
                    }
                }
                Next::AskLogin => {
                    self.answer("334 VXNlcm5hbWU6").await?;
                    let user = self.line().await?.unwrap_or_default();
                    self.answer("334 UGFzc3dvcmQ6").await?;
                    let password = self.line().await?.unwrap_or_default();
                    let words = self.sign_in(&decoded(&user), &decoded(&password));
                    self.answer(&words).await?;
                }
            }
        }
    }

    async fn answer(&mut self, words: &str) -> std::io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(format!("{words}\r\n").as_bytes()).await?;
        stream.flush().await
    }

    async fn line(&mut self) -> std::io::Result<Option<String>> {
        let mut line = Vec::new();
        let read = self.stream.read_until(b'\n', &mut line).await?;
        if read == 0 || line.len() > LINE_BYTES_MAX + 2 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn command(&mut self, line: &str) -> Next {
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let lacks_tls =
            matches!(self.shared.config.security, Security::StartTls(_)) && !self.secured;
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                let mut offers = vec!["250-sandbox", "250-8BITMIME"];
                if lacks_tls {
                    offers.push("250-STARTTLS");
                } else if self.shared.config.login.is_some() {
                    offers.push("250-AUTH PLAIN LOGIN");
                }
                offers.push("250 SIZE 1000000");
                Next::Say(offers.join("\r\n"))
            }
            "HELO" => say("250 sandbox"),
            "NOOP" => say("250 yes"),
            "RSET" => {
                self.from = None;
                self.to.clear();
                say("250 forgotten")
            }
            "QUIT" => Next::SayAndEnd("221 bye".to_owned()),
            "STARTTLS" if lacks_tls => Next::Secure,
            _ if lacks_tls => say("530 5.7.0 must issue a STARTTLS command first"),
            "AUTH" => self.auth(argument),
            _ if self.shared.config.login.is_some() && self.user.is_none() => {
                say("530 5.7.0 authentication required")
            }
            "MAIL" => {
                self.from = Some(address(argument));
                say("250 ok")
            }
            "RCPT" if self.from.is_some() => self.receiver(argument),
            "DATA" if !self.to.is_empty() => Next::Letter,
            "RCPT" | "DATA" => say("503 5.5.1 out of order"),
            _ => say("500 5.5.2 not known"),
        }
    }

    fn auth(&mut self, argument: &str) -> Next {
        let (way, given) = argument.split_once(' ').unwrap_or((argument, ""));
        match way.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let given = decoded(given);
                let mut parts = given.split('\0').skip(1);
                let (user, password) = (parts.next(), parts.next());
                let words = self.sign_in(user.unwrap_or_default(), password.unwrap_or_default());
                Next::Say(words)
            }
            "LOGIN" => Next::AskLogin,
            _ => say("504 5.5.4 not offered"),
        }
    }

    fn sign_in(&mut self, user: &str, password: &str) -> String {
        let known = self.shared.config.login.as_ref();
        if known.is_some_and(|known| known.0 == user && known.1 == password) {
            self.user = Some(user.to_owned());
            return "235 2.7.0 welcome".to_owned();
        }
        "535 5.7.8 authentication credentials invalid".to_owned()
    }

    fn receiver(&mut self, argument: &str) -> Next {
        let mut state = self.shared.state();
        if let Behaviour::Refuses(code) = state.behaviour {
            state.turned_away += 1;
            return Next::Say(format!("{code} no letters for {}", address(argument)));
        }
        drop(state);
        self.to.push(address(argument));
        say("250 ok")
    }

    /// Goes on by TLS. What was said before does not count.
    async fn secure(&mut self) -> bool {
        let Some(acceptor) = self.shared.acceptor.clone() else {
            return false;
        };
        let nothing: Box<dyn Stream> = Box::new(tokio::io::empty());
        let plain = std::mem::replace(&mut self.stream, BufReader::new(nothing));
        let Ok(stream) = acceptor.accept(plain.into_inner()).await else {
            return false;
        };
        self.stream = BufReader::new(Box::new(stream));
        self.secured = true;
        (self.from, self.user) = (None, None);
        true
    }

    /// Takes the letter. Answers false if nothing more is said here.
    async fn letter(&mut self) -> std::io::Result<bool> {
        let mut lines = Vec::new();
        loop {
            let Some(line) = self.line().await? else {
                return Ok(false);
            };
            if line == "." {
                break;
            }
            if lines.len() == LINES_MAX {
                return Ok(false);
            }
            let line = line.strip_prefix('.').map_or(line.as_str(), |rest| rest);
            lines.push(line.to_owned());
        }
        let letter = Letter {
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            text: lines.join("\n"),
            secured: self.secured,
            user: self.user.clone(),
        };
        let silent = {
            let mut state = self.shared.state();
            state.letters.push(letter);
            state.behaviour == Behaviour::Silent
        };
        if silent {
            // The other side goes away in the end.
            while self.line().await?.is_some() {}
            return Ok(false);
        }
        self.answer("250 2.0.0 taken").await?;
        Ok(true)
    }
}

fn decoded(text: &str) -> String {
    let bytes = STANDARD.decode(text.trim()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
