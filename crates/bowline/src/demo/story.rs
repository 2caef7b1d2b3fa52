//! The main job as a story: each step does something on one side and is seen on the other.

use anyhow::{Context as _, bail};
use bowline_sandbox::intercom::{ConversationState, NewContact, Note};
use bowline_sandbox::jira::NewComment;

use super::teller::{Teller, done};
use super::{NOTIFY_TOKEN, SITE, World, until};

/// Plays the story against a running service, telling each step to `say`.
///
/// # Errors
/// The first step that was not seen on the far side.
pub async fn play(
    world: &World,
    service: std::net::SocketAddr,
    mut say: impl FnMut(&str) + Send,
) -> anyhow::Result<()> {
    let mut story = Story {
        world,
        service,
        teller: Teller::new(&mut say),
    };
    story.chapters().await
}

struct Story<'w> {
    world: &'w World,
    service: std::net::SocketAddr,
    teller: Teller<'w>,
}

impl Story<'_> {
    fn step(&mut self, text: &str) {
        self.teller.step(text);
    }

    fn seen(&mut self, text: &str) {
        self.teller.seen(text);
    }

    async fn chapters(&mut self) -> anyhow::Result<()> {
        let intercom = &self.world.sandbox.intercom.state;
        let contact = intercom
            .create_contact(NewContact::user("Mia Holm", "mia@example.com"))
            .map_err(|error| anyhow::anyhow!("creating a contact: {error:?}"))?;
        let conversation = self.conversation(&contact, "The export button does nothing.")?;
        let second = self.conversation(&contact, "Exports fail for my team as well.")?;

        self.step("Mia writes to support: “The export button does nothing.”");
        let address = intercom.conversation_address(&conversation);
        let priya = self.world.sandbox.jira.state.acting("priya");
        let issue = done(priya.create(
            "ENG",
            "Export button does nothing",
            format!("Reported by a customer: {address}").as_str(),
        ))?;
        self.step(&format!(
            "Priya creates {issue} in Jira and pastes the conversation's address."
        ));
        self.note(&conversation, &["Priya Nair", " created ", &issue])
            .await?;
        self.property(&issue, 1).await?;

        let lena = self.world.sandbox.jira.state.acting("lena");
        done(priya.assign(&issue, Some("lena")))?;
        self.step("Priya assigns it to Lena.");
        self.note(&conversation, &["Priya Nair", " assigned ", "Lena Fischer"])
            .await?;

        done(lena.comment(&issue, "I can *reproduce* it. The fix is in review."))?;
        self.step("Lena comments.");
        self.note(
            &conversation,
            &["Lena Fischer", "commented", "<b>reproduce</b>"],
        )
        .await?;

        done(lena.comment_with(
            &issue,
            NewComment::internal("Root cause: the licence check."),
        ))?;
        done(lena.comment(&issue, "Ships tonight."))?;
        self.step("Lena writes an internal comment, then a public one.");
        self.note(&conversation, &["Ships tonight."]).await?;
        self.no_note(&conversation, "licence check")?;

        let omar = self.world.sandbox.jira.state.acting("omar");
        let comment = done(omar.comment(&issue, intercom.conversation_address(&second).as_str()))?;
        self.step("Omar pastes the address of a second conversation in a comment.");
        self.note(&second, &["Omar Haddad", " linked ", &issue])
            .await?;
        self.property(&issue, 2).await?;

        let admin = intercom.config().admins[0].id.clone();
        intercom
            .close(&conversation, &admin)
            .map_err(|error| anyhow::anyhow!("closing: {error:?}"))?;
        self.step("Support closes Mia's conversation: there is nothing to say until it is fixed.");
        done(lena.transition(&issue, "Done", None))?;
        self.step("Lena moves the issue to Done.");
        self.note(&conversation, &["Lena Fischer", " moved ", "Done"])
            .await?;
        self.note(&second, &["Lena Fischer", " moved ", "Done"])
            .await?;
        self.open(&conversation).await?;

        done(omar.delete_comment(&issue, comment))?;
        self.step("Omar deletes his comment: the second conversation is not linked any more.");
        self.property(&issue, 1).await?;
        let before = intercom.notes(&second).len();
        done(lena.comment(&issue, "Released."))?;
        self.note(&conversation, &["Released."]).await?;
        if intercom.notes(&second).len() != before {
            bail!("the second conversation got a note after its link had ended");
        }
        self.seen("The second conversation stays silent.");

        self.notify(&issue).await?;
        self.note(&conversation, &["Please tell the customer."])
            .await?;
        self.once(&conversation)?;
        Ok(())
    }

    fn conversation(&self, contact: &str, text: &str) -> anyhow::Result<String> {
        let intercom = &self.world.sandbox.intercom.state;
        intercom
            .create_conversation(contact, text)
            .map_err(|error| anyhow::anyhow!("creating a conversation: {error:?}"))
    }

    /// Waits for a note that holds all of `parts`.
    async fn note(&mut self, conversation: &str, parts: &[&str]) -> anyhow::Result<()> {
        let intercom = &self.world.sandbox.intercom.state;
        let found = until(|| {
            let holds = |note: &Note| parts.iter().all(|part| note.body.contains(part));
            intercom.notes(conversation).into_iter().find(holds)
        })
        .await
        .with_context(|| format!("no note with {parts:?} came to {conversation}"))?;
        self.seen(&format!(
            "Note in conversation {conversation}: {}",
            readable(&found.body)
        ));
        Ok(())
    }

    fn no_note(&mut self, conversation: &str, text: &str) -> anyhow::Result<()> {
        let intercom = &self.world.sandbox.intercom.state;
        if intercom
            .notes(conversation)
            .iter()
            .any(|note| note.body.contains(text))
        {
            bail!("“{text}” must not be forwarded");
        }
        self.seen("The internal comment stays in Jira.");
        Ok(())
    }

    /// Waits until Jira's own record names so many conversations.
    async fn property(&mut self, issue: &str, count: usize) -> anyhow::Result<()> {
        let jira = &self.world.sandbox.jira.state;
        until(|| {
            let property = jira.property(issue, "intercom.conversation.links")?;
            let links = jira.remote_links(issue).len();
            (property["count"] == count && links == count).then_some(())
        })
        .await
        .with_context(|| format!("Jira's record of {issue} never named {count} conversations"))?;
        self.seen(&format!(
            "Jira shows {count} linked conversation(s) on {issue}."
        ));
        Ok(())
    }

    async fn open(&mut self, conversation: &str) -> anyhow::Result<()> {
        let intercom = &self.world.sandbox.intercom.state;
        until(|| (intercom.state(conversation) == Some(ConversationState::Open)).then_some(()))
            .await
            .with_context(|| format!("conversation {conversation} was not re-opened"))?;
        self.seen(&format!(
            "Conversation {conversation} is open again, on top of the inbox."
        ));
        Ok(())
    }

    async fn notify(&mut self, issue: &str) -> anyhow::Result<()> {
        self.step("An automation rule in Jira calls the notify address.");
        let text = "Please tell the customer.";
        let url = format!("http://{}/hooks/jira/{SITE}/notify", self.service);
        let body = serde_json::json!({ "issue": issue, "note": true, "text": text });
        let answer = self
            .world
            .sandbox
            .jira
            .state
            .sender()
            .client()
            .post(url)
            .bearer_auth(NOTIFY_TOKEN)
            .json(&body)
            .send()
            .await
            .context("calling the notify address")?;
        if !answer.status().is_success() {
            bail!("the notify address answered {}", answer.status());
        }
        Ok(())
    }

    /// No note stands twice.
    fn once(&mut self, conversation: &str) -> anyhow::Result<()> {
        let mut bodies: Vec<String> = self
            .world
            .sandbox
            .intercom
            .state
            .notes(conversation)
            .into_iter()
            .map(|note| note.body)
            .collect();
        let all = bodies.len();
        bodies.sort();
        bodies.dedup();
        if bodies.len() != all {
            bail!("a note stands twice in conversation {conversation}");
        }
        self.seen(&format!(
            "{all} notes in Mia's conversation, none of them twice."
        ));
        Ok(())
    }
}

/// A note's HTML as one line of text.
fn readable(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag_on)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, after) = tag_on.split_once('>').unwrap_or((tag_on, ""));
        let breaks = ["p", "/p", "br", "li", "/li"];
        if breaks.contains(&tag.trim_end_matches([' ', '/'])) {
            text.push(' ');
        }
        rest = after;
    }
    text.push_str(rest);
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
