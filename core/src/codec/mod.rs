//! What happens to bytes between a file and the data connection (RFC 959, section 3): a pure function, fed in pieces.
//!
//! ```text
//! file --> representation --> frame --> data connection      sending
//! file <-- representation <-- frame <-- data connection      receiving
//! ```
//!
//! The representation (TYPE) says what bytes a text is made of, and, with the structure (STRU), where its records end. The frame
//! is what the structure and the transfer mode (MODE) put around them. Where both leave the bytes alone the codec is the
//! identity, and the operating system may copy them.
//!
//! A codec holds no more than the few bytes that a piece may leave open: one of a text, [`Codec::BOUND`] in all. Its result does not
//! depend on how the bytes are cut, but for where a block of MODE B ends.
//!
//! | file | what |
//! |---|---|
//! | `ascii.rs`, `ebcdic.rs` | the representations of text |
//! | `representation.rs` | those, and records |
//! | `frame/` | records in MODE S, and MODE B and C |

mod ascii;
mod ebcdic;
pub mod frame;
mod representation;

use bytes::Bytes;
use thiserror::Error;

use self::frame::{Decoder, Encoder, Event};
use self::representation::{Reader, Writer};
use crate::machine::Way;

/// How the bytes of a file are represented on the data connection (RFC 959, section 3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Representation {
    /// TYPE I and L 8: as they are.
    Image,
    /// TYPE A: lines end in CR LF.
    Ascii,
    /// TYPE E: EBCDIC, in which lines end in NL.
    Ebcdic,
}

/// The structure of files (RFC 959, section 3.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// STRU F: one run of bytes.
    File,
    /// STRU R: records. A line of a text is one, and so is the whole of anything else.
    Record,
}

/// How bytes travel over the data connection (RFC 959, section 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// MODE S: one after the other, and the end of the data connection is that of the file.
    Stream,
    /// MODE B: in blocks with a header, which tells of the end. The data connection may carry the next file.
    Block,
    /// MODE C: likewise, with runs of equal bytes shortened.
    Compressed,
}

/// What TYPE, STRU and MODE make of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// TYPE
    pub representation: Representation,
    /// STRU
    pub structure: Structure,
    /// MODE
    pub mode: Mode,
}

impl Form {
    /// How a session begins (RFC 959, section 5.1).
    pub const DEFAULT: Self = Self::stream(Representation::Ascii);

    /// Files as one run of bytes, in MODE S.
    pub const fn stream(representation: Representation) -> Self {
        Self { representation, structure: Structure::File, mode: Mode::Stream }
    }

    /// Whether the end of a file shows in its bytes, so that the data connection may outlive it.
    pub fn keeps_connection(self) -> bool {
        self.mode != Mode::Stream
    }

    /// Whether an offset counts bytes of what is sent (RFC 3659, section 5.1), and not of the file.
    pub fn counts_converted(self) -> bool {
        self == Self::DEFAULT
    }
}

impl Default for Form {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A conversion that is under way.
#[derive(Debug)]
pub struct Codec {
    kind: Kind,
    keeps_connection: bool,
    /// Bytes of the converted stream that are still to be left out: REST in TYPE A (RFC 3659, section 5.1).
    skip: u64,
    /// Bytes of the file that may still be sent, or have to come: RANG.
    left: Option<u64>,
    over: bool,
}

#[derive(Debug)]
enum Kind {
    Identity,
    Encoder(Writer, Encoder),
    Decoder(Reader, Decoder),
}

/// How far a step came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that are done with.
    pub read: usize,
    /// Bytes that were put into the output.
    pub written: usize,
    /// Of the bytes on the data connection, those of the file in its representation: without what a frame puts around them.
    pub payload: usize,
    /// Whether the file has ended. What input is left belongs to the next.
    pub over: bool,
    /// Whether nothing more comes without more input. Where not, there was no room, or something stood in the way that is told first.
    pub hungry: bool,
    /// A restart marker, and all before it is in the output (RFC 959, section 3.5).
    pub marker: Option<Bytes>,
}

/// What a peer sent is in no form that was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CodecError {
    /// The data ends before its form says that it does.
    #[error("the data ends too early")]
    Truncated,
    /// The converted stream ends before the offset from which on it was wanted.
    #[error("the file ends before that offset")]
    Beyond,
    /// A block has a descriptor that means nothing.
    #[error("a block's descriptor means nothing")]
    Descriptor,
    /// A restart marker that is empty, or holds what is not printable.
    #[error("a restart marker is not made of printable characters")]
    Marker,
    /// An escape of STRU R in MODE S that means nothing.
    #[error("an escape in the data means nothing")]
    Escape,
    /// Data behind the end of the file.
    #[error("data follows the end of the file")]
    AfterEnd,
    /// More came than the range that RANG named.
    #[error("more came than the range holds")]
    TooMuch,
}

impl Codec {
    /// The most bytes that a codec holds back, in whatever form.
    pub const BOUND: usize = 256;

    /// Bytes as they are: TYPE I, STRU F, MODE S.
    pub const fn identity() -> Self {
        Self::of(Kind::Identity, false)
    }

    const fn of(kind: Kind, keeps_connection: bool) -> Self {
        Self { kind, keeps_connection, skip: 0, left: None, over: false }
    }

    /// The codec for a form, towards the data connection or from it.
    pub fn new(form: Form, way: Way) -> Self {
        let Form { representation, structure, mode } = form;
        if form == Form::stream(Representation::Image) {
            return Self::identity();
        }
        let kind = match way {
            Way::Send => Kind::Encoder(Writer::new(representation, structure), Encoder::new(form)),
            Way::Receive => Kind::Decoder(Reader::new(representation, structure), Decoder::new(form)),
        };
        Self::of(kind, mode != Mode::Stream)
    }

    /// The codec for a listing of lines that end in CR LF: text in whatever way the form has it (RFC 1123, section 4.1.2.7).
    pub fn listing(form: Form) -> Self {
        let text = match form.representation {
            Representation::Image => Representation::Ascii,
            text => text,
        };
        let form = Form { representation: text, ..form };
        if form == Form::DEFAULT {
            return Self::identity();
        }
        let kind = Kind::Encoder(Writer::listing(text, form.structure), Encoder::new(form));
        Self::of(kind, form.keeps_connection())
    }

    /// Leaves out the first `count` bytes of what this codec puts out. Where a frame is put around them it must not be used.
    #[must_use]
    pub fn skipping(self, count: u64) -> Self {
        Self { skip: count, ..self }
    }

    /// Bounds the file: no more than `count` bytes of it are sent, and more that come are an error.
    #[must_use]
    pub fn limited(self, count: Option<u64>) -> Self {
        Self { left: count, ..self }
    }

    /// Whether the bytes pass as they are, so that the operating system may copy them; up to [`left`](Self::left) of them.
    pub fn is_identity(&self) -> bool {
        matches!(self.kind, Kind::Identity) && self.skip == 0
    }

    /// How many bytes of the file may still pass, where that is bounded.
    pub fn left(&self) -> Option<u64> {
        self.left
    }

    /// Tells that `count` bytes of the file are about to pass as they are, past this codec; says how many of them may.
    pub fn pass(&mut self, count: usize) -> usize {
        match &mut self.left {
            None => count,
            Some(left) => {
                let passed = usize::try_from(*left).unwrap_or(usize::MAX).min(count);
                *left -= passed as u64;
                passed
            }
        }
    }

    /// Whether the end of the file shows in the bytes, and so the data connection outlives it: MODE B and C.
    pub fn keeps_connection(&self) -> bool {
        self.keeps_connection
    }

    /// How many bytes may come of one at the most.
    pub(crate) fn growth(&self) -> usize {
        if matches!(&self.kind, Kind::Decoder(_, decoder) if decoder.is_compressed()) { frame::LONGEST_RUN } else { 1 }
    }

    /// Converts as much of `input` as `output` takes; `ends` says that nothing follows the input. A step that came nowhere, and is
    /// not over, asks for more input than there was: no more than half as much as the output has room for. An output has
    /// [`SMALLEST_OUTPUT`] bytes or more.
    ///
    /// # Errors
    ///
    /// The input is not in the form that was agreed on; nothing more is to be had from this codec.
    pub fn step(&mut self, input: &[u8], ends: bool, output: &mut [u8]) -> Result<Step, CodecError> {
        if self.over {
            return Ok(Step { over: true, ..Step::default() });
        }
        let bound = self.left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        let mut step = match &mut self.kind {
            Kind::Identity => {
                let count = input.len().min(output.len()).min(bound);
                output[..count].copy_from_slice(&input[..count]);
                let drained = count == input.len();
                let (over, hungry) = (ends && drained, !ends && drained);
                Step { read: count, written: count, payload: count, over, hungry, marker: None }
            }
            Kind::Encoder(writer, encoder) => {
                let (input, ends) = if input.len() >= bound { (&input[..bound], true) } else { (input, ends) };
                encoder.step(writer, input, ends, output)
            }
            Kind::Decoder(reader, decoder) => receive(reader, decoder, input, ends, output)?,
        };
        if let Some(left) = &mut self.left {
            let passed = if matches!(self.kind, Kind::Decoder(..)) { step.written } else { step.read };
            *left = left.checked_sub(passed as u64).ok_or(CodecError::TooMuch)?;
            if matches!(self.kind, Kind::Identity) && *left == 0 && step.read < input.len() {
                return Err(CodecError::TooMuch);
            }
        }
        let dropped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(step.written);
        if dropped > 0 {
            output.copy_within(dropped..step.written, 0);
            self.skip -= dropped as u64;
            step.written -= dropped;
            step.payload -= dropped;
        }
        if step.over && self.skip > 0 {
            return Err(CodecError::Beyond);
        }
        self.over = step.over;
        Ok(step)
    }
}

/// Takes a frame off, and then the representation.
fn receive(
    reader: &mut Reader,
    decoder: &mut Decoder,
    input: &[u8],
    ends: bool,
    output: &mut [u8],
) -> Result<Step, CodecError> {
    let mut step = Step::default();
    // Room for what a piece of text may leave open, and for the end of a line.
    while output.len() - step.written >= 4 && step.marker.is_none() && !step.over {
        let most = output.len() - step.written - 2;
        let (read, event) = decoder.decode(&input[step.read..], ends, most)?;
        step.read += read;
        let room = &mut output[step.written..];
        match event {
            Event::More => {
                step.hungry = true;
                break;
            }
            Event::Data { bytes, .. } => {
                step.written += reader.take(bytes, room);
                step.payload += bytes.len();
            }
            Event::Run { byte, count, .. } => {
                step.written += reader.take(&[byte; frame::LONGEST_RUN][..count], room);
                step.payload += count;
            }
            Event::EndOfRecord => step.written += reader.end_record(room),
            Event::EndOfFile => {
                step.written += reader.finish(room);
                step.over = true;
            }
            // Between a CR and what follows it nobody could take the file up again.
            Event::Marker(_) if reader.holds_something() => {}
            Event::Marker(text) => step.marker = Some(text),
        }
    }
    Ok(step)
}

/// The smallest output that a codec can work with, in bytes.
pub const SMALLEST_OUTPUT: usize = 16;

/// How many bytes a file of this content has once it is converted to TYPE A, counted piece by piece for SIZE (RFC 3659,
/// section 4).
#[derive(Debug, Default)]
pub struct AsciiCounter {
    encoder: ascii::Encoder,
    count: u64,
}

impl AsciiCounter {
    /// Counts a piece.
    pub fn add(&mut self, piece: &[u8]) {
        let mut scratch = [0; 1024];
        let mut rest = piece;
        while !rest.is_empty() {
            let (read, written) = self.encoder.step(rest, &mut scratch);
            rest = &rest[read..];
            self.count += written as u64;
        }
    }

    /// The count so far.
    pub fn count(&self) -> u64 {
        self.count
    }
}
