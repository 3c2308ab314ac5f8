//! Bytes in JSON: base64, or an array of numbers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::fit::wanted;
use super::path::{Misfit, Path};

/// Returns bytes as text.
pub fn encode(bytes: &[u8]) -> Value {
    Value::from(STANDARD.encode(bytes))
}

/// Returns the bytes that a value stands for.
///
/// # Errors
///
/// It is neither base64 nor an array of bytes.
pub fn of_value(value: &Value, path: &Path<'_>) -> Result<Vec<u8>, Misfit> {
    match value {
        Value::String(text) => STANDARD.decode(text).map_err(|_| {
            path.misfit("is no base64: give the bytes as base64 or as an array of numbers")
        }),
        Value::Array(items) => {
            let bytes = items.iter().enumerate().map(|(n, item)| {
                let byte = item.as_u64().and_then(|byte| u8::try_from(byte).ok());
                let path = path.numbered(n)?;
                byte.ok_or_else(|| path.misfit(format!("is {item}, which u8 does not hold")))
            });
            bytes.collect()
        }
        _ => Err(wanted("base64, or an array of numbers,", value, path)),
    }
}
