//! From the tree to the checked configuration.

use super::{
    Loaded, ReadFile,
    binding::Connections,
    desk::Known,
    origin::Origins,
    problem::{Place, Problem},
    product,
    settings::{Found, Reading, Section, is_loopback},
    tree::{Node, Value},
    types::{Config, Database, Limits, Log, LogFormat, Metrics, Site, SiteKind, Workspace},
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use url::Url;

const DAY: u64 = 24 * 60 * 60;

/// The name of the SQLite file in the data folder.
const SQLITE_FILE: &str = "bowline.db";

/// The name of the key file in the data folder.
const KEY_FILE: &str = "bowline.key";

/// Reads every setting, checks what settings say about each other, and gives the configuration or all problems, those found before included.
pub(super) fn build(
    root: &Node,
    path: Option<&Path>,
    read_file: ReadFile<'_>,
    problems: Vec<Problem>,
) -> Result<Loaded, Vec<Problem>> {
    let mut reading = Reading {
        base: path
            .and_then(Path::parent)
            .map(PathBuf::from)
            .unwrap_or_default(),
        config_file: path,
        read_file,
        problems,
        warnings: Vec::new(),
        origins: Origins::default(),
        sources: Vec::new(),
    };
    let config = reading.config(root);
    reading.problems.sort();
    reading.problems.dedup();
    match config {
        Some(config) if reading.problems.is_empty() => Ok(Loaded {
            config,
            warnings: reading.warnings,
            origins: reading.origins,
            sources: reading.sources,
        }),
        _ => Err(reading.problems),
    }
}

impl Reading<'_> {
    /// The configuration; None only where a problem was reported.
    fn config(&mut self, root: &Node) -> Option<Config> {
        let top = Section {
            pattern: "",
            path: "",
            title: "the configuration",
            node: root,
        };
        let listen = self
            .text(&top, "listen")
            .and_then(|text| self.address("listen", &text.value, &text.place));
        let public_url_given = root
            .table()
            .is_some_and(|table| table.contains_key("public_url"));
        let public_url = self.url(&top, "public_url");
        let data_dir = self
            .text(&top, "data_dir")
            .map(|text| self.resolve(&text.value));
        let database = self.database(&top, data_dir.as_deref());
        let metrics = self.metrics(&top);
        let log = self.log(&top);
        let limits = self.limits(&top);
        let key_file = self
            .text(&top, "key_file")
            .map(|text| self.resolve(&text.value));
        let network_allowed = self.allowed(&top);
        let ca_file = self
            .text(&top, "ca_file")
            .map(|text| self.resolve(&text.value));
        let alert_url = self.url(&top, "alert_webhook_url");
        let alert_mail = self.alert_mail(&top);
        let atlassian_api_url = self.url(&top, "atlassian_api_url");
        let (sites, site_names) = self.named(root, "site", "site[]", Self::site);
        let (workspaces, workspace_names) =
            self.named(root, "workspace", "workspace[]", Self::workspace);
        self.same_address(&sites);
        let connections = Connections {
            sites: &sites,
            site_names: &site_names,
            workspace_names: &workspace_names,
            unread: &unread(root),
        };
        let bindings = self.bindings(root, &connections);
        let contact_syncs = self.contact_syncs(root, &connections);
        let (channel_accounts, account_names) = self.named(
            root,
            "channel_account",
            "channel_account[]",
            Self::channel_account,
        );
        let known = Known {
            sites: &sites,
            site_names: &site_names,
            account_names: &account_names,
        };
        let (desks, _) = self.named(root, "desk", "desk[]", |reading, section, name| {
            reading.desk(section, name, &known)
        });
        self.one_desk_for_each_channel(&desks);
        let known = product::Known {
            sites: &sites,
            site_names: &site_names,
            workspace_names: &workspace_names,
        };
        let products = self.products(root, &known);
        let embedding = self.embedding(&top);
        let oidc = self.oidc(&top);
        let listen = listen?;
        let public_url = match public_url {
            Some(found) => {
                self.warn_unreachable(&found, &sites, &workspaces);
                found.value
            }
            None if public_url_given => return None,
            None => local_url(listen)?,
        };
        let data_dir = data_dir?;
        Some(Config {
            key_file: key_file.unwrap_or_else(|| data_dir.join(KEY_FILE)),
            network_allowed,
            ca_file,
            alert_url: alert_url.map(|found| found.value),
            alert_mail,
            atlassian_api_url: atlassian_api_url?.value,
            listen,
            public_url,
            data_dir,
            database: database?,
            metrics: metrics?,
            log: log?,
            limits,
            sites,
            workspaces,
            bindings,
            channel_accounts,
            desks,
            contact_syncs,
            products,
            embedding,
            oidc,
        })
    }

    /// Ranges of addresses that may be called though they are not public.
    fn allowed(&mut self, top: &Section<'_>) -> Vec<bowline_net::Range> {
        let mut ranges = Vec::new();
        for word in self.words(top, "allowed_addresses").unwrap_or_default() {
            match word.value.parse() {
                Ok(range) => ranges.push(range),
                Err(error) => self.problem(
                    &word.place,
                    format!("`allowed_addresses`: {error}"),
                    "Write ranges like 10.1.0.0/16 or fd00::/8, or single addresses",
                ),
            }
        }
        ranges
    }

    fn database(&mut self, top: &Section<'_>, data_dir: Option<&Path>) -> Option<Database> {
        let given = root_has(top, "database_url");
        let Some(found) = self.secret_text(top, "database_url") else {
            // Given but wrong was reported.
            return if given {
                None
            } else {
                Some(Database::Sqlite(data_dir?.join(SQLITE_FILE)))
            };
        };
        let mend = "Write sqlite:PATH, or postgres://user:password@host/database";
        let what = match found.value.split_once(':') {
            Some(("sqlite", rest)) => match sqlite_path(rest) {
                Ok(path) => return Some(Database::Sqlite(self.resolve(path))),
                Err(what) => what.to_owned(),
            },
            Some(("postgres" | "postgresql", _)) => match Url::parse(&found.value) {
                Ok(_) => return Some(Database::Postgres(found.value.into())),
                Err(error) => format!("is not an address: {error}"),
            },
            Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_lowercase()) => {
                format!("is for {scheme}, which Bowline does not use")
            }
            _ => "has no scheme".to_owned(),
        };
        self.problem(&found.place, format!("`database_url` {what}"), mend);
        None
    }

    fn metrics(&mut self, top: &Section<'_>) -> Option<Metrics> {
        match self.node(top, "metrics") {
            None
            | Some(Node {
                value: Value::Flag(true),
                ..
            }) => Some(Metrics::Shared),
            Some(Node {
                value: Value::Flag(false),
                ..
            }) => Some(Metrics::Off),
            Some(Node {
                value: Value::Text(text),
                place,
            }) => self.address("metrics", text, place).map(Metrics::Own),
            Some(_) => None,
        }
    }

    fn log(&mut self, top: &Section<'_>) -> Option<Log> {
        let format = self.text(top, "log.format").map(|format| {
            if format.value == "json" {
                LogFormat::Json
            } else {
                LogFormat::Text
            }
        });
        let level = self.text(top, "log.level")?;
        let directives = tracing_subscriber::EnvFilter::builder().parse(&level.value);
        if let Err(error) = directives {
            self.problem(
                &level.place,
                format!("`log.level` is {:?}: {error}", level.value),
                "Write error, warn, info, debug or trace, also per part: info,bowline_engine=debug",
            );
        }
        Some(Log {
            format: format?,
            level: level.value,
        })
    }

    fn limits(&mut self, top: &Section<'_>) -> Limits {
        Limits {
            body_bytes: self.whole(top, "limits.body_bytes"),
            deliveries_at_once: self.whole(top, "limits.deliveries_at_once"),
            payload_age: Duration::from_secs(self.whole::<u64>(top, "limits.payload_days") * DAY),
            hops_per_link_hour: self.whole(top, "limits.hops_per_link_hour"),
            shutdown: Duration::from_secs(self.whole(top, "limits.shutdown_seconds")),
        }
    }

    /// Two names for one site would make every note twice.
    fn same_address(&mut self, sites: &[Site]) {
        let mut firsts: BTreeMap<&str, &str> = BTreeMap::new();
        for site in sites {
            if let Some(first) = firsts.insert(site.url.as_str(), &site.name) {
                let what = format!(
                    "the sites {first:?} and {:?} have the same `url`",
                    site.name
                );
                self.problem(
                    &Place::Unsaid,
                    what,
                    "Keep one of them; an issue belongs to one site",
                );
            }
        }
    }

    fn warn_unreachable(
        &mut self,
        public_url: &Found<Url>,
        sites: &[Site],
        workspaces: &[Workspace],
    ) {
        let cloud = sites
            .iter()
            .any(|site| site.kind == SiteKind::Cloud && !is_loopback(&site.api_url));
        let intercom = workspaces
            .iter()
            .any(|workspace| !is_loopback(&workspace.api_url));
        if public_url.value.scheme() == "http" && (cloud || intercom) {
            self.warn(
                &public_url.place,
                "`public_url` is not https, and Jira Cloud and Intercom deliver only to https",
                "Put Bowline behind a proxy that speaks https, or set webhooks = false in the bindings",
            );
        }
    }
}

fn root_has(top: &Section<'_>, name: &str) -> bool {
    top.node.table().is_some_and(|table| {
        table.contains_key(name) || table.contains_key(&format!("{name}_file"))
    })
}

/// The lists that were found wrong as a whole.
fn unread(root: &Node) -> Vec<&'static str> {
    let wrong = |list: &&str| {
        let node = root.table().and_then(|table| table.get(*list));
        node.is_some_and(|node| matches!(node.value, Value::Wrong))
    };
    ["site", "workspace"].into_iter().filter(wrong).collect()
}

/// The file in `sqlite:FILE` or `sqlite://FILE`.
fn sqlite_path(rest: &str) -> Result<&str, &'static str> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() {
        Err("names no file")
    } else if path.starts_with(":memory:") {
        Err("is in memory, so that everything would be lost at the end")
    } else if path.contains('?') {
        Err("has settings after a question mark, which Bowline sets itself")
    } else {
        Ok(path)
    }
}

/// The address under which this machine reaches the service.
fn local_url(listen: SocketAddr) -> Option<Url> {
    let mut reached = listen;
    if listen.ip().is_unspecified() {
        reached.set_ip(if listen.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    Url::parse(&format!("http://{reached}")).ok()
}
