//! `bowline serve`

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, Loaded, changed_secrets, differs_beyond_secrets};
use crate::service::Service;
use anyhow::Context as _;
use bowline_web::RenderMetrics;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::load;
use crate::cli::Configured;
use crate::logging;

/// How often the files that secrets come from are looked at.
const WATCH_EVERY: Duration = Duration::from_secs(2);

/// Runs the service until it is told to end.
pub(crate) async fn run(configured: &Configured) -> anyhow::Result<ExitCode> {
    let loaded = load(configured)?;
    logging::start(&loaded.config.log);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let service = Service::start(&loaded.config, metrics()?).await?;
    tracing::info!(addr = %service.addr, version = env!("CARGO_PKG_VERSION"), "bowline serves");
    println!("bowline listens on http://{}", service.addr);
    if let Some(code) = &service.first_visit_code {
        say_first_visit(&loaded.config, code);
    }
    until_told_to_end(configured, loaded, &service).await?;
    tracing::info!("bowline ends: finishing what is in flight");
    service.stop().await;
    tracing::info!("bowline ended");
    Ok(ExitCode::SUCCESS)
}

/// Says how the first account is made. Nobody may be listening to what is printed any more.
fn say_first_visit(config: &Config, code: &str) {
    let base = config.public_url.as_str().trim_end_matches('/');
    let _ = writeln!(
        std::io::stdout(),
        "Nobody has an account yet. Make the owner's at {base}/setup with the code {code}"
    );
}

/// Starts collecting metrics.
pub(crate) fn metrics() -> anyhow::Result<RenderMetrics> {
    let handle = PrometheusBuilder::new()
        .install_recorder()
        .context("starting the metrics")?;
    Ok(Arc::new(move || handle.render()))
}

async fn until_told_to_end(
    configured: &Configured,
    mut loaded: Loaded,
    service: &Service,
) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let mut seen = stamps(configured, &loaded);
    loop {
        let told = tokio::select! {
            end = signals.next() => if end { return Ok(()) } else { true },
            () = tokio::time::sleep(WATCH_EVERY) => false,
        };
        let stamps_now = stamps(configured, &loaded);
        if !told && stamps_now == seen {
            continue;
        }
        seen = stamps_now;
        match load(configured) {
            Ok(new) => {
                if told || !changed_secrets(&loaded.config, &new.config).is_empty() {
                    take_over(&loaded, &new, service).await?;
                    seen = stamps(configured, &new);
                    loaded = new;
                }
            }
            Err(error) => tracing::error!("the changed configuration is not used: {error:#}"),
        }
    }
}

async fn take_over(old: &Loaded, new: &Loaded, service: &Service) -> anyhow::Result<()> {
    for change in changed_secrets(&old.config, &new.config) {
        tracing::info!(?change, "new credentials are taken into use");
    }
    if differs_beyond_secrets(&old.config, &new.config) {
        tracing::info!(
            "the changed configuration is taken into use; listen, data_dir, \
            database_url, log and limits take effect at the next start"
        );
    }
    service.configure(&new.config).await
}

/// When the files were last written that configuration and secrets come from.
fn stamps(configured: &Configured, loaded: &Loaded) -> Vec<Option<std::time::SystemTime>> {
    let secrets = loaded
        .secret_sources()
        .iter()
        .filter_map(|source| source.file.as_deref());
    configured
        .config
        .as_deref()
        .into_iter()
        .chain(secrets)
        .map(|path| {
            std::fs::metadata(path)
                .and_then(|meta| meta.modified())
                .ok()
        })
        .collect()
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        let on = |kind| signal(kind).context("listening for signals");
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
            hang_up: on(SignalKind::hangup())?,
        })
    }

    /// Waits for a signal. True: end. False: read the configuration again.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => true,
            _ = self.terminate.recv() => true,
            _ = self.hang_up.recv() => false,
        }
    }
}
