//! Addresses of Intercom conversations, as people copy them from the address bar and as older
//! products and the API wrote them.
//!
//! # What is recognised
//!
//! `http` or `https`, one of the four hosts of [`Host`] exactly, and one of the paths
//!
//! ```text
//! /a/inbox/<workspace>/…/conversation/<digits>      and the same with `apps`, `conversations`
//! /a/inbox/conversation/<digits>                    home-made, without a workspace
//! /a/apps/<workspace>/inbox/inbox/<digits>          home-made, see [`MIN_UNNAMED_ID_DIGITS`]
//! ```
//!
//! with any query and fragment. A look-alike never matches: the host is compared after the same
//! parsing that a browser does, and user information, a port other than the scheme's own, a
//! trailing dot and characters outside ASCII are refused.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::model::{Block, Doc, Inline};
use crate::urls;

/// Longest conversation id in digits: what an unsigned 64-bit number can hold. Ids of 4 to 15
/// digits have been seen.
pub const MAX_ID_DIGITS: usize = 20;

/// Fewest digits that make the home-made `/inbox/inbox/<digits>` a conversation. A number in that
/// place is otherwise a team's inbox (seen with six or seven digits), and linking some old
/// conversation that happens to have the same number would be worse than linking none.
pub const MIN_UNNAMED_ID_DIGITS: usize = 10;

/// Longest workspace code in characters. Eight are usual.
pub const MAX_WORKSPACE_CHARS: usize = 64;

/// The host of an address, which names the region of the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Host {
    /// `app.intercom.com`.
    Us,
    /// `app.eu.intercom.com`.
    Eu,
    /// `app.au.intercom.com`.
    Au,
    /// `app.intercom.io`, used before regions existed.
    Legacy,
}

impl Host {
    /// All hosts.
    pub const ALL: [Host; 4] = [Host::Us, Host::Eu, Host::Au, Host::Legacy];

    /// The domain as it stands in an address.
    pub const fn domain(self) -> &'static str {
        match self {
            Host::Us => "app.intercom.com",
            Host::Eu => "app.eu.intercom.com",
            Host::Au => "app.au.intercom.com",
            Host::Legacy => "app.intercom.io",
        }
    }

    fn from_domain(domain: &str) -> Option<Host> {
        Host::ALL.into_iter().find(|host| host.domain() == domain)
    }
}

/// The address of one conversation. Two addresses mean the same conversation if workspace and
/// conversation are equal; host, path, query and fragment do not matter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConversationAddress {
    /// The host, which tells the region.
    pub host: Host,
    /// The workspace code; `None` for `_` ("my current workspace") and for addresses without one.
    pub workspace: Option<String>,
    /// The conversation id: 1 to [`MAX_ID_DIGITS`] digits, as written.
    pub conversation: String,
    /// The id of the message that the fragment points to, if it points to one of this
    /// conversation.
    pub part: Option<String>,
}

impl ConversationAddress {
    /// The short canonical address. Legacy addresses become `app.intercom.com`, where those
    /// workspaces live now; an unknown workspace becomes `_`.
    pub fn url(&self) -> String {
        let host = if self.host == Host::Legacy {
            Host::Us
        } else {
            self.host
        };
        let workspace = self.workspace.as_deref().unwrap_or("_");
        let conversation = &self.conversation;
        format!(
            "https://{}/a/inbox/{workspace}/inbox/conversation/{conversation}",
            host.domain()
        )
    }
}

/// Reads one address. White space around it is ignored; anything else around it makes it none.
pub fn parse(url: &str) -> Option<ConversationAddress> {
    let url = url.trim();
    // The browser's parser forgives backslashes, tabs and full-width letters. An address that
    // needs forgiving was not copied from an address bar.
    let before_query = url.split(['?', '#']).next().unwrap_or_default();
    if !before_query
        .bytes()
        .all(|b| b.is_ascii_graphic() && b != b'\\')
    {
        return None;
    }
    let scheme = urls::scheme_len(url)?;
    if !url[scheme..].starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let url = Url::parse(url).ok()?;
    let plain_authority =
        url.username().is_empty() && url.password().is_none() && url.port().is_none();
    if !plain_authority {
        return None;
    }
    let host = Host::from_domain(url.host_str()?)?;
    let mut segments: Vec<&str> = url.path_segments()?.collect();
    if segments.last().is_some_and(|last| last.is_empty()) {
        segments.pop();
    }
    let (workspace, conversation) = read_path(&segments)?;
    let part = url
        .fragment()
        .and_then(|fragment| read_part(fragment, conversation));
    Some(ConversationAddress {
        host,
        workspace: workspace.map(str::to_owned),
        conversation: conversation.to_owned(),
        part,
    })
}

/// Workspace and conversation of a path.
fn read_path<'p>(segments: &[&'p str]) -> Option<(Option<&'p str>, &'p str)> {
    let names_conversation = |word: &str| matches!(word, "conversation" | "conversations");
    let (workspace, id) = match segments {
        ["a", "inbox", word, id] if names_conversation(word) => (None, *id),
        ["a", "apps", workspace, "inbox", "inbox", id]
            if id.len() >= MIN_UNNAMED_ID_DIGITS && !names_conversation(workspace) =>
        {
            (Some(*workspace), *id)
        }
        ["a", "inbox" | "apps", workspace, .., word, id] if names_conversation(word) => {
            (Some(*workspace), *id)
        }
        _ => return None,
    };
    if let Some(code) = workspace {
        let code_like = code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !code_like || code.is_empty() || code.len() > MAX_WORKSPACE_CHARS {
            return None;
        }
    }
    let digits = (1..=MAX_ID_DIGITS).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit());
    digits.then_some((workspace.filter(|code| *code != "_"), id))
}

/// The part id of a fragment `part_id=<kind>-<conversation>-<part>`; the kind may hold hyphens.
fn read_part(fragment: &str, conversation: &str) -> Option<String> {
    let mut fields = fragment.strip_prefix("part_id=")?.rsplitn(3, '-');
    let part = fields.next()?;
    let same = fields.next()? == conversation && fields.next().is_some_and(|kind| !kind.is_empty());
    let id_like = !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    (same && id_like).then(|| part.to_owned())
}

/// The bare addresses inside any plain text, first to last, each conversation once.
pub fn find_in_text(text: &str) -> Vec<ConversationAddress> {
    let mut found = Found::default();
    found.text(text);
    found.addresses
}

/// The addresses in a document in order, each conversation once: targets of links, cards, bare
/// addresses in text, and addresses of pictures. Code is not looked at. A link counts by where it
/// points, never by what it shows.
pub fn find(doc: &Doc) -> Vec<ConversationAddress> {
    let mut found = Found::default();
    found.blocks(&doc.blocks);
    found.addresses
}

/// Whether a link is shown as code, so that its target is an example and no address.
pub(crate) fn is_code_link(content: &[Inline]) -> bool {
    let mut texts = content.iter().filter_map(|inline| match inline {
        Inline::Text { text, marks } if !text.trim().is_empty() => Some(marks.code),
        _ => None,
    });
    texts
        .next()
        .is_some_and(|first| first && texts.all(|code| code))
}

#[derive(Default)]
struct Found {
    addresses: Vec<ConversationAddress>,
    seen: std::collections::HashSet<(Option<String>, String)>,
}

impl Found {
    fn url(&mut self, url: &str) {
        let Some(address) = parse(url) else { return };
        let identity = (address.workspace.clone(), address.conversation.clone());
        if self.seen.insert(identity) {
            self.addresses.push(address);
        }
    }

    fn text(&mut self, text: &str) {
        for span in urls::spans(text) {
            self.url(&text[span]);
        }
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Paragraph(content) | Block::Heading { content, .. } => self.inlines(content),
                Block::BulletList(items) | Block::OrderedList { items, .. } => {
                    for item in items {
                        self.blocks(&item.blocks);
                    }
                }
                Block::Quote(inner) | Block::Panel(inner) => self.blocks(inner),
                Block::Table(rows) => {
                    for cell in rows.iter().flatten() {
                        self.blocks(cell);
                    }
                }
                Block::Card { url } => self.url(url),
                Block::Attachment(file) => self.url(file.url.as_deref().unwrap_or_default()),
                Block::Code { .. } | Block::Rule => {}
            }
        }
    }

    fn inlines(&mut self, inlines: &[Inline]) {
        // An address may change its looks half-way (a comment on a part of it, say).
        let mut run = String::new();
        for inline in inlines {
            if let Inline::Text { text, marks } = inline
                && !marks.code
            {
                run.push_str(text);
                continue;
            }
            self.text(&std::mem::take(&mut run));
            match inline {
                Inline::Card { url } => self.url(url),
                Inline::Attachment(file) => self.url(file.url.as_deref().unwrap_or_default()),
                Inline::Link { href, content } if !is_code_link(content) => {
                    self.url(href);
                    self.pointers(content);
                }
                _ => {}
            }
        }
        self.text(&run);
    }

    /// What points somewhere inside a link's text.
    fn pointers(&mut self, content: &[Inline]) {
        for inline in content {
            match inline {
                Inline::Card { url } => self.url(url),
                Inline::Attachment(file) => self.url(file.url.as_deref().unwrap_or_default()),
                Inline::Link { href, content } if !is_code_link(content) => {
                    self.url(href);
                    self.pointers(content);
                }
                _ => {}
            }
        }
    }
}
