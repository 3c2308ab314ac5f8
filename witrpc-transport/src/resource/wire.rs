//! The encoding by which a server reports to a client what it lacked: a code, three numbers and a short text.
//! The client accepts nothing else.

use super::ResourceError;

/// The longest text, in bytes.
const MAX_TEXT_LEN: usize = 160;

/// The longest name of a system call, in bytes.
const MAX_CALL_LEN: usize = 32;

/// The largest number of an error of the system.
const MAX_ERRNO: u64 = 4095;

/// The length of what precedes the text.
const HEAD_LEN: usize = 1 + 3 * 8;

impl ResourceError {
    /// The longest encoding, in bytes.
    pub const MAX_ENCODED_LEN: usize = HEAD_LEN + MAX_TEXT_LEN;

    /// Returns the encoding for the other side, of at most [`MAX_ENCODED_LEN`](Self::MAX_ENCODED_LEN) bytes.
    pub fn encode(&self) -> Vec<u8> {
        let (code, numbers, text) = match self {
            Self::Descriptors { limit } => (0_u8, [*limit, 0, 0], ""),
            Self::MachineFiles => (1, [0; 3], ""),
            Self::FileSize { limit, needed } => (2, [*limit, *needed, 0], ""),
            Self::AddressSpace { limit, needed } => (3, [*limit, *needed, 0], ""),
            Self::ControlGroup { file, limit, used, needed } => {
                (4, [*limit, *needed, *used], file.as_str())
            }
            Self::Memory { available, needed } => {
                (5, [available.unwrap_or(u64::MAX), *needed, 0], "")
            }
            Self::Refused { call, errno } => (6, [u64::from(errno.unsigned_abs()), 0, 0], &**call),
            Self::FileSystem { path, size, needed } => (7, [*size, *needed, 0], path.as_str()),
            Self::Mappings { limit } => (8, [*limit, 0, 0], ""),
            Self::Watches { limit } => (9, [*limit, 0, 0], ""),
        };
        let mut bytes = vec![code];
        bytes.extend_from_slice(numbers.map(u64::to_le_bytes).as_flattened());
        bytes.extend_from_slice(end_of(text).as_bytes());
        bytes
    }

    /// Decodes the bytes of a peer, which are not trusted. Returns `None` if no server sends them.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, text) = bytes.split_at_checked(HEAD_LEN)?;
        let (code, numbers) = head.split_first()?;
        let mut numbers = numbers.chunks_exact(8).map(|number| {
            u64::from_le_bytes(number.try_into().expect("the chunks have this length"))
        });
        let numbers = [numbers.next()?, numbers.next()?, numbers.next()?];
        let text = str::from_utf8(text).ok().filter(|text| text.len() <= MAX_TEXT_LEN)?;
        Some(match (code, numbers, text) {
            (0, [limit, 0, 0], "") => Self::Descriptors { limit },
            (1, [0, 0, 0], "") => Self::MachineFiles,
            (2, [limit, needed, 0], "") => Self::FileSize { limit, needed },
            (3, [limit, needed, 0], "") => Self::AddressSpace { limit, needed },
            (4, [limit, needed, used], file) if is_path(file) => {
                Self::ControlGroup { file: file.into(), limit, used, needed }
            }
            (5, [available, needed, 0], "") => {
                Self::Memory { available: Some(available).filter(|a| *a != u64::MAX), needed }
            }
            (6, [errno @ 1..=MAX_ERRNO, 0, 0], call) if is_call(call) => {
                Self::Refused { call: call.into(), errno: errno as i32 }
            }
            (7, [size, needed, 0], path) if is_path(path) => {
                Self::FileSystem { path: path.into(), size, needed }
            }
            (8, [limit, 0, 0], "") => Self::Mappings { limit },
            (9, [limit, 0, 0], "") => Self::Watches { limit },
            _ => return None,
        })
    }
}

/// Returns the end of a text that is too long: the end of a path says most.
fn end_of(text: &str) -> &str {
    let mut start = text.len().saturating_sub(MAX_TEXT_LEN);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

fn is_path(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

fn is_call(text: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    !text.is_empty() && text.len() <= MAX_CALL_LEN && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples() -> Vec<ResourceError> {
        let file = "/sys/fs/cgroup/memory.max".to_owned();
        vec![
            ResourceError::Descriptors { limit: 17 },
            ResourceError::MachineFiles,
            ResourceError::FileSize { limit: 1, needed: 2 },
            ResourceError::AddressSpace { limit: 1, needed: 2 },
            ResourceError::ControlGroup { file, limit: 3, used: 1, needed: 4 },
            ResourceError::Memory { available: Some(1), needed: 2 },
            ResourceError::Memory { available: None, needed: 2 },
            ResourceError::Refused { call: "memfd_create".to_owned(), errno: 1 },
            ResourceError::FileSystem { path: "/dev/shm".to_owned(), size: 1, needed: 2 },
            ResourceError::Mappings { limit: 65_530 },
            ResourceError::Watches { limit: 1 },
        ]
    }

    #[test]
    fn what_one_side_says_the_other_reads() {
        for said in examples() {
            let bytes = said.encode();
            assert!(bytes.len() <= ResourceError::MAX_ENCODED_LEN);
            assert_eq!(ResourceError::decode(&bytes), Some(said));
        }
    }

    #[test]
    fn a_long_path_keeps_its_end() {
        let file = format!("/{}/memory.max", "ä".repeat(500));
        let said = ResourceError::ControlGroup { file, limit: 3, used: 1, needed: 4 };
        let Some(ResourceError::ControlGroup { file, .. }) = ResourceError::decode(&said.encode())
        else {
            panic!("{said}")
        };
        assert!(file.ends_with("ä/memory.max") && file.len() <= MAX_TEXT_LEN, "{file}");
    }

    #[test]
    fn what_no_server_says_is_not_read() {
        for said in examples() {
            let bytes = said.encode();
            assert_eq!(ResourceError::decode(&bytes[..HEAD_LEN - 1]), None, "too short: {said}");
            let mut other = bytes.clone();
            other[0] = 10;
            assert_eq!(ResourceError::decode(&other), None, "an unknown code: {said}");
            let long = [bytes, vec![b'x'; MAX_TEXT_LEN + 1]].concat();
            assert_eq!(ResourceError::decode(&long), None, "too long: {said}");
        }
        let refused = |call: &str, errno| {
            ResourceError::decode(&ResourceError::Refused { call: call.into(), errno }.encode())
        };
        for (call, errno) in [("", 1), ("a b", 1), ("\x1b[2J", 1), ("mmap", 0), ("mmap", 4096)] {
            assert_eq!(refused(call, errno), None, "{call:?} {errno}");
        }
        assert_eq!(refused(&"a".repeat(33), 1), None);
        let mut in_group = vec![4];
        in_group.extend([0; 24]);
        for text in [&b""[..], b"a\nb", b"\xff"] {
            assert_eq!(ResourceError::decode(&[&in_group[..], text].concat()), None, "{text:?}");
        }
    }
}
