//! What happens when the machine has no more threads: the call that needs one is refused, and others go
//! on.

use futures_executor::block_on;
use futures_util::stream;
use witrpc::{CallError, Mmf};
use witrpc_tests::conveyor::Fed;
use witrpc_tests::process::Child;
use witrpc_tests::roles::{Role, Without};
use witrpc_tests::site::{Address, Plan, ServerCommand, Site, Transport};
use witrpc_tests::watchdog::eventually_equal;

#[test]
fn a_server_without_threads_refuses_an_upload_that_needs_one_and_serves_all_others() {
    let site = Site::with_conveyor(Transport::Mmf, Plan::default());
    let (client, later, other) = (site.conveyor(), site.conveyor_later(), site.conveyor());
    assert_eq!(client.sum(0..10), Ok(45), "there is a thread at first");
    site.tell(ServerCommand::RefuseThreads);
    for _ in 0..20 {
        let refused =
            [client.sum(0..10), client.sum(0..), block_on(later.sum(stream::iter(0..10)))];
        for refused in refused {
            let error = refused.expect_err("there is no thread for it");
            assert!(matches!(error, CallError::ServerNoThread { .. }), "{error:?}");
            assert!(error.is_retryable() && !error.maybe_executed());
        }
        assert_eq!(other.running(), Ok(0), "others are served");
    }
    assert_eq!(other.fed(), Ok(Fed { whole: 1, broken: 0 }), "none of them was begun");
    eventually_equal("how many calls are unanswered", &0, || site.metrics().in_flight);
}

fn one_process_without_threads(address: Address) {
    let child = Child::start(&Role::Threadless { address });
    let without: Without = child.hear();
    let all_well = Without {
        client_refused: true,
        server_refused: true,
        needs_none: true,
        bystander: true,
        begun: 0,
    };
    assert_eq!(without, all_well);
}

#[test]
fn a_process_without_threads_refuses_what_needs_one_over_shared_memory() {
    one_process_without_threads(Address::unguessable());
}

#[test]
fn a_process_without_threads_refuses_what_needs_one_within_itself() {
    let name = Mmf::unguessable().name().to_owned();
    one_process_without_threads(Address::InProcess { name });
}
