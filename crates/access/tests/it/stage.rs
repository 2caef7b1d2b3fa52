//! A store, a clock, and an owner.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use bowline_access::{
    Access, AccountForm, Cost, Door, Entropy, Granted, ManagePeople, ReadAudit, SealedText, Seals,
    Setup, SignedIn, Visit, Who,
};
use bowline_domain::time::{Clock, Millis};
use bowline_store::access::AuditFilter;
use bowline_store::{Open, Store};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "four little words here";
pub(crate) const OTHER: &str = "another handful of words";

/// When the tests begin.
const T0: i64 = 1_000_000_000_000;

/// A clock that stands until it is turned.
pub(crate) struct Hands(AtomicI64);

impl Hands {
    pub(crate) fn turn(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for Hands {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::Relaxed))
    }
}

/// Counts up: enough to tell one secret from the next.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let round = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        for (byte, number) in bytes.iter_mut().zip(round.iter().cycle()) {
            *byte = *number;
        }
    }
}

/// Seals nothing, and says what it belongs to.
struct Plain;

impl Seals for Plain {
    fn seal(&self, of: &str, text: &str) -> Result<SealedText, String> {
        Ok(SealedText {
            text: format!("{of} {text}"),
            key: "plain".to_owned(),
        })
    }

    fn open(&self, of: &str, sealed: &SealedText) -> Result<String, String> {
        let opened = sealed.text.strip_prefix(&format!("{of} "));
        opened
            .map(ToOwned::to_owned)
            .ok_or_else(|| "not sealed for this".to_owned())
    }
}

pub(crate) struct Stage {
    pub(crate) access: Access,
    pub(crate) clock: Arc<Hands>,
    _folder: TempDir,
}

pub(crate) fn door(address: &str) -> Door {
    Door {
        address: address.to_owned(),
        browser: "Firefox".to_owned(),
    }
}

pub(crate) fn form(email: &str, role: &str) -> AccountForm {
    AccountForm {
        name: "Ana".to_owned(),
        email: email.to_owned(),
        role: role.to_owned(),
        projects: Vec::new(),
    }
}

impl Stage {
    /// Nobody has an account.
    pub(crate) async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Open {
            url: format!("sqlite:{}", folder.path().join("bowline.db").display()),
            owner: "test".to_owned(),
            first_token: 1,
            works_lanes: true,
        });
        let clock = Arc::new(Hands(AtomicI64::new(T0)));
        let access = Access::new(Setup {
            store: store.await.unwrap(),
            clock: Arc::<Hands>::clone(&clock),
            entropy: Arc::new(Counting(AtomicU64::new(1))),
            cost: Cost::Least,
            seals: Arc::new(Plain),
        });
        Self {
            access,
            clock,
            _folder: folder,
        }
    }

    /// There is an owner, who is signed in.
    pub(crate) async fn owned() -> (Self, SignedIn) {
        let stage = Self::empty().await;
        let code = stage.access.first_visit_code().await.unwrap().unwrap();
        let form = form("owner@example.com", "");
        let owner = stage
            .access
            .make_owner(&code, &form, PASSWORD, &door("192.0.2.1"))
            .await
            .unwrap();
        (stage, owner)
    }

    pub(crate) async fn visit(&self, signed_in: &SignedIn) -> Option<Visit> {
        self.access.visit(&signed_in.secret).await.unwrap()
    }

    /// Someone with this role, who chose [`PASSWORD`], signed in.
    pub(crate) async fn person(&self, email: &str, role: &str) -> SignedIn {
        let code = self
            .access
            .add_person(&manages(), &form(email, role))
            .await
            .unwrap()
            .code;
        self.access
            .choose_password(&code, PASSWORD, &door("192.0.2.2"))
            .await
            .unwrap()
            .signed_in()
            .expect("nobody has a second factor yet")
    }

    /// The words of the audit log, oldest first.
    pub(crate) async fn audited(&self) -> Vec<String> {
        let may: Granted<ReadAudit> = Who::CommandLine.granted().unwrap();
        let filter = AuditFilter {
            limit: 100,
            ..AuditFilter::default()
        };
        let views = self.access.audit(&may, &filter).await.unwrap();
        views
            .into_iter()
            .rev()
            .map(|view| view.entry.what)
            .collect()
    }
}

/// The command line, which manages people.
pub(crate) fn manages() -> Granted<ManagePeople> {
    Who::CommandLine.granted().unwrap()
}
