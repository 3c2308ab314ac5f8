//! What is left to do when a server has ended: code of users, which the end does not wait for.

use std::sync::Arc;

use crate::transport::ClientInfo;

use super::admission::Door;
use super::panics::catch;
use super::pool::Pool;

/// The tasks to be dropped and the hooks to be told, by one thread.
pub(super) struct Farewell {
    pub(super) pool: Arc<Pool>,
    pub(super) door: Arc<Door>,
    /// The clients that were connected.
    pub(super) clients: Vec<ClientInfo>,
}

impl Farewell {
    /// Starts the thread, if there is anything to do. If the system refuses one, the calling thread
    /// does it.
    pub(super) fn say(self) {
        let tells_hooks = self.door.has_hooks() && !self.clients.is_empty();
        if !tells_hooks && !self.pool.has_tasks() {
            return;
        }
        let work = Arc::new(self);
        let theirs = Arc::clone(&work);
        let run = move || theirs.run();
        if work.pool.threads().spawn("witrpc-end".to_owned(), run).is_err() {
            work.run();
        }
    }

    fn run(&self) {
        let _ = catch(|| self.pool.drop_tasks());
        self.clients.iter().for_each(|client| self.door.say_left(client));
    }
}
