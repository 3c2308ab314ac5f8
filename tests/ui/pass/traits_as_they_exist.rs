//! Traits with the shape of those that daemons, editors, runtimes and nodes have, as their authors write them:
//! each becomes a service as it is, or by the options in its one line.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::future::Future;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use witrpc::wit_service;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Failure {
    Overflow,
    Refused { code: i32, why: String },
}

pub type Reply<T> = Result<T, Failure>;

// As they are.

#[wit_service]
pub trait Steps: Sync {
    async fn value(&self) -> Reply<u32>;
    async fn increase(&self, by: u32) -> Reply<()>;
    /// Twice what it is.
    async fn double(&self) -> Reply<()> {
        let now = self.value().await?;
        self.increase(now).await
    }
    fn later(&self, by: u32) -> impl Future<Output = Reply<u32>> + Send;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    Calls,
    Storage,
}

#[cfg_attr(all(), wit_service)]
pub trait Tracer {
    #[cfg_attr(all(), wit(rename = "trace_call"))]
    fn call(&self, kinds: HashSet<Kind>, block: Option<u64>) -> Reply<BTreeMap<u64, Vec<u8>>>;
    fn r#gen(&self, count: u16) -> Reply<Vec<Kind>>;
}

/// Not the standard library's.
pub mod places {
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub struct Path(pub Vec<String>);
}

#[wit_service]
pub trait Files {
    fn open(&self, path: places::Path, truncate: bool) -> std::io::Result<u64>;
    fn size(&self, path: &Path, name: &OsStr) -> std::io::Result<(u64, Option<SystemTime>)>;
    fn rename(&self, from: PathBuf, to: Option<&Path>) -> std::io::Result<()>;
}

#[allow(async_fn_in_trait)]
#[wit_service]
pub trait Host {
    async fn ready(&self, features: HashMap<String, Vec<String>>) -> bool;
    async fn resolve(&self, path: Vec<String>, kwargs: Vec<(String, i64)>) -> Option<String>;
}

#[wit_service]
pub trait Health {
    fn is_alive(&self) -> bool;
}

// By one line each.

#[wit_service(extends(Health))]
pub trait Agent: Health {
    fn run(&self, command: Vec<String>) -> Reply<i32>;
}

#[wit_service(add_self)]
pub trait Reader {
    async fn subjects() -> Vec<String>;
    async fn take(subject: String, text: String);
}

#[wit_service(add_self)]
pub trait Vault {
    async fn sign(key: [u8; 4], message: Vec<u8>) -> Result<Vec<u8>, Failure>;
    async fn many(keys: Vec<Option<u32>>) -> Vec<Option<Result<Vec<u8>, Failure>>>;
    #[allow(clippy::too_many_arguments)]
    async fn deal(a: u8, b: u16, c: u32, d: u64, e: i8, f: i16, g: i32, h: i64) -> Reply<()>;
}

#[wit_service(types(Hash = [u8; 32]))]
pub trait State<Hash> {
    fn at(&self, key: Vec<u8>, block: Option<Hash>) -> Reply<Option<Vec<u8>>>;
    fn between(&self, from: Hash, to: Option<Hash>) -> Reply<Vec<(Hash, u64)>>;
    #[wit(event)]
    fn imported(&self, block: Hash);
}

#[wit_service(types(Item = String), local(Item, put))]
pub trait Collection<Item>
where
    Item: Serialize + serde::de::DeserializeOwned + Clone + Send + 'static,
{
    type Item: Clone;
    async fn put(&mut self, key: Item, value: Self::Item) -> Reply<()>;
    async fn last(&self) -> Reply<Option<Item>>;
}

#[wit_service(local(VERSION))]
pub trait Settings: Send + Sync {
    const VERSION: NonZeroU32 = NonZeroU32::MIN;
    async fn read(&self, space: &str, key: &str) -> Reply<String>;
}

#[wit_service(local(Plugin, search_terms, run))]
pub trait Command: Sync {
    type Plugin: Send + Sync;
    fn name(&self) -> String;
    fn search_terms(&self) -> Vec<&str> {
        vec![]
    }
    fn is_filter(&self) -> bool {
        false
    }
    fn run(&self, plugin: &Self::Plugin, input: u64) -> u64;
}

#[wit_service(local(start, kill, update))]
pub trait Container {
    async fn start(&mut self, exec: Option<&str>) -> Reply<i32>;
    async fn state(&self, exec: Option<&str>) -> Reply<(i32, Duration)>;
    async fn kill(&mut self, exec: Option<&str>, signal: u32, all: bool) -> Reply<()>;
    async fn pid(&self) -> i32;
    #[cfg(target_os = "linux")]
    async fn update(&mut self, shares: u64) -> Reply<()>;
    #[cfg(not(target_os = "linux"))]
    async fn update(&mut self, _shares: u64) -> Reply<()>;
}

#[wit_service(local(spawn, read, box_clone))]
pub trait Terminals: Send + Sync {
    fn spawn(
        &self,
        quit: Box<dyn Fn(u32, Option<i32>) + Send>,
        editor: Option<PathBuf>,
    ) -> Reply<u32>;
    fn reserve(&self) -> Reply<u32> {
        unimplemented!()
    }
    fn read(&self, fd: i32, buf: &mut [u8]) -> Reply<usize>;
    fn write(&self, terminal: u32, buf: &[u8]) -> Reply<usize>;
    fn box_clone(&self) -> Box<dyn Terminals>;
}

#[wit_service(local(lookup, map))]
pub trait Frontend {
    fn config_changed(&self) -> std::io::Result<u64> {
        Err(std::io::Error::from_raw_os_error(38))
    }
    fn lookup(&self, _id: u32, _fd: &dyn std::fmt::Debug) -> std::io::Result<u64> {
        Err(std::io::Error::from_raw_os_error(38))
    }
    fn map(&self, _at: (u64, u64), _fd: &dyn std::fmt::Debug) -> std::io::Result<u64> {
        Err(std::io::Error::from_raw_os_error(38))
    }
}

#[wit_service(local(set_attributes))]
pub trait Filesystem {
    fn lookup(&self, parent: u64, name: &OsStr) -> Reply<(Duration, u64)>;
    fn forget(&self, _inode: u64, _lookups: u64) {}
    fn set_attributes(&self, inode: u64, reply: Box<dyn FnOnce(Reply<u64>) + Send>);
    fn write(&self, inode: u64, offset: i64, data: &[u8], owner: Option<u64>) -> Reply<u32>;
}

pub enum Request<'a> {
    Ping,
    Cap { id: &'a str },
}

#[wit_service(local(handle))]
pub trait Daemon {
    fn handle(&self, request: Request<'_>) -> Result<u8, String>;
    fn info(&self) -> Result<BTreeMap<i32, f32>, String>;
}

/// One of them is called: what is local is there for those who have the value itself.
struct Shelf(Mutex<Vec<String>>);

impl Collection<String> for Shelf {
    type Item = String;

    async fn put(&mut self, _: String, value: String) -> Reply<()> {
        self.0.get_mut().expect("no panic").push(value);
        Ok(())
    }

    async fn last(&self) -> Reply<Option<String>> {
        Ok(self.0.lock().expect("no panic").last().cloned())
    }
}

fn main() {
    let mut shelf = Shelf(Mutex::default());
    futures_executor::block_on(shelf.put("a".into(), "book".into())).expect("it is put");
    assert_eq!(CollectionClient::in_process(shelf).last(), Ok(Some("book".to_owned())));
}
