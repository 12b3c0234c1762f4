//! Everything that is cut from a stream of bytes: control lines in both directions, blocks, runs and records.

use longshore_core::codec::{Codec, Form, Mode, Representation, Structure};
use longshore_core::machine::Way;
use longshore_core::pump::Inflow;
use longshore_core::wire::line::{LineDecoder, Side};

const LIMIT: usize = 64;

/// However the bytes are cut, the same comes of them, and no more is held than is allowed.
pub fn frame_decoder(data: &[u8]) {
    let ([how, form], data) = super::split(data);
    for side in [Side::Server, Side::Client] {
        let whole = lines(side, &mut std::iter::once(data));
        assert_eq!(whole, lines(side, &mut super::pieces(data, how)), "cuts do not matter to lines");
    }
    let form = Form {
        representation: [Representation::Ascii, Representation::Image, Representation::Ebcdic][usize::from(form) % 3],
        structure: [Structure::File, Structure::Record][usize::from(form) / 3 % 2],
        mode: [Mode::Stream, Mode::Block, Mode::Compressed][usize::from(form) / 6 % 3],
    };
    let whole = file(form, &mut std::iter::once(data));
    assert_eq!(whole, file(form, &mut super::pieces(data, how)), "cuts do not matter to files");
    round(form, data, how);
}

/// The lines, whether each was cut, what was answered, and what is pending.
type Lines = (Vec<(Vec<u8>, bool)>, Vec<u8>, Vec<u8>);

fn lines(side: Side, pieces: &mut dyn Iterator<Item = &[u8]>) -> Lines {
    let (mut decoder, mut lines, mut answer) = (LineDecoder::new(side, LIMIT), Vec::new(), Vec::new());
    for piece in pieces {
        let mut rest = piece;
        while !rest.is_empty() {
            let (taken, line) = decoder.decode(rest, &mut answer);
            assert!(taken > 0, "a decoder takes what it is given");
            rest = &rest[taken..];
            if let Some(line) = line {
                assert!(line.text.len() <= LIMIT);
                lines.push((line.text.to_vec(), line.cut));
            }
        }
        assert!(decoder.pending().len() <= LIMIT);
    }
    (lines, answer, decoder.pending().to_vec())
}

/// What the file held, the markers in it, whether it ended, and where the next begins.
type File = (Vec<u8>, Vec<(Vec<u8>, u64)>, Result<bool, String>, usize);

fn file(form: Form, pieces: &mut dyn Iterator<Item = &[u8]>) -> File {
    const MOST: usize = 1 << 22;
    let mut flow = Inflow::new(Codec::new(form, Way::Receive));
    let (mut out, mut marks, mut waiting, mut read) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut pieces = pieces.peekable();
    loop {
        let ends = pieces.peek().is_none();
        let taken = match flow.decode(&waiting, ends, &mut out, MOST) {
            Ok(taken) => taken,
            // What had come of the last piece before the fault depends on the cut; the fault does not.
            Err(error) => return (Vec::new(), Vec::new(), Err(error.to_string()), 0),
        };
        waiting.drain(..taken.read);
        read += taken.read;
        if let Some(mark) = taken.mark {
            marks.push((mark.text.to_vec(), mark.position));
            continue;
        }
        if taken.over {
            return (out, marks, Ok(true), read);
        }
        if !taken.hungry && out.len() < MOST / 2 {
            continue;
        }
        match pieces.next() {
            Some(piece) => waiting.extend_from_slice(piece),
            None => return (out, marks, Ok(false), read),
        }
    }
}

/// What is put into a form and taken out of it again is what it was, but for what the form says of texts.
fn round(form: Form, data: &[u8], how: u8) {
    let (mut codec, mut wire, mut at, mut buffer) = (Codec::new(form, Way::Send), Vec::new(), 0, [0; 64]);
    let size = 16 + usize::from(how) % 48;
    loop {
        let end = (at + size).min(data.len());
        let step = codec.step(&data[at..end], end == data.len(), &mut buffer[..size]).expect("anything can be sent");
        wire.extend_from_slice(&buffer[..step.written]);
        at += step.read;
        if step.over {
            break;
        }
        assert!(step.read + step.written > 0 || end < data.len(), "a codec goes on");
        if step.read == 0 && step.written == 0 {
            // It wants to see more at once than this.
            let step = codec.step(&data[at..], true, &mut buffer).expect("anything can be sent");
            wire.extend_from_slice(&buffer[..step.written]);
            at += step.read;
            if step.over {
                break;
            }
        }
    }
    let (out, marks, ended, read) = file(form, &mut std::iter::once(&wire[..]));
    assert!(ended == Ok(true) && read == wire.len() && marks.is_empty(), "{form:?}: {ended:?}");
    let is_text = form.representation != Representation::Image;
    if !is_text || !data.contains(&b'\r') {
        let is_same = out == data;
        // A record's end is a line's end, also of a last line that had none.
        let is_line_more = is_text && form.structure == Structure::Record;
        assert!(is_same || is_line_more, "{form:?}: {} bytes became {}", data.len(), out.len());
    }
}
