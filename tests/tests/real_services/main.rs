//! Services with the shape of public ones: each starts with the default builder, and every value of
//! every type arrives as it was sent, over each codec that the service is served over.

#![allow(
    clippy::box_collection,
    clippy::enum_variant_names,
    clippy::too_many_arguments,
    reason = "types and methods are as the authors of such services write them"
)]

mod chain;
mod collection;
mod container;
mod counter;
mod daemon;
mod desk;
mod desktop;
mod displays;
mod files;
mod filesystem;
mod frontend;
mod host;
mod objects;
mod plugin;
mod pubsub;
mod sandbox;
mod sandboxed;
mod settings;
mod state;
mod steps;
mod terminals;
mod vault;
mod windows;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::iter;
use std::time::{Duration, SystemTime};

use arbitrary::{Arbitrary, Unstructured};
use fastrand::Rng;
use serde_json::Value;
use witrpc::{Codec, ConnectError};

use desk::{Desk, events_come};

/// How many values are made up for each method and codec. `WITRPC_MADE_UP_VALUES` asks for more.
const VALUES: usize = 50;

/// Returns made-up values, the same at each run.
fn made_up<T: for<'a> Arbitrary<'a>>() -> impl Iterator<Item = T> {
    let asked = std::env::var("WITRPC_MADE_UP_VALUES");
    let values = asked.map_or(VALUES, |values| values.parse().expect("it is a number"));
    let mut rng = Rng::with_seed(1);
    let value = move || {
        let mut bytes = vec![0; rng.usize(..300)];
        rng.fill(&mut bytes);
        // A `NonZero` cannot be made of every byte.
        T::arbitrary(&mut Unstructured::new(&bytes))
    };
    iter::repeat_with(value).flatten().take(values)
}

/// Sends made-up values, each of which is to come back.
fn all_come_back<T, E: Debug>(codec: Codec, echo: impl Fn(T) -> Result<T, E>)
where
    T: for<'a> Arbitrary<'a> + Clone + PartialEq + Debug,
{
    for value in made_up::<T>() {
        match echo(value.clone()) {
            Ok(back) => assert_eq!(back, value, "over {codec}"),
            Err(error) => panic!("{error:?}, over {codec}: {value:?}"),
        }
    }
}

/// Serves `service` with the defaults, and calls it over each codec.
///
/// Without a codec, the client takes `quickest`. A codec that is left out is refused with a reason that
/// says `unfit`.
macro_rules! over_each_codec {
    ($client:path, $service:expr, quickest $quickest:expr, unfit $unfit:expr, $check:expr) => {{
        let place = witrpc::Mmf::unguessable();
        let _server =
            witrpc::WitServer::builder().listen(place.clone()).service($service).start().unwrap();
        assert_eq!(<$client>::connect(place.clone()).unwrap().connection().codec(), $quickest);
        for codec in witrpc_tests::CODECS {
            match <$client>::builder(place.clone()).codec(codec).connect() {
                Ok(client) => $check(codec, &client),
                Err(error) => crate::is_unfit(&error, codec, $unfit),
            }
        }
    }};
}
use over_each_codec;

/// Checks that a client that asks for a codec learns why it is left out.
fn is_unfit(error: &ConnectError, codec: Codec, unfit: &[(Codec, &str)]) {
    let why = unfit.iter().find(|(left_out, _)| *left_out == codec).map(|(_, why)| *why);
    let why = why.unwrap_or_else(|| panic!("{codec} is refused: {error}"));
    assert!(matches!(error, ConnectError::CodecRefused { .. }), "{error:?}");
    assert!(error.to_string().contains(why), "{error}");
}

/// A JSON value other than null, which is refused in a `Some`.
fn some_value(u: &mut Unstructured<'_>) -> arbitrary::Result<Option<Value>> {
    Ok(Some(json(u, 3)?).filter(|value| !value.is_null()))
}

fn json(u: &mut Unstructured<'_>, depth: usize) -> arbitrary::Result<Value> {
    Ok(match u.int_in_range(0..=if depth == 0 { 4 } else { 6 })? {
        0 => Value::Null,
        1 => bool::arbitrary(u)?.into(),
        2 => i64::arbitrary(u)?.into(),
        3 => u64::arbitrary(u)?.into(),
        4 => String::arbitrary(u)?.into(),
        5 => vec![json(u, depth - 1)?, json(u, depth - 1)?].into(),
        _ => {
            let entry = (String::arbitrary(u)?, json(u, depth - 1)?);
            Value::Object(BTreeMap::from([entry]).into_iter().collect())
        }
    })
}

/// A number with a fraction that every codec writes exactly.
fn finite<T: From<f32>>(u: &mut Unstructured<'_>) -> arbitrary::Result<T> {
    Ok((f32::from(i16::arbitrary(u)?) / 8.0).into())
}

/// A text that may be borrowed.
fn text(u: &mut Unstructured<'_>) -> arbitrary::Result<Cow<'static, str>> {
    Ok(String::arbitrary(u)?.into())
}

/// A time that every codec carries.
fn time(u: &mut Unstructured<'_>) -> arbitrary::Result<SystemTime> {
    Ok(SystemTime::UNIX_EPOCH
        + Duration::new(u32::arbitrary(u)?.into(), u.int_in_range(0..=999_999_999)?))
}
