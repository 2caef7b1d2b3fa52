//! Desks that are made, changed and removed by people. Each is tried in Jira before it is kept, by
//! the check that `bowline check` makes.

use bowline_access::{ChangeRefusal, Fault, Granted, ManageConnections, What};
use bowline_domain::connection::Connection;
use bowline_domain::ids::SiteName;
use bowline_domain::messaging::ids::{AccountName, DeskName};
use bowline_engine::DeskConfig;
use bowline_engine::desk::{About, Finding, check, request_types};
use bowline_net::{ApiError, ErrorKind};
use bowline_store::talk_browse::TalkQuery;

use crate::connect::taken;
use crate::desk_form::DeskForm;
use crate::desk_live::{find_type, values};
use crate::hooks::HookFound;
use crate::merge::Aside;
use crate::merge_desk;
use crate::service::{Settings, fault};
use crate::stored::{Kind, Versioned};
use crate::stored_desk::StoredDesk;

/// A desk as pages show it.
#[derive(Clone, Debug)]
pub struct DeskNow {
    /// Its name.
    pub name: DeskName,
    /// What holds, or would if it were in use.
    pub config: DeskConfig,
    /// What is kept of it; `None` if the file declares it.
    pub kept: Option<Versioned<StoredDesk>>,
    /// Why it is not in use.
    pub aside: Option<Aside>,
}

/// What came of a desk that was made or changed.
#[derive(Clone, Debug)]
pub struct DeskSaved {
    /// Its name.
    pub name: String,
    /// How it is with the webhook of its site.
    pub hook: HookFound,
}

impl Settings {
    /// All desks, by name; those that are set aside too.
    pub fn desks(&self) -> Vec<DeskNow> {
        let present = self.present();
        let aside = &present.merged.desks;
        let row = |name: &DeskName| {
            let mut kept = present.kept.desks.iter();
            let found = kept.find(|(known, _)| known == name);
            found.map(|(_, row)| row.clone())
        };
        let in_use = present.merged.config.desks.iter().map(|config| {
            let name = &config.desk.name;
            let declared = aside.iter().any(|(known, _)| known == name);
            DeskNow {
                name: name.clone(),
                config: config.clone(),
                kept: row(name).filter(|_| !declared),
                aside: None,
            }
        });
        let set_aside = aside.iter().filter_map(|(name, why)| {
            let row = row(name)?;
            // The declared one is there already.
            (*why != Aside::Declared).then(|| DeskNow {
                name: name.clone(),
                config: merge_desk::desk(name, &row.value),
                kept: Some(row),
                aside: Some(why.clone()),
            })
        });
        let mut all: Vec<DeskNow> = in_use.chain(set_aside).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// One desk.
    pub fn desk(&self, name: &str) -> Option<DeskNow> {
        let mut all = self.desks().into_iter();
        all.find(|one| one.name.as_str() == name)
    }

    fn kept_desk(&self, name: &str) -> Result<Versioned<StoredDesk>, ChangeRefusal> {
        let found = self.desk(name).ok_or(ChangeRefusal::Gone)?;
        found.kept.ok_or_else(|| {
            let words = format!(
                "The configuration file declares it ([[desk]] name = \"{name}\"), so it is changed \
                 there."
            );
            fault("form", words)
        })
    }

    /// How many conversations of a desk are open.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open_talks(&self, name: &DeskName) -> Result<i64, ChangeRefusal> {
        let query = TalkQuery {
            live: Some(true),
            desk: Some(name.clone()),
            ..TalkQuery::default()
        };
        Ok(self.inner.store.talk_count(&query).await?)
    }

    /// How many conversations of a channel account are open.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open_talks_of_account(&self, name: &AccountName) -> Result<i64, ChangeRefusal> {
        let query = TalkQuery {
            live: Some(true),
            account: Some(name.clone()),
            ..TalkQuery::default()
        };
        Ok(self.inner.store.talk_count(&query).await?)
    }

    /// Tries a desk and keeps it.
    ///
    /// # Errors
    /// What is wrong, by field.
    pub async fn add_desk(
        &self,
        by: &Granted<ManageConnections>,
        form: &DeskForm,
    ) -> Result<DeskSaved, ChangeRefusal> {
        let (name, stored) = form.read().map_err(ChangeRefusal::Faults)?;
        let known = self.present();
        let is_kept = known.desk_with(|known, _| known.as_str() == name).is_some();
        if is_kept || self.desk(&name).is_some() {
            let words = taken(&name, form.name.trim().is_empty());
            return Err(fault("name", words));
        }
        let stored = self.try_desk(&name, stored, form).await?;
        let detail = summary(&stored);
        self.put(
            (Kind::Desk, &name),
            None,
            &stored,
            None,
            (by.who(), What::DeskAdded, &detail),
        )
        .await?;
        self.saved(name, &stored).await
    }

    /// Tries the new settings of a desk and keeps them.
    ///
    /// # Errors
    /// What is wrong, by field; someone else changed it since `from`; it is declared.
    pub async fn change_desk(
        &self,
        by: &Granted<ManageConnections>,
        (name, from): (&str, i64),
        form: &DeskForm,
    ) -> Result<DeskSaved, ChangeRefusal> {
        let row = self.kept_desk(name)?;
        if row.version != from {
            return Err(ChangeRefusal::Overtaken);
        }
        let form = DeskForm {
            name: name.to_owned(),
            ..form.clone()
        };
        let (_, stored) = form.read().map_err(ChangeRefusal::Faults)?;
        let moved = [
            ("account", row.value.account != stored.account),
            ("site", row.value.site != stored.site),
        ];
        for (field, _) in moved.into_iter().filter(|(_, moved)| *moved) {
            if self.open_talks(&DeskName::new(name)).await? > 0 {
                let words = "Conversations of this desk are open, and are stored under it. Make \
                             another desk, or wait for their end.";
                return Err(fault(field, words));
            }
        }
        let stored = self.try_desk(name, stored, &form).await?;
        let detail = changes(&row.value, &stored);
        self.put(
            (Kind::Desk, name),
            Some(from),
            &stored,
            None,
            (by.who(), What::DeskChanged, &detail),
        )
        .await?;
        if row.value.site != stored.site {
            self.sync_hook(&SiteName::new(row.value.site)).await;
        }
        self.saved(name.to_owned(), &stored).await
    }

    async fn saved(&self, name: String, stored: &StoredDesk) -> Result<DeskSaved, ChangeRefusal> {
        let site = SiteName::new(stored.site.as_str());
        let hook = self.sync_hook(&site).await;
        let account = AccountName::new(stored.account.as_str());
        self.test_soon(Connection::Account(account));
        Ok(DeskSaved { name, hook })
    }

    /// Removes a desk. `anyway`: also while conversations of it are open.
    ///
    /// # Errors
    /// Conversations are open; someone else changed it since `from`; it is declared.
    pub async fn remove_desk(
        &self,
        by: &Granted<ManageConnections>,
        (name, from): (&str, i64),
        anyway: bool,
    ) -> Result<(), ChangeRefusal> {
        let row = self.kept_desk(name)?;
        let open = self.open_talks(&DeskName::new(name)).await?;
        if open > 0 && !anyway {
            return Err(fault("form", open_words(open)));
        }
        let detail = format!("{open} conversations were open");
        let told = (by.who(), What::DeskRemoved, detail.as_str());
        self.remove((Kind::Desk, name), from, told).await?;
        self.sync_hook(&SiteName::new(row.value.site)).await;
        Ok(())
    }

    /// Asks Jira whether the desk can do its work, and fills in what only Jira knows.
    async fn try_desk(
        &self,
        name: &str,
        mut stored: StoredDesk,
        form: &DeskForm,
    ) -> Result<StoredDesk, ChangeRefusal> {
        let account = AccountName::new(stored.account.as_str());
        if self.account_in_use(&account).is_none() {
            return Err(fault("account", "Choose one of the channel accounts."));
        }
        let Some(site) = self.site_in_use(&SiteName::new(stored.site.as_str())) else {
            return Err(fault("site", "Choose one of the sites."));
        };
        if site.webhook_secrets.is_empty() {
            let words = "A desk needs Jira's webhooks, and the configuration file gives this site \
                         no webhook_secret.";
            return Err(fault("site", words));
        }
        let name = DeskName::new(name);
        let config = merge_desk::desk(&name, &stored);
        let other = merge_desk::same_channel(&self.present().merged.config, &config.desk).cloned();
        if let Some(other) = other {
            let words = format!(
                "The desk “{other}” serves that already. Name each channel at one desk only; one \
                 desk of an account may take all that no other desk names."
            );
            return Err(fault("channels", words));
        }
        let jira = self.jira(&site);
        let found = jira.service_desk(&stored.service_desk).await;
        let found = found
            .map_err(|error| no_desk(&stored.service_desk, &error))?
            .value;
        stored.service_desk = found.project_key;
        let types = request_types(&jira, &found.id).await;
        let types = types.map_err(|words| fault("site", words))?;
        if let Some(chosen) = find_type(&types, &stored.request_type) {
            stored.request_type.clone_from(&chosen.id);
            stored.request_type_name.clone_from(&chosen.name);
            let fields = jira.request_fields(&found.id, &chosen.id).await;
            let fields = fields.map_err(|error| fault("request_type", error.to_string()))?;
            stored.fields = values(&form.fields, &fields.value).map_err(ChangeRefusal::Faults)?;
        }
        let findings = check(&jira, &merge_desk::desk(&name, &stored)).await;
        let faults: Vec<Fault> = findings.iter().filter_map(faulty).collect();
        if faults.is_empty() {
            Ok(stored)
        } else {
            Err(ChangeRefusal::Faults(faults))
        }
    }
}

fn are_open(open: i64, of: &str) -> String {
    match open {
        1 => format!("One conversation of this {of} is open."),
        open => format!("{open} conversations of this {of} are open."),
    }
}

/// What happens to conversations of a desk that is removed.
pub fn open_words(open: i64) -> String {
    format!(
        "{} After the removal, what their agents answer is not sent: the first who answers a \
         request is told so there, in an internal comment with the way out. What these customers \
         write still comes into their requests; nobody begins a new one, unless another desk serves \
         their channel. When a desk of the same name is made again, or one in the same Jira for \
         their channel, the conversations go on, and what was answered meanwhile is sent then.",
        are_open(open, "desk")
    )
}

/// What happens to conversations of a channel account that is removed.
pub fn open_words_of_account(open: i64) -> String {
    format!(
        "{} After the removal, nothing goes out or comes in: the first agent who answers a request, \
         or whose answer still waits, is told so there, in an internal comment with the way out. \
         When the account is added again under the same name, with a desk, the conversations go \
         on, and what was answered meanwhile is sent then.",
        are_open(open, "account")
    )
}

fn no_desk(key: &str, error: &ApiError) -> ChangeRefusal {
    match error.kind {
        ErrorKind::NotFound | ErrorKind::Permission => fault(
            "service_desk",
            format!(
                "{error}. Either {key} is no service project, or Bowline's account is no agent \
                 there."
            ),
        ),
        _ => fault("site", format!("Jira cannot be asked: {error}.")),
    }
}

fn faulty(finding: &Finding) -> Option<Fault> {
    let field = match finding.about {
        About::Account => "account",
        About::Site => "site",
        About::ServiceDesk => "service_desk",
        About::RequestType => "request_type",
        About::Fields => "fields",
        About::Reporter => "reporter",
    };
    // The check's words follow on the name of the desk; here they stand alone.
    let mut letters = finding.words.chars();
    let first = letters.next()?.to_uppercase();
    let words: String = first.chain(letters).collect();
    (!finding.good).then(|| Fault::new(field, words))
}

fn summary(stored: &StoredDesk) -> String {
    let channels = stored
        .channels
        .as_ref()
        .map_or_else(|| "all".to_owned(), |named| named.join(", "));
    format!(
        "channels of {}: {channels}; “{}” in {} of {}",
        stored.account, stored.request_type_name, stored.service_desk, stored.site
    )
}

/// What changed, by the names of the settings, for the audit log.
fn changes(before: &StoredDesk, after: &StoredDesk) -> String {
    let json = |stored: &StoredDesk| serde_json::to_value(stored).unwrap_or_default();
    let (before, after) = (json(before), json(after));
    let named = after.as_object().into_iter().flatten();
    let changed: Vec<String> = named
        .filter(|(name, _)| *name != "request_type_name")
        .filter(|(name, is)| before.get(name.as_str()) != Some(*is))
        .map(|(name, is)| {
            let was = before.get(name).cloned().unwrap_or_default();
            format!("{name}: {was} → {is}")
        })
        .collect();
    if changed.is_empty() {
        "nothing".to_owned()
    } else {
        changed.join("; ")
    }
}
