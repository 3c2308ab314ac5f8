//! What is left to do when a server has ended: code of users, which the end does not wait for.

use std::sync::{Arc, Mutex};

use witrpc_rt::lock;
use witrpc_transport::ClientInfo;

use crate::pool::Pool;
use crate::rt::panics::catch;
use crate::stream::server::Remains;

use super::admission::ServerAdmission;

/// The hooks to be told, and the calls and tasks to be dropped, by one thread.
pub struct Farewell {
    pub pool: Arc<Pool>,
    pub door: Arc<ServerAdmission>,
    /// The clients that were connected.
    pub clients: Vec<ClientInfo>,
    /// What is left of their streams.
    pub remains: Mutex<Vec<Remains>>,
}

impl Farewell {
    /// Starts the thread, if there is anything to do. If the system refuses one, the calling thread
    /// does it.
    pub fn say(self) {
        let tells_hooks = self.door.has_hooks() && !self.clients.is_empty();
        let has_remains = lock(&self.remains).iter().any(|remains| !remains.is_empty());
        if !tells_hooks && !has_remains && !self.pool.has_tasks() {
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
        // The hooks first: a future whose drop blocks keeps no session untold.
        self.clients.iter().for_each(|client| self.door.say_left(client));
        let remains = std::mem::take(&mut *lock(&self.remains));
        let _ = catch(|| self.pool.drop_tasks());
        remains.into_iter().for_each(|each| drop(catch(|| drop(each))));
    }
}
