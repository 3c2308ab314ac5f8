//! The answers that wait in private memory, and their order.

use std::collections::VecDeque;

use witrpc_transport::{Fill, Ticket};

use crate::memory::send_arena::Purpose;

/// An answer in private memory.
#[derive(Debug)]
pub struct Outbound {
    /// The request to respond to: the call itself, then each request for a further segment.
    pub ticket: Ticket,
    pub tag: u32,
    pub bytes: Vec<u8>,
    pub sent: usize,
}

impl Fill for Outbound {
    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn write_at(&self, offset: usize, out: &mut [u8]) {
        out.copy_from_slice(&self.bytes[offset..offset + out.len()]);
    }
}

/// The lanes whose answers wait for space.
#[derive(Debug, Default)]
pub struct AnswerQueue {
    /// The lanes of whose answers nothing has been sent.
    pub begin: VecDeque<u32>,
    /// The lanes whose next segment has been requested.
    pub go_on: VecDeque<u32>,
}

impl AnswerQueue {
    pub fn of(&mut self, purpose: Purpose) -> &mut VecDeque<u32> {
        match purpose {
            Purpose::Begin => &mut self.begin,
            Purpose::Continue => &mut self.go_on,
        }
    }
}
