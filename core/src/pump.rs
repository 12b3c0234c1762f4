//! The part of a transfer that needs no socket: content, codec and one buffer. Drivers put the socket to it; where the bytes
//! pass as they are, they may let the operating system copy instead.

use alloc::vec::Vec;

use crate::codec::{Codec, SMALLEST_OUTPUT};
use crate::host::Content;
use crate::machine::TransferError;

/// Content on its way to the data connection.
///
/// ```
/// use longshore_core::{codec::Codec, pump::Outflow};
/// # use longshore_core::host::{Content, HostError};
/// # struct Text(&'static [u8]);
/// # impl Content for Text {
/// #     fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError> {
/// #         let count = buffer.len().min(self.0.len());
/// #         buffer[..count].copy_from_slice(&self.0[..count]);
/// #         self.0 = &self.0[count..];
/// #         Ok(count)
/// #     }
/// #     fn write(&mut self, _: &[u8]) -> Result<(), HostError> { Err(HostError::Unsupported) }
/// #     fn publish(&mut self) -> Result<(), HostError> { Ok(()) }
/// # }
/// let mut content = Text(b"abc");
/// let mut flow = Outflow::new(Codec::identity(), 1024);
/// flow.fill(&mut content).unwrap();
/// assert_eq!(flow.bytes(), b"abc");
/// flow.sent(3);
/// flow.fill(&mut content).unwrap();
/// assert!(flow.is_over());
/// ```
#[derive(Debug)]
pub struct Outflow {
    codec: Codec,
    /// The size of the buffers, which are made when they are needed.
    capacity: usize,
    /// Read from the content, and not yet through the codec.
    raw: Span,
    /// Through the codec, and not yet sent.
    coded: Span,
    ended: bool,
    finished: bool,
}

/// Bytes from the data connection on their way to the content.
#[derive(Debug)]
pub struct Inflow {
    codec: Codec,
    coded: Vec<u8>,
}

/// A buffer, and the part of it that is in use.
#[derive(Debug, Default)]
struct Span {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Span {
    /// Empties it, and makes it so large.
    fn make_room(&mut self, capacity: usize) {
        (self.start, self.end) = (0, 0);
        if self.bytes.len() != capacity {
            self.bytes = alloc::vec![0; capacity];
        }
    }

    fn used(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

impl Outflow {
    /// A flow with a buffer of `capacity` bytes, a second one where the bytes are converted.
    pub fn new(codec: Codec, capacity: usize) -> Self {
        Self::ahead(codec, capacity, Vec::new(), false)
    }

    /// A flow of content of which `head` was read already; nothing follows it where that `is_whole`.
    pub fn ahead(codec: Codec, capacity: usize, head: Vec<u8>, is_whole: bool) -> Self {
        let head = Span { start: 0, end: head.len(), bytes: head };
        let (raw, coded) = if codec.is_identity() { (Span::default(), head) } else { (head, Span::default()) };
        let finished = is_whole && codec.is_identity();
        Self { codec, capacity: capacity.max(SMALLEST_OUTPUT), raw, coded, ended: is_whole, finished }
    }

    /// Reads on, once all that was read before is sent. This may wait for the content.
    ///
    /// # Errors
    ///
    /// The content cannot be read, or is in no form that the codec takes.
    pub fn fill(&mut self, content: &mut impl Content) -> Result<(), TransferError> {
        self.convert()?;
        while self.wants_content() {
            let span = if self.codec.is_identity() { &mut self.coded } else { &mut self.raw };
            span.make_room(self.capacity);
            span.end = content.read(&mut span.bytes)?;
            self.ended = span.is_empty();
            self.convert()?;
        }
        Ok(())
    }

    /// Converts what was read and is not yet converted, once all before it is sent. This waits for nothing.
    ///
    /// # Errors
    ///
    /// The content is in no form that the codec takes.
    pub fn convert(&mut self) -> Result<(), TransferError> {
        if self.codec.is_identity() {
            self.finished = self.ended;
            return Ok(());
        }
        while self.coded.is_empty() && !self.finished && (self.ended || !self.raw.is_empty()) {
            self.coded.make_room(self.capacity);
            let step = if self.raw.is_empty() {
                let step = self.codec.finish(&mut self.coded.bytes)?;
                self.finished = step.written == 0;
                step
            } else {
                self.codec.step(self.raw.used(), &mut self.coded.bytes)?
            };
            self.raw.start += step.read;
            self.coded.end = step.written;
        }
        Ok(())
    }

    /// Whether nothing goes on before more is read of the content.
    pub fn wants_content(&self) -> bool {
        self.coded.is_empty() && self.raw.is_empty() && !self.ended
    }

    /// What is ready to be sent.
    pub fn bytes(&self) -> &[u8] {
        self.coded.used()
    }

    /// Tells how many of [`bytes`](Self::bytes) were sent.
    pub fn sent(&mut self, count: usize) {
        self.coded.start = (self.coded.start + count).min(self.coded.end);
    }

    /// Whether everything was sent.
    pub fn is_over(&self) -> bool {
        self.finished && self.coded.is_empty()
    }
}

impl Inflow {
    /// A flow; where bytes are converted, with a buffer of `capacity` bytes.
    pub fn new(codec: Codec, capacity: usize) -> Self {
        let capacity = if codec.is_identity() { 0 } else { capacity.max(SMALLEST_OUTPUT) };
        Self { codec, coded: alloc::vec![0; capacity] }
    }

    /// Takes bytes that came.
    ///
    /// # Errors
    ///
    /// They are in no form that was agreed on, or the content does not take them.
    pub fn write(&mut self, bytes: &[u8], content: &mut impl Content) -> Result<(), TransferError> {
        if self.codec.is_identity() {
            return Ok(content.write(bytes)?);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let step = self.codec.step(rest, &mut self.coded)?;
            rest = &rest[step.read..];
            content.write(&self.coded[..step.written])?;
        }
        Ok(())
    }

    /// Says that the peer closed in order.
    ///
    /// # Errors
    ///
    /// Something was missing, or the content does not take the rest.
    pub fn finish(&mut self, content: &mut impl Content) -> Result<(), TransferError> {
        loop {
            let step = self.codec.finish(&mut self.coded)?;
            if step.written == 0 {
                return Ok(());
            }
            content.write(&self.coded[..step.written])?;
        }
    }
}
