//! The user code that runs when clients leave: hooks are called, and items that no method has taken are
//! dropped. The hooks that hear of the server's name run here too. It may take long, or panic. So a dedicated thread runs it, not the threads of a transport, and not
//! those that end a server.
//!
//! # Invariants
//!
//! 1. The thread takes one [`Parting`] after the other, in the order in which the clients left. A hook is
//!    called for a client's arrival before that client is listed, and so before its parting.
//! 2. The thread is started with the first parting, and stays until the server has ended and nothing is left.
//!    If the machine refuses it, the next parting tries again. At the end the threads of the pool do what is
//!    left. Each looks when it ends, which happens only after the server has stopped, and so after the end has
//!    arrived here.
//! 3. The tasks of a server that has ended are dropped by a separate thread, or by a thread of the pool that
//!    ends first. So no hook that waits delays them.
//! 4. Only a shutdown waits for the thread, until its time is over. While [`MAX_WAITING`] clients wait for it,
//!    no new one is let in.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

use witrpc_rt::{lock, wait_until};
use witrpc_transport::{ClientInfo, NameChange};

use crate::call::server::hook_call::Hooks;
use crate::pool::Pool;
use crate::pool::running::RunningMethod;
use crate::rt::Threads;
use crate::rt::panics::catch;
use crate::stream::server::Remains;

use super::user_code::UserCode;

/// How many clients may wait for the hooks to be called. Beyond that, no new client is let in.
pub const MAX_WAITING: usize = 1024;

/// The names under which this code is listed.
const JOINED: &str = "ServerHook::joined";
const LEFT: &str = "ServerHook::left";
const NAME: &str = "ServerHook::name_changed";
const DROP: &str = "drop_unread_items";

/// The arrivals and departures of one server's clients, as user code sees them.
pub struct Farewell {
    hooks: Option<Arc<Hooks>>,
    user_code: UserCode,
    threads: Threads,
    state: Mutex<FarewellState>,
    changed: Condvar,
}

#[derive(Default)]
struct FarewellState {
    waiting: VecDeque<Parting>,
    /// Set while a thread takes what waits.
    is_served: bool,
    /// The pool whose tasks remain to be dropped, once the server has ended.
    ended_pool: Option<Arc<Pool>>,
    has_ended: bool,
}

/// The work that is left when clients have gone.
enum Parting {
    Client(ClientInfo, Remains),
    /// The name of the server has changed.
    Name(NameChange),
    /// All clients that were connected when the server ended.
    All(Vec<(ClientInfo, Remains)>),
}

impl Farewell {
    pub fn new(hooks: Option<Arc<Hooks>>) -> Arc<Self> {
        let (user_code, threads, state, changed) = Default::default();
        Arc::new(Self { hooks, user_code, threads, state, changed })
    }

    /// Calls the hooks for a client that arrives, on this thread.
    pub fn joined(&self, client: &ClientInfo) {
        if let Some(hooks) = &self.hooks {
            self.user_code.run(JOINED, client.id, || hooks.joined(client));
        }
    }

    /// Calls the hooks for a client that has gone, on this thread.
    pub fn say_left(&self, client: &ClientInfo) {
        if let Some(hooks) = &self.hooks {
            self.user_code.run(LEFT, client.id, || hooks.left(client));
        }
    }

    /// Queues the work for a client that has gone.
    pub fn part(self: &Arc<Self>, client: &ClientInfo, remains: Remains) {
        if self.hooks.is_some() || !remains.is_empty() {
            self.lock().waiting.push_back(Parting::Client(client.clone(), remains));
            self.serve();
        }
    }

    /// Queues the call of the hooks for what has become of the name.
    pub fn name_changed(self: &Arc<Self>, change: NameChange) {
        if self.hooks.is_some() {
            self.lock().waiting.push_back(Parting::Name(change));
            self.serve();
        }
    }

    /// Queues the work for the end of the server: these clients, and the tasks of the pool.
    pub fn end(self: &Arc<Self>, pool: &Arc<Pool>, clients: Vec<(ClientInfo, Remains)>) {
        if pool.has_tasks() {
            self.lock().ended_pool = Some(Arc::clone(pool));
            let farewell = Arc::clone(self);
            // If the machine refuses it, a thread of the pool does the work.
            let _ = self.threads.spawn("witrpc-end".to_owned(), move || farewell.drop_tasks());
        }
        let has_work = |remains: &Remains| self.hooks.is_some() || !remains.is_empty();
        if clients.iter().any(|(_, remains)| has_work(remains)) {
            self.lock().waiting.push_back(Parting::All(clients));
        }
        self.close();
        self.serve();
    }

    fn drop_tasks(&self) {
        let ended_pool = self.lock().ended_pool.take();
        // The last owner of the pool drops the services of users.
        let _ = catch(|| ended_pool.map(|pool| pool.drop_tasks()));
    }

    /// Notes that nothing more is queued.
    pub fn close(&self) {
        self.lock().has_ended = true;
        self.changed.notify_all();
    }

    /// Starts a thread for what waits, if the machine has one.
    pub fn serve(self: &Arc<Self>) {
        self.changed.notify_all();
        if !self.begin() {
            return;
        }
        let farewell = Arc::clone(self);
        if self
            .threads
            .spawn("witrpc-farewell".to_owned(), move || farewell.work(|state| state.has_ended))
            .is_err()
        {
            self.lock().is_served = false;
        }
    }

    /// Does what waits on this thread, if no other thread does it.
    pub fn take_over(&self) {
        self.drop_tasks();
        if self.begin() {
            self.work(|_| true);
        }
    }

    /// Returns whether the limit of waiting clients is reached.
    pub fn is_full(&self) -> bool {
        self.lock().waiting.len() >= MAX_WAITING
    }

    /// Returns the user code that runs now.
    pub fn running(&self) -> Vec<RunningMethod> {
        self.user_code.running()
    }

    /// Waits until the thread has ended or the time is over. Returns whether it has ended.
    pub fn join(&self, until: Option<Instant>) -> bool {
        self.threads.join(until)
    }

    /// Returns whether the caller must start a thread for what waits.
    fn begin(&self) -> bool {
        let mut state = self.lock();
        let begins = !state.is_served && !state.waiting.is_empty();
        state.is_served |= begins;
        begins
    }

    /// Does what waits, until nothing is left and `is_over`.
    fn work(&self, is_over: fn(&FarewellState) -> bool) {
        while let Some(parting) = self.next(is_over) {
            let _ = catch(|| self.say(parting));
        }
    }

    fn next(&self, is_over: fn(&FarewellState) -> bool) -> Option<Parting> {
        let is_ready = |state: &FarewellState| !state.waiting.is_empty() || is_over(state);
        let (mut state, _) = wait_until(&self.changed, self.lock(), None, is_ready);
        let next = state.waiting.pop_front();
        state.is_served = next.is_some();
        next
    }

    fn say(&self, parting: Parting) {
        match parting {
            Parting::Client(client, remains) => {
                self.drop_remains(&client, remains);
                self.say_left(&client);
            }
            Parting::Name(change) => {
                if let Some(hooks) = &self.hooks {
                    self.user_code.run(NAME, 0, || hooks.name_changed(&change));
                }
            }
            Parting::All(clients) => {
                // The hooks come first: an item whose drop blocks must not delay them.
                clients.iter().for_each(|(client, _)| self.say_left(client));
                clients.into_iter().for_each(|(client, rest)| self.drop_remains(&client, rest));
            }
        }
    }

    fn drop_remains(&self, client: &ClientInfo, remains: Remains) {
        remains.drop_each(|drop_one| self.user_code.run(DROP, client.id, drop_one));
    }

    fn lock(&self) -> MutexGuard<'_, FarewellState> {
        lock(&self.state)
    }
}
