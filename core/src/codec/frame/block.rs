//! MODE B: blocks, each behind a header of a descriptor and a count (RFC 959, section 3.4.2).

use super::descriptor::{END_OF_FILE, END_OF_RECORD, MARKER, SUSPECT, UNKNOWN};
use super::{BLOCK, Event, MarkerText};
use crate::codec::representation::Writer;
use crate::codec::{CodecError, Step};

/// The size of a header, in bytes.
const HEADER: usize = 3;

/// Fills blocks, and waits with the last until it is known to be the last, so that it says so itself.
#[derive(Debug)]
pub(in crate::codec) struct Encoder {
    records: bool,
    /// Something was sent.
    begun: bool,
}

/// A block that was made in its place.
struct Block {
    read: usize,
    count: usize,
    ends_record: bool,
}

impl Encoder {
    pub(super) fn new(records: bool) -> Self {
        Self { records, begun: false }
    }

    pub(super) fn step(&mut self, writer: &mut Writer, input: &[u8], ends: bool, output: &mut [u8]) -> Step {
        // An input as large as the output is then always more than goes into one block, so that there is progress.
        let most = BLOCK.min(output.len() / 2 - HEADER);
        let mut step = Step::default();
        while output.len() - step.written >= HEADER + most && !step.over {
            let before = *writer;
            let (header, data) = output[step.written..].split_at_mut(HEADER);
            let block = fill(writer, &input[step.read..], &mut data[..most]);
            let is_last = step.read + block.read == input.len();
            if is_last && !ends {
                // What follows decides on its descriptor.
                *writer = before;
                break;
            }
            self.begun |= block.count > 0;
            let whole = is_last && self.records && writer.is_one_record() && self.begun;
            let ends_record = if block.ends_record || whole { END_OF_RECORD } else { 0 };
            let ends_file = if is_last { END_OF_FILE } else { 0 };
            let [.., high, low] = block.count.to_be_bytes();
            header.copy_from_slice(&[ends_record | ends_file, high, low]);
            step.read += block.read;
            step.written += HEADER + block.count;
            step.payload += block.count;
            step.over = is_last;
        }
        step
    }
}

/// Puts into `data` what goes into one block.
fn fill(writer: &mut Writer, input: &[u8], data: &mut [u8]) -> Block {
    let mut block = Block { read: 0, count: 0, ends_record: false };
    loop {
        let piece = writer.step(&input[block.read..], &mut data[block.count..]);
        block.read += piece.read;
        block.count += piece.written;
        block.ends_record = piece.ends_record;
        if piece.read == 0 || piece.ends_record {
            return block;
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Decoder {
    header: [u8; HEADER],
    /// How much of the header is in.
    known: usize,
    /// How much of the block is to come.
    left: usize,
    marker: MarkerText,
}

impl Decoder {
    pub(super) fn decode<'a>(
        &mut self,
        input: &'a [u8],
        ends: bool,
        most: usize,
    ) -> Result<(usize, Event<'a>), CodecError> {
        let mut read = 0;
        loop {
            if self.known < HEADER {
                let Some(&byte) = input.get(read) else { break };
                read += 1;
                self.header[self.known] = byte;
                self.known += 1;
                if self.known == HEADER {
                    self.begin()?;
                }
                continue;
            }
            if self.left > 0 {
                let rest = &input[read..];
                if rest.is_empty() {
                    break;
                }
                let bytes = &rest[..rest.len().min(self.left).min(most)];
                self.left -= bytes.len();
                read += bytes.len();
                if !self.has(MARKER) {
                    return Ok((read, Event::Data { bytes, suspect: self.has(SUSPECT) }));
                }
                self.marker.take(bytes)?;
                continue;
            }
            if self.take(MARKER)
                && let Some(text) = self.marker.finish()?
            {
                return Ok((read, Event::Marker(text)));
            }
            if self.take(END_OF_RECORD) {
                return Ok((read, Event::EndOfRecord));
            }
            let ended = self.take(END_OF_FILE);
            self.known = 0;
            if ended {
                return Ok((read, Event::EndOfFile));
            }
        }
        if ends { Err(CodecError::Truncated) } else { Ok((read, Event::More)) }
    }

    /// The header is in.
    fn begin(&mut self) -> Result<(), CodecError> {
        let [descriptor, high, low] = self.header;
        if descriptor & UNKNOWN != 0 {
            return Err(CodecError::Descriptor);
        }
        self.left = usize::from(u16::from_be_bytes([high, low]));
        if self.has(MARKER) && self.left == 0 { Err(CodecError::Marker) } else { Ok(()) }
    }

    fn has(&self, bit: u8) -> bool {
        self.header[0] & bit != 0
    }

    fn take(&mut self, bit: u8) -> bool {
        let has = self.has(bit);
        self.header[0] &= !bit;
        has
    }

    pub(super) fn is_between(&self) -> bool {
        self.known == 0
    }
}
