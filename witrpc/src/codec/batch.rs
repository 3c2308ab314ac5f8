//! Batches: many items of a stream in one message.
//!
//! A batch is the number of its items, then the items. Plain numbers are one raw section, `Vec`s of
//! numbers are a raw section each, and all others are encoded values.

use std::collections::VecDeque;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::body::MAX_SECTIONS;
use super::decode::Decoder;
use super::encode::Encoder;
use super::error::{DecodeError, DecodeFault, EncodeError};
use super::plain::is_plain_vec;
use super::{Codec, plain};

/// The bytes of items that wait on either side of a stream before the producer must wait. The item
/// that reaches this limit still belongs to the batch.
pub const WINDOW_BYTES: usize = 64 << 10;

/// The most items of a batch: each counts as at least one byte.
const MAX_ITEMS: usize = WINDOW_BYTES;

/// Items that wait to be sent.
pub struct Batch<T> {
    store: Store<T>,
    /// The counted bytes of all items.
    bytes: usize,
}

enum Store<T> {
    /// Plain numbers, in one section.
    Numbers(Vec<T>),
    /// A `Vec` of plain numbers for each item.
    Vecs(VecDeque<T>),
    /// Encoded items, one after the other, in the codec's format.
    Encoded { bytes: Vec<u8>, items: VecDeque<EncodedItem> },
}

/// One encoded item.
struct EncodedItem {
    /// Its length in bytes.
    len: usize,
    /// The bytes that it counts as.
    counts: usize,
}

/// A prepared item: all user code that it needs has run.
pub enum Piece<T> {
    Plain {
        item: T,
        len: usize,
    },
    /// An encoded item. It counts as at least one byte for each element that it has.
    Encoded {
        bytes: Vec<u8>,
        len: usize,
    },
}

/// A function that prepares an item that is not plain.
pub type EncodeItem<T> = fn(&T, Codec) -> Result<Piece<T>, EncodeError>;

/// Prepares an item that serde carries: the [`EncodeItem`] of such a type.
pub fn encode_item<T: Serialize + 'static>(
    item: &T,
    codec: Codec,
) -> Result<Piece<T>, EncodeError> {
    encode_as(item, codec)
}

/// Prepares an item that is encoded as another value.
pub fn encode_as<T>(item: &impl Serialize, codec: Codec) -> Result<Piece<T>, EncodeError> {
    let mut encoder = Encoder::new(codec);
    let elements = encoder.item(item)?;
    let bytes = encoder.encoded().to_vec();
    let len = bytes.len().max(elements).max(1);
    Ok(Piece::Encoded { bytes, len })
}

impl<T: Serialize + 'static> Piece<T> {
    /// Prepares an item.
    ///
    /// # Errors
    ///
    /// The codec cannot encode the item.
    #[inline]
    pub fn new(item: T, codec: Codec) -> Result<Self, EncodeError> {
        Self::encoded_by(encode_item, item, codec)
    }
}

impl<T: 'static> Piece<T> {
    /// Prepares an item of any type with the given function.
    ///
    /// # Errors
    ///
    /// The codec cannot encode the item.
    #[inline]
    pub fn encoded_by(encode: EncodeItem<T>, item: T, codec: Codec) -> Result<Self, EncodeError> {
        if is_plain_vec::<Vec<T>>() {
            return Ok(Piece::Plain { item, len: size_of::<T>() });
        }
        if let Some(bytes) = plain::raw_bytes(&item) {
            let len = bytes.len();
            return Ok(Piece::Plain { item, len });
        }
        encode(&item, codec)
    }
}

impl<T: 'static> Batch<T> {
    pub fn new() -> Self {
        let store = if is_plain_vec::<Vec<T>>() {
            Store::Numbers(Vec::new())
        } else if is_plain_vec::<T>() {
            Store::Vecs(VecDeque::new())
        } else {
            Store::Encoded { bytes: Vec::new(), items: VecDeque::new() }
        };
        Self { store, bytes: 0 }
    }

    #[inline]
    pub fn push(&mut self, piece: Piece<T>) {
        match (piece, &mut self.store) {
            (Piece::Plain { item, len }, Store::Numbers(items)) => {
                items.push(item);
                self.bytes += len;
            }
            (Piece::Plain { item, len }, Store::Vecs(items)) => {
                items.push_back(item);
                self.bytes += len.max(1);
            }
            (Piece::Encoded { bytes: encoded, len }, Store::Encoded { bytes, items }) => {
                bytes.extend_from_slice(&encoded);
                items.push_back(EncodedItem { len: encoded.len(), counts: len });
                self.bytes += len;
            }
            _ => unreachable!("an item and its batch are of one type"),
        }
    }

    /// Adds plain numbers, each as the [word](plain_to_word) of it.
    pub fn extend_from_words(&mut self, words: impl ExactSizeIterator<Item = u64>) {
        let Store::Numbers(items) = &mut self.store else {
            return assert_eq!(words.len(), 0, "only plain numbers are words");
        };
        self.bytes += words.len() * size_of::<T>();
        items.extend(words.map(|word| plain::from_word::<T>(word).expect("it is a plain number")));
    }

    /// Returns how many plain numbers there is room for.
    pub fn room_for_numbers(&self) -> usize {
        match self.store {
            Store::Numbers(_) => WINDOW_BYTES.saturating_sub(self.bytes).div_ceil(size_of::<T>()),
            _ => 0,
        }
    }

    /// Returns the number of items that wait.
    pub fn len(&self) -> usize {
        match &self.store {
            Store::Numbers(items) => items.len(),
            Store::Vecs(items) => items.len(),
            Store::Encoded { items, .. } => items.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether no more should be added before some have been sent.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.bytes >= WINDOW_BYTES
    }

    /// Returns how many of the items one message can carry.
    pub fn sendable(&self) -> usize {
        match &self.store {
            Store::Vecs(items) => items.len().min(MAX_SECTIONS),
            _ => self.len(),
        }
    }

    /// Adds the first items to a message.
    ///
    /// # Errors
    ///
    /// The items are too large for one message.
    pub fn write<'a>(&'a self, items: usize, encoder: &mut Encoder<'a>) -> Result<(), EncodeError> {
        encoder.number("count", items as u64)?;
        match &self.store {
            Store::Numbers(all) => {
                let bytes = plain::raw_bytes(all).expect("these are plain numbers");
                encoder.raw_bytes("items", &bytes[..items * size_of::<T>()])
            }
            Store::Vecs(all) => all.iter().take(items).try_for_each(|item| {
                let bytes = plain::raw_bytes(item).expect("these are of plain numbers");
                encoder.raw_bytes("item", bytes)
            }),
            Store::Encoded { bytes, items: all } => {
                let end = all.iter().take(items).map(|item| item.len).sum();
                encoder.append(&bytes[..end]);
                Ok(())
            }
        }
    }

    /// Adds the items of another batch after these.
    pub fn append(&mut self, mut other: Self) {
        if self.is_empty() {
            std::mem::swap(self, &mut other);
        }
        self.bytes += other.bytes;
        match (&mut self.store, other.store) {
            (Store::Numbers(all), Store::Numbers(more)) => all.extend(more),
            (Store::Vecs(all), Store::Vecs(more)) => all.extend(more),
            (
                Store::Encoded { bytes, items },
                Store::Encoded { bytes: more_bytes, items: more_items },
            ) => {
                bytes.extend(more_bytes);
                items.extend(more_items);
            }
            _ => unreachable!("batches of one type have one kind of store"),
        }
    }

    /// Removes the first items, which have been sent.
    pub fn forget(&mut self, items: usize) {
        match &mut self.store {
            Store::Numbers(all) => {
                drop(all.drain(..items));
                self.bytes = all.len() * size_of::<T>();
            }
            Store::Vecs(all) => {
                for item in all.drain(..items) {
                    self.bytes -= plain::raw_bytes(&item).map_or(0, <[u8]>::len).max(1);
                }
            }
            Store::Encoded { bytes, items: all } => {
                let mut sent = 0;
                for item in all.drain(..items) {
                    sent += item.len;
                    self.bytes -= item.counts;
                }
                bytes.drain(..sent);
            }
        }
    }
}

/// Reads how many items a batch has.
///
/// # Errors
///
/// No batch has as many.
pub fn read_count(decoder: &mut Decoder<'_>) -> Result<usize, DecodeError> {
    let count = decoder.number("count")?;
    usize::try_from(count).ok().filter(|count| *count <= MAX_ITEMS).ok_or_else(|| {
        wrong(decoder, "count", format!("{count} items in a batch, at most {MAX_ITEMS} can be"))
    })
}

#[cold]
fn wrong(decoder: &Decoder<'_>, value: &'static str, message: String) -> DecodeError {
    DecodeError::Value { value, fault: DecodeFault::Codec { codec: decoder.codec, message } }
}

/// Reads a batch. The count is untrusted.
///
/// # Errors
///
/// The bytes are not a batch of such items.
pub fn read_batch<T: DeserializeOwned + 'static>(
    decoder: &mut Decoder<'_>,
) -> Result<Vec<T>, DecodeError> {
    let count = read_count(decoder)?;
    if is_plain_vec::<Vec<T>>() {
        let items: Vec<T> = decoder.value("items")?;
        if items.len() != count {
            let message = format!("{} items where {count} are said to be", items.len());
            return Err(wrong(decoder, "items", message));
        }
        return Ok(items);
    }
    decoder.expect_batch();
    (0..count).map(|_| decoder.value("item")).collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::Deserialize;
    use witrpc_transport::Payload;

    use crate::codec::OwnedBody;

    use super::*;

    /// Returns the body of a message with the first items.
    fn body<T: Serialize + 'static>(
        batch: &Batch<T>,
        items: usize,
        codec: Codec,
    ) -> (bool, Vec<u8>) {
        let mut encoder = Encoder::new(codec);
        batch.write(items, &mut encoder).unwrap();
        encoder.with_body(|raw, body| {
            let mut bytes = vec![0; body.len()];
            body.write_at(0, &mut bytes);
            (raw, bytes)
        })
    }

    fn read<T: DeserializeOwned + 'static>(
        (raw, bytes): (bool, Vec<u8>),
        codec: Codec,
    ) -> Result<Vec<T>, DecodeError> {
        let body = OwnedBody::new(Payload::Whole(bytes), raw, codec).unwrap();
        let mut decoder = body.decoder();
        let items = read_batch(&mut decoder)?;
        decoder.finish()?;
        Ok(items)
    }

    fn survives<T>(items: &[T])
    where
        T: Serialize + DeserializeOwned + Clone + PartialEq + Debug + 'static,
    {
        for codec in Codec::all() {
            let mut batch = Batch::new();
            for item in items {
                batch.push(Piece::new(item.clone(), codec).unwrap());
            }
            let (first, rest) = items.split_at(1);
            assert_eq!(read::<T>(body(&batch, 1, codec), codec).unwrap(), first);
            batch.forget(1);
            assert_eq!(batch.len(), rest.len());
            assert_eq!(read::<T>(body(&batch, rest.len(), codec), codec).unwrap(), rest);
            batch.forget(rest.len());
            assert!(batch.is_empty());
            assert_eq!(batch.bytes, 0);
        }
    }

    #[test]
    fn items_of_every_kind_survive_the_wire_in_parts() {
        survives(&[1_u64, u64::MAX, 3]);
        survives(&[1.5_f32, -0.0, 3.0]);
        survives(&[vec![1_u8, 2], vec![], vec![3; 1000]]);
        survives(&["a".to_owned(), String::new(), "c\n".to_owned()]);
        survives(&[Ok::<u32, String>(1), Err("no".to_owned()), Ok(3)]);
        survives(&[(), (), ()]);
    }

    #[test]
    fn a_batch_of_large_vecs_is_sent_in_several_messages() {
        let mut batch = Batch::new();
        for _ in 0..MAX_SECTIONS + 1 {
            batch.push(Piece::new(vec![0_u8; 10], Codec::Postcard).unwrap());
        }
        assert_eq!(batch.sendable(), MAX_SECTIONS);
        batch.forget(MAX_SECTIONS);
        assert_eq!((batch.len(), batch.bytes), (1, 10));
    }

    #[test]
    fn a_window_ends_whatever_the_items_are() {
        let mut nothing = Batch::new();
        let mut numbers = Batch::new();
        let mut pushed = (0, 0);
        while !nothing.is_full() {
            nothing.push(Piece::new((), Codec::Postcard).unwrap());
            pushed.0 += 1;
        }
        while !numbers.is_full() {
            numbers.push(Piece::new(1_u64, Codec::Postcard).unwrap());
            pushed.1 += 1;
        }
        assert_eq!(pushed, (MAX_ITEMS, WINDOW_BYTES / 8));
    }

    #[test]
    fn what_fills_a_window_with_elements_of_no_bytes_is_taken() {
        let item = vec![(); MAX_ITEMS];
        let (mut batch, mut pushed) = (Batch::new(), Vec::new());
        for item in [item[1..].to_vec(), item] {
            assert!(!batch.is_full());
            batch.push(Piece::new(item.clone(), Codec::Postcard).unwrap());
            pushed.push(item);
        }
        assert!(batch.is_full());
        assert_eq!(
            read::<Vec<()>>(body(&batch, 2, Codec::Postcard), Codec::Postcard).unwrap(),
            pushed
        );
        batch.forget(1);
        assert!(batch.is_full(), "the second fills a window by itself");
        batch.forget(1);
        assert_eq!(batch.bytes, 0);
    }

    #[test]
    fn the_items_of_a_batch_have_the_bounds_of_one_message() {
        /// A value that takes memory for which the message has no bytes.
        #[derive(Debug, Serialize, Deserialize)]
        struct Hollow {
            #[serde(skip)]
            _absent: [u64; 8],
        }

        // 1,000 items, each of which claims 65,536 elements. Alone, each of them would be allowed.
        let mut message = vec![0xe8, 0x07];
        (0..1000).for_each(|_| message.extend([0x80, 0x80, 0x04]));
        for error in [
            read::<Vec<()>>((false, message.clone()), Codec::Postcard).unwrap_err(),
            read::<Vec<Hollow>>((false, message.clone()), Codec::Postcard).unwrap_err(),
        ] {
            let error = error.to_string();
            assert!(error.ends_with("more than 65536 elements that take no bytes"), "{error}");
        }
    }

    #[test]
    fn a_count_that_cannot_be_is_refused() {
        let refused = |bytes: &[u8], raw| read::<u64>((raw, bytes.to_vec()), Codec::Postcard);
        // 2^32 items, and no section.
        assert!(refused(&[0x80, 0x80, 0x80, 0x80, 0x10], false).is_err());
        assert!(refused(&[1], false).is_err());
        let empty = read::<()>((false, vec![0xff, 0xff, 0xff, 0x7f]), Codec::Postcard);
        assert!(empty.unwrap_err().to_string().contains("at most 65536"));
        // One section of one number, where the count says two.
        let mut section = 7_u64.to_le_bytes().to_vec();
        section.extend([2, 8, 0, 0, 0, 1]);
        assert!(refused(&section, true).unwrap_err().to_string().contains("where 2 are said"));
    }
}
