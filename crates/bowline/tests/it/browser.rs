//! A browser without a screen: it keeps cookies, sends forms, follows nothing.

use std::collections::BTreeMap;

use bowline_access::{AccountForm, Door, ManagePeople, Who};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, redirect};
use url::form_urlencoded::Serializer;

use crate::stage::Stage;

pub(crate) const PASSWORD: &str = "four little words here";

/// What came back.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Page {
    /// Where it sends the browser; empty if nowhere.
    pub(crate) fn goes_to(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The page without its tags, on one line.
    pub(crate) fn words(&self) -> String {
        let mut words = String::new();
        let mut rest = self.text.as_str();
        while let Some((before, after)) = rest.split_once('<') {
            words.push_str(before);
            words.push(' ');
            rest = after.split_once('>').map_or("", |(_, rest)| rest);
        }
        words.push_str(rest);
        let words: Vec<&str> = words.split_whitespace().collect();
        words
            .join(" ")
            .replace("&#39;", "'")
            .replace("&#34;", "\"")
            .replace("&#60;", "&lt;")
            .replace("&#62;", "&gt;")
            .replace("&#38;", "&")
    }

    #[track_caller]
    pub(crate) fn says(&self, part: &str) {
        let words = self.words();
        let start: String = words.chars().take(2_000).collect();
        assert!(words.contains(part), "“{part}” is not in: {start}");
    }
}

pub(crate) struct Browser {
    client: Client,
    base: String,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new(stage: &Stage) -> Self {
        Self {
            client: Client::builder()
                .redirect(redirect::Policy::none())
                .build()
                .unwrap(),
            base: format!("http://{}", stage.addr()),
            cookies: BTreeMap::new(),
        }
    }

    /// Goes on at another address of the service.
    pub(crate) fn at(&mut self, addr: std::net::SocketAddr) {
        self.base = format!("http://{addr}");
    }

    /// Signed in as someone new with this role.
    pub(crate) async fn signed_in(stage: &Stage, role: &str) -> Self {
        let access = stage.service().access();
        let door = Door::default();
        if let Some(code) = stage.service().first_visit_code.as_deref()
            && !access.is_set_up().await.unwrap()
        {
            let form = AccountForm {
                name: "Olive Owner".to_owned(),
                email: "owner@example.com".to_owned(),
                ..AccountForm::default()
            };
            access
                .make_owner(code, &form, PASSWORD, &door)
                .await
                .unwrap();
        }
        let email = format!("{role}@example.com");
        if role != "owner" {
            let manages = Who::CommandLine.granted::<ManagePeople>().unwrap();
            let projects = match role {
                "project_administrator" => vec!["acme-jira/ENG".to_owned()],
                _ => Vec::new(),
            };
            let form = AccountForm {
                name: format!("The {role}"),
                email: email.clone(),
                role: role.to_owned(),
                projects,
            };
            let invited = access.add_person(&manages, &form).await.unwrap();
            access
                .choose_password(&invited.code, PASSWORD, &door)
                .await
                .unwrap();
        }
        let mut browser = Self::new(stage);
        browser.get("/sign-in").await;
        let page = browser
            .send("/sign-in", &[("email", &email), ("password", PASSWORD)])
            .await;
        assert_eq!(
            (page.status, page.goes_to()),
            (303, "/"),
            "{}",
            page.words()
        );
        browser
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    pub(crate) fn keep(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    async fn ask(&mut self, request: reqwest::RequestBuilder) -> Page {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let response = request
            .header(COOKIE, cookies.join("; "))
            .send()
            .await
            .unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Page {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let request = self.client.get(format!("{}{path}", self.base));
        self.ask(request).await
    }

    /// Posts these fields and nothing else, with these headers.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Page {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = self
            .client
            .post(format!("{}{path}", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(request).await
    }

    /// Posts these fields and a file, and nothing else.
    pub(crate) async fn post_file(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        file: &[u8],
    ) -> Page {
        let mut form = reqwest::multipart::Form::new();
        for (name, value) in fields {
            form = form.text((*name).to_owned(), (*value).to_owned());
        }
        let part = reqwest::multipart::Part::bytes(file.to_vec()).file_name("people.csv");
        let form = form.part("file", part);
        let request = self.client.post(format!("{}{path}", self.base));
        self.ask(request.multipart(form)).await
    }

    /// Sends a form of ours with a file.
    pub(crate) async fn upload(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        file: &[u8],
    ) -> Page {
        let token = self.form_token().await;
        let mut all = vec![("form_token", token.as_str())];
        all.extend(fields);
        self.post_file(path, &all, file).await
    }

    /// What forms carry for this browser.
    pub(crate) async fn form_token(&mut self) -> String {
        let signed_in = self.cookie("bowline_session").is_some();
        let page = self
            .get(if signed_in { "/account" } else { "/sign-in" })
            .await;
        let (_, rest) = page
            .text
            .split_once("name=\"form_token\" value=\"")
            .unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// Sends a form of ours.
    pub(crate) async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.form_token().await;
        let mut all = vec![("form_token", token.as_str())];
        all.extend(fields);
        self.post(path, &all, &[]).await
    }
}
