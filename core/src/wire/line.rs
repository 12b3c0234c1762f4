//! Lines of the control connection, with Telnet taken out (RFC 959, section 4; RFC 854).
//!
//! A line ends at LF; every CR directly before it is dropped. CR NUL is a CR that belongs to the text. Telnet commands may
//! stand anywhere, even within a line, and may be cut by a read anywhere.

use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;

/// Telnet's Interrupt Process and Data Mark, which precede an urgent `ABOR` (RFC 959, section 4.1). The Data Mark is the
/// urgent byte.
pub const SYNCH: [u8; 4] = [IAC, 244, IAC, 242];

/// Which end of the control connection reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Answers Telnet's DO and WILL with a refusal (RFC 1123, section 4.1.2.12).
    Server,
    /// Passes over all of Telnet in silence.
    Client,
}

/// A line without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What stood before the end of the line, up to the decoder's limit.
    pub text: Bytes,
    /// Whether the line was longer than the limit and the rest of it was dropped.
    pub cut: bool,
}

/// Cuts what a peer sends into lines.
///
/// ```
/// use longshore_core::wire::line::{LineDecoder, Side};
///
/// let mut decoder = LineDecoder::new(Side::Server, 4096);
/// let mut telnet = Vec::new();
/// let (taken, line) = decoder.decode(b"NOOP\r\nQU", &mut telnet);
/// assert_eq!((taken, line.unwrap().text.as_ref()), (6, b"NOOP".as_ref()));
/// let (taken, line) = decoder.decode(b"QU", &mut telnet);
/// assert_eq!((taken, line), (2, None));
/// assert_eq!(decoder.pending(), b"QU");
/// ```
#[derive(Debug)]
pub struct LineDecoder {
    side: Side,
    limit: usize,
    text: BytesMut,
    /// CRs seen whose meaning hangs on the next byte.
    returns: usize,
    telnet: Telnet,
    cut: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telnet {
    Text,
    /// After IAC.
    Escape,
    /// After IAC and WILL, WONT, DO or DONT.
    Option(u8),
    /// Between IAC SB and IAC SE.
    Parameters,
    /// After an IAC in there.
    ParametersEscape,
}

impl LineDecoder {
    /// A decoder that keeps at most `limit` bytes of a line.
    pub fn new(side: Side, limit: usize) -> Self {
        Self { side, limit, text: BytesMut::new(), returns: 0, telnet: Telnet::Text, cut: false }
    }

    /// Takes bytes up to the end of a line at most, and says how many it took. Answers to Telnet's questions, to be sent
    /// at once, are put behind `answer`.
    pub fn decode(&mut self, input: &[u8], answer: &mut Vec<u8>) -> (usize, Option<Line>) {
        for (index, &byte) in input.iter().enumerate() {
            if let Some(line) = self.push(byte, answer) {
                return (index + 1, Some(line));
            }
        }
        (input.len(), None)
    }

    /// What has come of a line whose end is not in yet.
    pub fn pending(&self) -> &[u8] {
        &self.text
    }

    fn push(&mut self, byte: u8, answer: &mut Vec<u8>) -> Option<Line> {
        match self.telnet {
            Telnet::Text if byte == IAC => self.telnet = Telnet::Escape,
            Telnet::Text => return self.text(byte),
            Telnet::Escape => {
                self.telnet = Telnet::Text;
                match byte {
                    IAC => return self.text(IAC),
                    WILL..=DONT => self.telnet = Telnet::Option(byte),
                    SB => self.telnet = Telnet::Parameters,
                    SE.. => {}
                    _ => {
                        // A raw 0xFF in a name: most peers do not know that it should be doubled.
                        self.text(IAC);
                        return self.text(byte);
                    }
                }
            }
            Telnet::Option(request) => {
                self.telnet = Telnet::Text;
                match (self.side, request) {
                    (Side::Server, DO) => answer.extend([IAC, WONT, byte]),
                    (Side::Server, WILL) => answer.extend([IAC, DONT, byte]),
                    _ => {}
                }
            }
            Telnet::Parameters if byte == IAC => self.telnet = Telnet::ParametersEscape,
            Telnet::Parameters => {}
            Telnet::ParametersEscape if byte == SE => self.telnet = Telnet::Text,
            Telnet::ParametersEscape => self.telnet = Telnet::Parameters,
        }
        None
    }

    fn text(&mut self, byte: u8) -> Option<Line> {
        match byte {
            b'\n' => {
                self.returns = 0;
                // Taken whole, so that a session at rest holds no buffer.
                let text = core::mem::take(&mut self.text).freeze();
                return Some(Line { text, cut: core::mem::take(&mut self.cut) });
            }
            b'\r' if self.returns < self.limit => self.returns += 1,
            b'\r' => self.cut = true,
            0 if self.returns > 0 => self.flush_returns(),
            _ => {
                self.flush_returns();
                self.keep(byte);
            }
        }
        None
    }

    fn flush_returns(&mut self) {
        for _ in 0..core::mem::take(&mut self.returns) {
            self.keep(b'\r');
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.text.len() < self.limit {
            self.text.extend_from_slice(&[byte]);
        } else {
            self.cut = true;
        }
    }
}

/// Puts `text` behind `out` as Telnet wants it: 0xFF doubled, CR as CR NUL (RFC 2640, section 3.1).
pub fn escape_into(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        out.push(byte);
        match byte {
            IAC => out.push(IAC),
            b'\r' => out.push(0),
            _ => {}
        }
    }
}
