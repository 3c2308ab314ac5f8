//! Blocking calls: values, errors, panics, threads.

use std::path::{Path, PathBuf};
use std::thread;

use witrpc::{CallError, Codec, InProcess};

use crate::service::{Corner, DivideError, Order, Payment, Shop, ShopClient, serve};

/// A client of each codec.
fn clients() -> Vec<ShopClient> {
    let codecs = [
        Codec::Postcard,
        #[cfg(feature = "json")]
        Codec::Json,
        #[cfg(feature = "messagepack")]
        Codec::MessagePack,
    ];
    let place = InProcess::new();
    // Dropped with the test's process: the clients outlive this function.
    std::mem::forget(serve(&place, &Corner::default()));
    let client = |codec| ShopClient::builder(place.clone()).codec(codec).connect().unwrap();
    codecs.into_iter().map(client).collect()
}

#[test]
fn values_of_every_form_survive() {
    for shop in clients() {
        assert_eq!(shop.add(i64::MIN, 1), Ok(i64::MIN + 1));
        assert_eq!(shop.nothing(), Ok(()));
        let order = Order::example();
        assert_eq!(shop.order(order.clone()).as_ref(), Ok(&order));
        let parts = Order { paid: Payment::Parts(vec![1, -2]), ..order };
        assert_eq!(shop.order_by_ref(&parts), Ok(parts));
        assert_eq!(shop.shout("grüße\n\"\\"), Ok("GRÜSSE\n\"\\".to_owned()));
        assert_eq!(shop.parent(Path::new("/a/b")), Ok(Some(PathBuf::from("/a"))));
        assert_eq!(shop.parent(Path::new("/")), Ok(None));
    }
}

#[test]
fn raw_slices_and_vectors_survive_at_every_length() {
    for shop in clients() {
        assert_eq!(shop.mean(&[1.0, 2.0, 6.0]), Ok(3.0));
        assert_eq!(shop.interleave(&[1, 2], "x", &[300, 400], 2), Ok(vec![2, 2, 600, 4, 2, 800]));
        for len in [0, 1, 11, 12, 13, 100_000] {
            let numbers: Vec<u32> = (0..len).collect();
            let reversed: Vec<u32> = (0..len).rev().collect();
            assert_eq!(shop.reversed(numbers), Ok(reversed));
        }
        let numbers: Vec<u64> = (0..1000).collect();
        assert_eq!(shop.numbers(1000), Ok(numbers));
    }
}

#[test]
fn the_service_s_own_error_comes_back_as_its_type() {
    for shop in clients() {
        assert_eq!(shop.divide(7, 2), Ok(3));
        let by_zero = CallError::App(DivideError::ByZero { dividend: 7 });
        assert_eq!(shop.divide(7, 0), Err(by_zero));
        assert!(matches!(shop.numbers(0), Err(CallError::App(DivideError::ByZero { .. }))));
    }
}

#[test]
fn a_question_mark_widens_the_errors_of_other_methods() {
    fn half_of_sum(shop: &ShopClient) -> Result<i64, CallError<DivideError>> {
        let sum = shop.add(1, 3)?;
        shop.divide(sum, 0)
    }
    let shop = ShopClient::in_process(Corner::default());
    let expected = CallError::App(DivideError::ByZero { dividend: 4 });
    assert_eq!(half_of_sum(&shop), Err(expected));
}

#[test]
fn a_panic_comes_back_with_its_message_and_the_server_lives_on() {
    for shop in clients() {
        for message in ["the till is empty", ""] {
            let panicked = CallError::Panicked { message: message.to_owned() };
            assert_eq!(shop.panics(message.to_owned()), Err(panicked));
            assert_eq!(shop.add(1, 1), Ok(2));
        }
    }
}

#[test]
fn a_path_that_is_not_utf8_is_not_sent() {
    use std::os::unix::ffi::OsStrExt;
    let shop = ShopClient::in_process(Corner::default());
    let path = Path::new(std::ffi::OsStr::from_bytes(b"/\xFF"));
    let error = shop.parent(path).unwrap_err();
    assert!(matches!(&error, CallError::Encode { message } if message.contains("`path`")));
    assert!(!error.maybe_executed());
}

#[test]
fn an_answer_that_the_codec_cannot_carry_is_an_error_of_that_call() {
    for shop in clients() {
        let no_number = shop.mean(&[]);
        match shop.connection().codec() {
            #[cfg(feature = "json")]
            Codec::Json => assert!(matches!(no_number, Err(CallError::EncodeAnswer { .. }))),
            _ => assert!(no_number.unwrap().is_nan()),
        }
        assert_eq!(shop.mean(&[4.0]), Ok(4.0));
    }
}

#[test]
fn threads_that_share_a_client_get_their_own_answers() {
    let shop = ShopClient::in_process(Corner::default());
    thread::scope(|scope| {
        for thread in 0..8_i64 {
            let shop = shop.clone();
            scope.spawn(move || {
                for call in 0..200 {
                    let value = thread << 32 | call;
                    assert_eq!(shop.add(value, 0), Ok(value));
                    assert_eq!(shop.shout(&format!("t{value}")), Ok(format!("T{value}")));
                }
            });
        }
    });
    assert_eq!(shop.calls(), Ok(8 * 200));
}

#[test]
fn slow_handlers_delay_no_other_call() {
    let corner = Corner::default();
    let shop = ShopClient::in_process(corner.clone());
    thread::scope(|scope| {
        for value in 0..4 {
            let shop = &shop;
            scope.spawn(move || assert_eq!(shop.pass(value), Ok(value)));
        }
        corner.gate.await_waiting(4);
        for call in 0..100 {
            assert_eq!(shop.add(call, 1), Ok(call + 1));
        }
        corner.gate.open();
    });
}

#[test]
fn a_handler_can_call_a_service() {
    struct Proxy(ShopClient);

    #[witrpc::wit_service]
    trait Twice {
        fn twice(&self, a: i64) -> i64;
    }

    impl Twice for Proxy {
        fn twice(&self, a: i64) -> i64 {
            self.0.add(a, a).expect("the shop is open")
        }
    }

    let twice = TwiceClient::in_process(Proxy(ShopClient::in_process(Corner::default())));
    assert_eq!(twice.twice(21), Ok(42));
}

#[test]
fn a_service_without_async_methods_can_be_called_without_a_client() {
    assert_eq!(Corner::default().divide(6, 3), Ok(2));
}
