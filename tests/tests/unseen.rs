//! Types whose `Deserialize` has side effects, or panics, when values are made up for it.

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use serde::{Deserialize, Deserializer, Serialize};
use witrpc::{BindError, Codec, ConnectError, Endpoint, InProcess, Mmf, WitServer, wit_service};

fn places() -> [Endpoint; 2] {
    [Mmf::unguessable().into(), InProcess::new().into()]
}

/// Defines numbers that count how often they are read.
macro_rules! counted {
    ($($name:ident $count:ident)*) => {$(
        static $count: AtomicUsize = AtomicUsize::new(0);

        /// Counts how often one is read.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        pub struct $name(u32);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $count.fetch_add(1, SeqCst);
                u32::deserialize(from).map(Self)
            }
        }
    )*};
}

counted! {
    Hidden HIDDEN
    Open OPEN
}

/// Has a field that no trace looks into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Comes before it.
    pub count: u32,
    /// Is not looked at.
    #[serde(deserialize_with = "witrpc::unseen")]
    pub hidden: Hidden,
    /// Comes after it.
    pub rest: Vec<u8>,
}

/// Takes orders.
#[wit_service]
pub trait Shop {
    /// Returns it.
    fn place(&self, order: Order) -> Order;
}

struct Desk;

impl Shop for Desk {
    fn place(&self, order: Order) -> Order {
        order
    }
}

#[test]
fn a_field_that_is_hidden_is_read_for_real_values_only() {
    let order = || Order { count: 2, hidden: Hidden(7), rest: vec![1, 2] };
    for place in places() {
        let server = |builder: witrpc::WitServerBuilder| {
            builder.listen(place.clone()).service(ShopServer::new(Desk)).start()
        };
        match server(WitServer::builder().codecs([Codec::Postcard])) {
            Err(BindError::UnverifiedType { part, reason, .. }) => {
                let field = "field `hidden` of `Order`";
                assert_eq!(part, format!("argument `order`: {field}, the result: {field}"));
                assert!(reason.contains("`witrpc::unseen`"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
        let _server = server(WitServer::builder().allow_unverified_types(true)).unwrap();
        let shop = || ShopClient::builder(place.clone());
        let refused = shop().codec(Codec::Postcard).connect();
        assert!(matches!(refused, Err(ConnectError::UnverifiedType { .. })), "{refused:?}");
        let postcard = shop().codec(Codec::Postcard).allow_unverified_types(true);
        let clients = [postcard.connect().unwrap(), shop().codec(Codec::Json).connect().unwrap()];
        assert_eq!(HIDDEN.swap(0, SeqCst), 0, "no real value has been read");
        for client in clients {
            let contract = client.connection().contract();
            let shown = "Order { count: u32, hidden: ?, rest: [u8] }";
            assert!(contract.contains(shown), "{contract}");
            assert_eq!(client.place(order()), Ok(order()));
            assert_eq!(HIDDEN.swap(0, SeqCst), 2, "an argument and a result have been read");
        }
    }
}

/// Takes the type that is counted.
#[wit_service]
pub trait First {
    /// Returns it.
    fn first(&self, open: Open) -> Open;
}

/// Takes it too.
#[wit_service]
pub trait Second {
    /// Returns it.
    fn second(&self, open: Open) -> Open;
}

impl First for Desk {
    fn first(&self, open: Open) -> Open {
        open
    }
}

impl Second for Desk {
    fn second(&self, open: Open) -> Open {
        open
    }
}

#[test]
fn a_type_is_traced_once_a_process() {
    let (first, second) = (InProcess::new(), InProcess::new());
    let builder = WitServer::builder().listen(first.clone()).service(FirstServer::new(Desk));
    let _first = builder.start().unwrap();
    assert_ne!(OPEN.swap(0, SeqCst), 0, "it has been traced");
    let builder = WitServer::builder().listen(second.clone()).service(SecondServer::new(Desk));
    let _second = builder.service(FirstServer::new(Desk)).start().unwrap();
    let _clients = (FirstClient::connect(first).unwrap(), SecondClient::connect(second).unwrap());
    assert_eq!(OPEN.load(SeqCst), 0, "it has been traced again");
}

/// Panics when it is read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bomb(u32);

impl<'de> Deserialize<'de> for Bomb {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        u32::deserialize(from)?;
        panic!("a bomb")
    }
}

/// Takes bombs.
#[wit_service]
pub trait Store {
    /// The number behind the bomb is not reached.
    fn put(&self, bomb: (Bomb, u64));
}

impl Store for Desk {
    fn put(&self, _: (Bomb, u64)) {}
}

#[test]
fn a_type_that_panics_is_named_and_the_panic_hook_stays() {
    static TOLD: AtomicUsize = AtomicUsize::new(0);
    let former = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let is_bomb = info.payload().downcast_ref::<&str>() == Some(&"a bomb");
        TOLD.fetch_add(usize::from(is_bomb), SeqCst);
        if !is_bomb {
            former(info);
        }
    }));
    let service = StoreServer::new(Desk);
    let builder = WitServer::builder().listen(InProcess::new()).codecs([Codec::Postcard]);
    match builder.service(service).start() {
        Err(BindError::UnverifiedType { method, part, reason, .. }) => {
            assert_eq!((method.as_str(), part.as_str()), ("put", "argument `bomb`"));
            assert!(reason.contains("`(Bomb, u64)` panics"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert_ne!(TOLD.load(SeqCst), 0, "the program's own hook was told");
}
