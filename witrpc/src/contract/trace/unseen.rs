//! Fields that a trace does not look into.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Visitor};

/// The name by which a trace knows such a field. Codecs do not show the names of newtypes.
pub const NAME: &str = "witrpc::unseen";

/// Reads a field as its type does, but hides it from what a server does before it starts and a client
/// before it connects: `#[serde(deserialize_with = "witrpc::unseen")]`.
///
/// Both learn the form of a type by deserializing made-up values. A `Deserialize` with side effects
/// would have them then, and one that panics would end a process that was built with
/// `panic = "abort"`. The `Deserialize` of a field with this attribute runs for real values only. So
/// nothing is known of the field: [`contract`](crate::Connection::contract) shows it as `?`, it is not
/// compared, and codecs that do not describe themselves do not carry it unless both sides
/// [allow that](crate::WitServerBuilder::allow_unverified_types). All other fields are compared.
///
/// For a whole argument or result, put it into a struct of one such field.
///
/// # Errors
///
/// Those of the field's `Deserialize`.
///
/// # Examples
///
/// ```
/// use serde::{Deserialize, Deserializer, Serialize};
/// use witrpc::wit_service;
///
/// /// Is counted whenever one is read.
/// #[derive(Serialize)]
/// struct Ticket(u32);
///
/// impl<'de> Deserialize<'de> for Ticket {
///     fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
///         println!("one more");
///         u32::deserialize(deserializer).map(Self)
///     }
/// }
///
/// #[derive(Serialize, Deserialize)]
/// struct Order {
///     count: u32,
///     #[serde(deserialize_with = "witrpc::unseen")]
///     ticket: Ticket,
/// }
///
/// #[wit_service]
/// trait Shop {
///     fn place(&self, order: Order) -> u32;
/// }
///
/// struct Counter;
///
/// impl Shop for Counter {
///     fn place(&self, order: Order) -> u32 {
///         order.count * order.ticket.0
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let shop = ShopClient::in_process(Counter);
/// assert!(shop.connection().contract().starts_with(
///     "place(order: Order { count: u32, ticket: ? }"
/// ));
/// assert_eq!(shop.place(Order { count: 2, ticket: Ticket(3) })?, 6);
/// # Ok(())
/// # }
/// ```
pub fn unseen<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_newtype_struct(NAME, Through(PhantomData))
}

/// Reads what is inside.
struct Through<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Through<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<T, D::Error> {
        T::deserialize(inner)
    }
}
