//! The jobs that wait or run elsewhere: what a server that ends lets go of, and can name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use witrpc_rt::lock;

use super::seats::Tenant;

/// Those of one server: tasks that have waited, and jobs that other threads run.
#[derive(Clone, Default)]
pub struct Jobs(Arc<Mutex<JobsState>>);

#[derive(Default)]
struct JobsState {
    last: u64,
    entries: HashMap<u64, JobEntry>,
}

struct JobEntry {
    tenant: Tenant,
    /// Empty for a job that is not the pool's to drop.
    task: Option<Weak<dyn WaitingTask>>,
}

/// A task that has waited, to whoever ends the server.
pub trait WaitingTask: Send + Sync {
    /// The server has ended: drops the job, unless a thread polls it and will.
    fn end(&self);
}

/// A job among them, until this is dropped.
pub struct Enlisted {
    jobs: Jobs,
    number: u64,
}

impl Jobs {
    pub fn enlist(&self, tenant: Tenant, task: Option<Weak<dyn WaitingTask>>) -> Enlisted {
        let mut state = lock(&self.0);
        state.last += 1;
        let number = state.last;
        state.entries.insert(number, JobEntry { tenant, task });
        drop(state);
        Enlisted { jobs: self.clone(), number }
    }

    pub fn tenants(&self) -> Vec<Tenant> {
        lock(&self.0).entries.values().map(|entry| entry.tenant).collect()
    }

    pub fn tasks(&self) -> Vec<Weak<dyn WaitingTask>> {
        lock(&self.0).entries.values().filter_map(|entry| entry.task.clone()).collect()
    }
}

impl Drop for Enlisted {
    fn drop(&mut self) {
        let entry = lock(&self.jobs.0).entries.remove(&self.number);
        drop(entry);
    }
}
