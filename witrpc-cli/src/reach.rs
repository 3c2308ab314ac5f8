//! Reaches a server.

use std::fs;
use std::time::Duration;

use witrpc::dynamic::DynamicClient;
use witrpc::{AccessToken, Codec, Mmf, WaitPolicy};

use crate::args::{Access, CodecName, PlaceArgs};
use crate::failure::Failure;

/// How long connecting may take, unless the user says so.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Returns the endpoint of a name.
pub fn endpoint(name: &str, place: &PlaceArgs) -> Mmf {
    let endpoint = Mmf::new(name);
    match &place.dir {
        Some(dir) => endpoint.in_dir(dir),
        None => endpoint,
    }
}

/// Connects to a server by its name.
///
/// # Errors
///
/// The server is not there or does not let this command in, or the file of the token cannot be used.
pub fn connect(name: &str, access: &Access) -> Result<DynamicClient, Failure> {
    connect_with(name, access, access.codec.map(CodecName::codec), WaitPolicy::Adaptive)
}

/// Connects as [`connect`] does, over this codec.
///
/// # Errors
///
/// As [`connect`].
pub fn connect_with(
    name: &str,
    access: &Access,
    codec: Option<Codec>,
    wait: WaitPolicy,
) -> Result<DynamicClient, Failure> {
    let mut builder = DynamicClient::builder(endpoint(name, &access.place))
        .connect_timeout(access.timeout.unwrap_or(CONNECT_TIMEOUT))
        .encryption(access.encrypt)
        .wait(wait);
    if let Some(timeout) = access.timeout {
        builder = builder.call_timeout(timeout);
    }
    if let Some(codec) = codec {
        builder = builder.codec(codec);
    }
    if let Some(token) = token(access)? {
        builder = builder.access_token(token);
    }
    Ok(builder.connect()?)
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
