//! The messages of parent and worker before the first call: an assignment, and a report in return. Each
//! is a postcard message behind its length, four bytes, little-endian.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::endpoint::mmf::Mmf;
use crate::security::{AccessToken, TokenError};

/// The version of these messages, the first number of an assignment. It detects that parent and worker
/// come from different builds, which is rare.
const VERSION: u32 = 1;

/// The longest message, in bytes. It must fit in the socket's buffer.
pub const MAX_LEN: usize = 16 << 10;

/// Where a worker must serve, and which token its callers need.
#[derive(Clone, PartialEq, Eq)]
pub struct Assignment {
    name: String,
    /// The path of the name's directory, if that is not the user's own. A path need not be UTF-8.
    dir: Option<Vec<u8>>,
    /// The token that callers need.
    pub token: AccessToken,
}

/// An assignment as it is sent.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    version: u32,
    name: &'a str,
    #[serde(borrow)]
    dir: Option<&'a [u8]>,
    token: &'a str,
}

impl Assignment {
    /// Creates an assignment with a name that cannot be guessed.
    ///
    /// # Errors
    ///
    /// [`TokenError::NoRandomBytes`].
    pub fn new(dir: Option<&Path>) -> Result<Self, TokenError> {
        let token = AccessToken::try_random()?;
        let dir = dir.map(|dir| dir.as_os_str().as_bytes().to_vec());
        Ok(Self { name: Mmf::unguessable().name().to_owned(), dir, token })
    }

    /// Returns the endpoint to serve.
    pub fn place(&self) -> Mmf {
        let place = Mmf::new(&*self.name);
        match &self.dir {
            Some(dir) => place.in_dir(OsStr::from_bytes(dir)),
            None => place,
        }
    }

    /// Encodes it. The bytes are wiped when they are dropped.
    pub fn to_frame(&self) -> Zeroizing<Vec<u8>> {
        let token = self.token.to_hex();
        let (name, dir) = (&*self.name, self.dir.as_deref());
        let written = Written { version: VERSION, name, dir, token: &token };
        // Allocated at full length: a vector that grows leaves copies behind that are not wiped.
        let mut frame = Zeroizing::new(vec![0; 4 + MAX_LEN]);
        let body = postcard::to_slice(&written, &mut frame[4..]);
        let len = body.expect("paths are shorter than a message").len();
        frame[..4].copy_from_slice(&(len as u32).to_le_bytes());
        frame.truncate(4 + len);
        frame
    }
}

/// What has become of the worker.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// The worker serves.
    Serving,
    /// It cannot serve, and why.
    Failed(String),
}

impl Report {
    /// Creates a failure. The text is cut to what fits into a message.
    pub fn failed(problem: &str) -> Self {
        let cut = problem.char_indices().take_while(|(at, _)| *at < MAX_LEN / 2);
        Self::Failed(cut.map(|(_, char)| char).collect())
    }

    /// Encodes it.
    pub fn to_frame(&self) -> Vec<u8> {
        let body = postcard::to_allocvec(self).expect("a string always encodes");
        let mut frame = (body.len() as u32).to_le_bytes().to_vec();
        frame.extend_from_slice(&body);
        frame
    }
}

/// Returns the body of a message once all of it has arrived; `None` until then.
pub fn whole_body(bytes: &[u8]) -> Result<Option<&[u8]>, String> {
    let Some((len, body)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let len = u32::from_le_bytes(*len) as usize;
    if len > MAX_LEN {
        return Err(format!("a message of {len} bytes is over the limit of {MAX_LEN}"));
    }
    Ok(body.get(..len))
}

/// Reads an assignment. Reads the version by itself first, because what follows may differ.
pub fn read_assignment(body: &[u8]) -> Result<Assignment, String> {
    let (version, _): (u32, _) = postcard::take_from_bytes(body).map_err(|e| e.to_string())?;
    if version != VERSION {
        return Err(format!("the parent speaks version {version} to workers, this one {VERSION}"));
    }
    let written: Written<'_> = postcard::from_bytes(body).map_err(|error| error.to_string())?;
    Ok(Assignment {
        name: written.name.to_owned(),
        dir: written.dir.map(<[u8]>::to_vec),
        token: AccessToken::from_hex(written.token).map_err(|error| error.to_string())?,
    })
}

/// Reads a report.
pub fn read_report(body: &[u8]) -> Result<Report, String> {
    postcard::from_bytes(body).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_crosses_whole_or_not_yet() {
        for dir in [None, Some(Path::new(OsStr::from_bytes(b"/a/\xff")))] {
            let assignment = Assignment::new(dir).unwrap();
            let frame = assignment.to_frame();
            for end in 0..frame.len() {
                assert_eq!(whole_body(&frame[..end]), Ok(None), "{end} of {}", frame.len());
            }
            let body = whole_body(&frame).unwrap().unwrap();
            assert!(read_assignment(body).unwrap() == assignment);
        }
    }

    #[test]
    fn no_two_assignments_share_a_secret() {
        let (one, other) = (Assignment::new(None).unwrap(), Assignment::new(None).unwrap());
        assert_ne!(one.name, other.name);
        assert_ne!(one.token, other.token);
    }

    #[test]
    fn another_version_is_named_whatever_follows() {
        let body = postcard::to_allocvec(&(VERSION + 1, 0xffff_ffff_u32)).unwrap();
        let error = read_assignment(&body).err().unwrap();
        assert!(error.contains(&format!("version {}", VERSION + 1)), "{error}");
    }

    #[test]
    fn what_is_no_message_is_said_to_be_none() {
        assert!(whole_body(b"GET / HTTP/1.1").is_err());
        assert!(read_report(&[7]).is_err() && read_report(&[]).is_err());
    }

    #[test]
    fn a_long_failure_is_cut_between_characters() {
        let frame = Report::failed(&"\u{e9}".repeat(MAX_LEN)).to_frame();
        let Report::Failed(problem) = read_report(whole_body(&frame).unwrap().unwrap()).unwrap()
        else {
            panic!("it was a failure");
        };
        assert_eq!(problem, "\u{e9}".repeat(MAX_LEN / 4));
    }
}
