//! A file system: thirteen arguments, times, names that need not be UTF-8.

use std::ffi::OsString;
use std::time::{Duration, SystemTime};

use arbitrary::{Arbitrary, Unstructured};
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{Desk, over_each_codec, time};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Arbitrary)]
pub struct Inode(pub u64);
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub struct Handle(pub u64);
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub enum TimeOrNow {
    SpecificTime(#[arbitrary(with = time)] SystemTime),
    Now,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub struct Forget {
    pub node: Inode,
    pub nlookup: u64,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub struct Attributes {
    pub ino: Inode,
    pub size: u64,
    #[arbitrary(with = time)]
    pub mtime: SystemTime,
    pub kind: char,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub struct Errno(pub i32);

/// Times that may be missing.
#[derive(Clone, Debug, PartialEq)]
struct Times([Option<SystemTime>; 4]);

impl<'a> Arbitrary<'a> for Times {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let times = <[TimeOrNow; 4]>::arbitrary(u)?;
        Ok(Self(times.map(|time| match time {
            TimeOrNow::SpecificTime(time) => Some(time),
            TimeOrNow::Now => None,
        })))
    }
}

#[wit_service]
pub trait Filesystem {
    fn lookup(&self, parent: Inode, name: &OsString) -> Result<(Duration, Attributes, u64), Errno>;
    fn forget(&self, _ino: Inode, _nlookup: u64);
    fn batch_forget(&self, nodes: Vec<Forget>);
    fn setattr(
        &self,
        ino: Inode,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        fh: Option<Handle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        flags: Option<u32>,
    ) -> Result<Attributes, Errno>;
    fn write(
        &self,
        ino: Inode,
        fh: Handle,
        offset: i64,
        data: &[u8],
        lock_owner: Option<u64>,
    ) -> Result<u32, Errno>;
}

impl Filesystem for Desk {
    fn lookup(&self, parent: Inode, name: &OsString) -> Result<(Duration, Attributes, u64), Errno> {
        self.serve((parent, name.clone()))
    }

    fn forget(&self, _ino: Inode, _nlookup: u64) {
        self.serve((_ino, _nlookup))
    }

    fn batch_forget(&self, nodes: Vec<Forget>) {
        self.serve(nodes)
    }

    fn setattr(
        &self,
        ino: Inode,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        fh: Option<Handle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        flags: Option<u32>,
    ) -> Result<Attributes, Errno> {
        let times = Times([_ctime, _crtime, _chgtime, _bkuptime]);
        self.serve(((ino, mode, uid, gid, size), (_atime, _mtime, times), (fh, flags)))
    }

    fn write(
        &self,
        ino: Inode,
        fh: Handle,
        offset: i64,
        data: &[u8],
        lock_owner: Option<u64>,
    ) -> Result<u32, Errno> {
        self.serve((ino, fh, offset, data.to_vec(), lock_owner))
    }
}

#[test]
fn a_file_system() {
    let desk = Desk::default();
    over_each_codec!(
        FilesystemClient,
        FilesystemServer::new(desk.clone()),
        quickest Codec::Postcard,
        unfit &[],
        |codec, client: &FilesystemClient| {
            desk.result(codec, |(parent, name): (Inode, OsString)| client.lookup(parent, &name));
            desk.plain(codec, |(ino, nlookup)| client.forget(ino, nlookup));
            desk.plain(codec, |nodes| client.batch_forget(nodes));
            desk.result(codec, |((ino, mode, uid, gid, size), (atime, mtime, times), (fh, flags))| {
                let Times([ctime, crtime, chgtime, bkuptime]) = times;
                client.setattr(
                    ino, mode, uid, gid, size, atime, mtime, ctime, fh, crtime, chgtime, bkuptime,
                    flags,
                )
            });
            desk.result(codec, |(ino, fh, offset, data, lock_owner): (Inode, Handle, i64, Vec<u8>, Option<u64>)| client.write(ino, fh, offset, &data, lock_owner));
        }
    );
}
