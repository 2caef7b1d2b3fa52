//! Cookies: the session, the token of forms before there is one, and how someone likes to look.

use axum::http::{HeaderMap, HeaderValue, header};

/// Which cookie.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cookie {
    /// The session.
    Session,
    /// Who gave the right password and is asked for the second factor.
    HalfWay,
    /// A sign-in at a provider that was begun.
    Elsewhere,
    /// What forms are bound to before someone is signed in.
    Form,
    /// Colours and contrast.
    Look,
}

impl Cookie {
    /// Its name. `__Host-` makes browsers take it by https only, for this host alone.
    fn name(self, https: bool) -> String {
        let name = match self {
            Self::Session => "bowline_session",
            Self::HalfWay => "bowline_half_way",
            Self::Elsewhere => "bowline_elsewhere",
            Self::Form => "bowline_form",
            Self::Look => "bowline_look",
        };
        if https {
            format!("__Host-{name}")
        } else {
            name.to_owned()
        }
    }

    /// Its value in a request.
    pub(crate) fn read(self, headers: &HeaderMap, https: bool) -> Option<&str> {
        named(headers, &self.name(https))
    }

    /// The header that sets it for so many seconds; 0 takes it away.
    pub(crate) fn set(self, value: &str, seconds: i64, https: bool) -> HeaderValue {
        let secure = if https { "; Secure" } else { "" };
        let text = format!(
            "{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}",
            self.name(https)
        );
        // Our values are letters and digits; anything else does not become a cookie.
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    }
}

/// The time zone that the script tells.
pub(crate) fn zone(headers: &HeaderMap) -> Option<&str> {
    named(headers, "bowline_zone")
}

fn named<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_read_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        let given = "xbowline_session=no; bowline_session=yes; bowline_zone=Europe/Berlin";
        headers.insert(header::COOKIE, HeaderValue::from_static(given));
        assert_eq!(Cookie::Session.read(&headers, false), Some("yes"));
        assert_eq!(Cookie::Session.read(&headers, true), None);
        assert_eq!(zone(&headers), Some("Europe/Berlin"));
    }

    #[test]
    fn by_https_a_cookie_is_bound_to_the_host() {
        let text = |https| {
            Cookie::Session
                .set("abc", 60, https)
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            text(true),
            "__Host-bowline_session=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert!(!text(false).contains("Secure"));
    }
}
