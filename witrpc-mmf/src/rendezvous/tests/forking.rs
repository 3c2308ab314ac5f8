//! What a forked child cannot do to its parent, and what it can do itself.

use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::memory::copy::Pages;
use crate::memory::region::{OwnPages, PeerPages};
use crate::sys::fd_closer::ReceivedFd;
use crate::sys::fork::{Descriptor, Origin};

use super::*;

/// Forks, runs `body` in the child, and checks that it returned `true` there.
fn in_fork(body: impl FnOnce() -> bool) {
    // SAFETY: the child runs only `body` and `_exit`; the process has no other thread that holds a
    // lock which `body` takes, as each test here runs alone in its process.
    in_child(unsafe { libc::fork() }, body);
}

fn in_child(pid: libc::pid_t, body: impl FnOnce() -> bool) {
    assert!(pid >= 0);
    if pid == 0 {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
        let code = if matches!(result, Ok(true)) { 0 } else { 1 };
        // SAFETY: ends the child without running the destructors of the parent's test.
        unsafe { libc::_exit(code) };
    }
    let (_, status) = waitpid(Pid::from_raw(pid), WaitOptions::empty()).unwrap().unwrap();
    assert_eq!(status.exit_status(), Some(0), "the child says what was wrong");
}

fn is_open(fd: i32) -> bool {
    fs::symlink_metadata(format!("/proc/self/fd/{fd}")).is_ok()
}

#[test]
fn a_child_knows_that_it_is_one_and_has_an_origin_of_its_own() {
    let test =
        "rendezvous::tests::forking::a_child_knows_that_it_is_one_and_has_an_origin_of_its_own";
    in_own_process(test, || {
        let parent = Origin::here();
        assert!(!parent.is_forked());
        in_fork(|| {
            assert!(parent.is_forked());
            let child = Origin::here();
            assert!(!child.is_forked() && parent.is_forked());
            in_fork(|| {
                assert!(child.is_forked() && parent.is_forked());
                !Origin::here().is_forked()
            });
            true
        });
        assert!(!parent.is_forked());
    });
}

#[test]
fn a_childs_drops_touch_nothing_of_the_parents() {
    let test = "rendezvous::tests::forking::a_childs_drops_touch_nothing_of_the_parents";
    in_own_process(test, || {
        drop_in_a_child(Backend::Native);
        drop_in_a_child(PORTABLE);
    });
}

fn drop_in_a_child(backend: Backend) {
    let scratch = Scratch::new();
    let limits = ServerLimits { backend, ..limits() };
    let mut server = Some(Server::start(&scratch.place(), limits));
    let options = ConnectOptions { backend, ..options() };
    let mut client = Some(connect(&name("calc"), &scratch.place(), &options).unwrap());
    let (id, connection) = server.as_ref().unwrap().next_connected();
    let mut connection = Some(connection);
    let other = Scratch::new();
    let mut claimed = Some(claim(&other.place()));
    let link = client.as_ref().unwrap().link.as_fd().as_raw_fd();
    let open = fs::read_dir("/proc/self/fd").unwrap().count();
    in_fork(|| {
        assert!(!is_open(link), "the handler closed it");
        // The numbers belong to other files now.
        let null: Vec<_> = (0..open).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        assert!(is_open(link));
        let server = server.take().unwrap();
        server.control.stop_accepting();
        server.control.close_link(id);
        server.control.shutdown();
        drop((server, client.take(), connection.take(), claimed.take()));
        for file in &null {
            assert!(is_open(file.as_raw_fd()), "nothing was closed by its number");
        }
        drop(null);
        // It can also be a client and a server of its own.
        drop(connect(&name("calc"), &scratch.place(), &options).expect("the parent serves"));
        drop(NameClaim::new(&name("child"), &scratch.place()).expect("the name is free"));
        assert_eq!(live_names(&other.place()).unwrap(), ["calc"]);
        true
    });
    assert_eq!(live_names(&scratch.place()).unwrap(), ["calc"]);
    assert_eq!(live_names(&other.place()).unwrap(), ["calc"]);
    let server = server.unwrap();
    let (child, _) = server.next_connected();
    server.expect_hung_up(child);
    // The parent's own connection stands, and its end is noticed at once.
    drop(client);
    server.expect_hung_up(id);
    server.end();
}

#[test]
fn regions_are_absent_in_a_child_whose_drops_unmap_nothing() {
    let test =
        "rendezvous::tests::forking::regions_are_absent_in_a_child_whose_drops_unmap_nothing";
    in_own_process(test, || {
        look_for_regions_in_a_child(Backend::Native);
        look_for_regions_in_a_child(PORTABLE);
    });
}

fn look_for_regions_in_a_child(backend: Backend) {
    let len = REGION_LEN;
    let made = OwnPages::make(backend, len).unwrap();
    let peer = PeerPages::open(backend, made.identity, made.file.map(ReceivedFd::new)).unwrap();
    let mut regions = Some((made.pages, peer));
    let is_mapped = |start: *const u8| {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        maps.lines().any(|line| {
            let (range, _) = line.split_once(' ').unwrap();
            let (first, end) = range.split_once('-').unwrap();
            let parse = |number| usize::from_str_radix(number, 16).unwrap();
            (parse(first)..parse(end)).contains(&start.addr())
        })
    };
    let starts =
        regions.as_ref().map(|(own, peer)| [own.start(), peer.start()].map(<*mut u8>::cast_const));
    let starts = starts.unwrap();
    assert!(starts.iter().all(|start| is_mapped(*start)));
    in_fork(|| {
        for start in starts {
            assert!(!is_mapped(start), "the region stayed behind");
            let flags = MapFlags::PRIVATE | MapFlags::FIXED_NOREPLACE;
            // SAFETY: the kernel refuses a range of which anything is mapped.
            unsafe { mmap_anonymous(start.cast_mut().cast(), len, ProtFlags::READ, flags) }
                .expect("nothing is there");
        }
        drop(regions.take());
        starts.iter().all(|start| is_mapped(*start))
    });
    drop(regions);
    assert!(!starts.iter().any(|start| is_mapped(*start)));
}

#[test]
fn a_child_of_a_bare_clone_touches_nothing_either() {
    let test = "rendezvous::tests::forking::a_child_of_a_bare_clone_touches_nothing_either";
    in_own_process(test, || {
        let scratch = Scratch::new();
        let mut claimed = Some(claim(&scratch.place()));
        // SAFETY: without a stack or further flags it is a `fork` that runs no handlers; otherwise
        // as in `in_fork`.
        let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
        in_child(pid as libc::pid_t, || {
            drop(claimed.take());
            true
        });
        assert_eq!(scratch.leftovers(), ["calc", "calc"]);
        assert_eq!(live_names(&scratch.place()).unwrap(), ["calc"]);
        drop(claimed);
        assert_eq!(scratch.leftovers(), [""; 0]);
    });
}

#[test]
fn more_descriptors_than_a_block_holds_are_closed_too() {
    let test = "rendezvous::tests::forking::more_descriptors_than_a_block_holds_are_closed_too";
    in_own_process(test, || {
        let null = fs::File::open("/dev/null").unwrap();
        let open = || Descriptor::open(|| rustix::io::fcntl_dupfd_cloexec(&null, 0)).unwrap();
        let many: Vec<_> = (0..700).map(|_| open()).collect();
        let numbers: Vec<_> = many.iter().map(|each| each.as_fd().as_raw_fd()).collect();
        in_fork(|| !numbers.iter().any(|fd| is_open(*fd)));
        assert!(numbers.iter().all(|fd| is_open(*fd)));
        drop(many);
        assert!(!numbers.iter().any(|fd| is_open(*fd)));
    });
}

#[test]
fn descriptors_opened_while_another_thread_forks_do_not_stay_open_in_the_child() {
    let test = "rendezvous::tests::forking::descriptors_opened_while_another_thread_forks_do_not_stay_open_in_the_child";
    in_own_process(test, || {
        let stop = AtomicBool::new(false);
        let null = fs::File::open("/dev/null").unwrap();
        let before = fs::read_dir("/proc/self/fd").unwrap().count();
        std::thread::scope(|scope| {
            let _stop = SetAtEnd(&stop);
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    drop(Descriptor::open(|| rustix::io::fcntl_dupfd_cloexec(&null, 0)).unwrap());
                }
            });
            for _ in 0..200 {
                in_fork(|| fs::read_dir("/proc/self/fd").unwrap().count() == before);
            }
        });
    });
}

#[test]
fn a_child_keeps_what_a_daemon_has_opened_in_place_of_what_it_closed() {
    let test = "rendezvous::tests::forking::a_child_keeps_what_a_daemon_has_opened_in_place_of_what_it_closed";
    in_own_process(test, || {
        let scratch = Scratch::new();
        let claimed = claim(&scratch.place());
        let listeners = claimed.listeners();
        let number = listeners[0].as_fd().as_raw_fd();
        // As after `closefrom` and the opening of a log.
        let log = fs::File::create(scratch.path().join("log")).unwrap();
        // SAFETY: the listener is not used any more, and is leaked below.
        assert_eq!(unsafe { libc::dup2(log.as_raw_fd(), number) }, number);
        in_fork(|| is_open(number));
        std::mem::forget((claimed, listeners));
    });
}

#[test]
fn no_descriptor_takes_the_place_of_a_standard_stream_that_is_closed() {
    let test = "rendezvous::tests::forking::no_descriptor_takes_the_place_of_a_standard_stream_that_is_closed";
    in_own_process(test, || {
        in_fork(|| {
            for fd in 0..3 {
                // SAFETY: nothing in this child uses the standard streams.
                unsafe { libc::close(fd) };
            }
            let scratch = Scratch::new();
            let server = Server::start(&scratch.place(), limits());
            let client = try_connect(&scratch.place()).expect("it is served");
            let (_, connection) = server.next_connected();
            let free = (0..3).all(|fd| !is_open(fd));
            drop((client, connection));
            server.control.shutdown();
            free
        });
    });
}
