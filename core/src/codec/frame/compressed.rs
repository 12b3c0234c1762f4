//! MODE C: runs of equal bytes are sent once, with a count (RFC 959, section 3.4.3).
//!
//! ```text
//! 0nnnnnnn d1 ... dn    1 to 127 bytes as they are
//! 10nnnnnn d            0 to 63 times the byte d
//! 11nnnnnn              0 to 63 times the filler
//! 00000000 descriptor   as in MODE B, for the one unit that follows
//! ```

use super::descriptor::{END_OF_FILE, END_OF_RECORD, MARKER, SUSPECT, UNKNOWN};
use super::{Event, LONGEST_RUN, MarkerText};
use crate::codec::representation::Writer;
use crate::codec::{CodecError, Step};

/// The most bytes that one unit carries as they are.
const LONGEST_LITERAL: usize = 127;
/// A run of any byte is worth its two bytes from here on.
const RUN_FROM: usize = 3;
/// A run of the filler from here on.
const FILLER_FROM: usize = 2;
/// One byte more than any unit takes, so that there is always one behind it; and one for a line end that takes two.
const STAGE: usize = LONGEST_LITERAL + 2;

const RUN: u8 = 0x80;
const FILLER: u8 = 0xc0;

/// Collects bytes until it is known what unit they make, and whether it is the last.
#[derive(Debug)]
pub(in crate::codec) struct Encoder {
    records: bool,
    filler: u8,
    stage: [u8; STAGE],
    staged: usize,
    /// The stage ends with the end of a record.
    record_ended: bool,
    /// Something was sent.
    begun: bool,
}

impl Encoder {
    pub(super) fn new(records: bool, filler: u8) -> Self {
        Self { records, filler, stage: [0; STAGE], staged: 0, record_ended: false, begun: false }
    }

    pub(super) fn step(&mut self, writer: &mut Writer, input: &[u8], ends: bool, output: &mut [u8]) -> Step {
        let mut step = Step::default();
        loop {
            while !self.record_ended {
                let piece = writer.step(&input[step.read..], &mut self.stage[self.staged..]);
                step.read += piece.read;
                self.staged += piece.written;
                self.record_ended = piece.ends_record;
                if piece.read == 0 {
                    break;
                }
            }
            let drained = step.read == input.len();
            if drained && !ends && (self.record_ended || self.staged <= LONGEST_LITERAL) {
                // What follows decides.
                return step;
            }
            let room = output.len() - step.written;
            // Room for a descriptor, a unit's head, and some of its bytes.
            if room < 6 {
                return step;
            }
            self.begun |= self.staged > 0;
            let (head, bytes) = self.unit(room - 3);
            let taken = if head & RUN == 0 { bytes.len() } else { usize::from(head & 0x3f) };
            let count = bytes.len();
            let mut descriptor = 0;
            if taken == self.staged && (self.record_ended || (drained && ends)) {
                let whole = drained && ends && self.records && writer.is_one_record() && self.begun;
                descriptor |= if self.record_ended || whole { END_OF_RECORD } else { 0 };
                descriptor |= if drained && ends { END_OF_FILE } else { 0 };
            }
            let mut at = step.written;
            if descriptor != 0 {
                output[at..at + 2].copy_from_slice(&[0, descriptor]);
                at += 2;
            }
            output[at] = head;
            output[at + 1..at + 1 + count].copy_from_slice(bytes);
            step.written = at + 1 + count;
            step.payload += taken;
            self.stage.copy_within(taken..self.staged, 0);
            self.staged -= taken;
            if descriptor != 0 {
                self.record_ended = false;
            }
            if descriptor & END_OF_FILE != 0 {
                step.over = true;
                return step;
            }
        }
    }

    /// The unit that the stage begins with, with at most `room` bytes behind its head.
    fn unit(&self, room: usize) -> (u8, &[u8]) {
        let staged = &self.stage[..self.staged];
        let Some(&first) = staged.first() else {
            // There has to be a unit behind a descriptor, and this one stands for nothing.
            return (FILLER, &[]);
        };
        let run = staged.iter().take(LONGEST_RUN).take_while(|&&byte| byte == first).count();
        let count = u8::try_from(run).unwrap_or(0);
        if first == self.filler && run >= FILLER_FROM {
            return (FILLER | count, &[]);
        }
        if run >= RUN_FROM {
            return (RUN | count, &staged[..1]);
        }
        let longest = staged.len().min(LONGEST_LITERAL).min(room);
        let end = (1..longest).find(|&at| self.begins_run(&staged[at..])).unwrap_or(longest);
        (u8::try_from(end).unwrap_or(0), &staged[..end])
    }

    fn begins_run(&self, bytes: &[u8]) -> bool {
        match *bytes {
            [one, two, ..] if one == two && one == self.filler => true,
            [one, two, three, ..] => one == two && two == three,
            _ => false,
        }
    }
}

#[derive(Debug)]
pub(super) struct Decoder {
    filler: u8,
    /// The descriptor of the unit that comes, or is under way.
    descriptor: u8,
    unit: Unit,
    marker: MarkerText,
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    /// None has begun.
    None,
    /// An escape; its descriptor is to come.
    Escape,
    /// So many bytes are to come.
    Literal(usize),
    /// The byte is to come that is meant so many times.
    Run(usize),
    /// The byte is known.
    Repeated(u8, usize),
}

impl Decoder {
    pub(super) fn new(filler: u8) -> Self {
        Self { filler, descriptor: 0, unit: Unit::None, marker: MarkerText::default() }
    }

    pub(super) fn decode<'a>(
        &mut self,
        input: &'a [u8],
        ends: bool,
        most: usize,
    ) -> Result<(usize, Event<'a>), CodecError> {
        let mut read = 0;
        loop {
            match self.unit {
                Unit::Literal(0) | Unit::Repeated(_, 0) => {
                    if self.take(MARKER)
                        && let Some(text) = self.marker.finish()?
                    {
                        return Ok((read, Event::Marker(text)));
                    }
                    if self.take(END_OF_RECORD) {
                        return Ok((read, Event::EndOfRecord));
                    }
                    self.unit = Unit::None;
                    let ended = self.take(END_OF_FILE);
                    self.descriptor = 0;
                    if ended {
                        return Ok((read, Event::EndOfFile));
                    }
                }
                // A marker is made of bytes as they are.
                Unit::Repeated(..) if self.descriptor & MARKER != 0 => return Err(CodecError::Marker),
                Unit::Repeated(byte, left) => {
                    let count = left.min(most);
                    self.unit = Unit::Repeated(byte, left - count);
                    return Ok((read, Event::Run { byte, count, suspect: self.is_suspect() }));
                }
                Unit::Literal(left) => {
                    let rest = &input[read..];
                    if rest.is_empty() {
                        break;
                    }
                    let bytes = &rest[..rest.len().min(left).min(most)];
                    read += bytes.len();
                    self.unit = Unit::Literal(left - bytes.len());
                    if self.descriptor & MARKER == 0 {
                        return Ok((read, Event::Data { bytes, suspect: self.is_suspect() }));
                    }
                    self.marker.take(bytes)?;
                }
                Unit::None | Unit::Escape | Unit::Run(_) => {
                    let Some(&byte) = input.get(read) else { break };
                    read += 1;
                    self.unit = self.head(byte)?;
                }
            }
        }
        match self.unit {
            // An escape with the end of the file, and no unit behind it.
            Unit::None if ends && self.descriptor & END_OF_FILE != 0 => {
                let record_ends = self.take(END_OF_RECORD);
                self.descriptor &= END_OF_FILE;
                if record_ends {
                    return Ok((read, Event::EndOfRecord));
                }
                self.descriptor = 0;
                Ok((read, Event::EndOfFile))
            }
            _ if ends => Err(CodecError::Truncated),
            _ => Ok((read, Event::More)),
        }
    }

    /// What a byte makes of a unit of which no bytes have come.
    fn head(&mut self, byte: u8) -> Result<Unit, CodecError> {
        let count = usize::from(byte & 0x3f);
        Ok(match self.unit {
            Unit::Escape if byte & UNKNOWN != 0 => return Err(CodecError::Descriptor),
            Unit::Escape => {
                self.descriptor |= byte;
                Unit::None
            }
            Unit::Run(count) => Unit::Repeated(byte, count),
            _ if byte == 0 => Unit::Escape,
            _ if byte < RUN => Unit::Literal(usize::from(byte)),
            _ if byte < FILLER => Unit::Run(count),
            _ => Unit::Repeated(self.filler, count),
        })
    }

    fn is_suspect(&self) -> bool {
        self.descriptor & SUSPECT != 0
    }

    fn take(&mut self, bit: u8) -> bool {
        let has = self.descriptor & bit != 0;
        self.descriptor &= !bit;
        has
    }

    pub(super) fn is_between(&self) -> bool {
        matches!(self.unit, Unit::None) && self.descriptor == 0
    }
}
