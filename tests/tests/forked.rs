//! A fork without exec on either side: the child does not share what its parent holds.

use witrpc::{CallError, DisconnectReason};
use witrpc_tests::basic::{BasicClient, bytes_of, checksum};
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig, Transport};
use witrpc_tests::process::Child;
use witrpc_tests::roles::{Finding, ITEMS, Leases, Role};
use witrpc_tests::shared_memory::Seen;

#[test]
fn a_clients_forked_child_is_disconnected_and_can_connect_anew() {
    let fixture = Fixture::new(Transport::Mmf);
    let client = Child::start(&Role::ForkClient { address: fixture.address().clone() });
    let finding: Finding = client.hear();
    assert_eq!(finding.inherited, "Err(Disconnected(Forked))");
    assert_eq!(finding.own, "Ok(Ok(7))");
    let all = Leases { received: true, sent: true, unsent: true, refused: true };
    assert_eq!(finding.leases, all, "nothing is mapped there");
    // The child has dropped its copy of the client and of its leases, and ended.
    assert_eq!(client.hear::<Result<i64, String>>(), Ok(3), "the parent is still connected");
    let (intact, unsent, kept): (bool, Result<Seen, String>, Result<Seen, String>) = client.hear();
    assert!(intact, "the lease that the parent has received");
    let unsent = unsent.unwrap();
    assert_eq!(unsent.checksum, checksum(&bytes_of(10_000, 2)));
    assert!(unsent.in_place && !kept.unwrap().in_place, "the server still has the latter");
}

#[test]
fn a_followers_forked_child_gets_no_events_and_can_subscribe_anew() {
    let fixture = Fixture::with(
        Transport::Mmf,
        FixtureConfig { event_service: true, ..FixtureConfig::default() },
    );
    let client = Child::start(&Role::ForkFollower { address: fixture.address().clone() });
    let (inherited, own): (String, String) = client.hear();
    assert_eq!(inherited, "[Some(Ended(Disconnected(Forked))), None, None]");
    assert_eq!(own, "Some(Ok(5))");
    assert_eq!(client.hear::<u64>(), 7, "the parent's connection stands");
}

#[test]
fn a_readers_forked_child_leaves_the_streams_to_its_parent() {
    let fixture =
        Fixture::with(Transport::Mmf, FixtureConfig { streams: true, ..FixtureConfig::default() });
    let client = Child::start(&Role::ForkReader { address: fixture.address().clone() });
    let forked = "Some(Err(Disconnected(Forked)))";
    assert_eq!(client.hear::<[String; 2]>(), [forked, forked]);
    let last = format!("Some(Ok({}))", ITEMS - 1);
    assert_eq!(client.hear::<[String; 2]>(), [last.as_str(), &last], "the parent reads on");
}

#[test]
fn a_servers_forked_child_neither_holds_its_name_nor_hides_its_death() {
    let address = Address::unguessable();
    let mut server = Child::start(&Role::ForkServer { address: address.clone() });
    let () = server.hear();
    let client = BasicClient::connect(address.endpoint()).unwrap();
    assert_eq!(client.add(1, 2), Ok(3));
    server.tell(&());
    // From the child, which has dropped its copy of the server and lives on.
    assert_eq!(server.hear::<String>(), "[Forked, Forked]");
    assert_eq!(client.add(1, 2), Ok(3), "the parent serves on");
    assert_eq!(BasicClient::connect(address.endpoint()).unwrap().add(1, 2), Ok(3));
    let held = std::thread::spawn({
        let client = client.clone();
        move || client.hold(1, 1)
    });
    client.arrived(1, 1).unwrap();
    server.signal(rustix::process::Signal::KILL);
    assert_eq!(held.join().unwrap(), Err(CallError::PeerDied));
    let died = CallError::Disconnected(DisconnectReason::PeerDied);
    assert_eq!(client.add(1, 2), Err(died));
    let next = Fixture::at(address, FixtureConfig::default());
    assert_eq!(next.client().add(1, 2), Ok(3), "the name is free while the child still lives");
    drop(server);
}
