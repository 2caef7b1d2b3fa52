//! Telling a story, step by step.

/// Tells what is done, and what is seen of it.
pub(super) struct Teller<'t> {
    say: &'t mut (dyn FnMut(&str) + Send),
    told: usize,
}

impl<'t> Teller<'t> {
    pub(super) fn new(say: &'t mut (dyn FnMut(&str) + Send)) -> Self {
        Self { say, told: 0 }
    }

    /// Something is done.
    pub(super) fn step(&mut self, text: &str) {
        self.told += 1;
        (self.say)(&format!("{:>2}. {text}", self.told));
    }

    /// It is seen on the far side.
    pub(super) fn seen(&mut self, text: &str) {
        (self.say)(&format!("    -> {text}"));
    }
}

/// What the simulated platform gave, or its refusal in words.
pub(super) fn done<T, E: std::fmt::Debug>(outcome: Result<T, E>) -> anyhow::Result<T> {
    outcome.map_err(|refusal| anyhow::anyhow!("the simulated platform refused: {refusal:?}"))
}
