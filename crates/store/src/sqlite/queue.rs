//! What waits for a writer: plans, and checkpoints between them.

use crate::error::{ApplyError, StoreError};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::mpsc;
use tokio::sync::oneshot;

/// One plan that waits, and who waits for it.
pub(super) struct Submission<P, A> {
    pub(super) name: &'static str,
    pub(super) plan: P,
    pub(super) reply: Reply<A>,
}

/// How the answer gets back. Nobody may be waiting any more; the plan was applied all the same.
pub(super) enum Reply<A> {
    Task(oneshot::Sender<Result<A, ApplyError>>),
    Thread(mpsc::SyncSender<Result<A, ApplyError>>),
}

impl<A> Reply<A> {
    pub(super) fn send(self, answer: Result<A, ApplyError>) {
        match self {
            Self::Task(task) => drop(task.send(answer)),
            Self::Thread(thread) => drop(thread.send(answer)),
        }
    }
}

/// Whether the log was truncated; `false` when a reader was in the way.
pub(super) type CheckpointReply = mpsc::SyncSender<Result<bool, StoreError>>;

/// What the writer does next.
pub(super) enum Work<P, A> {
    Plans(Vec<Submission<P, A>>),
    Checkpoint(CheckpointReply),
    Stop,
}

/// Plans in the order in which they came.
pub(super) struct Queue<P, A> {
    waiting: Mutex<Waiting<P, A>>,
    filled: Condvar,
    group: usize,
}

struct Waiting<P, A> {
    plans: VecDeque<Submission<P, A>>,
    checkpoints: VecDeque<CheckpointReply>,
    closed: bool,
}

impl<P, A> Queue<P, A> {
    /// A queue that hands out at most `group` plans at once.
    pub(super) fn new(group: usize) -> Self {
        let waiting = Waiting { plans: VecDeque::new(), checkpoints: VecDeque::new(), closed: false };
        Self { waiting: Mutex::new(waiting), filled: Condvar::new(), group: group.max(1) }
    }

    /// Puts a plan at the end; once closed, answers it instead.
    pub(super) fn submit(&self, submission: Submission<P, A>) {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            drop(waiting);
            submission.reply.send(Err(ApplyError::Closed));
            return;
        }
        waiting.plans.push_back(submission);
        drop(waiting);
        self.filled.notify_one();
    }

    /// Asks for a checkpoint before the next plans; `false` once closed.
    pub(super) fn checkpoint(&self, reply: CheckpointReply) -> bool {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return false;
        }
        waiting.checkpoints.push_back(reply);
        drop(waiting);
        self.filled.notify_one();
        true
    }

    /// Waits for work. After [`Queue::close`] hands out what is left, then [`Work::Stop`].
    pub(super) fn next(&self) -> Work<P, A> {
        let mut waiting = self.waiting.lock();
        loop {
            if let Some(reply) = waiting.checkpoints.pop_front() {
                return Work::Checkpoint(reply);
            }
            if !waiting.plans.is_empty() {
                let count = waiting.plans.len().min(self.group);
                return Work::Plans(waiting.plans.drain(..count).collect());
            }
            if waiting.closed {
                return Work::Stop;
            }
            self.filled.wait(&mut waiting);
        }
    }

    /// Takes nothing more.
    pub(super) fn close(&self) {
        self.waiting.lock().closed = true;
        self.filled.notify_all();
    }

    /// Takes nothing more and drops what waits, whose callers see the store closed: for a writer that is gone.
    pub(super) fn abandon(&self) {
        let mut waiting = self.waiting.lock();
        waiting.closed = true;
        let plans = std::mem::take(&mut waiting.plans);
        waiting.checkpoints.clear();
        drop(waiting);
        for submission in plans {
            submission.reply.send(Err(ApplyError::Closed));
        }
    }
}
