//! Workers leave nothing behind. It is alone in its process, which counts its resources.

use rustix::process::{Pid, Signal, kill_process};
use witrpc::{Worker, WorkerState};
use witrpc_tests::basic::BasicClient;
use witrpc_tests::resources::{Resources, eventually_no_more};
use witrpc_tests::roles::Duty;
use witrpc_tests::watchdog::eventually_equal;

#[test]
fn workers_that_come_and_go_leave_nothing() {
    let cycle = |round: u32| {
        let worker = Worker::<BasicClient>::spawn(Duty::Serve.command()).unwrap();
        assert_eq!(worker.client().add(1, round.into()), Ok(1 + i64::from(round)));
        let WorkerState::Serving { pid } = worker.state() else { panic!("{worker:?}") };
        if round.is_multiple_of(2) {
            kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL).unwrap();
            worker.wait();
        }
        let exit = Duty::Exit(1, "oh".to_owned());
        Worker::<BasicClient>::spawn(exit.command()).expect_err("it does not serve");
    };
    // Everything that is made only once has been made then.
    cycle(0);
    let before = Resources::of_this_process();
    (1..20).for_each(cycle);
    eventually_no_more("this process", before, Resources::of_this_process);
    let own = format!("/proc/self/task/{}/children", std::process::id());
    eventually_equal("its children", &String::new(), || std::fs::read_to_string(&own).unwrap());
}
