//! `panel`: how long the issue panel takes from what is known, whatever Intercom does; and the pages
//! of links and of the report over very many rows.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bowline_access::{
    Access, AccountForm, Cost, Door, Entered, Entropy, ManagePeople, SealedText, Seals, Setup, Who,
};
use bowline_domain::connection::Connection;
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::{Clock, Millis};
use bowline_store::reading::{ReadingKind, Tried};
use bowline_store::{Open, Store};
use serde_json::json;

use crate::Bench;
use crate::database::{Database, Kind};
use crate::delivery::{BOUND, SITE};
use crate::far::{Far, Manner};
use crate::load::Line;
use crate::percent::{ms, percentile};
use crate::product::{FRAME_SECRET, Product, Sides, WORKSPACE};
use crate::seed;
use crate::table::Table;

/// Linked conversations of the issues whose panels are shown.
const CONVERSATIONS: [usize; 3] = [1, 20, 200];

/// The first of those issues.
const FIRST_ISSUE: usize = 10_000;

/// How often each page is asked for.
const TIMES: usize = 200;

/// Rows that the long pages are read from.
const ROWS: usize = 100_000;

/// The first of the issues of those rows.
const FIRST_ROW: usize = 1_000_000;

/// Who looks.
const PASSWORD: &str = "four little words here";

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    let mut panels = Table::new(
        "panel: an issue's panel from what is known; the target is 200 ms",
        &[
            "database",
            "Intercom",
            "conversations",
            "page",
            "median",
            "p99",
            "worst",
            "bytes",
        ],
    );
    let mut pages = Table::new(
        format!(
            "pages of links and of the report, out of {} issues",
            bench.pick(ROWS, 2_000)
        ),
        &["database", "page", "median", "p99", "worst", "bytes"],
    );
    for kind in &bench.kinds {
        measure_panels(bench, *kind, &mut panels)?;
        measure_pages(bench, *kind, &mut pages)?;
    }
    panels.print();
    pages.print();
    Ok(())
}

fn measure_panels(bench: &Bench, kind: Kind, table: &mut Table) -> anyhow::Result<()> {
    let database = bench.databases.create(kind, &bench.runtime)?;
    let issues = FIRST_ISSUE..FIRST_ISSUE + CONVERSATIONS.len();
    let linked = |issue: usize| {
        let count = CONVERSATIONS[issue - FIRST_ISSUE];
        (0..count)
            .map(|number| format!("21{issue}{number:04}"))
            .collect::<Vec<_>>()
    };
    seed::issues(bench, &database, issues.clone(), linked)?;
    let all: Vec<String> = issues.clone().flat_map(linked).collect();
    let session = bench.runtime.block_on(prepare(&database, &all))?;
    let far = Far::start(bench)?;
    let product = Product::start_framed(&bench.binary, &database, &Sides::both(far.addr))?;
    for manner in Manner::ALL {
        far.behave(manner);
        for (issue, count) in issues.clone().zip(CONVERSATIONS) {
            let token = frame_token(issue)?;
            for (page, path) in [
                ("full", format!("/issues/{SITE}/{BOUND}-{issue}")),
                (
                    "frame",
                    format!("/embed/issues/{SITE}/{BOUND}-{issue}?token={token}"),
                ),
            ] {
                let taken = ask(bench, &product, &path, &session)?;
                let [median, p99, worst, bytes] = taken;
                let names = [kind.name().to_owned(), manner.name().to_owned()];
                let [database, intercom] = names;
                let (count, page) = (count.to_string(), page.to_owned());
                table.row([database, intercom, count, page, median, p99, worst, bytes]);
            }
        }
    }
    Ok(())
}

fn measure_pages(bench: &Bench, kind: Kind, table: &mut Table) -> anyhow::Result<()> {
    let database = bench.databases.create(kind, &bench.runtime)?;
    let rows = FIRST_ROW..FIRST_ROW + bench.pick(ROWS, 2_000);
    seed::issues(bench, &database, rows, |issue| vec![format!("22{issue}")])?;
    let session = bench.runtime.block_on(prepare(&database, &[]))?;
    let far = Far::start(bench)?;
    let product = Product::start_framed(&bench.binary, &database, &Sides::both(far.addr))?;
    let project = format!("project={SITE}%2F{BOUND}");
    for path in [
        "/links".to_owned(),
        "/links?state=all".to_owned(),
        format!("/links?{project}"),
        "/links/report".to_owned(),
        "/links/report?sort=spend".to_owned(),
        "/links/report?sort=last&order=asc".to_owned(),
        format!("/links/report?sort=contacts&{project}"),
    ] {
        let [median, p99, worst, bytes] = ask(bench, &product, &path, &session)?;
        table.row([kind.name().to_owned(), path, median, p99, worst, bytes]);
    }
    Ok(())
}

/// Asks for a page again and again, one after the other; median, 99th percentile, the slowest, and
/// how long the page is.
fn ask(bench: &Bench, product: &Product, path: &str, session: &str) -> anyhow::Result<[String; 4]> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: bowline.example.com\r\n\
         cookie: __Host-bowline_session={session}\r\n\r\n"
    );
    let times = bench.pick(TIMES, 20);
    let mut taken: Vec<Duration> = Vec::with_capacity(times);
    let mut bytes = 0;
    let mut line = Line::open(&product.target())?;
    for _ in 0..times {
        let began = Instant::now();
        let (status, body) = line.ask(request.as_bytes())?;
        taken.push(began.elapsed());
        anyhow::ensure!(status == 200, "{path} answered {status}");
        bytes = body.len();
    }
    Ok([
        ms(percentile(&mut taken, 50)),
        ms(percentile(&mut taken, 99)),
        ms(percentile(&mut taken, 100)),
        bytes.to_string(),
    ])
}

/// Puts there what was read of the conversations and of the people in them, and signs somebody in.
/// Answers their session.
async fn prepare(database: &Database, conversations: &[String]) -> anyhow::Result<String> {
    let store = Store::open(Open {
        url: database.url.clone(),
        owner: "seed".to_owned(),
        first_token: 1,
        works_lanes: false,
    })
    .await
    .context("opening the database")?;
    let workspace = Connection::Workspace(WorkspaceName::new(WORKSPACE));
    let now = Now.now();
    let put = async |kind: ReadingKind, remote: &str, body: serde_json::Value| {
        let tried = Tried::Read(body.to_string());
        store
            .put_reading(&workspace, kind, remote, tried, now)
            .await
    };
    for id in conversations {
        let contact = format!("c{id}");
        let seen = json!({
            "state": "open", "snoozed_until_s": null, "title": null,
            "first": "My voucher is gone.", "begun_by": "Cleo Example", "contacts": [contact],
            "assignee": "991267459", "updated_at_s": 1_784_541_190, "merged": false,
        });
        put(ReadingKind::Conversation, id, seen).await?;
        let seen = json!({
            "id": contact, "lead": false, "name": format!("Cleo {id}"),
            "email": format!("cleo{id}@example.com"),
            "attributes": { "id": contact, "session_count": 12, "created_at": 1_764_000_000 },
            "companies": [{ "name": "Example Shop", "attributes": { "website": "https://example.com" } }],
        });
        put(ReadingKind::Contact, &contact, seen).await?;
    }
    let teammates = json!([{ "id": "991267459", "name": "Bowline" }]);
    put(ReadingKind::Teammates, "", teammates).await?;
    put(ReadingKind::Attributes, "", json!([])).await?;
    let session = signed_in(store.clone()).await?;
    store.close().await;
    Ok(session)
}

async fn signed_in(store: Store) -> anyhow::Result<String> {
    let access = Access::new(Setup {
        store,
        clock: Arc::new(Now),
        entropy: Arc::new(Drawn),
        cost: Cost::Least,
        seals: Arc::new(NoSeals),
    });
    let manages = Who::CommandLine
        .granted::<ManagePeople>()
        .context("the command line manages people")?;
    let form = AccountForm {
        name: "Ana".to_owned(),
        email: "ana@example.com".to_owned(),
        role: "administrator".to_owned(),
        ..AccountForm::default()
    };
    let invited = access
        .add_person(&manages, &form)
        .await
        .map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
    let entered = access
        .choose_password(&invited.code, PASSWORD, &Door::default())
        .await
        .map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
    match entered {
        Entered::In(signed_in) => Ok(signed_in.secret),
        Entered::HalfWay(_) => anyhow::bail!("a new account has no second factor"),
    }
}

/// A token for the frame of an issue, as the page around it makes one.
fn frame_token(issue: usize) -> anyhow::Result<String> {
    let now_s = SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
    let claims = json!({
        "aud": "bowline-panel", "sub": "lena@example.com", "site": SITE, "issue": issue.to_string(),
        "may": ["read"], "iat": now_s, "exp": now_s + 600,
    });
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let head = part(br#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!("{head}.{}", part(claims.to_string().as_bytes()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, FRAME_SECRET.as_bytes());
    let tag = hmac::sign(&key, signed.as_bytes());
    Ok(format!("{signed}.{}", part(tag.as_ref())))
}

/// The system's clock.
struct Now;

impl Clock for Now {
    fn now(&self) -> Millis {
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Millis(i64::try_from(since.as_millis()).unwrap_or_default())
    }
}

/// Randomness for one session of a benchmark.
struct Drawn;

impl Entropy for Drawn {
    fn fill(&self, bytes: &mut [u8]) {
        fastrand::Rng::new().fill(bytes);
    }
}

/// Nobody has a second factor here.
struct NoSeals;

impl Seals for NoSeals {
    fn seal(&self, _of: &str, _text: &str) -> Result<SealedText, String> {
        Err("nothing is sealed in a benchmark".to_owned())
    }

    fn open(&self, _of: &str, _sealed: &SealedText) -> Result<String, String> {
        Err("nothing is sealed in a benchmark".to_owned())
    }
}
