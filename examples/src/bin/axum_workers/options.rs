//! The options of the command line.

use std::net::SocketAddr;
use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::Parser;

/// Makes thumbnails of PNG files over HTTP, in worker processes.
///
/// POST a file to /thumbnail?width=N; GET /workers lists the workers.
#[derive(Debug, Parser)]
#[command(name = "axum_workers")]
pub(crate) struct Options {
    /// The address to listen at; port 0 is any free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// The number of worker processes [default: one for each processor]
    #[arg(long, value_name = "N", default_value_t = processors(), hide_default_value = true)]
    pub(crate) workers: NonZero<usize>,

    /// The number of requests at a time; a further one is told to come back later
    #[arg(long, value_name = "N", default_value = "64")]
    pub(crate) requests: NonZero<u16>,

    /// The longest file, in bytes
    #[arg(long, value_name = "BYTES", default_value = "16777216")]
    pub(crate) longest: usize,

    /// How long a client may take to send its file, and a worker to shrink it
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    timeout: NonZero<u16>,

    /// How long requests may go on after SIGTERM or Ctrl-C
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    grace: u16,
}

impl Options {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.get().into())
    }

    pub(crate) fn grace(&self) -> Duration {
        Duration::from_secs(self.grace.into())
    }
}

fn processors() -> NonZero<usize> {
    available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Options;

    #[test]
    fn the_options_do_not_contradict_each_other() {
        Options::command().debug_assert();
    }
}
