//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Ties customer conversations to the Jira issues that answer them.
#[derive(Parser)]
#[command(name = "bowline", version, disable_version_flag = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Try it without accounts: the service with a simulated Intercom and Jira, phones and a
    /// service desk on this machine.
    Demo(Demo),
    /// Run the service.
    Serve(Configured),
    /// Test the configuration and its credentials, and print what to enter in Jira and Intercom.
    Check {
        #[command(flatten)]
        configured: Configured,
        /// Print the secrets to enter in Jira too.
        #[arg(long)]
        secrets: bool,
    },
    /// Look at links, add and remove them.
    Links {
        #[command(subcommand)]
        action: Links,
    },
    /// Look at deliveries and what became of them.
    Events {
        #[command(subcommand)]
        action: Events,
    },
    /// Messages to customers that reached nobody, or may have: list them, send one again, let one
    /// be.
    Sends {
        #[command(subcommand)]
        action: Sends,
    },
    /// People who may sign in: list them, add one, let one in who is locked out.
    User {
        #[command(subcommand)]
        action: User,
    },
    /// The key that seals secrets which were entered on pages.
    Key {
        #[command(subcommand)]
        action: Key,
    },
    /// Run the simulated Intercom and Jira by themselves.
    Sandbox(Sandbox),
    /// Print the version.
    Version,
}

#[derive(Args, Clone)]
pub(crate) struct Configured {
    /// The configuration file; without it everything comes from the environment.
    #[arg(long, env = "BOWLINE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Demo {
    /// Play the story by itself, print it, and exit 0 only if every step was seen.
    #[arg(long)]
    pub(crate) story: bool,
    /// Make no account: print the code with which a browser makes the owner's, as `serve` does.
    #[arg(long)]
    pub(crate) first_visit: bool,
    /// Where the service listens.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
    /// Where the simulated Intercom listens.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) intercom: std::net::SocketAddr,
    /// Where the simulated Jira listens.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) jira: std::net::SocketAddr,
    /// Where the simulated MessageBird listens, with its phones.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) messagebird: std::net::SocketAddr,
    /// Where the simulated WhatsApp listens, with its phones.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) whatsapp: std::net::SocketAddr,
}

#[derive(Args)]
pub(crate) struct Sandbox {
    /// Where the simulated Intercom listens.
    #[arg(long, default_value = "127.0.0.1:4010")]
    pub(crate) intercom: std::net::SocketAddr,
    /// Where the simulated Jira listens.
    #[arg(long, default_value = "127.0.0.1:4020")]
    pub(crate) jira: std::net::SocketAddr,
}

#[derive(Subcommand)]
pub(crate) enum Links {
    /// List links.
    List {
        #[command(flatten)]
        configured: Configured,
        /// Of this issue only (key or id).
        #[arg(long)]
        issue: Option<String>,
        /// Of this conversation only (id or address).
        #[arg(long)]
        conversation: Option<String>,
        /// Ended links too.
        #[arg(long)]
        ended: bool,
        /// As JSON, one object per line.
        #[arg(long)]
        json: bool,
        /// At most this many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Link a conversation to an issue.
    Add(LinkChange),
    /// End a link. It stays ended until the address is put in anew or it is added again.
    Remove(LinkChange),
}

#[derive(Args)]
pub(crate) struct LinkChange {
    #[command(flatten)]
    pub(crate) configured: Configured,
    /// The issue's key.
    pub(crate) issue: String,
    /// The conversation's id or address.
    pub(crate) conversation: String,
    /// The site, if there are several.
    #[arg(long)]
    pub(crate) site: Option<String>,
    /// The workspace, if the issue's project is not enough to know it.
    #[arg(long)]
    pub(crate) workspace: Option<String>,
    /// Who does it, as the note names them.
    #[arg(long, default_value = "An administrator")]
    pub(crate) by: String,
}

#[derive(Subcommand)]
pub(crate) enum Events {
    /// List deliveries, newest first.
    List {
        #[command(flatten)]
        configured: Configured,
        /// Only those in this state: waiting, decided, quarantined.
        #[arg(long)]
        state: Option<String>,
        /// Only those about this issue (key or id).
        #[arg(long)]
        issue: Option<String>,
        /// Older than this event.
        #[arg(long)]
        before: Option<i64>,
        /// As JSON, one object per line.
        #[arg(long)]
        json: bool,
        /// At most this many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show a delivery: what came, what was decided and why, and every attempt at its effects.
    Show {
        #[command(flatten)]
        configured: Configured,
        /// The event's number.
        event: i64,
        /// Print the delivery's body too.
        #[arg(long)]
        body: bool,
    },
    /// Decide a delivery again. What was done already is not done twice.
    Replay {
        #[command(flatten)]
        configured: Configured,
        /// The event's number.
        event: i64,
    },
}

#[derive(Subcommand)]
pub(crate) enum Sends {
    /// List the messages about which somebody has to decide, the latest first.
    List {
        #[command(flatten)]
        configured: Configured,
        /// Those of which it is not known whether they were sent, and no others.
        #[arg(long)]
        held: bool,
        /// As JSON, one object per line.
        #[arg(long)]
        json: bool,
        /// At most this many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Send a message again, as a new one.
    Again {
        #[command(flatten)]
        configured: Configured,
        /// The message's key, as `list` prints it.
        message: String,
    },
    /// Let a message be: it is not sent again.
    Discard {
        #[command(flatten)]
        configured: Configured,
        /// The message's key, as `list` prints it.
        message: String,
        /// It did arrive, as was found out.
        #[arg(long)]
        arrived: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum User {
    /// List everyone.
    List {
        #[command(flatten)]
        configured: Configured,
    },
    /// Add a person and print a code with which they choose a password.
    Add {
        #[command(flatten)]
        configured: Configured,
        /// The e-mail address.
        email: String,
        /// What they are called; the e-mail address if left out.
        #[arg(long)]
        name: Option<String>,
        /// owner, administrator, `project_administrator`, agent or viewer.
        #[arg(long, default_value = "viewer")]
        role: String,
        /// A project of a project administrator, as site/PROJECT; may be said several times.
        #[arg(long = "project")]
        projects: Vec<String>,
    },
    /// Print a code with which someone chooses a new password.
    Reset {
        #[command(flatten)]
        configured: Configured,
        /// Their e-mail address.
        email: String,
    },
    /// Remove the second factor of someone who lost telephone and recovery codes.
    RemoveSecondFactor {
        #[command(flatten)]
        configured: Configured,
        /// Their e-mail address.
        email: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum Key {
    /// Make a new key and seal all secrets with it. The service may go on running.
    Rotate {
        #[command(flatten)]
        configured: Configured,
    },
}
