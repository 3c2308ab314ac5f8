//! A key vault: errors within modules, maps of maps, nine arguments.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{Desk, over_each_codec};

pub type Index = u32;

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Arbitrary,
)]
pub struct Seat(u32);
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Arbitrary,
)]
pub struct Epoch(u32);
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Arbitrary,
)]
pub struct KeyId(#[serde(with = "serde_bytes")] [u8; 32]);
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Arbitrary,
)]
pub enum Curve {
    Ed25519,
    #[serde(rename = "k1")]
    Secp256k1,
    Threshold,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub struct PublicKey {
    pub curve: Curve,
    pub der: Vec<u8>,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub enum Signed {
    Ed25519(Vec<u8>),
    Threshold(ThresholdSigned),
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub enum ThresholdSigned {
    Individual(Box<[u8]>),
    Combined(Box<[u8]>),
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub struct Dealing {
    pub coefficients: Vec<PublicKey>,
    pub shares: BTreeMap<Index, Vec<u8>>,
}

pub mod errors {
    use super::*;

    pub mod threshold {
        use super::*;
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
        pub enum CreateDealingError {
            UnsupportedCurve(Curve),
            MisnumberedReceiver { receiver: Seat, number_of_receivers: u32 },
            Transient { internal_error: String },
        }
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
        pub struct OpenError;
    }
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
    pub enum SignError {
        NoSuchKey { curve: Curve, key: KeyId },
        WrongCurve { curve: Curve },
        Malformed(Option<Vec<u8>>),
    }
}
use errors::threshold::{CreateDealingError, OpenError};

#[wit_service]
pub trait Vault {
    async fn sign(
        &self,
        curve: Curve,
        message: Vec<u8>,
        key: KeyId,
    ) -> Result<Signed, errors::SignError>;
    async fn make_pair(&self) -> Result<PublicKey, errors::SignError>;
    async fn many_sign(
        &self,
        keys: Vec<Option<KeyId>>,
        message: Vec<u8>,
    ) -> Vec<Option<Result<Signed, errors::SignError>>>;
    async fn has(&self, key: KeyId) -> bool;
    async fn deal(
        &self,
        curve: Curve,
        dealer: Seat,
        threshold: u32,
        epoch: Epoch,
        receivers: BTreeMap<Seat, PublicKey>,
        reshared: Option<KeyId>,
        context: Vec<u8>,
        nested: BTreeMap<Seat, BTreeMap<Seat, Vec<u8>>>,
        registry_version: u64,
    ) -> Result<Dealing, CreateDealingError>;
    async fn keep_only(&self, active: BTreeSet<PublicKeyId>, oldest: u64) -> Result<(), OpenError>;
    async fn current(
        &self,
    ) -> Result<(PublicKey, (PublicKey, Vec<u8>), Option<PublicKey>), OpenError>;
}

pub type PublicKeyId = KeyId;

impl Vault for Desk {
    async fn sign(
        &self,
        curve: Curve,
        message: Vec<u8>,
        key: KeyId,
    ) -> Result<Signed, errors::SignError> {
        self.serve((curve, message, key))
    }

    async fn make_pair(&self) -> Result<PublicKey, errors::SignError> {
        self.serve(())
    }

    async fn many_sign(
        &self,
        keys: Vec<Option<KeyId>>,
        message: Vec<u8>,
    ) -> Vec<Option<Result<Signed, errors::SignError>>> {
        self.serve((keys, message))
    }

    async fn has(&self, key: KeyId) -> bool {
        self.serve(key)
    }

    async fn deal(
        &self,
        curve: Curve,
        dealer: Seat,
        threshold: u32,
        epoch: Epoch,
        receivers: BTreeMap<Seat, PublicKey>,
        reshared: Option<KeyId>,
        context: Vec<u8>,
        nested: BTreeMap<Seat, BTreeMap<Seat, Vec<u8>>>,
        registry_version: u64,
    ) -> Result<Dealing, CreateDealingError> {
        self.serve((
            curve,
            dealer,
            threshold,
            epoch,
            receivers,
            reshared,
            context,
            nested,
            registry_version,
        ))
    }

    async fn keep_only(&self, active: BTreeSet<PublicKeyId>, oldest: u64) -> Result<(), OpenError> {
        self.serve((active, oldest))
    }

    async fn current(
        &self,
    ) -> Result<(PublicKey, (PublicKey, Vec<u8>), Option<PublicKey>), OpenError> {
        self.serve(())
    }
}

#[test]
fn a_key_vault() {
    let desk = Desk::default();
    over_each_codec!(
        VaultClient,
        VaultServer::new(desk.clone()),
        quickest Codec::Postcard,
        unfit &[],
        |codec, client: &VaultClient| {
            desk.result(codec, |(curve, message, key)| client.sign(curve, message, key));
            desk.result(codec, |()| client.make_pair());
            desk.plain(codec, |(keys, message)| client.many_sign(keys, message));
            desk.plain(codec, |key| client.has(key));
            desk.result(codec, |(curve, dealer, threshold, epoch, receivers, reshared, context, nested, registry_version)| client.deal(curve, dealer, threshold, epoch, receivers, reshared, context, nested, registry_version));
            desk.result(codec, |(active, oldest)| client.keep_only(active, oldest));
            desk.result(codec, |()| client.current());
        }
    );
}
