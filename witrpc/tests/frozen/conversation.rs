//! What a client and a server have said to each other, as text.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::VERSION;

/// A request and its answer, which is a tag and a body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) tag: u32,
    pub(crate) request: Vec<u8>,
    pub(crate) answer: (u32, Vec<u8>),
}

/// All that a client and a server have said to each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conversation {
    pub(crate) hello: Vec<u8>,
    pub(crate) welcome: Vec<u8>,
    pub(crate) exchanges: Vec<Exchange>,
}

fn file(name: &str) -> PathBuf {
    let folder = format!("{}/tests/frozen/version_{VERSION}", env!("CARGO_MANIFEST_DIR"));
    PathBuf::from(folder).join(name)
}

impl Conversation {
    /// Reads a conversation that was kept: one word a line, each of a name and bytes in hex.
    pub(crate) fn kept(name: &str) -> Self {
        let mut said = Self::default();
        let text = fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        for line in text.lines() {
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["hello", bytes] => said.hello = from_hex(bytes),
                ["welcome", bytes] => said.welcome = from_hex(bytes),
                ["request", tag, bytes] => {
                    let (tag, request) = (number(tag), from_hex(bytes));
                    said.exchanges.push(Exchange { tag, request, ..Exchange::default() });
                }
                ["answer", tag, bytes] => {
                    let last = said.exchanges.last_mut().expect("an answer follows its request");
                    last.answer = (number(tag), from_hex(bytes));
                }
                _ => panic!("{name}: {line:?} is no line of a conversation"),
            }
        }
        said
    }

    /// Keeps it.
    pub(crate) fn keep(&self, name: &str) {
        let mut text = format!("hello {}\n", hex(&self.hello));
        writeln!(text, "welcome {}", hex(&self.welcome)).unwrap();
        for Exchange { tag, request, answer } in &self.exchanges {
            writeln!(text, "request {tag:x} {}", hex(request)).unwrap();
            writeln!(text, "answer {:x} {}", answer.0, hex(&answer.1)).unwrap();
        }
        fs::write(file(name), text).expect("the folder can be written");
    }

    /// Returns a welcome without the number of the client, which comes last.
    pub(crate) fn without_client(welcome: &[u8]) -> &[u8] {
        let last = welcome.iter().rev().skip(1).take_while(|byte| **byte & 0x80 != 0).count() + 1;
        &welcome[..welcome.len() - last]
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn number(text: &str) -> u32 {
    u32::from_str_radix(text, 16).unwrap()
}
