//! Makes a datum of a JSON value, by the shape that the contract gives.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use crate::codec::Codec;
use crate::contract::shape::{
    Content, Field, Leaf, Opaque, Part, Shape, ShapeKind, TypeIndex, Variant,
};
use crate::contract::text::label;

use super::bytes;
use super::datum::Datum;
use super::path::{Misfit, Path};
use super::read::reason;

/// Returns whether the server reads a struct without a field: the struct's place in its shape, the variant (empty
/// for a struct that is none), and the field. It is asked of fields that are missing alone.
pub type MayLack<'s> = &'s dyn Fn(TypeIndex, &str, &str) -> bool;

/// Makes data of one shape, for one codec.
#[derive(Clone, Copy)]
pub struct Fitter<'s> {
    pub shape: &'s Shape,
    pub codec: Codec,
    pub may_lack: MayLack<'s>,
}

impl Fitter<'_> {
    /// Makes the datum of a whole value.
    ///
    /// # Errors
    ///
    /// [`Misfit`] names the part that does not fit its shape, or that the shape does not show.
    pub fn whole(&self, value: &Value, path: &Path<'_>) -> Result<Datum, Misfit> {
        self.part(&self.shape.root, value, path)
    }

    fn part(&self, part: &Part, value: &Value, path: &Path<'_>) -> Result<Datum, Misfit> {
        match part {
            Part::Leaf(leaf) => self.leaf(*leaf, value, path),
            Part::Type(index) => self.parts(*index, value, path),
            Part::Opaque(opaque) => self.opaque(opaque, value, path),
        }
    }

    fn parts(&self, of: TypeIndex, value: &Value, path: &Path<'_>) -> Result<Datum, Misfit> {
        match &self.shape.types[of].kind {
            ShapeKind::Option(_) if value.is_null() => Ok(Datum::None),
            ShapeKind::Option(part) => {
                Ok(Datum::Some(Box::new(self.part(part, value, &path.within()?)?)))
            }
            ShapeKind::Newtype(part) => self.part(part, value, &path.within()?),
            ShapeKind::UnitStruct if value.is_null() => Ok(Datum::UnitStruct),
            ShapeKind::UnitStruct => Err(wanted("null", value, path)),
            ShapeKind::Sequence(part) | ShapeKind::Raw(part) => {
                let items = self.elements(part, value, path)?;
                let parts = items.iter().enumerate();
                let parts = parts.map(|(n, item)| self.part(part, item, &path.numbered(n)?));
                Ok(Datum::Sequence(parts.collect::<Result<_, _>>()?))
            }
            ShapeKind::Map(key, part) => self.map(key, part, value, path),
            ShapeKind::Tuple(parts) => self.tuple(parts, value, path),
            ShapeKind::Struct(fields) => self.fields((of, ""), fields, value, path),
            ShapeKind::Enum(variants) => self.variant(of, variants, value, path),
            ShapeKind::Tagged(tag, variants) => self.tagged(tag, variants, value, path),
        }
    }

    /// Returns the elements of a sequence: those of an array, or the bytes of a text.
    fn elements<'v>(
        &self,
        part: &Part,
        value: &'v Value,
        path: &Path<'_>,
    ) -> Result<Cow<'v, [Value]>, Misfit> {
        match (value, part) {
            (Value::Array(items), _) => Ok(items.into()),
            (Value::String(_), Part::Leaf(Leaf::U8)) => {
                let bytes = bytes::of_value(value, path)?;
                Ok(bytes.into_iter().map(Value::from).collect())
            }
            _ => Err(wanted("an array", value, path)),
        }
    }

    fn tuple(&self, parts: &[Part], value: &Value, path: &Path<'_>) -> Result<Datum, Misfit> {
        let Value::Array(items) = value else { return Err(wanted("an array", value, path)) };
        if items.len() != parts.len() {
            let (has, wants) = (items.len(), parts.len());
            return Err(path.misfit(format!("has {has} elements, where {wants} are wanted")));
        }
        let items = parts.iter().zip(items).enumerate();
        let items = items.map(|(n, (part, item))| self.part(part, item, &path.numbered(n)?));
        Ok(Datum::Tuple(items.collect::<Result<_, _>>()?))
    }

    fn map(
        &self,
        key: &Part,
        part: &Part,
        value: &Value,
        path: &Path<'_>,
    ) -> Result<Datum, Misfit> {
        let Value::Object(object) = value else { return Err(wanted("an object", value, path)) };
        let entries = object.iter().map(|(name, value)| {
            let path = path.named(name)?;
            Ok((self.key(key, name, &path)?, self.part(part, value, &path)?))
        });
        Ok(Datum::Map(entries.collect::<Result<_, _>>()?))
    }

    /// Makes the key of a map, which JSON has as a text.
    fn key(&self, key: &Part, name: &str, path: &Path<'_>) -> Result<Datum, Misfit> {
        let kind = match key {
            Part::Type(index) => Some(&self.shape.types[*index].kind),
            _ => None,
        };
        match (key, kind) {
            (_, Some(ShapeKind::Newtype(part))) => self.key(part, name, &path.within()?),
            (Part::Leaf(Leaf::Str | Leaf::Char), _) | (_, Some(ShapeKind::Enum(_))) => {
                self.part(key, &Value::from(name), path)
            }
            (Part::Opaque(_), _) => self.part(key, &Value::from(name), path),
            _ => {
                let value = serde_json::from_str(name).unwrap_or_else(|_| Value::from(name));
                self.part(key, &value, path)
            }
        }
    }

    /// Makes the fields of a struct, which is named by its type and variant.
    fn fields(
        &self,
        (of, variant): (TypeIndex, &str),
        fields: &[Field],
        value: &Value,
        path: &Path<'_>,
    ) -> Result<Datum, Misfit> {
        let Value::Object(object) = value else { return Err(wanted("an object", value, path)) };
        let labels: Vec<_> = fields.iter().enumerate().map(|(n, f)| name_of(f, n)).collect();
        if let Some(unknown) = object.keys().find(|name| !labels.contains(name)) {
            let problem = format!("is not a field: there are {}", list(&labels));
            return Err(path.named(unknown)?.misfit(problem));
        }
        let mut made = Vec::new();
        for (field, label) in fields.iter().zip(&labels) {
            let path = path.named(label)?;
            let datum = match object.get(label) {
                Some(value) => self.part(&field.part, value, &path)?,
                None if self.is_optional(&field.part) => Datum::None,
                None if self.codec.describes_itself() && (self.may_lack)(of, variant, label) => {
                    continue;
                }
                None => return Err(path.misfit("is missing")),
            };
            if self.codec.describes_itself() && field.name.is_none() {
                return Err(path.misfit(format!("has an unknown name, which {} needs", self.codec)));
            }
            made.push((label, datum));
        }
        Ok(match self.codec.describes_itself() {
            true => Datum::Map(made.into_iter().map(|(n, d)| (Datum::Str(n.clone()), d)).collect()),
            false => Datum::Tuple(made.into_iter().map(|(_, datum)| datum).collect()),
        })
    }

    fn is_optional(&self, part: &Part) -> bool {
        matches!(part, Part::Type(index)
            if matches!(self.shape.types[*index].kind, ShapeKind::Option(_)))
    }

    /// Makes a variant: a text for one without content, otherwise an object of one entry.
    fn variant(
        &self,
        of: TypeIndex,
        variants: &[Variant],
        value: &Value,
        path: &Path<'_>,
    ) -> Result<Datum, Misfit> {
        let (name, content) = match value {
            Value::String(name) => (name, &Value::Null),
            Value::Object(object) if object.len() == 1 => object.iter().next().expect("has one"),
            _ => return Err(wanted("the name of a variant, or {name: content},", value, path)),
        };
        let labels: Vec<_> =
            variants.iter().enumerate().map(|(n, v)| label(v.name.as_ref(), n)).collect();
        let found = variants.iter().position(|v| v.name.as_deref() == Some(name));
        let found = found.or_else(|| labels.iter().position(|label| label == name));
        let Some(number) = found else {
            return Err(no_variant(name, &labels, path));
        };
        let path = path.named(name)?;
        let made = self.content((of, name), &variants[number].content, content, &path)?;
        if !self.codec.describes_itself() {
            let number = u32::try_from(number).map_err(|_| path.misfit("has too high a number"))?;
            return Ok(Datum::Variant(number, made.map(Box::new)));
        }
        if variants[number].name.is_none() {
            return Err(path.misfit(format!("has an unknown name, which {} needs", self.codec)));
        }
        let name = Datum::Str(name.clone());
        Ok(match made {
            Some(content) => Datum::Map(vec![(name, content)]),
            None => name,
        })
    }

    fn content(
        &self,
        within: (TypeIndex, &str),
        content: &Content,
        value: &Value,
        path: &Path<'_>,
    ) -> Result<Option<Datum>, Misfit> {
        match content {
            Content::Unit if value.is_null() => Ok(None),
            Content::Unit => Err(path.misfit("has no content")),
            Content::Newtype(part) => self.part(part, value, path).map(Some),
            Content::Tuple(parts) => self.tuple(parts, value, path).map(Some),
            Content::Struct(fields) => self.fields(within, fields, value, path).map(Some),
            Content::Opaque if value.is_null() && self.codec.describes_itself() => Ok(None),
            Content::Opaque => self.opaque(&Opaque::NotReached, value, path).map(Some),
        }
    }

    /// Makes a value of an internally tagged enum. Fields that may be missing and the forms of nested values are
    /// not in the contract, so what is not known of them passes.
    fn tagged(
        &self,
        tag: &str,
        variants: &[Variant],
        value: &Value,
        path: &Path<'_>,
    ) -> Result<Datum, Misfit> {
        let known = match value {
            // One that takes any tag tells no variants.
            Value::Object(object) if !variants.is_empty() && self.codec.describes_itself() => {
                tagged_fields(tag, variants, object, path)?
            }
            Value::Object(_) | Value::Array(_) => &[],
            _ if !self.codec.describes_itself() => &[],
            _ => return Err(wanted(&format!("an object with `{tag}`"), value, path)),
        };
        let Value::Object(object) = value else {
            return self.opaque(&Opaque::AsksForAny, value, path);
        };
        self.opaque_map(&Opaque::AsksForAny, known, object, path)
    }

    /// Passes a value on whose form only the server knows, if the codec says what it is.
    fn opaque(&self, opaque: &Opaque, value: &Value, path: &Path<'_>) -> Result<Datum, Misfit> {
        if !self.codec.describes_itself() {
            let why = reason(opaque);
            let problem = format!("{why}, and {} does not describe it: use JSON", self.codec);
            return Err(path.misfit(problem));
        }
        Ok(match value {
            Value::Null => Datum::Unit,
            Value::Bool(is) => Datum::Bool(*is),
            Value::Number(number) => plain_number(number, path)?,
            Value::String(text) => Datum::Str(text.clone()),
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let parts = items.map(|(n, item)| self.opaque(opaque, item, &path.numbered(n)?));
                Datum::Sequence(parts.collect::<Result<_, _>>()?)
            }
            Value::Object(object) => self.opaque_map(opaque, &[], object, path)?,
        })
    }

    /// Passes an object on of which these fields are known.
    fn opaque_map(
        &self,
        opaque: &Opaque,
        known: &[Field],
        object: &Map<String, Value>,
        path: &Path<'_>,
    ) -> Result<Datum, Misfit> {
        let entries = object.iter().map(|(name, value)| {
            let path = path.named(name)?;
            let datum = match known.iter().find(|field| field.name.as_deref() == Some(name)) {
                Some(field) => self.part(&field.part, value, &path)?,
                None => self.opaque(opaque, value, &path)?,
            };
            Ok((Datum::Str(name.clone()), datum))
        });
        Ok(Datum::Map(entries.collect::<Result<_, _>>()?))
    }

    pub fn leaf(&self, leaf: Leaf, value: &Value, path: &Path<'_>) -> Result<Datum, Misfit> {
        /// Makes an integer of this kind.
        macro_rules! integer {
            ($kind:ident) => {{
                let number = integer(value, leaf, path)?;
                number.try_into().map(Datum::$kind).map_err(|_| beyond(leaf, value, path))
            }};
        }
        match leaf {
            Leaf::Bool => value.as_bool().map(Datum::Bool).ok_or_else(|| kind(leaf, value, path)),
            Leaf::I8 => integer!(I8),
            Leaf::I16 => integer!(I16),
            Leaf::I32 => integer!(I32),
            Leaf::I64 => integer!(I64),
            Leaf::I128 => integer!(I128),
            Leaf::U8 => integer!(U8),
            Leaf::U16 => integer!(U16),
            Leaf::U32 => integer!(U32),
            Leaf::U64 => integer!(U64),
            Leaf::U128 => integer!(U128),
            Leaf::F64 => value.as_f64().map(Datum::F64).ok_or_else(|| kind(leaf, value, path)),
            Leaf::F32 => {
                let wide = value.as_f64().ok_or_else(|| kind(leaf, value, path))?;
                // Rounds as a typed reader of JSON does.
                let narrow = wide as f32;
                narrow
                    .is_finite()
                    .then_some(Datum::F32(narrow))
                    .ok_or_else(|| beyond(leaf, value, path))
            }
            Leaf::Char => character(value).map(Datum::Char).ok_or_else(|| kind(leaf, value, path)),
            Leaf::Str => match value {
                Value::String(text) => Ok(Datum::Str(text.clone())),
                _ => Err(kind(leaf, value, path)),
            },
            Leaf::Bytes => bytes::of_value(value, path).map(Datum::Bytes),
            Leaf::Unit if value.is_null() => Ok(Datum::Unit),
            Leaf::Unit => Err(wanted("null", value, path)),
        }
    }
}

/// Returns what is known of the fields of a value of an internally tagged enum.
fn tagged_fields<'v>(
    tag: &str,
    variants: &'v [Variant],
    object: &Map<String, Value>,
    path: &Path<'_>,
) -> Result<&'v [Field], Misfit> {
    let path_of_tag = path.named(tag)?;
    let name = match object.get(tag) {
        Some(Value::String(name)) => name,
        Some(other) => return Err(wanted("the name of a variant", other, &path_of_tag)),
        None => return Err(path_of_tag.misfit("is missing")),
    };
    let Some(variant) = variants.iter().find(|it| it.name.as_deref() == Some(name)) else {
        let labels = variants.iter().enumerate().map(|(n, v)| label(v.name.as_ref(), n));
        return Err(no_variant(name, &labels.collect::<Vec<_>>(), &path_of_tag));
    };
    let Content::Struct(fields) = &variant.content else { return Ok(&[]) };
    let is_known = |name: &String| fields.iter().any(|it| it.name.as_deref() == Some(name));
    // A name that is not known may be another one of the field that is missing.
    if object.keys().all(|name| name == tag || is_known(name)) {
        for name in fields.iter().filter_map(|field| field.name.as_deref()) {
            if !object.contains_key(name) {
                return Err(path.named(name)?.misfit("is missing"));
            }
        }
    }
    Ok(fields)
}

#[cold]
fn no_variant(name: &str, labels: &[String], path: &Path<'_>) -> Misfit {
    path.misfit(format!("has no variant `{name}`: there are {}", list(labels)))
}

/// Returns the name that a field has in JSON: its own, or its number if aliases hide that.
fn name_of(field: &Field, number: usize) -> String {
    field.name.as_deref().map_or_else(|| label(None, number), str::to_owned)
}

fn integer(value: &Value, leaf: Leaf, path: &Path<'_>) -> Result<i128, Misfit> {
    let Value::Number(number) = value else { return Err(kind(leaf, value, path)) };
    let whole = number.as_u64().map(i128::from).or_else(|| number.as_i64().map(i128::from));
    whole.ok_or_else(|| {
        let is_large = number.as_f64().is_some_and(|float| float.abs() >= 2_f64.powi(63));
        let problem = if is_large {
            format!("is {number}, beyond the integers that JSON carries here, up to {}", u64::MAX)
        } else {
            format!("is {number}, which is no integer: {leaf} is wanted")
        };
        path.misfit(problem)
    })
}

fn plain_number(number: &Number, path: &Path<'_>) -> Result<Datum, Misfit> {
    let whole = number.as_u64().map(Datum::U64).or_else(|| number.as_i64().map(Datum::I64));
    whole.or_else(|| number.as_f64().map(Datum::F64)).ok_or_else(|| path.misfit("is no number"))
}

fn character(value: &Value) -> Option<char> {
    let mut characters = value.as_str()?.chars();
    characters.next().filter(|_| characters.next().is_none())
}

#[cold]
fn beyond(leaf: Leaf, value: &Value, path: &Path<'_>) -> Misfit {
    path.misfit(format!("is {value}, which {leaf} does not hold"))
}

#[cold]
fn kind(leaf: Leaf, value: &Value, path: &Path<'_>) -> Misfit {
    wanted(&leaf.to_string(), value, path)
}

#[cold]
pub fn wanted(what: &str, value: &Value, path: &Path<'_>) -> Misfit {
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    path.misfit(format!("is {is}, where {what} is wanted"))
}

/// Returns names as part of a sentence.
pub fn list(names: &[String]) -> String {
    let mut shown: Vec<_> = names.iter().take(12).map(|name| format!("`{name}`")).collect();
    if names.len() > shown.len() {
        shown.push(format!("and {} more", names.len() - shown.len()));
    }
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}
