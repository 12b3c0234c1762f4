//! Content on its way to a data connection: the bytes are the same however much of it was read ahead, and however they are cut.

use longshore_core::codec::frame::{Decoder, Event};
use longshore_core::codec::{Codec, Form, Mode, Representation, Structure};
use longshore_core::host::{Content, HostError};
use longshore_core::machine::Way;
use longshore_core::pump::Outflow;
use proptest::prelude::*;

/// Content that gives at most so much at once.
struct Pieces<'a>(&'a [u8], usize);

impl Content for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError> {
        let count = self.1.min(buffer.len()).min(self.0.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }

    fn write(&mut self, _: &[u8]) -> Result<(), HostError> {
        Err(HostError::Unsupported)
    }

    fn publish(&mut self) -> Result<(), HostError> {
        Ok(())
    }
}

/// Content that must not be touched any more.
struct Gone;

impl Content for Gone {
    fn read(&mut self, _: &mut [u8]) -> Result<usize, HostError> {
        panic!("all of it was read ahead")
    }

    fn write(&mut self, _: &[u8]) -> Result<(), HostError> {
        Err(HostError::Unsupported)
    }

    fn publish(&mut self) -> Result<(), HostError> {
        Ok(())
    }
}

fn drain(flow: &mut Outflow, content: &mut impl Content, sent_at_once: usize) -> Vec<u8> {
    let mut sent = Vec::new();
    loop {
        // What a driver does that has a thread for content, and one that must not wait.
        flow.convert().unwrap();
        if flow.wants_content() {
            flow.fill(content).unwrap();
        }
        if flow.is_over() {
            return sent;
        }
        let count = sent_at_once.min(flow.bytes().len());
        assert!(count > 0, "neither over nor anything to send");
        sent.extend_from_slice(&flow.bytes()[..count]);
        flow.sent(count);
    }
}

/// One of all the forms that there are.
fn form(kind: usize) -> Form {
    let representation = [Representation::Image, Representation::Ascii, Representation::Ebcdic][kind % 3];
    let structure = [Structure::File, Structure::Record][kind / 3 % 2];
    let mode = [Mode::Stream, Mode::Block, Mode::Compressed][kind / 6];
    Form { representation, structure, mode }
}

fn codec(kind: usize) -> Codec {
    Codec::new(form(kind), Way::Send)
}

/// What was sent, without what MODE B and C put around it: how they cut it depends on the room there is.
fn unframed(kind: usize, wire: &[u8]) -> Vec<u8> {
    let (mut decoder, mut rest, mut plain) = (Decoder::new(form(kind)), wire, Vec::new());
    loop {
        let (read, event) = decoder.decode(rest, true, 1000).unwrap();
        rest = &rest[read..];
        match event {
            Event::Data { bytes, .. } => plain.extend_from_slice(bytes),
            Event::Run { byte, count, .. } => plain.extend(vec![byte; count]),
            Event::EndOfRecord => plain.extend_from_slice(b"<record>"),
            Event::EndOfFile => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(rest.is_empty());
    plain
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_ahead_changes_nothing(
        bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200),
        kind in 0usize..18,
        head in 0usize..220,
        capacity in 1usize..64,
        piece in 1usize..50,
        sent_at_once in 1usize..50,
    ) {
        let plain = unframed(kind, &drain(&mut Outflow::new(codec(kind), 1024), &mut Pieces(&bytes, 1024), 4096));
        let head = head.min(bytes.len());
        let mut flow = Outflow::ahead(codec(kind), capacity, bytes[..head].to_vec(), false);
        let sent = drain(&mut flow, &mut Pieces(&bytes[head..], piece), sent_at_once);
        prop_assert_eq!(&unframed(kind, &sent), &plain);
        let mut flow = Outflow::ahead(codec(kind), capacity, bytes.clone(), true);
        prop_assert_eq!(&unframed(kind, &drain(&mut flow, &mut Gone, sent_at_once)), &plain);
    }
}
