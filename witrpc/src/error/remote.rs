//! An error of any type, as it reaches another process.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;

use serde::{Deserialize, Serialize};

use super::CallError;

mod bounds;
mod kind;

/// An error of a handler that reaches the client in words: its message, those of its sources, and its
/// kind.
///
/// It is for services whose clients report an error rather than match on it. `?` turns every error into
/// one. A client that acts on the error needs a type that says more, such as an enum of the service's.
///
/// Like `anyhow::Error` it does not implement [`Error`], so that every error converts into it.
/// `anyhow::Error` and boxed errors do not implement `Error` either: see [`new`](Self::new) and
/// [`of`](Self::of). In the other direction, [`CallError<RemoteError>`](CallError) is an error, and
/// `Box<dyn Error>` has a conversion from a `RemoteError`.
///
/// A message crosses up to 4,096 bytes, and with it the messages of up to 16 sources. What is longer is
/// cut, by the sender and by the receiver.
///
/// # Examples
///
/// ```
/// use std::fs;
/// use std::io::ErrorKind;
/// use witrpc::{CallError, RemoteError, wit_service};
///
/// #[wit_service]
/// pub trait Settings {
///     fn number(&self, path: &str) -> Result<u32, RemoteError>;
/// }
///
/// struct Files;
///
/// impl Settings for Files {
///     fn number(&self, path: &str) -> Result<u32, RemoteError> {
///         Ok(fs::read_to_string(path)?.trim().parse()?)
///     }
/// }
///
/// let settings = SettingsClient::in_process(Files);
/// match settings.number("/no/such/file") {
///     Err(CallError::App(error)) => assert_eq!(error.kind(), ErrorKind::NotFound),
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteError {
    #[serde(with = "kind")]
    kind: ErrorKind,
    #[serde(deserialize_with = "bounds::text")]
    message: String,
    #[serde(deserialize_with = "bounds::texts")]
    sources: Vec<String>,
}

impl RemoteError {
    /// Makes one from an error, `anyhow::Error`, `Box<dyn Error + Send + Sync>` or a text.
    ///
    /// # Examples
    ///
    /// ```
    /// use witrpc::RemoteError;
    ///
    /// fn limit(text: &str) -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
    ///     Ok(text.parse()?)
    /// }
    ///
    /// let error = limit("300").map_err(RemoteError::new).unwrap_err();
    /// assert_eq!(error.message(), "number too large to fit in target type");
    /// assert_eq!(RemoteError::new("out of paper").message(), "out of paper");
    /// ```
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::of(&*error.into())
    }

    /// Makes one from a borrowed error, such as the content of a `Box<dyn Error>`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::error::Error;
    /// use witrpc::RemoteError;
    ///
    /// let boxed: Box<dyn Error> = "out of paper".into();
    /// assert_eq!(RemoteError::of(&*boxed).message(), "out of paper");
    /// ```
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut kind = None;
        let mut texts = Vec::new();
        let mut next = Some(error);
        while let Some(error) = next.filter(|_| texts.len() <= bounds::MAX_SOURCES) {
            match arrived(error) {
                Some(remote) => {
                    kind = kind.or(Some(remote.kind));
                    texts.push(remote.message.clone());
                    texts.extend(remote.sources.iter().cloned());
                }
                None => {
                    kind = kind.or_else(|| Some(error.downcast_ref::<std::io::Error>()?.kind()));
                    texts.push(bounds::cut(error.to_string()));
                }
            }
            next = error.source();
        }
        texts.truncate(1 + bounds::MAX_SOURCES);
        let message = texts.remove(0);
        Self { kind: kind.unwrap_or(ErrorKind::Other), message, sources: texts }
    }

    /// Sets the kind.
    #[must_use]
    pub fn with_kind(self, kind: ErrorKind) -> Self {
        Self { kind, ..self }
    }

    /// Returns the kind: that of the first [`std::io::Error`] among the error and its sources, or
    /// [`ErrorKind::Other`]. A kind that another version of the peer does not know is `Other` too.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the message of the error itself.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the messages of its sources, from the nearest on.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(String::as_str)
    }
}

/// Shows the message and those of the sources in one line, since it has no
/// [`source`](Error::source) to ask for them.
impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.sources.iter().try_for_each(|source| write!(f, ": {source}"))
    }
}

impl<E: Error + 'static> From<E> for RemoteError {
    fn from(error: E) -> Self {
        Self::of(&error)
    }
}

impl From<RemoteError> for Box<dyn Error + Send + Sync> {
    fn from(error: RemoteError) -> Self {
        Box::new(ArrivedError(error))
    }
}

impl From<RemoteError> for Box<dyn Error> {
    fn from(error: RemoteError) -> Self {
        Box::new(ArrivedError(error))
    }
}

/// A [`RemoteError`] as an [`Error`].
struct ArrivedError(RemoteError);

impl fmt::Debug for ArrivedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ArrivedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for ArrivedError {}

/// Returns the `RemoteError` that an error is: one that a service passes on.
fn arrived<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e RemoteError> {
    match error.downcast_ref::<CallError<RemoteError>>() {
        Some(CallError::App(remote)) => Some(remote),
        _ => error.downcast_ref::<ArrivedError>().map(|arrived| &arrived.0),
    }
}

#[cfg(test)]
mod tests;
