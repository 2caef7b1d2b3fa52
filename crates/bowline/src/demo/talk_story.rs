//! Messaging as a story: a person on WhatsApp and an agent at the service desk. Each step does
//! something on one side and is seen on the other.

use anyhow::{Context as _, bail};
use bowline_sandbox::jira::{Comment, Issue};
use bowline_sandbox::messagebird::{Phone, Status};
use bowline_sandbox::phones::{Media, WINDOW_MS};

use super::teller::{Teller, done};
use super::{SERVICE_DESK, World, until};

/// The phone of the person whom the story is about.
pub const NOA: &str = "+15557700";

/// What the agents say among themselves. Nobody else may ever read it.
const SECRET: &str = "His router model is being recalled, do not say so yet.";

/// Plays the story against a running service, telling each step to `say`.
///
/// # Errors
/// The first step that was not seen on the far side, or that the world has no channels.
pub async fn play(world: &World, mut say: impl FnMut(&str) + Send) -> anyhow::Result<()> {
    let channels = world.channels.as_ref();
    let channels = channels.context("the world has no messaging providers")?;
    let phone = channels.messagebird.state.phone(NOA).named("Noa Lind");
    let mut story = Story {
        world,
        phone,
        teller: Teller::new(&mut say),
    };
    let request = story.asking().await?;
    story.talking(&request).await?;
    story.a_day_later(&request).await?;
    story.ending(&request).await?;
    let leaks = channels.leaks(&world.sandbox.jira.state);
    if !leaks.is_empty() {
        bail!("internal text reached a channel: {leaks:?}");
    }
    story
        .teller
        .seen("No internal text was sent to any channel.");
    Ok(())
}

struct Story<'w> {
    world: &'w World,
    phone: Phone,
    teller: Teller<'w>,
}

impl Story<'_> {
    fn jira(&self) -> &bowline_sandbox::jira::Sandbox {
        &self.world.sandbox.jira.state
    }

    /// Two messages, one request.
    async fn asking(&mut self) -> anyhow::Result<String> {
        self.phone.writes("My router is red.");
        self.phone.writes("It blinks, too.");
        let text = "Noa writes on WhatsApp: “My router is red.” and “It blinks, too.”";
        self.teller.step(text);
        let request = self.request(1).await?;
        let both = ["My router is red.", "It blinks, too."];
        self.issue(&request, "both messages in its description", |issue| {
            let text = issue.description.as_ref()?.as_wiki();
            both.iter().all(|part| text.contains(part)).then_some(())
        })
        .await?;
        self.teller.seen(&format!(
            "{request} is in the queue, with both messages in its description."
        ));
        Ok(request)
    }

    /// An answer, something internal, and a picture in return.
    async fn talking(&mut self, request: &str) -> anyhow::Result<()> {
        let lena = self.jira().acting("lena");
        done(lena.comment(request, "Which *model* is it?"))?;
        self.teller.step("Lena answers with a public comment.");
        self.reads("Which *model* is it?").await?;

        done(lena.note(request, SECRET))?;
        done(lena.comment(request, "A photo of its label would help."))?;
        self.teller
            .step("Lena writes an internal comment, then a public one.");
        self.reads("A photo of its label would help.").await?;
        if self.shown().iter().any(|text| text.contains(SECRET)) {
            bail!("the internal comment came to the phone");
        }
        self.teller.seen("The internal comment stays in Jira.");

        let picture = Media::image("label.png", b"a picture of a label", Some("Here it is"));
        self.phone.sends_media(picture);
        self.teller.step("Noa answers with a picture.");
        self.issue(request, "the picture as a file", |issue| {
            let named = |comment: &Comment| {
                !comment.is_internal() && comment.body.as_wiki().contains("Here it is")
            };
            (issue.attachments.len() == 1 && issue.comments.values().any(named)).then_some(())
        })
        .await?;
        self.teller.seen(&format!(
            "The picture is attached to {request} and named in a comment."
        ));
        Ok(())
    }

    /// WhatsApp takes answers for 24 hours only.
    async fn a_day_later(&mut self, request: &str) -> anyhow::Result<()> {
        let channels = self.world.channels.as_ref();
        let bird = &channels.context("the world has no channels")?.messagebird;
        bird.state.advance_clock(WINDOW_MS);
        let lena = self.jira().acting("lena");
        done(lena.comment(request, "Yours is a model 5."))?;
        self.teller
            .step("A day passes at the provider. Lena answers when WhatsApp takes no answer.");
        let told = self
            .issue(request, "an internal comment about the window", |issue| {
                let told = |comment: &&Comment| {
                    let text = comment.body.as_wiki();
                    comment.is_internal()
                        && text.contains("Not delivered")
                        && text.contains("24 hours")
                };
                let found = issue.comments.values().find(told)?;
                Some(found.body.as_wiki().to_owned())
            })
            .await?;
        let first = told.split(". ").next().unwrap_or_default();
        self.teller
            .seen(&format!("An internal comment tells Lena: “{first} …”"));
        if self.shown().iter().any(|text| text.contains("model 5")) {
            bail!("the late answer came to the phone");
        }
        self.phone.writes("Are you still there?");
        self.teller
            .step("Noa writes again, which opens the window.");
        self.issue(request, "the new message", |issue| {
            let says = |comment: &Comment| comment.body.as_wiki().contains("still there");
            issue.comments.values().any(says).then_some(())
        })
        .await?;
        done(lena.comment(request, "We send you a new one."))?;
        self.reads("We send you a new one.").await
    }

    /// Done is told and ends it; the next message begins anew.
    async fn ending(&mut self, request: &str) -> anyhow::Result<()> {
        let conversation = self.phone.conversation();
        let conversation = conversation.context("Noa has no conversation at the provider")?;
        done(
            self.jira()
                .acting("lena")
                .transition(request, "Resolved", None),
        )?;
        self.teller.step("Lena resolves the request.");
        self.reads("Resolved").await?;
        let channels = self.world.channels.as_ref();
        let bird = &channels.context("the world has no channels")?.messagebird;
        until(|| {
            let found = bird.state.conversation(&conversation)?;
            (found.status == Status::Archived).then_some(())
        })
        .await
        .context("the conversation was not archived at the provider")?;
        self.teller
            .seen("The conversation is archived at the provider.");

        self.phone.writes("The new one is red as well!");
        self.teller.step("Noa writes once more.");
        let second = self.request(2).await?;
        self.issue(&second, "the message", |issue| {
            let text = issue.description.as_ref()?.as_wiki();
            text.contains("as well").then_some(())
        })
        .await?;
        self.teller
            .seen(&format!("That is a new request, {second}."));
        Ok(())
    }

    /// Waits for the n-th request of the service desk.
    async fn request(&self, number: usize) -> anyhow::Result<String> {
        until(|| {
            let all = self.jira().requests(SERVICE_DESK);
            all.get(number - 1).map(|issue| issue.key.clone())
        })
        .await
        .with_context(|| format!("request {number} never came"))
    }

    /// Waits until an issue is as `look` wants it.
    async fn issue<T>(
        &self,
        key: &str,
        what: &str,
        look: impl Fn(&Issue) -> Option<T>,
    ) -> anyhow::Result<T> {
        until(|| look(&self.jira().issue(key)?))
            .await
            .with_context(|| format!("{key} never had {what}"))
    }

    /// What came to the phone.
    fn shown(&self) -> Vec<String> {
        let lines = self.phone.received().into_iter();
        lines.filter_map(|line| line.text).collect()
    }

    /// Waits until the phone shows a message with this in it, once.
    async fn reads(&mut self, part: &str) -> anyhow::Result<()> {
        let shown = until(|| {
            let mut all = self.shown();
            all.retain(|text| text.contains(part));
            (!all.is_empty()).then_some(all)
        })
        .await
        .with_context(|| format!("“{part}” never came to Noa's phone"))?;
        if shown.len() != 1 {
            bail!("“{part}” came to Noa's phone {} times", shown.len());
        }
        self.teller
            .seen(&format!("Noa's phone shows: {}", shown[0]));
        Ok(())
    }
}
