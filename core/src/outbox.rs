//! Bytes of the control connection that wait to be sent.

use alloc::vec::Vec;

/// A queue of bytes that holds no memory once it is empty.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    gone: usize,
}

impl Outbox {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.gone..]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn sent(&mut self, count: usize) {
        self.gone = (self.gone + count).min(self.bytes.len());
        if self.gone == self.bytes.len() {
            *self = Self::default();
        } else if self.gone >= self.bytes.len() / 2 {
            // A peer that never reads all of it must not make it grow.
            self.bytes.drain(..self.gone);
            self.gone = 0;
        }
    }

    /// Where new bytes go, behind all others.
    pub(crate) fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Forgets what was not sent.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
