//! The service: store, engine and listening sockets, started and stopped together.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use bowline_access::{Access, Cost, FrameKey};
use bowline_engine::shared::Shared;
use bowline_engine::{Engine, Setup};
use bowline_net::{Guard, HttpOptions, HttpTransport, Transport};
use bowline_settings::Settings;
use bowline_settings::vault::Vault;
use bowline_store::{Open, Store};
use bowline_web::{Limits, Listening, RenderMetrics, listen, metrics_router, router};
use secrecy::ExposeSecret as _;

use crate::config::{Config, Database, Metrics};
use crate::replica::Replica;
use crate::sign_in;
use crate::system::{SystemClock, SystemEntropy, random};
use crate::wiring::declared;

/// A running service.
pub struct Service {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The code with which the first owner is made, as long as there is no account.
    pub first_visit_code: Option<String>,
    engine: Engine,
    access: Access,
    settings: Settings,
    elsewhere: sign_in::Elsewheres,
    sockets: Vec<Listening>,
    patience: std::time::Duration,
    // Held as long as the service runs: one process per SQLite file, and one per name.
    _lock: Option<File>,
    _replica: Replica,
}

impl Service {
    /// Opens the store (migrating it if needed), starts the engine, and listens.
    ///
    /// `render_metrics` gives the text of `/metrics`.
    ///
    /// # Errors
    /// In words: what could not be opened, reached or listened on.
    pub async fn start(config: &Config, render_metrics: RenderMetrics) -> anyhow::Result<Self> {
        let lock = lock(config)?;
        let replica = Replica::take(&config.data_dir);
        let store = open(config, replica.name().to_owned(), true).await?;
        let guard = Guard::default();
        let options = http_options(config)?;
        let transport = HttpTransport::guarded(&options, guard.clone())
            .map_err(|why| anyhow::anyhow!("the HTTP client cannot be set up: {why}"))?;
        let transport: Arc<dyn Transport> = Arc::new(transport);
        let access = access(store.clone(), &config.key_file);
        let elsewhere = sign_in::Elsewheres::new(Arc::clone(&transport), access.clone());
        elsewhere.take(config);
        let settings = Settings::open(bowline_settings::Setup {
            store: store.clone(),
            access: access.clone(),
            transport: Arc::clone(&transport),
            guard,
            vault: Vault::new(&config.key_file),
            public_url: config.public_url.clone(),
            gateway: config.atlassian_api_url.clone(),
            declared: declared(config),
            authorities_pem: options.authorities_pem,
        })
        .await
        .context("reading what was configured on pages")?;
        let engine = Engine::start(Setup {
            store,
            clock: Arc::new(SystemClock),
            transport,
            seed: random(),
            payload_age: config.limits.payload_age,
            config: settings.config(),
        })
        .await
        .context("starting the engine")?;
        let shared = engine.shared();
        settings.attach(Arc::clone(&shared));
        let first_visit_code = access
            .first_visit_code()
            .await
            .context("looking for accounts")?;
        let limits = Limits::default();
        let mut sockets = Vec::new();
        let on_main = (config.metrics == Metrics::Shared).then(|| Arc::clone(&render_metrics));
        let hooks = bowline_web::HookLimits {
            body_bytes_max: config.limits.body_bytes,
            at_once_max: config.limits.deliveries_at_once,
        };
        let pages = bowline_pages::router(bowline_pages::Setup {
            shared: Arc::clone(&shared),
            access: access.clone(),
            settings: settings.clone(),
            https: config.public_url.scheme() == "https",
            frames: frames(config),
            elsewhere: elsewhere.now(),
        });
        let routes = router(Arc::clone(&shared), hooks, on_main).merge(pages);
        let main = listen(config.listen, routes, limits)
            .await
            .with_context(|| format!("listening on {}", config.listen))?;
        let addr = main.addr;
        sockets.push(main);
        if let Metrics::Own(own) = config.metrics {
            let routes = metrics_router(shared, render_metrics);
            let socket = listen(own, routes, limits)
                .await
                .with_context(|| format!("listening on {own} for metrics"))?;
            sockets.push(socket);
        }
        Ok(Self {
            addr,
            first_visit_code,
            engine,
            access,
            settings,
            elsewhere,
            sockets,
            patience: config.limits.shutdown,
            _lock: lock,
            _replica: replica,
        })
    }

    /// What commands and tests need of the engine.
    pub fn shared(&self) -> Arc<Shared> {
        self.engine.shared()
    }

    /// Accounts and sessions.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// What is configured, in the file and on pages.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes a changed configuration into use: connections, credentials, bindings.
    ///
    /// # Errors
    /// A new binding cannot be recorded.
    pub async fn configure(&self, config: &Config) -> anyhow::Result<()> {
        self.elsewhere.take(config);
        self.settings
            .declare(declared(config))
            .await
            .context("taking the configuration over")
    }

    /// Accepts nothing more, finishes what is in flight or leaves it safely, and closes.
    pub async fn stop(self) {
        for socket in self.sockets {
            socket.stop(self.patience).await;
        }
        self.settings.stop(self.patience).await;
        // The store closes when nobody has it any more.
        drop((self.settings, self.access, self.elsewhere));
        self.engine.stop(self.patience).await;
    }
}

/// How the way out is configured.
///
/// # Errors
/// The file of certificate authorities cannot be read.
pub fn http_options(config: &Config) -> anyhow::Result<HttpOptions> {
    let authorities_pem = match &config.ca_file {
        Some(path) => std::fs::read(path)
            .with_context(|| format!("reading the certificate authorities {}", path.display()))?,
        None => Vec::new(),
    };
    Ok(HttpOptions {
        authorities_pem,
        ..HttpOptions::default()
    })
}

/// Whose pages may show the issue panel in a frame.
fn frames(config: &Config) -> bowline_pages::Frames {
    let secret = config.embedding.token_secret.as_ref();
    bowline_pages::Frames {
        hosts: config.embedding.frame_hosts.clone(),
        key: secret.map(|secret| FrameKey::new(secret.expose_secret())),
    }
}

/// Opens the database of a configuration for a command, which works no lanes.
///
/// # Errors
/// It cannot be opened or migrated.
pub async fn open_store(config: &Config) -> anyhow::Result<Store> {
    open(config, format!("command-{:016x}", random()), false).await
}

async fn open(config: &Config, owner: String, works_lanes: bool) -> anyhow::Result<Store> {
    let open = Open {
        url: config.database.url().expose_secret().to_owned(),
        owner,
        // Positive, and far from the end of the scale.
        first_token: i64::try_from(random() >> 2).unwrap_or(1),
        works_lanes,
    };
    Store::open(open).await.context("opening the database")
}

/// Accounts and sessions on a store, with the file of the keys that seal secrets.
pub fn access(store: Store, key_file: &Path) -> Access {
    Access::new(bowline_access::Setup {
        store,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        cost: Cost::Full,
        seals: Arc::new(Vault::new(key_file)),
    })
}

/// One process per SQLite file: two would each free the other's lanes.
fn lock(config: &Config) -> anyhow::Result<Option<File>> {
    let Database::Sqlite(path) = &config.database else {
        return Ok(None);
    };
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("making the folder {}", folder.display()))?;
    }
    let lock_path = path.with_extension("lock");
    let file = File::create(&lock_path)
        .with_context(|| format!("making the lock file {}", lock_path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => anyhow::bail!(
            "another Bowline already serves from {}. One process serves from one SQLite file; \
             stop the other, or use PostgreSQL for several.",
            path.display()
        ),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("locking {}", lock_path.display()))
        }
    }
}
