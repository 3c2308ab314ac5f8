//! The events that ring a poller, and what it sees then.

use super::*;

#[test]
fn a_request_rings_once_for_a_poller_that_went_to_sleep() {
    let place = InProcess::new();
    let port = bind(&place);
    let client = connect(&place);
    let mut scanner = port.scanner();
    let mut nothing = serve_by(|_, _| ControlFlow::Continue(()));
    assert!(!scanner.turn(None, &mut nothing));
    assert!(!scanner.request_wakeup(None));
    client.try_send(small(1)).unwrap().unwrap();
    port.park(None);
    assert!(scanner.turn(None, &mut nothing));

    assert!(!scanner.request_wakeup(None));
    client.try_send(small(2)).unwrap().unwrap();
    assert!(scanner.request_wakeup(None), "there is something to do");
    assert!(!scanner.turn(Some(&|_, _| false), &mut nothing));
    assert!(
        !scanner.request_wakeup(Some(&|_, _| false)),
        "what may not be taken is no reason to stay awake"
    );

    client.try_send(small(3)).unwrap().unwrap();
    let mut taken = Vec::new();
    let mut take = serve_by(|_, request| {
        taken.push(request.tag);
        ControlFlow::Continue(())
    });
    assert!(scanner.turn(Some(&|_, tag| tag == 3), &mut take));
    assert!(!scanner.turn(Some(&|_, tag| tag == 3), &mut take));
    assert!(scanner.turn(None, &mut take));
    drop(take);
    assert_eq!(taken, [3, 2], "those that wait are left in their order");
}

#[test]
fn a_request_behind_a_slow_handler_rings_for_help() {
    let place = InProcess::new();
    let port = bind(&place);
    let client = connect(&place);
    client.try_send(small(1)).unwrap().unwrap();
    let mut helped = Vec::new();
    port.scanner().turn(
        None,
        &mut serve_by(|_, _| {
            client.try_send(small(2)).unwrap().unwrap();
            thread::scope(|scope| {
                scope.spawn(|| {
                    port.park(None);
                    helped.extend(take(&port).into_iter().map(|(_, request)| request.tag));
                });
            });
            ControlFlow::Break(())
        }),
    );
    assert_eq!(helped, [2]);
}

#[test]
fn a_stand_by_looks_again_while_a_handler_is_slow() {
    let place = InProcess::new();
    let port = bind(&place);
    let client = connect(&place);
    client.try_send(small(1)).unwrap().unwrap();
    port.scanner().turn(
        None,
        &mut serve_by(|_, _| {
            client.try_send(small(2)).unwrap().unwrap();
            // The first ring wakes it. A ring that came too early must not be the last.
            port.park(None);
            port.park(None);
            ControlFlow::Break(())
        }),
    );
    assert_eq!(take(&port).len(), 1);
}
