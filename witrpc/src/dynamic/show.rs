//! Makes JSON of a datum, by the shape that the contract gives.

use serde_json::{Map, Number, Value};

use crate::contract::shape::{Content, Field, Leaf, Part, Shape, ShapeKind, Variant};
use crate::contract::text::label;

use super::bytes;
use super::datum::Datum;
use super::path::{Misfit, Path};

/// Returns the JSON of a whole value.
///
/// A value that does not have its shape is shown as it came: only the server knows better.
///
/// # Errors
///
/// [`Misfit`]: JSON does not carry a part.
pub fn whole(shape: &Shape, datum: &Datum, path: &Path<'_>) -> Result<Value, Misfit> {
    Shower { shape }.part(&shape.root, datum, path)
}

struct Shower<'s> {
    shape: &'s Shape,
}

impl Shower<'_> {
    fn part(&self, part: &Part, datum: &Datum, path: &Path<'_>) -> Result<Value, Misfit> {
        match part {
            Part::Leaf(leaf) => self::leaf(*leaf, datum, path),
            Part::Type(index) => self.parts(&self.shape.types[*index].kind, datum, path),
            Part::Opaque(_) => plain(datum, path),
        }
    }

    fn parts(&self, kind: &ShapeKind, datum: &Datum, path: &Path<'_>) -> Result<Value, Misfit> {
        match (kind, datum) {
            (ShapeKind::Option(_), Datum::None | Datum::Unit) => Ok(Value::Null),
            (ShapeKind::Option(part), Datum::Some(inner)) => {
                self.part(part, inner, &path.within()?)
            }
            (ShapeKind::Option(part) | ShapeKind::Newtype(part), _) => {
                self.part(part, datum, &path.within()?)
            }
            (ShapeKind::UnitStruct, _) => Ok(Value::Null),
            (ShapeKind::Sequence(part) | ShapeKind::Raw(part), Datum::Sequence(items)) => {
                self.items(std::iter::repeat(part), items, path)
            }
            (ShapeKind::Tuple(parts), Datum::Sequence(items) | Datum::Tuple(items))
                if parts.len() == items.len() =>
            {
                self.items(parts.iter(), items, path)
            }
            (ShapeKind::Map(key, part), Datum::Map(entries)) => {
                let entries = entries.iter().map(|(name, value)| {
                    let name = self.key(key, name, path)?;
                    let value = self.part(part, value, &path.named(&name)?)?;
                    Ok((name, value))
                });
                entries.collect::<Result<_, _>>().map(Value::Object)
            }
            (ShapeKind::Struct(fields), _) => self.fields(fields, datum, path),
            (ShapeKind::Enum(variants), _) => self.variant(variants, datum, path),
            _ => plain(datum, path),
        }
    }

    fn items<'p>(
        &self,
        parts: impl Iterator<Item = &'p Part>,
        items: &[Datum],
        path: &Path<'_>,
    ) -> Result<Value, Misfit> {
        let items = parts.zip(items).enumerate();
        let items = items.map(|(n, (part, item))| self.part(part, item, &path.numbered(n)?));
        items.collect::<Result<_, _>>().map(Value::Array)
    }

    fn fields(&self, fields: &[Field], datum: &Datum, path: &Path<'_>) -> Result<Value, Misfit> {
        let mut shown = Map::new();
        match datum {
            Datum::Tuple(items) => {
                for (n, (field, item)) in fields.iter().zip(items).enumerate() {
                    let name = label(field.name.as_ref(), n);
                    let value = self.part(&field.part, item, &path.named(&name)?)?;
                    shown.insert(name, value);
                }
            }
            Datum::Map(entries) => {
                for (name, value) in entries {
                    let name = key_text(name, path)?;
                    let path = path.named(&name)?;
                    let known = fields.iter().find(|it| it.name.as_deref() == Some(&name));
                    let value = match known {
                        Some(field) => self.part(&field.part, value, &path)?,
                        None => plain(value, &path)?,
                    };
                    shown.insert(name, value);
                }
            }
            _ => return plain(datum, path),
        }
        Ok(Value::Object(shown))
    }

    fn variant(
        &self,
        variants: &[Variant],
        datum: &Datum,
        path: &Path<'_>,
    ) -> Result<Value, Misfit> {
        let (number, content) = match datum {
            Datum::Variant(number, content) => (*number as usize, content.as_deref()),
            Datum::Map(entries) if entries.len() == 1 => {
                let (name, content) = &entries[0];
                let name = key_text(name, path)?;
                match variants.iter().position(|v| v.name.as_deref() == Some(&name)) {
                    Some(number) => (number, Some(content)),
                    None => return plain(datum, path),
                }
            }
            _ => return plain(datum, path),
        };
        let Some(variant) = variants.get(number) else {
            return Err(
                path.misfit(format!("is variant {number}, which the contract does not have"))
            );
        };
        let name = label(variant.name.as_ref(), number);
        let Some(content) = content else { return Ok(Value::from(name)) };
        let path = path.named(&name)?;
        let content = match &variant.content {
            Content::Newtype(part) => self.part(part, content, &path),
            Content::Tuple(parts) => self.parts(&ShapeKind::Tuple(parts.clone()), content, &path),
            Content::Struct(fields) => self.fields(fields, content, &path),
            Content::Unit | Content::Opaque => plain(content, &path),
        };
        Ok(Value::Object(Map::from_iter([(name.clone(), content?)])))
    }

    /// Returns the key of a map as JSON has it.
    fn key(&self, key: &Part, datum: &Datum, path: &Path<'_>) -> Result<String, Misfit> {
        match self.part(key, datum, path)? {
            Value::String(text) => Ok(text),
            value @ (Value::Number(_) | Value::Bool(_)) => Ok(value.to_string()),
            _ => Err(path.misfit("has a key that is no text, which JSON does not carry")),
        }
    }
}

fn leaf(leaf: Leaf, datum: &Datum, path: &Path<'_>) -> Result<Value, Misfit> {
    match (leaf, datum) {
        // MessagePack writes these as bytes.
        (Leaf::U128, Datum::Bytes(bytes)) => match bytes.as_slice().try_into() {
            Ok(bytes) => plain(&Datum::U128(u128::from_be_bytes(bytes)), path),
            Err(_) => plain(datum, path),
        },
        (Leaf::I128, Datum::Bytes(bytes)) => match bytes.as_slice().try_into() {
            Ok(bytes) => plain(&Datum::I128(i128::from_be_bytes(bytes)), path),
            Err(_) => plain(datum, path),
        },
        // The reader of JSON makes a float of an integer that is too long for it.
        (Leaf::I128 | Leaf::U128, Datum::F64(float)) => Err(beyond(float, path)),
        (Leaf::F32, Datum::F64(float)) => plain(&Datum::F32(*float as f32), path),
        (Leaf::Bytes, Datum::Sequence(items)) => {
            let bytes = items.iter().map(|item| match item {
                Datum::U64(byte) => u8::try_from(*byte).ok(),
                Datum::U8(byte) => Some(*byte),
                _ => None,
            });
            match bytes.collect::<Option<Vec<_>>>() {
                Some(bytes) => Ok(bytes::encode(&bytes)),
                None => plain(datum, path),
            }
        }
        _ => plain(datum, path),
    }
}

/// Returns the JSON of a datum of which nothing else is known.
///
/// # Errors
///
/// [`Misfit`]: JSON does not carry a part.
pub fn plain(datum: &Datum, path: &Path<'_>) -> Result<Value, Misfit> {
    Ok(match datum {
        Datum::Unit | Datum::UnitStruct | Datum::None => Value::Null,
        Datum::Bool(is) => Value::Bool(*is),
        Datum::I8(number) => Value::from(*number),
        Datum::I16(number) => Value::from(*number),
        Datum::I32(number) => Value::from(*number),
        Datum::I64(number) => Value::from(*number),
        Datum::I128(number) => {
            let narrow = i64::try_from(*number).map(Number::from);
            let narrow = narrow.or_else(|_| u64::try_from(*number).map(Number::from));
            Value::Number(narrow.map_err(|_| beyond(number, path))?)
        }
        Datum::U8(number) => Value::from(*number),
        Datum::U16(number) => Value::from(*number),
        Datum::U32(number) => Value::from(*number),
        Datum::U64(number) => Value::from(*number),
        Datum::U128(number) => {
            Value::from(u64::try_from(*number).map_err(|_| beyond(number, path))?)
        }
        Datum::F32(number) => float(shortest(*number), path)?,
        Datum::F64(number) => float(*number, path)?,
        Datum::Char(character) => Value::from(character.to_string()),
        Datum::Str(text) => Value::from(text.as_str()),
        Datum::Bytes(bytes) => bytes::encode(bytes),
        Datum::Some(inner) => plain(inner, &path.within()?)?,
        Datum::Sequence(items) | Datum::Tuple(items) => {
            let items = items.iter().enumerate();
            let items = items.map(|(n, item)| plain(item, &path.numbered(n)?));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Datum::Map(entries) => {
            let entries = entries.iter().map(|(name, value)| {
                let name = key_text(name, path)?;
                let value = plain(value, &path.named(&name)?)?;
                Ok((name, value))
            });
            Value::Object(entries.collect::<Result<_, _>>()?)
        }
        Datum::Variant(..) => return Err(path.misfit("has a form that the contract does not have")),
    })
}

/// Returns the float whose shortest notation is that of `number`.
fn shortest(number: f32) -> f64 {
    let wide = number.to_string().parse().unwrap_or(f64::from(number));
    if wide as f32 == number { wide } else { f64::from(number) }
}

fn float(number: f64, path: &Path<'_>) -> Result<Value, Misfit> {
    let carried = Number::from_f64(number).map(Value::Number);
    carried.ok_or_else(|| path.misfit(format!("is {number}, which JSON has no notation for")))
}

fn key_text(datum: &Datum, path: &Path<'_>) -> Result<String, Misfit> {
    match plain(datum, path)? {
        Value::String(text) => Ok(text),
        value @ (Value::Number(_) | Value::Bool(_)) => Ok(value.to_string()),
        _ => Err(path.misfit("has a key that is no text, which JSON does not carry")),
    }
}

#[cold]
fn beyond(number: &impl std::fmt::Display, path: &Path<'_>) -> Misfit {
    let max = u64::MAX;
    path.misfit(format!("is {number}, beyond the integers that JSON carries here, up to {max}"))
}
