//! What happens to bytes between a file and the data connection (RFC 959, section 3): a pure function, fed in pieces.
//!
//! A codec holds no more than the few bytes that a piece may leave open. Its result does not depend on how the bytes are cut.

mod ascii;
mod ebcdic;

use thiserror::Error;

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

/// A conversion that is under way.
#[derive(Debug)]
pub struct Codec {
    kind: Kind,
    /// Bytes of the converted stream that are still to be left out: REST in TYPE A (RFC 3659, section 5.1).
    skip: u64,
}

#[derive(Debug)]
enum Kind {
    Identity,
    AsciiEncoder(ascii::Encoder),
    AsciiDecoder(ascii::Decoder),
    EbcdicEncoder,
    EbcdicDecoder,
    EbcdicListing,
}

/// How far a step came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that are done with.
    pub read: usize,
    /// Bytes that were put into the output.
    pub written: usize,
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
}

impl Codec {
    /// Bytes as they are: TYPE I, STRU F, MODE S.
    pub const fn identity() -> Self {
        Self { kind: Kind::Identity, skip: 0 }
    }

    /// The codec for a representation, towards the data connection or from it.
    pub fn new(representation: Representation, way: Way) -> Self {
        let kind = match (representation, way) {
            (Representation::Image, _) => Kind::Identity,
            (Representation::Ascii, Way::Send) => Kind::AsciiEncoder(ascii::Encoder::default()),
            (Representation::Ascii, Way::Receive) => Kind::AsciiDecoder(ascii::Decoder::default()),
            (Representation::Ebcdic, Way::Send) => Kind::EbcdicEncoder,
            (Representation::Ebcdic, Way::Receive) => Kind::EbcdicDecoder,
        };
        Self { kind, skip: 0 }
    }

    /// The codec for a listing of lines that end in CR LF: text in whatever way the representation has it (RFC 1123, section
    /// 4.1.2.7).
    pub fn listing(representation: Representation) -> Self {
        let kind = if representation == Representation::Ebcdic { Kind::EbcdicListing } else { Kind::Identity };
        Self { kind, skip: 0 }
    }

    /// Leaves out the first `count` bytes of what this codec puts out.
    #[must_use]
    pub fn skipping(self, count: u64) -> Self {
        Self { skip: count, ..self }
    }

    /// Whether the bytes pass as they are, so that the operating system may copy them.
    pub fn is_identity(&self) -> bool {
        matches!(self.kind, Kind::Identity) && self.skip == 0
    }

    /// Converts as much of `input` as `output` takes. An output of [`SMALLEST_OUTPUT`] bytes or more, and any input, always
    /// leads to progress.
    ///
    /// # Errors
    ///
    /// The input is not in the form that was agreed on; nothing more is to be had from this codec.
    pub fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, CodecError> {
        let step = match &mut self.kind {
            Kind::Identity => {
                let count = input.len().min(output.len());
                output[..count].copy_from_slice(&input[..count]);
                Step { read: count, written: count }
            }
            Kind::AsciiEncoder(encoder) => encoder.step(input, output),
            Kind::AsciiDecoder(decoder) => decoder.step(input, output),
            Kind::EbcdicEncoder => ebcdic::encode(input, output),
            Kind::EbcdicDecoder => ebcdic::decode(input, output),
            Kind::EbcdicListing => ebcdic::encode_listing(input, output),
        };
        Ok(self.drop_skipped(step, output))
    }

    /// Says that there is no more input, and takes what that sets free. To be repeated until it writes nothing.
    ///
    /// # Errors
    ///
    /// The input ended too early.
    pub fn finish(&mut self, output: &mut [u8]) -> Result<Step, CodecError> {
        if self.skip > 0 {
            return Err(CodecError::Beyond);
        }
        let step = match &mut self.kind {
            Kind::AsciiDecoder(decoder) => decoder.finish(output),
            _ => Step::default(),
        };
        Ok(self.drop_skipped(step, output))
    }

    fn drop_skipped(&mut self, step: Step, output: &mut [u8]) -> Step {
        let dropped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(step.written);
        if dropped > 0 {
            output.copy_within(dropped..step.written, 0);
            self.skip -= dropped as u64;
        }
        Step { written: step.written - dropped, ..step }
    }
}

/// The smallest output that a codec can work with, in bytes.
pub const SMALLEST_OUTPUT: usize = 8;

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
            let step = self.encoder.step(rest, &mut scratch);
            rest = &rest[step.read..];
            self.count += step.written as u64;
        }
    }

    /// The count so far.
    pub fn count(&self) -> u64 {
        self.count
    }
}
