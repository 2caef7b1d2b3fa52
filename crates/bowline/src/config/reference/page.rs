//! The page `docs/configuration.md`.

use super::KEYS;
use std::fmt::Write as _;

/// A section of the page: where it stands in the file, its title and its introduction.
struct Section {
    /// The part of the paths before the last dot; empty at the top.
    path: &'static str,
    title: &'static str,
    intro: &'static str,
}

const SECTIONS: &[Section] = &[
    Section {
        path: "",
        title: "Top of the file",
        intro: "These stand above the first `[…]` or `[[…]]` header.",
    },
    Section {
        path: "log",
        title: "`[log]`",
        intro: "",
    },
    Section {
        path: "oidc",
        title: "`[oidc]`: signing in at a provider",
        intro: "OpenID Connect. The provider sends people back to `/sign-in/oidc/back` at `public_url`. See [sign-in.md](sign-in.md).",
    },
    Section {
        path: "limits",
        title: "`[limits]`",
        intro: "Bounds that protect the service. The defaults suit most installations.",
    },
    Section {
        path: "alert_mail",
        title: "`[alert_mail]`",
        intro: "Letters when a connection breaks, and when it works again. See [web.md](web.md#alerts). `bowline check` tries the server and sends nothing.",
    },
    Section {
        path: "site[]",
        title: "`[[site]]`: a Jira instance",
        intro: "Jira delivers to `/hooks/jira/{name}`.",
    },
    Section {
        path: "workspace[]",
        title: "`[[workspace]]`: an Intercom workspace",
        intro: "Intercom delivers to `/hooks/intercom/{name}`.",
    },
    Section {
        path: "binding[]",
        title: "`[[binding]]`: a Jira project joined to a workspace",
        intro: "At most one per project of a site.",
    },
    Section {
        path: "channel_account[]",
        title: "`[[channel_account]]`: an account at a messaging provider",
        intro: "MessageBird delivers to `/hooks/messagebird/{name}`, WhatsApp to `/hooks/whatsapp/{name}`. Accounts are made on pages as well; one that is declared here wins over one of the same name that was made there.",
    },
    Section {
        path: "desk[]",
        title: "`[[desk]]`: channels that feed requests",
        intro: "What an end user writes on a channel of the desk becomes a request of its type. Desks are made on pages as well; one that is declared here wins over one of the same name, or of the same channels, that was made there. See [messaging.md](messaging.md).",
    },
    Section {
        path: "desk[].texts[]",
        title: "`[[desk.texts]]`: what a desk says in a language",
        intro: "It stands below its `[[desk]]`. Who is written to in it: whoever an agent said so of on their page, else whoever's number begins with one of `numbers`, else those of whom nothing is known if it is the desk's `language`. A text that is missing here is as the desk has it.",
    },
    Section {
        path: "product[]",
        title: "`[[product]]`: what feedback is gathered for",
        intro: "Tagging a message in Intercom puts a ticket in the product's inbox. See [feedback.md](feedback.md).",
    },
    Section {
        path: "binding[].transition[]",
        title: "`[[binding.transition]]`: a rule for one transition",
        intro: "It stands below its `[[binding]]`. Where a rule and `notify.transitioned` both match one change, there is one note, and the conversation is \
                re-opened if either says so.",
    },
];

const HEAD: &str = "\
# Configuration

<!-- Made from the table of keys in crates/bowline/src/config/reference/keys. Change it there, then run:
     WRITE_REFERENCE=1 cargo test -p bowline reference -->

`bowline serve --config bowline.toml` reads one TOML file and puts environment variables on top. [bowline.example.toml](../bowline.example.toml) is a
file to start from; `bowline check` tests a configuration and its live credentials and says in words what is wrong.

## Rules

- **Environment.** Every key has a variable: `BOWLINE_` and the parts of the key's path joined by two underscores, in capitals. Entries of lists are
  chosen by name (`BOWLINE_SITE__ACME_JIRA__TOKEN` for the site `acme-jira`) or by position from 0 (`BOWLINE_SITE__0__TOKEN`); bindings by site and
  project (`BOWLINE_BINDING__ACME_JIRA_ENG__LINKING`) or position. A variable wins over the file. One that chooses an entry that the file does not
  have makes the entry, so that a whole configuration may come from the environment.
- **Secrets** may be given as the value, or as a file that holds the value: `token = \"…\"`, `token_file = \"secrets/token\"`,
  `BOWLINE_SITE__ACME_JIRA__TOKEN` or `BOWLINE_SITE__ACME_JIRA__TOKEN_FILE`. One line break at the end of such a file is dropped. Giving both forms
  of one secret is an error. When a file with a secret changes, the new secret is used without a restart.
- **Paths** are relative to the folder of the configuration file; without a file, to the working directory.
- **Names** of sites and workspaces are part of webhook addresses: small letters, digits and single hyphens, at most 63, at least one letter.
- **Mistakes.** A key or variable that is not known is an error that names the nearest known one. All mistakes are reported together, each with its
  line or variable and how to mend it. Variables that a container platform makes for a service named `bowline`, such as `BOWLINE_SERVICE_HOST`
  and `BOWLINE_PORT`, are passed over.
";

/// The page `docs/configuration.md`.
pub fn render() -> String {
    let mut page = String::from(HEAD);
    for section in SECTIONS {
        write_section(&mut page, section);
    }
    page
}

fn write_section(page: &mut String, section: &Section) {
    // Writing to a String cannot fail, so its results carry nothing.
    let _ = writeln!(page, "\n## {}\n", section.title);
    if !section.intro.is_empty() {
        let _ = writeln!(page, "{}\n", section.intro);
    }
    let _ = writeln!(
        page,
        "| key | type | default | meaning | environment |\n| --- | --- | --- | --- | --- |"
    );
    for key in KEYS
        .iter()
        .filter(|key| section_of(key.path) == section.path)
    {
        let name = key
            .path
            .strip_prefix(section.path)
            .unwrap_or(key.path)
            .trim_start_matches('.');
        let _ = writeln!(
            page,
            "| `{name}` | {} | {} | {} | `{}` |",
            key.type_text(),
            key.default_text(),
            key.meaning,
            key.variable()
        );
    }
}

/// The section whose table lists this path: the longest one that it begins with.
fn section_of(path: &str) -> &'static str {
    SECTIONS
        .iter()
        .map(|section| section.path)
        .filter(|start| {
            path.strip_prefix(start)
                .is_some_and(|rest| rest.starts_with('.'))
        })
        .max_by_key(|start| start.len())
        .unwrap_or("")
}
