//! What goes wrong between the service and the platforms.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bowline_sandbox::common::{Disturbance, Fault, FaultKind, Faults};

use crate::install::Install;

/// The calls that suffer: method and part of the path, at Jira and at the provider.
const AT_JIRA: [(&str, &str); 6] = [
    ("POST", "/servicedeskapi/request"),
    ("POST", "/comment"),
    ("PUT", "/issue/"),
    ("PUT", "/comment/"),
    ("GET", "/issue/"),
    ("GET", "/comment"),
];
const AT_BIRD: [(&str, &str); 4] = [
    ("POST", "/messages"),
    ("GET", "/conversations/"),
    ("PATCH", "/conversations/"),
    ("GET", "/messages"),
];

/// How long one spell lasts, in milliseconds.
const SPELL_MS: std::ops::Range<u64> = 200..900;

/// Has things go wrong until it is enough.
pub(crate) async fn be_bad(install: &Install, seed: u64, enough: &AtomicBool) {
    let mut chance = fastrand::Rng::with_seed(seed ^ 0xbad);
    while !enough.load(Ordering::Relaxed) {
        match chance.u32(0..10) {
            0..4 => fault(install.jira().faults(), &mut chance, &AT_JIRA),
            4..7 => fault(install.bird().faults(), &mut chance, &AT_BIRD),
            7 | 8 => install.bird().disturb(disturbance(&mut chance)),
            _ => install.jira().disturb(disturbance(&mut chance)),
        }
        tokio::time::sleep(Duration::from_millis(chance.u64(SPELL_MS))).await;
        // What hit no call ends with its spell: else all that gathers while little is called meets
        // the few calls that come then, again and again.
        install.jira().faults().clear();
        install.bird().faults().clear();
    }
    install.mend();
}

/// A few calls suffer.
fn fault(faults: &Faults, chance: &mut fastrand::Rng, calls: &[(&str, &str)]) {
    let (method, path) = *chance.choice(calls).unwrap();
    let status = |status| FaultKind::Status {
        status,
        body: None,
        headers: vec![("Retry-After".to_owned(), "1".to_owned())],
    };
    let kind = match chance.u32(0..10) {
        0 | 1 => FaultKind::DropBefore,
        2..5 => FaultKind::DropAfter,
        5 => status(503),
        6 => status(429),
        7 | 8 => FaultKind::StatusAfter { status: 502 },
        _ => FaultKind::DelayAfter {
            ms: chance.u64(20..300),
        },
    };
    let fault = Fault::of(kind).on(method, path).times(chance.u32(1..3));
    faults.add(fault);
}

/// Deliveries come twice, in another order, or late.
fn disturbance(chance: &mut fastrand::Rng) -> Disturbance {
    Disturbance {
        duplicate_every: chance.u32(0..4),
        reorder: chance.bool(),
        drop_every: 0,
        hold: chance.u32(0..5) == 0,
    }
}
