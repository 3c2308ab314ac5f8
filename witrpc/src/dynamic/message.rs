//! Arguments and answers: JSON on this side, bytes of the connection's codec on the other.

use serde_json::{Map, Value};

use crate::codec::{Codec, DecodeError, Decoder, EncodeError, Encoder};
use crate::contract::ArgumentShape;
use crate::contract::shape::{Part, Shape, ShapeKind};
use crate::contract::text::Shown;

use super::datum::Datum;
use super::fit::{Fitter, list, wanted};
use super::memory;
use super::path::{Misfit, Path};
use super::read::PartSeed;
use super::show;

/// A value that is ready to be put into a message.
pub enum Fitted {
    Encoded(Datum),
    Memory(Vec<u8>),
}

/// Why a value of a message is not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unshown {
    #[error(transparent)]
    Undecoded(#[from] DecodeError),
    #[error(transparent)]
    Misfit(#[from] Misfit),
}

impl Fitted {
    /// Makes a value ready.
    ///
    /// # Errors
    ///
    /// [`Misfit`]: it does not have that shape.
    pub fn new(fitter: &Fitter<'_>, value: &Value, name: &str) -> Result<Self, Misfit> {
        let path = Path::of(name);
        match memory::element(fitter.shape) {
            Some(element) => memory::fit(fitter, element, value, &path).map(Fitted::Memory),
            None => fitter.whole(value, &path).map(Fitted::Encoded),
        }
    }

    /// Adds the value to a message.
    pub fn put<'a>(&'a self, to: &mut Encoder<'a>) -> Result<(), EncodeError> {
        match self {
            Fitted::Encoded(datum) => to.value("argument", datum),
            Fitted::Memory(memory) => to.raw_bytes("argument", memory),
        }
    }
}

/// Makes the arguments of a method ready: an object with a name for each, or an array in order. Streams
/// are not among them.
///
/// # Errors
///
/// [`Misfit`] names the part of an argument that is missing, unknown or of another shape.
pub fn fit_arguments(
    arguments: &[(&ArgumentShape, Fitter<'_>)],
    given: &Value,
) -> Result<Vec<Fitted>, Misfit> {
    let wants: Vec<_> = arguments.iter().filter(|(argument, _)| !argument.streams).collect();
    let of = match given {
        Value::Array(values) if values.len() == wants.len() => {
            let both = wants.iter().zip(values);
            let fit =
                both.map(|((argument, fitter), value)| Fitted::new(fitter, value, &argument.name));
            return fit.collect();
        }
        Value::Array(values) => {
            let (has, wants) = (values.len(), wants.len());
            return Err(of_all(format!("are {has}, where {wants} are wanted")));
        }
        Value::Null if wants.is_empty() => &Map::new(),
        Value::Object(object) => object,
        other => return Err(wanted("an object of arguments", other, &Path::of("arguments"))),
    };
    if let Some(unknown) = of.keys().find(|name| wants.iter().all(|(want, _)| want.name != ***name))
    {
        let names: Vec<_> = wants.iter().map(|(want, _)| Shown(&want.name).to_string()).collect();
        let problem = format!("is not an argument: there are {}", list(&names));
        return Err(Path::of(unknown).misfit(problem));
    }
    let fitted = wants.iter().map(|(argument, fitter)| match of.get(&*argument.name) {
        Some(value) => Fitted::new(fitter, value, &argument.name),
        None if is_option(&argument.shape) => Fitted::new(fitter, &Value::Null, &argument.name),
        None => Err(Path::of(&argument.name).misfit("is missing")),
    });
    fitted.collect()
}

fn of_all(problem: String) -> Misfit {
    Misfit { path: "arguments".to_owned(), problem }
}

fn is_option(shape: &Shape) -> bool {
    matches!(shape.root, Part::Type(index)
        if matches!(shape.types[index].kind, ShapeKind::Option(_)))
}

/// Reads the next value of a message.
///
/// # Errors
///
/// The bytes are not such a value, or JSON does not carry a part of it.
pub fn read(shape: &Shape, from: &mut Decoder<'_>, name: &str) -> Result<Value, Unshown> {
    let path = Path::of(name);
    if let Some(element) = memory::element(shape) {
        let memory = from.raw::<u8>("value")?;
        return Ok(memory::show(element, &memory, &path)?);
    }
    let datum = match from.codec {
        Codec::Postcard => {
            from.postcard_seed("value", PartSeed { shape, part: &shape.root, path: &path })?
        }
        _ => from.value("value")?,
    };
    Ok(show::whole(shape, &datum, &path)?)
}

/// Reads the only value of a message.
///
/// # Errors
///
/// As [`read`].
pub fn read_only(shape: &Shape, mut from: Decoder<'_>, name: &str) -> Result<Value, Unshown> {
    let value = read(shape, &mut from, name)?;
    from.finish()?;
    Ok(value)
}

/// Reads the arguments of an event.
///
/// # Errors
///
/// As [`read`].
pub fn read_arguments(
    arguments: &[ArgumentShape],
    mut from: Decoder<'_>,
) -> Result<Value, Unshown> {
    let mut values = Map::new();
    for argument in arguments {
        let value = read(&argument.shape, &mut from, &argument.name)?;
        values.insert(argument.name.to_string(), value);
    }
    from.finish()?;
    Ok(Value::Object(values))
}
