//! A trait extends another service: one server serves both, and a client of it is one step from the other.

use std::sync::Arc;

use witrpc::{ConnectError, InProcess, WitServer, wit_service};

mod base {
    #[witrpc::wit_service]
    pub trait Health {
        fn check(&self) -> bool;
        async fn deep_check(&self, level: u8) -> Result<u8, String>;
        #[wit(event)]
        fn failed(&self, why: &str);
    }

    #[witrpc::wit_service]
    pub trait RemoteClock: Send + Sync {
        fn now(&self) -> u64;
    }
}

use base::RemoteClock;

#[wit_service(extends(base::Health, base::RemoteClock))]
trait Agent: base::Health + RemoteClock + Sync {
    fn run(&self, command: &str) -> usize;
}

/// Extends what extends: one clock is served.
#[wit_service(extends(Agent, base::RemoteClock))]
trait Leader: Agent + RemoteClock {
    fn term(&self) -> u64;
}

#[derive(Clone, Copy)]
struct Node;

impl base::Health for Node {
    fn check(&self) -> bool {
        true
    }

    async fn deep_check(&self, level: u8) -> Result<u8, String> {
        Ok(level)
    }
}

impl RemoteClock for Node {
    fn now(&self) -> u64 {
        12
    }
}

impl Agent for Node {
    fn run(&self, command: &str) -> usize {
        command.len()
    }
}

impl Leader for Node {
    fn term(&self) -> u64 {
        3
    }
}

fn main() {
    let agent = AgentClient::in_process(Node);
    let health: base::HealthClient = agent.as_health().unwrap();
    assert_eq!((agent.run("ls"), health.check()), (Ok(2), Ok(true)));
    assert_eq!(health.deep_check(4), Ok(4));
    assert_eq!(agent.as_remote_clock().unwrap().now(), Ok(12));

    // Clients of the supertrait alone are served too, here with its events.
    let place = InProcess::new();
    let health = base::HealthServer::with_events(|events| {
        events.failed("it is old").unwrap();
        Node
    });
    let leader = LeaderServer::from_arc(Arc::new(Node));
    let server = WitServer::builder().listen(place.clone()).service(health).service(leader);
    let _server = server.start().unwrap();
    assert_eq!(base::RemoteClockClient::connect(place.clone()).unwrap().now(), Ok(12));
    let leader = LeaderClient::connect(place).unwrap();
    assert_eq!(leader.as_agent().unwrap().as_health().unwrap().check(), Ok(true));

    let alone = AgentClient::connect({
        let place = InProcess::new();
        let server = WitServer::builder().listen(place.clone());
        std::mem::forget(server.service(base::HealthServer::from_arc(Arc::new(Node))).start());
        place
    });
    assert!(matches!(alone, Err(ConnectError::UnknownService { .. })));
}

#[expect(dead_code)]
async fn of_async_clients(agent: &AgentAsyncClient) -> Result<bool, Box<dyn std::error::Error>> {
    let health: base::HealthAsyncClient = agent.as_health().await?;
    Ok(health.check().await?)
}
