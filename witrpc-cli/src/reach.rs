//! Reaches a server.

use std::fs;
use std::time::Duration;

use witrpc::dynamic::{DynamicClient, DynamicClientBuilder};
use witrpc::{AccessToken, Codec, Mmf};

use crate::args::{Access, CodecName, PlaceArgs};
use crate::failure::Failure;

/// How long connecting may take, unless the user says so.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Returns the endpoint of a name. A server has as long to answer it as the user says.
pub fn endpoint(name: &str, place: &PlaceArgs, timeout: Option<Duration>) -> Mmf {
    let endpoint = Mmf::new(name).handshake_timeout(timeout.unwrap_or(CONNECT_TIMEOUT));
    match &place.dir {
        Some(dir) => endpoint.in_dir(dir),
        None => endpoint,
    }
}

/// Prepares a connection to a server by its name.
///
/// # Errors
///
/// The file of the token cannot be used.
pub fn builder(name: &str, access: &Access) -> Result<DynamicClientBuilder, Failure> {
    let endpoint = endpoint(name, &access.place, access.timeout);
    let mut builder = DynamicClient::builder(endpoint)
        .connect_timeout(access.timeout.unwrap_or(CONNECT_TIMEOUT))
        .encryption(access.encrypt);
    if let Some(timeout) = access.timeout {
        builder = builder.call_timeout(timeout);
    }
    if let Some(codec) = access.codec {
        builder = builder.codec(codec.codec());
    }
    if let Some(token) = token(access)? {
        builder = builder.access_token(token);
    }
    Ok(builder)
}

/// Connects to a server by its name.
///
/// # Errors
///
/// The server is not there or does not let this command in, or the file of the token cannot be used.
pub fn connect(name: &str, access: &Access) -> Result<DynamicClient, Failure> {
    Ok(builder(name, access)?.connect()?)
}

fn token(access: &Access) -> Result<Option<AccessToken>, Failure> {
    let Some(path) = &access.token_file else { return Ok(None) };
    let unusable = |why: String| Failure::NotRun(format!("the token in {}: {why}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    let token = AccessToken::from_hex(text.trim());
    token.map(Some).map_err(|error| unusable(error.to_string()))
}

impl CodecName {
    pub fn codec(self) -> Codec {
        match self {
            Self::Json => Codec::Json,
            Self::Messagepack => Codec::MessagePack,
            Self::Postcard => Codec::Postcard,
        }
    }
}

/// Returns the parts of `Service.member`.
///
/// # Errors
///
/// There is no dot in it.
pub fn parts(member: &str) -> Result<(&str, &str), Failure> {
    member.rsplit_once('.').ok_or_else(|| {
        Failure::misuse(format!(
            "{member:?} has no dot: give Service.name, as `witrpc describe` shows"
        ))
    })
}
