//! Files with options: flattened and defaulted fields, enums by number, a type named `Path`.

use std::time::SystemTime;
use std::{fmt, io};

use arbitrary::{Arbitrary, Unstructured};
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{Desk, over_each_codec, time};

pub mod path {
    use arbitrary::{Arbitrary, Unstructured};
    use serde::{Deserialize, Serialize};

    /// A path that climbs nowhere. Its last name is that of std's.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(try_from = "String", into = "String")]
    pub struct Path(String);
    impl<'a> Arbitrary<'a> for Path {
        fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
            Ok(Self(String::arbitrary(u)?.replace("..", ".")))
        }
    }

    impl TryFrom<String> for Path {
        type Error = &'static str;
        fn try_from(text: String) -> Result<Self, Self::Error> {
            if text.split('/').any(|part| part == "..") {
                return Err("cannot traverse directory");
            }
            Ok(Self(text))
        }
    }
    impl From<Path> for String {
        fn from(path: Path) -> String {
            path.0
        }
    }
}
pub type SafePath = path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
#[serde(try_from = "u16", into = "u16")]
pub enum BaseDirectory {
    Audio = 1,
    Cache = 2,
    Home = 21,
}
impl TryFrom<u16> for BaseDirectory {
    type Error = String;
    fn try_from(number: u16) -> Result<Self, String> {
        match number {
            1 => Ok(Self::Audio),
            2 => Ok(Self::Cache),
            21 => Ok(Self::Home),
            other => Err(format!("no directory {other}")),
        }
    }
}
impl From<BaseDirectory> for u16 {
    fn from(directory: BaseDirectory) -> u16 {
        directory as u16
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase")]
pub struct BaseOptions {
    base_dir: Option<BaseDirectory>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase")]
pub struct OpenOptions {
    #[serde(flatten)]
    base: BaseOptions,
    #[serde(default = "yes")]
    read: bool,
    #[serde(default)]
    create_new: bool,
    mode: Option<u32>,
}
fn yes() -> bool {
    true
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Entry {
    pub name: Option<String>,
    pub is_directory: bool,
    pub is_symlink: bool,
    #[arbitrary(with = |u: &mut Unstructured<'_>| Ok(Some(time(u)?)))]
    pub modified: Option<SystemTime>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
#[serde(try_from = "u16", into = "u16")]
pub enum Whence {
    Start = 300,
    End = 301,
}
impl TryFrom<u16> for Whence {
    type Error = String;
    fn try_from(number: u16) -> Result<Self, String> {
        match number {
            300 => Ok(Self::Start),
            301 => Ok(Self::End),
            other => Err(format!("no {other}")),
        }
    }
}
impl From<Whence> for u16 {
    fn from(whence: Whence) -> u16 {
        whence as u16
    }
}
/// Written as its text; read back as text too, by hand, because the causes cannot be made again.
#[derive(Clone, Debug)]
pub enum CommandError {
    Io(io::ErrorKind),
    Other(String),
}

impl<'a> Arbitrary<'a> for CommandError {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(match bool::arbitrary(u)? {
            true => Self::Io(*u.choose(&[io::ErrorKind::NotFound, io::ErrorKind::TimedOut])?),
            false => Self::Other(String::arbitrary(u)?),
        })
    }
}

impl PartialEq for CommandError {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(kind) => kind.fmt(f),
            Self::Other(text) => text.fmt(f),
        }
    }
}

impl Serialize for CommandError {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for CommandError {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::Other)
    }
}
pub type ResourceId = u32;

#[wit_service]
pub trait Fs {
    fn open(
        &self,
        path: SafePath,
        options: Option<OpenOptions>,
    ) -> Result<ResourceId, CommandError>;
    fn close(&self, rid: ResourceId) -> Result<(), CommandError>;
    fn read(&self, rid: ResourceId, len: u32) -> Result<(Vec<u8>, usize), CommandError>;
    fn read_dir(
        &self,
        path: SafePath,
        options: Option<BaseOptions>,
    ) -> Result<Vec<Entry>, CommandError>;
    fn next_line(&self, rid: ResourceId) -> Result<(Option<String>, bool), CommandError>;
    fn seek(&self, rid: ResourceId, offset: i64, whence: Whence) -> Result<u64, CommandError>;
    fn rename(&self, old: SafePath, new: SafePath) -> Result<(), CommandError>;
    fn exists(&self, path: &std::path::Path) -> bool;
}

impl Fs for Desk {
    fn open(
        &self,
        path: SafePath,
        options: Option<OpenOptions>,
    ) -> Result<ResourceId, CommandError> {
        self.serve((path, options))
    }

    fn close(&self, rid: ResourceId) -> Result<(), CommandError> {
        self.serve(rid)
    }

    fn read(&self, rid: ResourceId, len: u32) -> Result<(Vec<u8>, usize), CommandError> {
        self.serve((rid, len))
    }

    fn read_dir(
        &self,
        path: SafePath,
        options: Option<BaseOptions>,
    ) -> Result<Vec<Entry>, CommandError> {
        self.serve((path, options))
    }

    fn next_line(&self, rid: ResourceId) -> Result<(Option<String>, bool), CommandError> {
        self.serve(rid)
    }

    fn seek(&self, rid: ResourceId, offset: i64, whence: Whence) -> Result<u64, CommandError> {
        self.serve((rid, offset, whence))
    }

    fn rename(&self, old: SafePath, new: SafePath) -> Result<(), CommandError> {
        self.serve((old, new))
    }

    fn exists(&self, path: &std::path::Path) -> bool {
        self.serve(path.to_path_buf())
    }
}

#[test]
fn files_with_options() {
    let desk = Desk::default();
    over_each_codec!(
        FsClient,
        FsServer::new(desk.clone()),
        quickest Codec::MessagePack,
        unfit & [(Codec::Postcard, "flattened")],
        |codec, client: &FsClient| {
            desk.result(codec, |(path, options)| client.open(path, options));
            desk.result(codec, |rid| client.close(rid));
            desk.result(codec, |(rid, len)| client.read(rid, len));
            desk.result(codec, |(path, options)| client.read_dir(path, options));
            desk.result(codec, |rid| client.next_line(rid));
            desk.result(codec, |(rid, offset, whence)| client.seek(rid, offset, whence));
            desk.result(codec, |(old, new)| client.rename(old, new));
            desk.plain(codec, |path: std::path::PathBuf| client.exists(&path));
        }
    );
}
