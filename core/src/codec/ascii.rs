//! TYPE A on a host whose lines end in LF (RFC 959, section 3.1.1.1).

/// Stored bytes to wire: LF that no CR precedes becomes CR LF. A CR LF stays as it is, so that DOS texts survive.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Encoder {
    after_return: bool,
}

impl Encoder {
    /// Says how much was read, and how much written.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> (usize, usize) {
        let (mut read, mut written) = (0, 0);
        for &byte in input {
            let line_end: &[u8] =
                if byte == b'\n' && !self.after_return { b"\r\n" } else { core::slice::from_ref(&byte) };
            let Some(room) = output.get_mut(written..written + line_end.len()) else {
                break;
            };
            room.copy_from_slice(line_end);
            written += line_end.len();
            read += 1;
            self.after_return = byte == b'\r';
        }
        (read, written)
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
        let mut written = 0;
        let mut put = |byte| {
            output[written] = byte;
            written += 1;
        };
        for &byte in input {
            if core::mem::take(&mut self.holds_return) {
                match byte {
                    b'\n' => {}
                    0 => {
                        put(b'\r');
                        continue;
                    }
                    _ => put(b'\r'),
                }
            }
            if byte == b'\r' {
                self.holds_return = true;
            } else {
                put(byte);
            }
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
