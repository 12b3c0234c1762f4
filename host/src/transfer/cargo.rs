//! Content, and what of it is in memory.

use std::os::fd::BorrowedFd;

use longshore_core::host::{Content, HostError};

use super::Native;

/// A file of at most so many bytes is read ahead as a whole, and written when the last of it has come.
pub const SMALL: usize = 64 * 1024;

/// Content on its way to a data connection or from one, with bytes that were read ahead of it, or are yet to be written to it.
/// So a small file takes the disk once, and the rest is memory.
#[derive(Debug)]
pub struct Cargo<C> {
    /// `None` where all of it was read.
    content: Option<C>,
    memory: Vec<u8>,
}

impl<C: Native> Cargo<C> {
    /// Content of which nothing is in memory.
    pub fn new(content: C) -> Self {
        Self { content: Some(content), memory: Vec::new() }
    }

    /// Content that is to be sent: reads it ahead, and is done with it, where it is small. This may wait for a disk.
    pub fn ahead(content: C) -> Self {
        let mut cargo = Self::new(content);
        cargo.read_ahead();
        cargo
    }

    /// Reads ahead what is to be sent, and is done with the content, where it is small. This may wait for a disk.
    pub fn read_ahead(&mut self) {
        let Some(content) = self.content.as_mut().filter(|_| self.memory.is_empty()) else {
            return;
        };
        let size = content.descriptor().and_then(|file| rustix::fs::fstat(file).ok()).map(|stat| stat.st_size);
        let room = match size.map(usize::try_from) {
            // One byte more shows that there are no more.
            Some(Ok(size @ 0..=SMALL)) => size + 1,
            Some(_) => return,
            None => SMALL,
        };
        let mut memory = vec![0; room];
        let mut filled = 0;
        let mut is_whole = false;
        while filled < room && !is_whole {
            match content.read(&mut memory[filled..]) {
                Ok(count) => {
                    filled += count;
                    is_whole = count == 0;
                }
                // It will fail again when it is read on, and be told then.
                Err(_) => break,
            }
        }
        memory.truncate(filled);
        self.memory = memory;
        if is_whole {
            self.content = None;
        }
    }

    /// Whether there is nothing but memory.
    pub fn is_in_memory(&self) -> bool {
        self.content.is_none()
    }

    /// The content itself; what is in memory of it is forgotten.
    pub fn into_content(self) -> Option<C> {
        self.content
    }

    /// All bytes came: writes what is still in memory, and lets the content stand under its name. A file is closed then; other
    /// content is given back, since a listing is still to be read. This may wait for a disk.
    pub fn publish(mut self) -> (Result<(), HostError>, Option<Self>) {
        let result = self.write_out().and_then(|()| self.content.as_mut().map_or(Ok(()), C::publish));
        let kept = (result.is_ok() && self.descriptor().is_none()).then_some(self);
        (result, kept)
    }

    /// The transfer is broken off: what came is written, so that it may be resumed from there. This may wait for a disk.
    pub fn abandon(mut self) {
        // It is broken off anyway.
        let _ = self.write_out();
    }

    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        // What was read ahead goes first.
        self.content.as_ref().filter(|_| self.memory.is_empty())?.descriptor()
    }

    /// What was read ahead, and whether that is all.
    pub(super) fn take_head(&mut self) -> (Vec<u8>, bool) {
        (std::mem::take(&mut self.memory), self.content.is_none())
    }

    /// Where the next bytes go that come.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        self.memory.reserve_exact(SMALL - self.memory.len());
        &mut self.memory
    }

    /// Where decoded bytes go.
    pub(super) fn memory(&mut self) -> &mut Vec<u8> {
        &mut self.memory
    }

    /// Whether the content is a file, whose bytes may wait a moment before they are written to it.
    pub(super) fn is_file(&self) -> bool {
        self.content.as_ref().is_some_and(|content| content.descriptor().is_some())
    }

    /// Whether there is no more room.
    pub(super) fn is_full(&self) -> bool {
        self.memory.len() >= SMALL
    }

    /// Whether bytes came that are not written.
    pub fn holds(&self) -> bool {
        !self.memory.is_empty()
    }

    /// Writes what came, and frees its memory.
    pub(super) fn write_out(&mut self) -> Result<(), HostError> {
        let memory = std::mem::take(&mut self.memory);
        match &mut self.content {
            Some(content) if !memory.is_empty() => content.write(&memory),
            _ => Ok(()),
        }
    }
}

impl<C: Content> Content for Cargo<C> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError> {
        self.content.as_mut().map_or(Ok(0), |content| content.read(buffer))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), HostError> {
        self.content.as_mut().map_or(Err(HostError::Unsupported), |content| content.write(bytes))
    }

    fn publish(&mut self) -> Result<(), HostError> {
        self.content.as_mut().map_or(Ok(()), C::publish)
    }

    fn rewind(&mut self) -> Result<(), HostError> {
        self.memory = Vec::new();
        self.content.as_mut().map_or(Err(HostError::Unsupported), C::rewind)
    }
}
