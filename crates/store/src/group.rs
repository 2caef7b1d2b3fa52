//! The writes that share one transaction.

use std::collections::{BTreeSet, HashSet};

use bowline_domain::ids::LaneKey;

use crate::committer::{BUSY_FROM, Job, Source, Work, Writer, with_retries};
use crate::db::{Conn, Dialect};
use crate::error::StoreError;
use crate::handover::{Accepting, Orphan, Reply};
use crate::model::{Accepted, Committed, Decision, NewEvent, Settlement, TakenEffect, Verdict};
use crate::sql::{accept, decide, lanes, settle};
use crate::writes::Alone;

/// The jobs of one transaction, by kind; within a kind in the order of their arrival.
#[derive(Default)]
pub(crate) struct Group {
    accepts: Vec<Accepting>,
    decisions: Vec<(Decision, Reply<Committed>)>,
    settlements: Vec<(Settlement, Reply<Option<TakenEffect>>)>,
    /// Lanes that a decision or settlement of the group was made under. Each is there once: a
    /// worker that was fenced and its successor do not meet in one group.
    worked: HashSet<LaneKey>,
}

/// Where a job went.
pub(crate) enum Added {
    InGroup,
    /// It has to wait for the next group.
    NextGroup(Box<Job>),
    /// It gets a transaction of its own, after the group.
    Alone(Box<dyn Alone>),
}

/// The answers of a group, in the order of its jobs.
struct Answers {
    accepts: Vec<Accepted>,
    decisions: Vec<Result<Committed, StoreError>>,
    settlements: Vec<Option<TakenEffect>>,
}

impl Group {
    pub(crate) fn add(&mut self, job: Job) -> Added {
        let lane = match &job {
            Job::Decide(decision, _) => Some(&decision.lease.lane),
            Job::Settle(settlement, _) => Some(&settlement.lease.lane),
            _ => None,
        };
        if let Some(lane) = lane
            && !self.worked.insert(lane.clone())
        {
            return Added::NextGroup(Box::new(job));
        }
        match job {
            Job::Accept(accepting) => self.accepts.push(*accepting),
            Job::Decide(decision, reply) => self.decisions.push((decision, reply)),
            Job::Settle(settlement, reply) => self.settlements.push((settlement, reply)),
            Job::Alone(write) => return Added::Alone(write),
            Job::Tidy => {}
        }
        Added::InGroup
    }

    pub(crate) fn len(&self) -> usize {
        self.accepts.len() + self.decisions.len() + self.settlements.len()
    }

    /// Commits the group and answers.
    pub(crate) async fn commit(self, source: &mut Source, writer: &Writer) {
        if self.len() == 0 {
            return;
        }
        match self.attempt(source, writer).await {
            Ok(answers) if self.len() >= BUSY_FROM => source.hand_over(|| self.answer(answers)),
            Ok(answers) => self.answer(answers),
            // One write that the database cannot take must not fail its neighbours: each is tried
            // by itself. If it is the database that fails, trying each would only take longer.
            Err(error) if self.len() > 1 && error.is_about_one_write() => {
                for single in self.split() {
                    match single.attempt(source, writer).await {
                        Ok(answers) => single.answer(answers),
                        Err(error) => single.fail(writer, &error),
                    }
                }
            }
            Err(error) => self.fail(writer, &error),
        }
    }

    async fn attempt(&self, source: &mut Source, writer: &Writer) -> Result<Answers, StoreError> {
        with_retries(source, writer, &mut Attempt(self)).await
    }

    /// The lanes that are worked, and on PostgreSQL all others that will be touched. A group that
    /// only accepts touches its lanes in order anyway, and what is committed in one statement locks
    /// them by itself.
    fn lanes_to_lock(&self, conn: &Conn) -> BTreeSet<LaneKey> {
        if conn.dialect() == Dialect::Postgres && self.is_one_statement() {
            return BTreeSet::new();
        }
        let mut lanes: BTreeSet<LaneKey> = self.worked.iter().cloned().collect();
        if conn.dialect() == Dialect::Postgres && !lanes.is_empty() {
            lanes.extend(self.accepts.iter().map(|coming| coming.event.lane.clone()));
            for (decision, _) in &self.decisions {
                if let Verdict::Decided(decided) = &decision.verdict {
                    lanes.extend(
                        decided
                            .effects
                            .iter()
                            .map(bowline_domain::effect::Effect::lane),
                    );
                }
            }
        }
        lanes
    }

    /// Is it one delivery, of whose lane somebody wants to be told before it is durable?
    fn is_one_eager(&self) -> bool {
        self.len() == 1 && self.accepts.first().is_some_and(Accepting::is_eager)
    }

    /// Is all of it committed in one statement on PostgreSQL?
    fn is_one_statement(&self) -> bool {
        let decisions: Vec<&Decision> = self.decisions.iter().map(|(plan, _)| plan).collect();
        self.accepts.is_empty()
            && self.settlements.is_empty()
            && decide::plain(&decisions).1.is_empty()
    }

    fn answer(self, answers: Answers) {
        for (coming, answer) in self.accepts.into_iter().zip(answers.accepts) {
            coming.reply.send(Ok(answer));
        }
        for ((_, reply), answer) in self.decisions.into_iter().zip(answers.decisions) {
            reply.send(answer);
        }
        for ((_, reply), answer) in self.settlements.into_iter().zip(answers.settlements) {
            reply.send(Ok(answer));
        }
    }

    fn fail(self, writer: &Writer, error: &StoreError) {
        tracing::error!(%error, writes = self.len(), "writing failed");
        for coming in self.accepts {
            coming.reply.send(Err(error.clone()));
        }
        for (_, reply) in self.decisions {
            reply.send(Err(error.clone()));
        }
        for (settlement, reply) in self.settlements {
            // Its worker gives up. The lane is let go as soon as the database works, and what the
            // attempt came to is looked for then.
            writer.orphans.put([Orphan::One(settlement.lease)]);
            reply.send(Err(error.clone()));
        }
    }

    fn split(self) -> impl Iterator<Item = Self> {
        let single = |job: Job| {
            let mut group = Self::default();
            group.add(job);
            group
        };
        let accepts = self
            .accepts
            .into_iter()
            .map(|coming| Job::Accept(Box::new(coming)));
        let decisions = self
            .decisions
            .into_iter()
            .map(|(plan, reply)| Job::Decide(plan, reply));
        let settlements = self
            .settlements
            .into_iter()
            .map(|(end, reply)| Job::Settle(end, reply));
        accepts.chain(decisions).chain(settlements).map(single)
    }
}

/// One try at committing a group.
struct Attempt<'g>(&'g Group);

impl Work for Attempt<'_> {
    type Out = Answers;

    // Deliveries are stored by their names, and what locks lanes only reads.
    const BEGINS_WITH_FIRST: bool = true;

    async fn run(&mut self, conn: &mut Conn, writer: &Writer) -> Result<Answers, StoreError> {
        let Group {
            accepts,
            decisions,
            settlements,
            ..
        } = self.0;
        let events: Vec<&NewEvent> = accepts.iter().map(|coming| &coming.event).collect();
        let decisions: Vec<&Decision> = decisions.iter().map(|(plan, _)| plan).collect();
        let settlements: Vec<&Settlement> = settlements.iter().map(|(end, _)| end).collect();
        let holders = lanes::lock(conn, &self.0.lanes_to_lock(conn)).await?;
        Ok(Answers {
            accepts: accept::accept(conn, writer, &events, self.0.is_one_eager()).await?,
            decisions: decide::decide(conn, writer, &holders, &decisions).await?,
            settlements: settle::settle(conn, writer, &holders, &settlements).await?,
        })
    }

    fn nearly_done(&self, answers: &mut Answers) {
        if self.0.len() < BUSY_FROM {
            for (coming, answer) in self.0.accepts.iter().zip(&mut answers.accepts) {
                coming.tell_early(answer);
            }
        }
    }
}
