//! A file's bytes as TYPE has them, and where STRU R has its records end.
//!
//! In STRU R a line of a text is a record: its LF does not travel, and comes back with the end of the record. All other bytes of such
//! a line pass as they are, a CR among them, so that every text comes back as it was. A listing has lines that end in CR LF,
//! neither of which is sent.

use memchr::memchr;

use super::{Representation, Structure, ascii, ebcdic};

/// Stored bytes on their way to a frame.
#[derive(Clone, Copy, Debug)]
pub(super) enum Writer {
    /// As they are; the whole is one record, where there are records.
    Image,
    Ascii(ascii::Encoder),
    /// Byte for byte. A listing's CR is left out: its lines end in NL, and not in CR NL (RFC 1123, section 4.1.2.7).
    Ebcdic {
        listing: bool,
    },
    /// Each line is a record.
    Lines {
        ebcdic: bool,
        listing: bool,
    },
}

/// How far a [`Writer`] came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Piece {
    pub(super) read: usize,
    pub(super) written: usize,
    /// A record ends here, and so does the piece.
    pub(super) ends_record: bool,
}

impl Writer {
    pub(super) fn new(representation: Representation, structure: Structure) -> Self {
        match (representation, structure) {
            (Representation::Image, _) => Self::Image,
            (Representation::Ascii, Structure::File) => Self::Ascii(ascii::Encoder::default()),
            (Representation::Ebcdic, Structure::File) => Self::Ebcdic { listing: false },
            (text, Structure::Record) => Self::Lines { ebcdic: text == Representation::Ebcdic, listing: false },
        }
    }

    /// For lines that end in CR LF, and hold no other CR and no other LF.
    pub(super) fn listing(representation: Representation, structure: Structure) -> Self {
        let ebcdic = representation == Representation::Ebcdic;
        match structure {
            Structure::File if ebcdic => Self::Ebcdic { listing: true },
            Structure::File => Self::Image,
            Structure::Record => Self::Lines { ebcdic, listing: true },
        }
    }

    /// Whether the end of the file ends a record too, where there are records.
    pub(super) fn is_one_record(self) -> bool {
        matches!(self, Self::Image)
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Piece {
        match self {
            Self::Image => {
                let count = input.len().min(output.len());
                output[..count].copy_from_slice(&input[..count]);
                Piece { read: count, written: count, ends_record: false }
            }
            Self::Ascii(encoder) => {
                let (read, written) = encoder.step(input, output);
                Piece { read, written, ends_record: false }
            }
            Self::Ebcdic { listing } => bytes(input, output, *listing, false, ebcdic::encode),
            Self::Lines { ebcdic: true, listing } => bytes(input, output, *listing, true, ebcdic::encode),
            Self::Lines { ebcdic: false, listing } => bytes(input, output, *listing, true, |byte| byte),
        }
    }
}

fn bytes(input: &[u8], output: &mut [u8], drop_returns: bool, lines: bool, convert: impl Fn(u8) -> u8) -> Piece {
    let end = if lines { memchr(b'\n', input) } else { None };
    let line = &input[..end.unwrap_or(input.len())];
    let mut piece = Piece::default();
    if drop_returns {
        for &byte in line {
            if byte != b'\r' {
                let Some(room) = output.get_mut(piece.written) else {
                    return piece;
                };
                *room = convert(byte);
                piece.written += 1;
            }
            piece.read += 1;
        }
    } else {
        piece.read = line.len().min(output.len());
        piece.written = piece.read;
        output.iter_mut().zip(line).for_each(|(to, from)| *to = convert(*from));
    }
    if end.is_some() && piece.read == line.len() {
        piece.read += 1;
        piece.ends_record = true;
    }
    piece
}

/// Bytes out of a frame on their way to be stored.
#[derive(Debug)]
pub(super) enum Reader {
    Image,
    Ascii(ascii::Decoder),
    Ebcdic,
    /// Each record is a line.
    Lines {
        ebcdic: bool,
    },
}

impl Reader {
    pub(super) fn new(representation: Representation, structure: Structure) -> Self {
        match (representation, structure) {
            (Representation::Image, _) => Self::Image,
            (Representation::Ascii, Structure::File) => Self::Ascii(ascii::Decoder::default()),
            (Representation::Ebcdic, Structure::File) => Self::Ebcdic,
            (text, Structure::Record) => Self::Lines { ebcdic: text == Representation::Ebcdic },
        }
    }

    /// Takes all of `input`; the output has room for it and for two bytes more. Says how much was written.
    pub(super) fn take(&mut self, input: &[u8], output: &mut [u8]) -> usize {
        match self {
            Self::Ascii(decoder) => return decoder.take(input, output),
            Self::Image | Self::Lines { ebcdic: false } => output[..input.len()].copy_from_slice(input),
            Self::Ebcdic | Self::Lines { ebcdic: true } => {
                output.iter_mut().zip(input).for_each(|(to, from)| *to = ebcdic::decode(*from));
            }
        }
        input.len()
    }

    /// The end of a record means something in a text of records alone.
    pub(super) fn end_record(&mut self, output: &mut [u8]) -> usize {
        if let Self::Lines { .. } = self {
            output[0] = b'\n';
            return 1;
        }
        0
    }

    /// Whether a byte waits for the one that follows it.
    pub(super) fn holds_something(&self) -> bool {
        matches!(self, Self::Ascii(decoder) if decoder.holds_return())
    }

    pub(super) fn finish(&mut self, output: &mut [u8]) -> usize {
        match self {
            Self::Ascii(decoder) => decoder.finish(output),
            Self::Image | Self::Ebcdic | Self::Lines { .. } => 0,
        }
    }
}
