//! Uploads to a method that takes a stream.
//!
//! Numbers and `Vec`s of numbers cross as memory, so such items become the type that the method takes.
//! All others are encoded by their shape.

use std::cell::RefCell;
use std::sync::Arc;

use serde_json::Value;

use crate::call::client::call::ClientCall;
use crate::call::client::options::CallOptions;
use crate::codec::{Codec, DecodeError, DecodeFault, Decoder, EncodeError, Piece, encode_as};
use crate::contract::shape::{Leaf, Part};
use crate::contract::{Signature, Trace, trace_str};
use crate::method::UploadItem;
use crate::rt::cancel_token::CancelToken;

use super::client::{outcome, put};
use super::datum::Datum;
use super::error::DynamicError;
use super::fit::Fitter;
use super::memory;
use super::message::Fitted;
use super::path::{Misfit, Path};
use super::service::DynamicService;

/// Calls a method and uploads these items to it.
pub fn upload(
    service: &Arc<DynamicService>,
    (number, signature): (u16, &Signature),
    arguments: &[Fitted],
    items: impl Iterator<Item = Result<Value, String>>,
) -> Result<Value, DynamicError> {
    let token = CancelToken::new();
    let connection = service.connection.with(CallOptions::new().cancelled_by(&token));
    let stream = signature.arguments.iter().position(|argument| argument.streams);
    let stream = stream.expect("the caller has asked for a stream");
    let may_lack = service.may_lack(number, stream);
    let (shape, codec) = (&signature.arguments[stream].shape, connection.codec());
    let fitter = Fitter { shape, codec, may_lack: &may_lack };
    let mut call = ClientCall::new_opening(&connection, number);
    put(arguments, &mut call);
    let uploading = UploadItems { fitter, token, misfit: RefCell::default() };
    let answered = uploading.run(&mut call, items, signature);
    match uploading.misfit.into_inner() {
        Some(misfit) => Err(DynamicError::Upload(misfit)),
        None => answered,
    }
}

/// The items of an upload, on their way from JSON.
struct UploadItems<'s> {
    fitter: Fitter<'s>,
    /// Ends the call at an item that does not fit: an end of the items would be taken for their last.
    token: CancelToken,
    misfit: RefCell<Option<Misfit>>,
}

impl UploadItems<'_> {
    fn run(
        &self,
        call: &mut ClientCall<'_>,
        items: impl Iterator<Item = Result<Value, String>>,
        signature: &Signature,
    ) -> Result<Value, DynamicError> {
        macro_rules! each_form {
            ($($kind:ident: $number:ty),*) => {
                match (memory::element(self.fitter.shape), &self.fitter.shape.root) {
                    $(
                        (None, Part::Leaf(Leaf::$kind)) => {
                            let items = self.fitted(items, |datum| match datum {
                                Fitted::Encoded(Datum::$kind(number)) => number,
                                _ => unreachable!("a leaf that is a number makes a number"),
                            });
                            outcome(call.block_uploading::<$number>(items), signature)
                        }
                        (Some(Part::Leaf(Leaf::$kind)), _) => {
                            let items = self.fitted(items, |datum| match datum {
                                Fitted::Memory(memory) => bytemuck::pod_collect_to_vec(&memory),
                                Fitted::Encoded(_) => unreachable!("memory makes memory"),
                            });
                            outcome(call.block_uploading::<Vec<$number>>(items), signature)
                        }
                    )*
                    _ => {
                        let items = self.fitted(items, |datum| match datum {
                            Fitted::Encoded(datum) => UploadDatum(datum),
                            Fitted::Memory(_) => unreachable!("its elements are numbers"),
                        });
                        outcome(call.block_uploading(items), signature)
                    }
                }
            };
        }
        each_form!(
            I8: i8, I16: i16, I32: i32, I64: i64, U8: u8, U16: u16, U32: u32, U64: u64, F32: f32,
            F64: f64
        )
    }

    /// Returns the items in the form that the call takes, up to one that does not fit.
    fn fitted<T>(
        &self,
        items: impl Iterator<Item = Result<Value, String>>,
        of: impl Fn(Fitted) -> T,
    ) -> impl Iterator<Item = T> {
        items.enumerate().map_while(move |(n, item)| {
            let fitted = Path::of("item").numbered(n).and_then(|path| {
                let item = item.map_err(|problem| path.misfit(problem))?;
                Fitted::new(&self.fitter, &item, &path.to_string())
            });
            match fitted {
                Ok(fitted) => Some(of(fitted)),
                Err(misfit) => {
                    *self.misfit.borrow_mut() = Some(misfit);
                    self.token.cancel();
                    None
                }
            }
        })
    }
}

/// An item that the codec encodes.
struct UploadDatum(Datum);

impl UploadItem for UploadDatum {
    const TRACE: Trace = trace_str;

    fn piece(self, codec: Codec) -> Result<Piece<Self>, EncodeError> {
        encode_as(&self.0, codec)
    }

    /// No server takes such items.
    fn read_batch(from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let (codec, message) = (from.codec, "a client reads no upload".to_owned());
        Err(DecodeError::Value { value: "item", fault: DecodeFault::Codec { codec, message } })
    }
}
