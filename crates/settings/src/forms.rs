//! What someone typed, read and checked. What is wrong is said by field.

use bowline_access::Fault;
use secrecy::SecretString;
use url::Url;

/// The longest name, in bytes: that of a label in a host name.
const NAME_BYTES_MAX: usize = 63;

/// The longest address or secret, in bytes.
const TEXT_BYTES_MAX: usize = 4_096;

/// A Jira site as someone typed it.
#[derive(Clone, Debug, Default)]
pub struct SiteForm {
    /// Its name here; made of the address if left out.
    pub name: String,
    /// The address that people open it by.
    pub url: String,
    /// The account's e-mail address; Cloud only.
    pub email: String,
    /// The API token or personal access token.
    pub token: String,
    /// Where REST is reached, if elsewhere.
    pub api_url: String,
    /// The day on which the token ends.
    pub token_ends_on: String,
    /// That is so although the token is new and the one before ended on that day, too.
    pub same_end: bool,
}

/// The same, read.
#[derive(Clone, Debug)]
pub struct SiteRead {
    pub(crate) name: String,
    pub(crate) url: Url,
    pub(crate) email: Option<String>,
    pub(crate) token: SecretString,
    pub(crate) api_url: Option<Url>,
    pub(crate) token_ends_on: Option<String>,
}

/// A workspace as someone typed it.
#[derive(Clone, Debug, Default)]
pub struct WorkspaceForm {
    /// Its name here; made of the workspace's own name if left out.
    pub name: String,
    /// The access token; empty where a teammate is to give consent.
    pub access_token: String,
    /// The app's client secret.
    pub client_secret: String,
    /// The app's client id, for OAuth.
    pub client_id: String,
    /// Where REST is reached, if elsewhere.
    pub api_url: String,
    /// Where teammates are asked for their consent, if elsewhere.
    pub authorize_url: String,
}

/// The same, read.
#[derive(Clone, Debug)]
pub struct WorkspaceRead {
    pub(crate) name: String,
    pub(crate) access_token: Option<SecretString>,
    pub(crate) client_secret: SecretString,
    pub(crate) client_id: Option<String>,
    pub(crate) api_url: Option<Url>,
    pub(crate) authorize_url: Option<Url>,
}

impl SiteForm {
    /// Reads it.
    ///
    /// # Errors
    /// All that is wrong, by field.
    pub fn read(&self) -> Result<SiteRead, Vec<Fault>> {
        let mut faults = Vec::new();
        let url = needed_address("url", &self.url, &mut faults);
        let api_url = address("api_url", &self.api_url, &mut faults);
        let token = secret("token", &self.token, &mut faults);
        let email = self.email.trim();
        if !email.is_empty() && !is_email(email) {
            faults.push(Fault::new(
                "email",
                "This is not an e-mail address. Give that of the Jira account to which the token \
                 belongs; leave it empty for Data Center.",
            ));
        }
        let ends = self.token_ends_on.trim();
        if !ends.is_empty() && ends.parse::<jiff::civil::Date>().is_err() {
            faults.push(Fault::new("token_ends_on", "Write a day as 2027-01-31."));
        }
        let derived = url.as_ref().map_or_else(String::new, |url| {
            let host = url.host_str().unwrap_or_default();
            let label = host.split('.').next().unwrap_or_default();
            let number = host
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
            if number { String::new() } else { slug(label) }
        });
        let name = name(&self.name, &derived, "jira", &mut faults);
        match (url, token) {
            (Some(url), Some(token)) if faults.is_empty() => Ok(SiteRead {
                name,
                url,
                email: (!email.is_empty()).then(|| email.to_owned()),
                token,
                api_url,
                token_ends_on: (!ends.is_empty()).then(|| ends.to_owned()),
            }),
            _ => Err(faults),
        }
    }
}

impl WorkspaceForm {
    /// Reads it. `by_consent`: the token comes from Intercom, not from the form.
    ///
    /// # Errors
    /// All that is wrong, by field.
    pub fn read(&self, by_consent: bool) -> Result<WorkspaceRead, Vec<Fault>> {
        let mut faults = Vec::new();
        let access_token = if by_consent {
            None
        } else {
            secret("access_token", &self.access_token, &mut faults)
        };
        let client_secret = secret("client_secret", &self.client_secret, &mut faults);
        let client_id = self.client_id.trim();
        if by_consent && client_id.is_empty() {
            let words = "Copy the client id from Developer Hub > your app > Basic information.";
            faults.push(Fault::new("client_id", words));
        }
        let api_url = address("api_url", &self.api_url, &mut faults);
        let authorize_url = address("authorize_url", &self.authorize_url, &mut faults);
        let name = name(&self.name, "", "intercom", &mut faults);
        match client_secret {
            Some(client_secret) if faults.is_empty() => Ok(WorkspaceRead {
                name,
                access_token,
                client_secret,
                client_id: (!client_id.is_empty()).then(|| client_id.to_owned()),
                api_url,
                authorize_url,
            }),
            _ => Err(faults),
        }
    }
}

/// A name in small letters, digits and single hyphens, made of any text; empty if it has no
/// letters.
pub fn slug(text: &str) -> String {
    let mut name = String::new();
    for letter in text.chars().map(|letter| letter.to_ascii_lowercase()) {
        if letter.is_ascii_lowercase() || letter.is_ascii_digit() {
            name.push(letter);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(NAME_BYTES_MAX);
    let name = name.trim_matches('-');
    if name.bytes().any(|byte| byte.is_ascii_lowercase()) {
        name.to_owned()
    } else {
        String::new()
    }
}

/// The name that was typed, or the derived one, or the fallback.
pub(crate) fn name(typed: &str, derived: &str, fallback: &str, faults: &mut Vec<Fault>) -> String {
    let typed = typed.trim();
    if typed.is_empty() {
        let name = if derived.is_empty() {
            fallback
        } else {
            derived
        };
        return name.to_owned();
    }
    if slug(typed) != typed {
        faults.push(Fault::new(
            "name",
            "A name stands in webhook addresses: small letters, digits and single hyphens between \
             them, at most 63, at least one letter.",
        ));
    }
    typed.to_owned()
}

fn needed_address(field: &'static str, text: &str, faults: &mut Vec<Fault>) -> Option<Url> {
    if text.trim().is_empty() {
        let words = "Give the address that people open it by, as https://acme.atlassian.net.";
        faults.push(Fault::new(field, words));
        return None;
    }
    address(field, text, faults)
}

/// An address, if one was typed.
pub(crate) fn address(field: &'static str, text: &str, faults: &mut Vec<Fault>) -> Option<Url> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let whole = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let wrong = match Url::parse(&whole) {
        Ok(url) if text.len() > TEXT_BYTES_MAX || !matches!(url.scheme(), "http" | "https") => {
            "It must begin with https:// or http://."
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "It holds a user name or password; those have fields of their own."
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            "It holds a question mark or an anchor (#). Give what stands before it."
        }
        Ok(mut url) if url.host_str().is_some() => {
            let path = url.path().trim_end_matches('/').to_owned();
            url.set_path(&path);
            return Some(url);
        }
        _ => "This is no address. Write one like https://acme.atlassian.net.",
    };
    faults.push(Fault::new(field, wrong));
    None
}

pub(crate) fn secret(
    field: &'static str,
    text: &str,
    faults: &mut Vec<Fault>,
) -> Option<SecretString> {
    let text = text.trim();
    let wrong = if text.is_empty() {
        "Paste it here. It is kept sealed and never shown again."
    } else if text.len() > TEXT_BYTES_MAX {
        "This is too long to be one."
    } else if text
        .chars()
        .any(|letter| letter.is_control() || letter.is_whitespace())
    {
        "It holds a blank or a line break; paste it whole and alone."
    } else {
        return Some(text.to_owned().into());
    };
    faults.push(Fault::new(field, wrong));
    None
}

fn is_email(text: &str) -> bool {
    text.split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'))
        && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn fields(faults: &[Fault]) -> Vec<&str> {
        faults.iter().map(|fault| fault.field).collect()
    }

    fn site(change: impl FnOnce(&mut SiteForm)) -> Result<SiteRead, Vec<Fault>> {
        let mut form = SiteForm {
            url: "acme.atlassian.example.com/".to_owned(),
            email: "bot@example.com".to_owned(),
            token: " token ".to_owned(),
            ..SiteForm::default()
        };
        change(&mut form);
        form.read()
    }

    #[test]
    fn a_site_needs_an_address_and_a_token() {
        let read = site(|_| ()).unwrap();
        assert_eq!(read.name, "acme");
        assert_eq!(read.url.as_str(), "https://acme.atlassian.example.com/");
        assert_eq!(read.token.expose_secret(), "token");
        assert_eq!(
            fields(&SiteForm::default().read().unwrap_err()),
            ["url", "token"]
        );
        let numbers = site(|form| form.url = "http://127.0.0.1:8080/jira".to_owned()).unwrap();
        assert_eq!(numbers.name, "jira");
        assert_eq!(numbers.url.as_str(), "http://127.0.0.1:8080/jira");
    }

    #[test]
    fn what_is_wrong_is_said_by_field() {
        type Change = fn(&mut SiteForm);
        let cases: [(&str, Change); 9] = [
            ("url", |form| form.url = "ftp://example.com".to_owned()),
            ("url", |form| {
                form.url = "https://a:b@example.com".to_owned();
            }),
            ("url", |form| form.url = "https://example.com/?x".to_owned()),
            ("url", |form| form.url = "https://".to_owned()),
            ("email", |form| form.email = "bot".to_owned()),
            ("token", |form| form.token = "two words".to_owned()),
            ("name", |form| form.name = "Acme Jira".to_owned()),
            ("api_url", |form| {
                form.api_url = "javascript:alert(1)".to_owned();
            }),
            ("token_ends_on", |form| {
                form.token_ends_on = "31.1.2027".to_owned();
            }),
        ];
        for (field, change) in cases {
            assert_eq!(fields(&site(change).unwrap_err()), [field]);
        }
    }

    #[test]
    fn a_workspace_is_joined_by_token_or_by_consent() {
        let form = WorkspaceForm::default();
        assert_eq!(
            fields(&form.read(false).unwrap_err()),
            ["access_token", "client_secret"]
        );
        assert_eq!(
            fields(&form.read(true).unwrap_err()),
            ["client_secret", "client_id"]
        );
        let form = WorkspaceForm {
            client_id: "id".to_owned(),
            client_secret: "secret".to_owned(),
            ..WorkspaceForm::default()
        };
        assert!(form.read(true).unwrap().access_token.is_none());
    }

    #[test]
    fn names_are_made_of_any_text() {
        for (text, name) in [
            ("Acme GmbH & Co.", "acme-gmbh-co"),
            ("  --a--b  ", "a-b"),
            ("123", ""),
            ("Ärzte", "rzte"),
            ("", ""),
        ] {
            assert_eq!(slug(text), name);
        }
    }
}
