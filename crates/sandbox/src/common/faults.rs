//! Faults that are switched on by requests or by tests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A disturbance of matching calls.
///
/// As JSON: `{"method":"POST","path_contains":"/reply","times":1,"skip":0,"kind":"drop_after"}`;
/// the fields of a kind stand beside it: `{"kind":"status","status":503}`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Fault {
    /// Only calls of this method; any method if absent.
    #[serde(default)]
    pub method: Option<String>,
    /// Only calls whose path (without the query) contains this; any path if absent.
    #[serde(default)]
    pub path_contains: Option<String>,
    /// How many calls it disturbs; until it is removed if absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// How many matching calls pass undisturbed first.
    #[serde(default)]
    pub skip: u32,
    /// What happens to a disturbed call.
    #[serde(flatten)]
    pub kind: FaultKind,
}

/// What happens to a disturbed call.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// Answer this without doing anything.
    Status {
        /// The status of the answer.
        status: u16,
        /// A JSON body; none if absent.
        #[serde(default)]
        body: Option<Value>,
        /// More headers of the answer.
        #[serde(default)]
        headers: Vec<(String, String)>,
    },
    /// Close the connection without doing anything.
    DropBefore,
    /// Do it, then close the connection without answering.
    DropAfter,
    /// Do it, then answer this status with a body that is no JSON, as a gateway does.
    StatusAfter {
        /// The status of the answer.
        status: u16,
    },
    /// Wait, then do it and answer as usual. It is done even if the caller has gone by then: what
    /// arrived at a real platform is not called back.
    Delay {
        /// How long to wait, in milliseconds.
        ms: u64,
    },
    /// Do it, wait, then answer as usual: the caller may go, or lose patience, before it learns.
    DelayAfter {
        /// How long to wait, in milliseconds.
        ms: u64,
    },
    /// Do nothing and never answer.
    Hang,
    /// Do it and never answer.
    HangAfter,
}

impl FaultKind {
    /// The name in the control API and in the journal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::DropBefore => "drop_before",
            Self::DropAfter => "drop_after",
            Self::StatusAfter { .. } => "status_after",
            Self::Delay { .. } => "delay",
            Self::DelayAfter { .. } => "delay_after",
            Self::Hang => "hang",
            Self::HangAfter => "hang_after",
        }
    }
}

/// What a call has to suffer.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The fault's id.
    pub id: u64,
    /// What happens.
    pub kind: FaultKind,
}

/// A fault with its id and the calls it still lets pass or disturbs.
#[derive(Clone, Debug, Serialize)]
pub struct Armed {
    /// The id that [`Faults::add`] gave.
    pub id: u64,
    /// What was added; `skip` and `times` count down.
    #[serde(flatten)]
    pub fault: Fault,
}

/// The faults of one simulated platform. Cloning gives another handle to the same set.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Number of armed faults, so that an undisturbed call needs no lock.
    armed: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    armed: Vec<Armed>,
}

impl Faults {
    /// No faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Arms a fault and returns its id.
    pub fn add(&self, fault: Fault) -> u64 {
        let mut state = self.lock();
        state.last_id += 1;
        let id = state.last_id;
        state.armed.push(Armed { id, fault });
        self.shared
            .armed
            .store(state.armed.len(), Ordering::Release);
        id
    }

    /// Disarms a fault; false if there is none with this id.
    pub fn remove(&self, id: u64) -> bool {
        let mut state = self.lock();
        let before = state.armed.len();
        state.armed.retain(|armed| armed.id != id);
        self.shared
            .armed
            .store(state.armed.len(), Ordering::Release);
        state.armed.len() < before
    }

    /// Disarms all faults.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.armed.clear();
        self.shared.armed.store(0, Ordering::Release);
    }

    /// The armed faults, oldest first.
    pub fn list(&self) -> Vec<Armed> {
        self.lock().armed.clone()
    }

    /// What happens to this call. The oldest matching fault decides; one that still lets calls
    /// pass counts down and leaves the decision to the next.
    pub fn decide(&self, method: &str, path: &str) -> Option<Decision> {
        if self.shared.armed.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut state = self.lock();
        let position = state.armed.iter_mut().position(|armed| {
            if !armed.fault.matches(method, path) {
                return false;
            }
            if armed.fault.skip > 0 {
                armed.fault.skip -= 1;
                return false;
            }
            true
        })?;
        let armed = &mut state.armed[position];
        let decision = Decision {
            id: armed.id,
            kind: armed.fault.kind.clone(),
        };
        let spent = match &mut armed.fault.times {
            None => false,
            Some(times) => {
                *times = times.saturating_sub(1);
                *times == 0
            }
        };
        if spent {
            state.armed.remove(position);
            self.shared
                .armed
                .store(state.armed.len(), Ordering::Release);
        }
        Some(decision)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    /// A fault for all calls until it is removed.
    pub fn of(kind: FaultKind) -> Self {
        Self {
            method: None,
            path_contains: None,
            times: None,
            skip: 0,
            kind,
        }
    }

    /// The same fault for calls of this method only.
    #[must_use]
    pub fn on(mut self, method: &str, path_contains: &str) -> Self {
        self.method = Some(method.to_owned());
        self.path_contains = Some(path_contains.to_owned());
        self
    }

    /// The same fault for this many calls only.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// The same fault, after this many matching calls.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        self.method
            .as_ref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self
                .path_contains
                .as_ref()
                .is_none_or(|wanted| path.contains(wanted.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(fault: Fault, calls: &[(&str, &str)]) -> String {
        let faults = Faults::new();
        faults.add(fault);
        calls
            .iter()
            .map(|(method, path)| {
                if faults.decide(method, path).is_some() {
                    'x'
                } else {
                    '.'
                }
            })
            .collect()
    }

    #[test]
    fn counts_and_matches() {
        let post = ("POST", "/conversations/1/reply");
        let get = ("GET", "/conversations/1");
        let hang = || Fault::of(FaultKind::Hang);
        for (name, fault, calls, expected) in [
            ("always", hang(), vec![post, get], "xx"),
            ("method", hang().on("post", ""), vec![post, get], "x."),
            ("path", hang().on("POST", "/reply"), vec![get, post], ".x"),
            ("times", hang().times(2), vec![get, get, get], "xx."),
            ("skip", hang().after(1).times(1), vec![get, get, get], ".x."),
            (
                "skip counts matches",
                hang().on("POST", "/").after(1),
                vec![get, post, post],
                "..x",
            ),
        ] {
            assert_eq!(outcomes(fault, &calls), expected, "{name}");
        }
    }

    #[test]
    fn json_of_the_control_api() {
        for json in [
            r#"{"kind":"drop_after"}"#,
            r#"{"method":"GET","kind":"status","status":503}"#,
            r#"{"kind":"delay","ms":20,"times":1}"#,
        ] {
            let fault: Fault = serde_json::from_str(json).unwrap();
            let again: Fault =
                serde_json::from_str(&serde_json::to_string(&fault).unwrap()).unwrap();
            assert_eq!(fault.kind, again.kind, "{json}");
        }
    }
}
