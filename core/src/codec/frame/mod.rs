//! What STRU and MODE put around a file's bytes (RFC 959, section 3.4), put there and taken off again.
//!
//! | file | what | the end of the file is |
//! |---|---|---|
//! | `stream.rs` | MODE S, with or without records | the end of the data connection |
//! | `block.rs` | MODE B | a bit in a block's header |
//! | `compressed.rs` | MODE C | a bit behind an escape |

mod block;
mod compressed;
mod stream;

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;

use super::representation::Writer;
use super::{CodecError, Form, Mode, Representation, Step, Structure};

/// The most equal bytes that one unit of MODE C stands for.
pub const LONGEST_RUN: usize = 63;

/// The longest restart marker that is told of; a longer one is read and passed over, and no program of today sends any.
pub const LONGEST_MARKER: usize = 128;

/// The size of the blocks that are sent in MODE B, in bytes, without their header.
pub const BLOCK: usize = 32 * 1024;

/// The bits of a descriptor, in MODE B and C (RFC 959, section 3.4.2).
pub mod descriptor {
    /// The end of a record follows.
    pub const END_OF_RECORD: u8 = 128;
    /// The end of the file follows.
    pub const END_OF_FILE: u8 = 64;
    /// The data may have errors.
    pub const SUSPECT: u8 = 32;
    /// The data is a restart marker.
    pub const MARKER: u8 = 16;
    /// The bits that mean nothing.
    pub const UNKNOWN: u8 = 15;
}

/// What stood in a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Nothing more without more input.
    More,
    /// Bytes of the file.
    Data {
        /// Which.
        bytes: &'a [u8],
        /// Whether the sender takes them for damaged.
        suspect: bool,
    },
    /// Equal bytes of the file.
    Run {
        /// Which.
        byte: u8,
        /// How many, up to [`LONGEST_RUN`].
        count: usize,
        /// Whether the sender takes them for damaged.
        suspect: bool,
    },
    /// A record ends.
    EndOfRecord,
    /// The file ends.
    EndOfFile,
    /// A restart marker (RFC 959, section 3.5).
    Marker(Bytes),
}

/// Takes a frame off.
///
/// ```
/// use longshore_core::codec::frame::{Decoder, Event};
/// use longshore_core::codec::{Form, Mode};
///
/// let mut decoder = Decoder::new(Form { mode: Mode::Block, ..Form::DEFAULT });
/// let wire = b"\x40\x00\x02hi";
/// assert_eq!(decoder.decode(wire, false, 100), Ok((5, Event::Data { bytes: b"hi", suspect: false })));
/// assert_eq!(decoder.decode(b"", false, 100), Ok((0, Event::EndOfFile)));
/// ```
#[derive(Debug)]
pub struct Decoder(Unframe);

#[derive(Debug)]
enum Unframe {
    Plain,
    Records(stream::Decoder),
    Block(block::Decoder),
    Compressed(compressed::Decoder),
}

impl Decoder {
    /// For what is sent in this form.
    pub fn new(form: Form) -> Self {
        Self(match (form.mode, form.structure) {
            (Mode::Stream, Structure::File) => Unframe::Plain,
            (Mode::Stream, Structure::Record) => Unframe::Records(stream::Decoder::default()),
            (Mode::Block, _) => Unframe::Block(block::Decoder::default()),
            (Mode::Compressed, _) => Unframe::Compressed(compressed::Decoder::new(filler(form.representation))),
        })
    }

    /// Takes bytes that came, and says how many it took and what they mean: at most one event. No more than `most` bytes of the
    /// file come at once. `ends` says that the peer has closed behind `input`.
    ///
    /// # Errors
    ///
    /// They mean nothing, or the end came too early.
    pub fn decode<'a>(&mut self, input: &'a [u8], ends: bool, most: usize) -> Result<(usize, Event<'a>), CodecError> {
        match &mut self.0 {
            Unframe::Plain if input.is_empty() && ends => Ok((0, Event::EndOfFile)),
            Unframe::Plain if input.is_empty() => Ok((0, Event::More)),
            Unframe::Plain => {
                let bytes = &input[..input.len().min(most)];
                Ok((bytes.len(), Event::Data { bytes, suspect: false }))
            }
            Unframe::Records(records) => records.decode(input, ends, most),
            Unframe::Block(block) => block.decode(input, ends, most),
            Unframe::Compressed(compressed) => compressed.decode(input, ends, most),
        }
    }

    pub(super) fn is_compressed(&self) -> bool {
        matches!(self.0, Unframe::Compressed(_))
    }

    /// Whether nothing has begun that is not complete: an escape, a header, a block.
    pub fn is_between(&self) -> bool {
        match &self.0 {
            Unframe::Plain => true,
            Unframe::Records(records) => records.is_between(),
            Unframe::Block(block) => block.is_between(),
            Unframe::Compressed(compressed) => compressed.is_between(),
        }
    }
}

/// Puts a frame around what a representation makes of a file.
#[derive(Debug)]
pub(super) enum Encoder {
    Plain,
    Records(stream::Encoder),
    Block(block::Encoder),
    Compressed(Box<compressed::Encoder>),
}

impl Encoder {
    pub(super) fn new(form: Form) -> Self {
        let records = form.structure == Structure::Record;
        match form.mode {
            Mode::Stream if records => Self::Records(stream::Encoder::default()),
            Mode::Stream => Self::Plain,
            Mode::Block => Self::Block(block::Encoder::new(records)),
            Mode::Compressed => {
                Self::Compressed(Box::new(compressed::Encoder::new(records, filler(form.representation))))
            }
        }
    }

    pub(super) fn step(&mut self, writer: &mut Writer, input: &[u8], ends: bool, output: &mut [u8]) -> Step {
        match self {
            Self::Plain => {
                let piece = writer.step(input, output);
                let over = ends && piece.read == input.len();
                Step { read: piece.read, written: piece.written, payload: piece.written, over, ..Step::default() }
            }
            Self::Records(records) => records.step(writer, input, ends, output),
            Self::Block(block) => block.step(writer, input, ends, output),
            Self::Compressed(compressed) => compressed.step(writer, input, ends, output),
        }
    }
}

/// The byte that MODE C has a shorthand for (RFC 959, section 3.4.3).
fn filler(representation: Representation) -> u8 {
    match representation {
        Representation::Image => 0,
        Representation::Ascii => b' ',
        Representation::Ebcdic => 0x40,
    }
}

/// The text of a restart marker while it comes in.
#[derive(Debug, Default)]
struct MarkerText {
    text: Vec<u8>,
    too_long: bool,
}

impl MarkerText {
    /// Takes a piece of it.
    fn take(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        if !bytes.iter().all(u8::is_ascii_graphic) {
            return Err(CodecError::Marker);
        }
        let room = LONGEST_MARKER - self.text.len();
        self.too_long |= bytes.len() > room;
        self.text.extend_from_slice(&bytes[..bytes.len().min(room)]);
        Ok(())
    }

    /// It is complete; nothing is told of one that is too long.
    fn finish(&mut self) -> Result<Option<Bytes>, CodecError> {
        let Self { text, too_long } = core::mem::take(self);
        if text.is_empty() { Err(CodecError::Marker) } else { Ok(Some(text.into()).filter(|_| !too_long)) }
    }
}
