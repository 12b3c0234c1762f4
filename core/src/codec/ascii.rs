//! TYPE A on a host whose lines end in LF (RFC 959, section 3.1.1.1).

use super::Step;

/// Stored bytes to wire: LF that no CR precedes becomes CR LF. A CR LF stays as it is, so that DOS texts survive.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    after_return: bool,
}

impl Encoder {
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        let mut step = Step::default();
        for &byte in input {
            let line_end: &[u8] =
                if byte == b'\n' && !self.after_return { b"\r\n" } else { core::slice::from_ref(&byte) };
            let Some(room) = output.get_mut(step.written..step.written + line_end.len()) else {
                break;
            };
            room.copy_from_slice(line_end);
            step.written += line_end.len();
            step.read += 1;
            self.after_return = byte == b'\r';
        }
        step
    }
}

/// Wire to stored bytes: CR LF becomes LF, CR NUL becomes CR, all else stays. A CR waits for the byte that follows it.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    holds_return: bool,
}

impl Decoder {
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        let mut step = Step::default();
        for &byte in input {
            let (held, kept): (&[u8], &[u8]) = match (self.holds_return, byte) {
                (true, b'\n') => (b"", b"\n"),
                (true, 0) => (b"", b"\r"),
                (true, b'\r') => (b"\r", b""),
                (true, _) => (b"\r", core::slice::from_ref(&byte)),
                (false, b'\r') => (b"", b""),
                (false, _) => (b"", core::slice::from_ref(&byte)),
            };
            let end = step.written + held.len() + kept.len();
            let Some(room) = output.get_mut(step.written..end) else {
                break;
            };
            room[..held.len()].copy_from_slice(held);
            room[held.len()..].copy_from_slice(kept);
            step.written = end;
            step.read += 1;
            self.holds_return = byte == b'\r';
        }
        step
    }

    pub(super) fn finish(&mut self, output: &mut [u8]) -> Step {
        if !self.holds_return || output.is_empty() {
            return Step::default();
        }
        self.holds_return = false;
        output[0] = b'\r';
        Step { read: 0, written: 1 }
    }
}
