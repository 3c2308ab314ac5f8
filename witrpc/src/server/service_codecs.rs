//! The codecs over which each service is served.

use crate::codec::Codec;
use crate::contract;
use crate::contract::{MAX_CONTRACT_LEN, ServiceDescriptor, Traced, UnverifiedPart};
use crate::error::BindError;

/// The codecs of one service.
pub struct ServiceCodecs {
    serves: Vec<Codec>,
    /// Those that the server left out by itself, each with the reason.
    left_out: Vec<(Codec, String)>,
}

impl ServiceCodecs {
    /// Takes the codecs that the user has chosen, all of which must fit. Without a choice, takes all that
    /// fit.
    ///
    /// # Errors
    ///
    /// The types that a chosen codec does not return as they were, or that no codec does.
    pub fn of(
        service: &'static ServiceDescriptor,
        chosen: Option<&[Codec]>,
        allow_unverified: bool,
    ) -> Result<Self, BindError> {
        let mut codecs = Self { serves: Vec::new(), left_out: Vec::new() };
        let all: Vec<_> = Codec::all().collect();
        for &codec in chosen.unwrap_or(&all) {
            let traced = contract::traced(service, codec);
            match fits(service.name, codec, &traced, allow_unverified) {
                Ok(()) => codecs.serves.push(codec),
                Err(error) if chosen.is_some() => return Err(error),
                Err(error) => codecs.left_out.push((codec, error.to_string())),
            }
            let (service, len) = (service.name, traced.bytes.len());
            if len > MAX_CONTRACT_LEN {
                return Err(BindError::ContractTooLarge { service, len, max: MAX_CONTRACT_LEN });
            }
        }
        if codecs.serves.is_empty() {
            let problems = codecs.left_out.into_iter().map(|(_, problem)| problem).collect();
            return Err(BindError::NoCodecFits { service: service.name, problems });
        }
        Ok(codecs)
    }

    /// Returns the codecs of a service that takes exactly these.
    #[cfg(test)]
    pub fn exactly(serves: impl Into<Vec<Codec>>) -> Self {
        Self { serves: serves.into(), left_out: Vec::new() }
    }

    /// Returns the codecs that clients may choose from.
    pub fn serves(&self) -> &[Codec] {
        &self.serves
    }

    /// Returns why the server has left a codec out, if it has done so by itself.
    pub fn left_out(&self, codec: Codec) -> Option<&str> {
        self.left_out.iter().find(|(left_out, _)| *left_out == codec).map(|(_, why)| &**why)
    }
}

fn fits(
    service: &'static str,
    codec: Codec,
    traced: &Traced,
    allow_unverified: bool,
) -> Result<(), BindError> {
    if let Some((method, problem)) = traced.refusal() {
        return Err(BindError::CodecRefused { codec, service, method, problem });
    }
    match traced.unverified() {
        Some(UnverifiedPart { method, part, reason }) if !allow_unverified => {
            Err(BindError::UnverifiedType { codec, service, method, part, reason })
        }
        _ => Ok(()),
    }
}
