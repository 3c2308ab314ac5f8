//! The kind of an error on the wire: its name, which stays when std numbers its kinds anew.

use std::io::ErrorKind;

use serde::{Deserializer, Serializer};

use super::bounds;

pub(super) fn serialize<S: Serializer>(kind: &ErrorKind, serializer: S) -> Result<S::Ok, S::Error> {
    let name = KINDS.iter().find(|(known, _)| known == kind).map_or("Other", |(_, name)| name);
    serializer.serialize_str(name)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ErrorKind, D::Error> {
    let text = bounds::text(deserializer)?;
    let known = KINDS.iter().find(|(_, name)| *name == text);
    Ok(known.map_or(ErrorKind::Other, |(kind, _)| *kind))
}

macro_rules! kinds {
    ($($name:ident)*) => {
        /// The kinds that cross. All others are `Other`.
        pub(super) const KINDS: &[(ErrorKind, &str)] =
            &[$((ErrorKind::$name, stringify!($name))),*];
    };
}

kinds! {
    NotFound PermissionDenied ConnectionRefused ConnectionReset HostUnreachable NetworkUnreachable
    ConnectionAborted NotConnected AddrInUse AddrNotAvailable NetworkDown BrokenPipe AlreadyExists
    WouldBlock NotADirectory IsADirectory DirectoryNotEmpty ReadOnlyFilesystem StaleNetworkFileHandle
    InvalidInput InvalidData TimedOut WriteZero StorageFull NotSeekable QuotaExceeded FileTooLarge
    ResourceBusy ExecutableFileBusy Deadlock CrossesDevices TooManyLinks InvalidFilename
    ArgumentListTooLong Interrupted Unsupported UnexpectedEof OutOfMemory Other
}
