//! STRU R in MODE S: the ends of records and of the file are told by escapes (RFC 959, section 3.4.1).
//!
//! `FF 01` ends a record, `FF 02` the file, `FF 03` both; `FF FF` is a byte of the file.

use super::Event;
use crate::codec::representation::Writer;
use crate::codec::{CodecError, Step};

const ESCAPE: u8 = 0xff;
const END_OF_RECORD: u8 = 1;
const END_OF_FILE: u8 = 2;
const BOTH: u8 = END_OF_RECORD | END_OF_FILE;

/// How much is escaped at once.
const PIECE: usize = 256;

#[derive(Debug, Default)]
pub(in crate::codec) struct Encoder {
    /// A record has ended, and it is not known whether the file has too.
    record_ended: bool,
    /// Something was sent.
    begun: bool,
}

impl Encoder {
    pub(super) fn step(&mut self, writer: &mut Writer, input: &[u8], ends: bool, output: &mut [u8]) -> Step {
        let mut step = Step::default();
        let mut plain = [0; PIECE];
        // Room for the escapes before and behind a piece, each byte of which may need one of its own.
        while output.len() - step.written >= 8 {
            let most = ((output.len() - step.written - 4) / 2).min(PIECE);
            let piece = writer.step(&input[step.read..], &mut plain[..most]);
            if piece.read == 0 {
                break;
            }
            step.read += piece.read;
            step.payload += piece.written;
            let mut put = |byte| {
                output[step.written] = byte;
                step.written += 1;
            };
            if (piece.written > 0 || piece.ends_record) && core::mem::take(&mut self.record_ended) {
                put(ESCAPE);
                put(END_OF_RECORD);
            }
            for &byte in &plain[..piece.written] {
                put(byte);
                if byte == ESCAPE {
                    put(ESCAPE);
                }
            }
            self.record_ended = piece.ends_record;
            self.begun |= piece.written > 0;
        }
        if ends && step.read == input.len() && output.len() - step.written >= 2 {
            let both = self.record_ended || (writer.is_one_record() && self.begun);
            output[step.written..step.written + 2].copy_from_slice(&[ESCAPE, if both { BOTH } else { END_OF_FILE }]);
            step.written += 2;
            step.over = true;
        }
        step
    }
}

#[derive(Debug, Default)]
pub(super) struct Decoder {
    escaped: bool,
    /// The end of a record was told, that of the file is to follow.
    ending: bool,
    ended: bool,
}

impl Decoder {
    pub(super) fn decode<'a>(
        &mut self,
        input: &'a [u8],
        ends: bool,
        most: usize,
    ) -> Result<(usize, Event<'a>), CodecError> {
        const DATA: &[u8] = &[ESCAPE];
        if core::mem::take(&mut self.ending) {
            self.ended = true;
        }
        if self.ended {
            return match (input, ends) {
                ([], true) => Ok((0, Event::EndOfFile)),
                ([], false) => Ok((0, Event::More)),
                _ => Err(CodecError::AfterEnd),
            };
        }
        let Some(&first) = input.first() else {
            return if ends { Err(CodecError::Truncated) } else { Ok((0, Event::More)) };
        };
        if core::mem::take(&mut self.escaped) {
            match first {
                ESCAPE => return Ok((1, Event::Data { bytes: DATA, suspect: false })),
                END_OF_RECORD => return Ok((1, Event::EndOfRecord)),
                BOTH => {
                    self.ending = true;
                    return Ok((1, Event::EndOfRecord));
                }
                END_OF_FILE => {
                    self.ended = true;
                    let (_, event) = self.decode(&input[1..], ends, most)?;
                    return Ok((1, event));
                }
                _ => return Err(CodecError::Escape),
            }
        }
        if first == ESCAPE {
            self.escaped = true;
            let (read, event) = self.decode(&input[1..], ends, most)?;
            return Ok((read + 1, event));
        }
        let bytes = &input[..input.len().min(most)];
        let end = bytes.iter().position(|&byte| byte == ESCAPE).unwrap_or(bytes.len());
        Ok((end, Event::Data { bytes: &bytes[..end], suspect: false }))
    }

    pub(super) fn is_between(&self) -> bool {
        !self.escaped
    }
}
