//! The jobs that wait or run elsewhere: a server that ends drops them, and can name them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use witrpc_rt::lock;

use super::seats::Tenant;

/// The jobs of one server: tasks that have waited, and jobs that other threads run.
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

/// A task that has waited, as the thread that ends the server sees it.
pub trait WaitingTask: Send + Sync {
    /// Drops the job after the server has ended, unless a thread polls it and drops it afterwards.
    fn end(&self);
}

/// The entry of one job, which it leaves when this is dropped.
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
