//! Who may do what: accounts, passwords, sessions, tokens, and the log of what was changed.
//!
//! What a role allows is a type. A handler names the permission that it needs, as in
//! [`Granted<Look>`](Granted), and cannot be called without it; the changes in this crate take the
//! same proof. A proof comes from [`Who::granted`] alone.
//!
//! Randomness and time are passed in. What a browser or a script holds (a session, a code, a
//! token) is never stored: its SHA-256 digest is.
//!
//! # Invariants
//!
//! - There is an active owner, from the first visit on.
//! - Every change is written together with its entry in the audit log.
//! - A password that is changed ends the account's other sessions.
//! - Who comes in by a provider is found by issuer and subject alone; an e-mail address joins
//!   nothing.

mod accounts;
mod audit;
mod elsewhere;
mod frame;
mod password;
mod permission;
mod role;
mod second_factor;
mod secret;
mod sign_in;
mod throttle;
mod tokens;

use std::sync::{Arc, RwLock};

use bowline_domain::time::{Clock, Millis};
use bowline_store::{Store, StoreError};
use tokio::sync::Semaphore;

pub use accounts::{AccountForm, ChangeRefusal, Fault, Invited, Invitee};
pub use audit::What;
pub use elsewhere::{
    ElsewhereRefusal, ElsewhereRules, ElsewhereTry, Once, PasswordsOf, ToldElsewhere,
};
pub use frame::{FRAME_TOKEN_SECONDS_MAX, FrameKey, FrameRefusal, FrameToken};
pub use password::{Cost, PASSWORD_LETTERS_MIN, PasswordFault};
pub use permission::{
    AnswerCustomers, ChangeBindings, ChangeLinks, ChangeTalks, EditContacts, Granted, Look,
    ManageConnections, ManageContacts, ManagePeople, ManageProducts, OwnAccount, Permission,
    ReadAudit, Replay, ReplayAll, SeeCalls, SeeContacts, SeePayloads, SendTests, Triage, Who,
    WriteNotes,
};
pub use role::{Person, ProjectRef, Role, RoleKind};
pub use second_factor::{
    CodeRefusal, Entered, FactorSetup, FactorState, HALF_WAY_MS_MAX, SealedText, Seals, factor_of,
};
pub use secret::{Entropy, digest, same};
pub use sign_in::{Door, SESSION_MS_MAX, SignInRefusal, SignedIn, Visit};
pub use throttle::Wait;
pub use tokens::{NewToken, Scope, TOKEN_DAYS_MAX, TokenForm};

/// Passwords that are hashed at once. Each takes about 20 MiB and a core for a while.
const HASHED_AT_ONCE: usize = 2;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row that this version cannot read.
    #[error("reading {what} from the database: {detail}")]
    Unreadable {
        /// What was read.
        what: &'static str,
        /// Why it cannot be read.
        detail: String,
    },
    /// A secret could not be sealed or opened.
    #[error("the secret of a second factor: {0}")]
    Sealed(String),
    /// A password could not be hashed.
    #[error("hashing a password: {0}")]
    Hashing(String),
}

/// How the parts of the outside world are given.
pub struct Setup {
    /// The durable state.
    pub store: Store,
    /// The present time.
    pub clock: Arc<dyn Clock>,
    /// Randomness that nobody can guess.
    pub entropy: Arc<dyn Entropy>,
    /// What hashing a password costs.
    pub cost: Cost,
    /// Seals the secrets of second factors.
    pub seals: Arc<dyn Seals>,
}

/// Accounts, sessions and tokens. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    cost: Cost,
    seals: Arc<dyn Seals>,
    hashing: Semaphore,
    passwords_of: RwLock<PasswordsOf>,
}

impl Access {
    /// Puts the parts together.
    pub fn new(setup: Setup) -> Self {
        Self {
            inner: Arc::new(Inner {
                store: setup.store,
                clock: setup.clock,
                entropy: setup.entropy,
                cost: setup.cost,
                seals: setup.seals,
                hashing: Semaphore::new(HASHED_AT_ONCE),
                passwords_of: RwLock::default(),
            }),
        }
    }

    /// The present time.
    pub fn now(&self) -> Millis {
        self.inner.clock.now()
    }

    fn store(&self) -> &Store {
        &self.inner.store
    }

    /// A new secret that nobody can guess, in letters that fit a cookie.
    pub fn new_secret(&self) -> String {
        secret::secret(&*self.inner.entropy)
    }
}
