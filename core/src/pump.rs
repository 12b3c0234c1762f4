//! The part of a transfer that needs no socket: content, codec and buffers. Drivers put the socket to it; where the bytes
//! pass as they are, they may let the operating system copy instead.

use alloc::vec::Vec;

use crate::codec::{Codec, SMALLEST_OUTPUT};
use crate::host::Content;
use crate::machine::{Mark, TransferError};

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
    /// How many of those are bytes of the file, and not of a frame around them.
    payload: usize,
    /// The codec waits for more than was read.
    hungry: bool,
    /// The content was read to its end.
    ended: bool,
    finished: bool,
}

/// Bytes from the data connection on their way to the content.
///
/// ```
/// use longshore_core::codec::{Codec, Form, Mode};
/// use longshore_core::machine::Way;
/// use longshore_core::pump::Inflow;
///
/// let mut flow = Inflow::new(Codec::new(Form { mode: Mode::Block, ..Form::DEFAULT }, Way::Receive));
/// let mut text = Vec::new();
/// let taken = flow.decode(b"\x40\x00\x04a\r\nb\x40\x00\x00", false, &mut text, 1024).unwrap();
/// assert_eq!(text, b"a\nb");
/// assert!(taken.over);
/// assert_eq!(taken.read, 7, "the next file begins behind it");
/// ```
#[derive(Debug)]
pub struct Inflow {
    codec: Codec,
    /// Bytes of the file so far.
    written: u64,
}

/// What became of bytes that came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many are done with.
    pub read: usize,
    /// How many of them were bytes of the file in its representation.
    pub payload: u64,
    /// Whether the file has ended. What was not read belongs to the next.
    pub over: bool,
    /// Whether nothing more comes without more input. Where not, there was no room, or a marker is told first.
    pub hungry: bool,
    /// A restart marker. It counts once all bytes before it are where they belong.
    pub mark: Option<Mark>,
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

    /// Room behind what is in use, which moves to the front.
    fn room_behind(&mut self, capacity: usize) -> &mut [u8] {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.bytes.len() < capacity {
            self.bytes.resize(capacity, 0);
        }
        &mut self.bytes[self.end..]
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
    pub fn ahead(mut codec: Codec, capacity: usize, mut head: Vec<u8>, is_whole: bool) -> Self {
        let mut ended = is_whole;
        if codec.is_identity() {
            head.truncate(codec.pass(head.len()));
            ended |= codec.left() == Some(0);
        }
        let payload = head.len();
        let head = Span { start: 0, end: head.len(), bytes: head };
        let (raw, coded) = if codec.is_identity() { (Span::default(), head) } else { (head, Span::default()) };
        let capacity = capacity.max(SMALLEST_OUTPUT);
        let (hungry, finished) = (raw.is_empty(), ended && codec.is_identity());
        Self { codec, capacity, raw, coded, payload, hungry, ended, finished }
    }

    /// Reads on, once all that was read before is sent. This may wait for the content.
    ///
    /// # Errors
    ///
    /// The content cannot be read, or is in no form that the codec takes.
    pub fn fill(&mut self, content: &mut impl Content) -> Result<(), TransferError> {
        self.convert()?;
        while self.wants_content() {
            if self.codec.is_identity() {
                self.coded.make_room(self.capacity);
                self.payload = 0;
                let count = content.read(&mut self.coded.bytes)?;
                let step = self.codec.pass(count);
                (self.coded.end, self.payload) = (step, step);
                self.ended = count == 0 || self.codec.left() == Some(0);
            } else {
                let count = content.read(self.raw.room_behind(self.capacity))?;
                self.raw.end += count;
                self.ended = count == 0;
                self.hungry = false;
            }
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
        while self.coded.is_empty() && !self.finished && (self.ended || !self.hungry) {
            self.coded.make_room(self.capacity);
            let step = self.codec.step(self.raw.used(), self.ended, &mut self.coded.bytes)?;
            self.raw.start += step.read;
            self.coded.end = step.written;
            self.payload = step.payload;
            self.finished = step.over;
            self.hungry = self.raw.is_empty() || (step.read == 0 && step.written == 0);
        }
        Ok(())
    }

    /// Whether nothing goes on before more is read of the content.
    pub fn wants_content(&self) -> bool {
        let hungry = self.hungry || self.codec.is_identity();
        self.coded.is_empty() && hungry && !self.ended
    }

    /// What is ready to be sent.
    pub fn bytes(&self) -> &[u8] {
        self.coded.used()
    }

    /// Tells how many of [`bytes`](Self::bytes) were sent; says how many of those were bytes of the file in its representation.
    pub fn sent(&mut self, count: usize) -> u64 {
        self.coded.start = (self.coded.start + count).min(self.coded.end);
        let payload = if self.coded.is_empty() { self.payload } else { self.payload.min(count) };
        self.payload -= payload;
        payload as u64
    }

    /// Whether everything was sent.
    pub fn is_over(&self) -> bool {
        self.finished && self.coded.is_empty()
    }

    /// Whether the data connection stays open when everything was sent.
    pub fn keeps_connection(&self) -> bool {
        self.codec.keeps_connection()
    }
}

impl Inflow {
    /// A flow from the data connection.
    pub fn new(codec: Codec) -> Self {
        Self { codec, written: 0 }
    }

    /// Decodes bytes that came, and puts them behind `out` until that holds `most` bytes or nearly so. `ends` says that the peer
    /// closed in order behind them.
    ///
    /// # Errors
    ///
    /// They are in no form that was agreed on, or something is missing.
    pub fn decode(&mut self, bytes: &[u8], ends: bool, out: &mut Vec<u8>, most: usize) -> Result<Taken, TransferError> {
        let mut taken = Taken::default();
        while !taken.over && taken.mark.is_none() && most.saturating_sub(out.len()) >= SMALLEST_OUTPUT {
            let start = out.len();
            // No more than could come of it: making room costs time.
            let growth = (bytes.len() - taken.read).saturating_mul(self.codec.growth());
            let room = growth.saturating_add(SMALLEST_OUTPUT).min(most - start);
            out.resize(start + room, 0);
            let step = self.codec.step(&bytes[taken.read..], ends, &mut out[start..]);
            out.truncate(start + step.as_ref().map_or(0, |step| step.written));
            let step = step?;
            self.written += step.written as u64;
            taken.read += step.read;
            taken.payload += step.payload as u64;
            (taken.over, taken.hungry) = (step.over, step.hungry);
            taken.mark = step.marker.map(|text| Mark { text, position: self.written });
            if step.read == 0 && step.written == 0 {
                break;
            }
        }
        Ok(taken)
    }

    /// Takes bytes that came, and puts them into the content, up to the first restart marker or the end of the file. `ends` says
    /// that the peer closed in order behind them.
    ///
    /// # Errors
    ///
    /// They are in no form that was agreed on, something is missing, or the content does not take them.
    pub fn write(&mut self, bytes: &[u8], ends: bool, content: &mut impl Content) -> Result<Taken, TransferError> {
        const PIECE: usize = 4096;
        let (mut taken, mut piece) = (Taken::default(), Vec::new());
        loop {
            let part = self.decode(&bytes[taken.read..], ends, &mut piece, PIECE)?;
            content.write(&piece)?;
            taken.read += part.read;
            taken.payload += part.payload;
            (taken.over, taken.hungry, taken.mark) = (part.over, part.hungry, part.mark);
            if taken.over || taken.mark.is_some() || taken.hungry {
                return Ok(taken);
            }
            piece.clear();
        }
    }

    /// Whether the data connection stays open when the file has ended.
    pub fn keeps_connection(&self) -> bool {
        self.codec.keeps_connection()
    }
}
