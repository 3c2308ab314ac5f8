//! How many threads run for each client, and which of these clients have gone.

/// The clients of a server, as its pool sees them.
pub trait Clients: Send + Sync {
    /// Marks each of these that has gone, and returns how many clients are connected.
    fn look_up(&self, served: &mut [Served]) -> u64;

    /// Returns whether that client is connected.
    fn is_connected(&self, client: u64) -> bool;

    /// Does the work that is left for clients that have gone. Called on a thread of the pool that ends.
    fn thread_ends(&self) {}
}

/// A client for which threads run.
#[derive(Debug)]
pub struct Served {
    pub client: u64,
    pub has_gone: bool,
    pub threads: u32,
}

/// The result of one walk over the seats. Its memory serves the next one.
#[derive(Debug, Default)]
pub struct Census {
    /// Sorted by client.
    served: Vec<Served>,
    /// How many clients are connected.
    pub connected: u64,
}

impl Census {
    /// Counts the seats, given the clients of those that are taken.
    pub fn take(&mut self, seated: impl Iterator<Item = u64>, clients: &dyn Clients) {
        let each = seated.map(|client| Served { client, has_gone: false, threads: 1 });
        self.served.clear();
        self.served.extend(each);
        self.served.sort_unstable_by_key(|served| served.client);
        self.served.dedup_by(|same, kept| {
            let is_same = same.client == kept.client;
            kept.threads += if is_same { same.threads } else { 0 };
            is_same
        });
        self.connected = clients.look_up(&mut self.served);
    }

    /// Returns how many threads run for clients that have gone.
    pub fn left_behind(&self) -> u32 {
        self.served.iter().filter(|served| served.has_gone).map(|served| served.threads).sum()
    }

    /// Returns the entry of a client, if threads run for it.
    pub fn of(&self, client: u64) -> Option<&Served> {
        let place = self.served.binary_search_by_key(&client, |served| served.client);
        place.ok().map(|place| &self.served[place])
    }
}
