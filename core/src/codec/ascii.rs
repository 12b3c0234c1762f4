//! TYPE A on a host whose lines end in LF (RFC 959, section 3.1.1.1).

use memchr::memchr;

/// Stored bytes to wire: LF that no CR precedes becomes CR LF. A CR LF stays as it is, so that DOS texts survive.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Encoder {
    after_return: bool,
}

impl Encoder {
    /// Says how much was read, and how much written.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> (usize, usize) {
        let (mut read, mut written) = (0, 0);
        loop {
            let (rest, room) = (&input[read..], &mut output[written..]);
            let line = memchr(b'\n', rest).unwrap_or(rest.len());
            let count = line.min(room.len());
            room[..count].copy_from_slice(&rest[..count]);
            (read, written) = (read + count, written + count);
            if let Some(last) = rest[..count].last() {
                self.after_return = *last == b'\r';
            }
            if count < line || read == input.len() {
                return (read, written);
            }
            let line_end: &[u8] = if self.after_return { b"\n" } else { b"\r\n" };
            let Some(room) = output.get_mut(written..written + line_end.len()) else {
                return (read, written);
            };
            room.copy_from_slice(line_end);
            (read, written) = (read + 1, written + line_end.len());
            self.after_return = false;
        }
    }
}

/// Wire to stored bytes: CR LF becomes LF, CR NUL becomes CR, all else stays. A CR waits for the byte that follows it.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    holds_return: bool,
}

impl Decoder {
    /// Takes all of `input`, for which there is room, and for one byte more. Says how much was written.
    pub(super) fn take(&mut self, input: &[u8], output: &mut [u8]) -> usize {
        let (mut read, mut written) = (0, 0);
        while read < input.len() {
            if core::mem::take(&mut self.holds_return) {
                match input[read] {
                    b'\n' => {}
                    byte => {
                        output[written] = b'\r';
                        written += 1;
                        read += usize::from(byte == 0);
                    }
                }
                continue;
            }
            let rest = &input[read..];
            let run = memchr(b'\r', rest);
            let count = run.unwrap_or(rest.len());
            output[written..written + count].copy_from_slice(&rest[..count]);
            self.holds_return = run.is_some();
            (read, written) = (read + count + usize::from(run.is_some()), written + count);
        }
        written
    }

    pub(super) fn holds_return(&self) -> bool {
        self.holds_return
    }

    pub(super) fn finish(&mut self, output: &mut [u8]) -> usize {
        if core::mem::take(&mut self.holds_return) {
            output[0] = b'\r';
            return 1;
        }
        0
    }
}
