//! The codecs: every row of their tables, and what has to hold for all bytes, however they are cut.

use longshore_core::codec::frame::{Decoder, Event, LONGEST_MARKER};
use longshore_core::codec::{Codec, CodecError, Form, Mode, Representation, SMALLEST_OUTPUT, Structure};
use longshore_core::machine::Way;
use longshore_core::pump::Inflow;
use longshore_sim::vectors::{Row, each};
use proptest::prelude::*;

macro_rules! table {
    ($name:literal) => {
        include_str!(concat!("../vectors/", $name, ".tsv"))
    };
}

/// The pieces as they are, and byte by byte.
fn both_ways(pieces: &[Vec<u8>]) -> [Vec<Vec<u8>>; 2] {
    let single = pieces.concat().iter().map(|byte| vec![*byte]).collect();
    [pieces.to_vec(), single]
}

/// Puts pieces through a codec, with so much room for its output. Gives what came out, and what was left of the input.
fn convert(mut codec: Codec, pieces: &[Vec<u8>], room: usize) -> Result<(Vec<u8>, usize), CodecError> {
    let (mut output, mut buffer) = (Vec::new(), vec![0; room]);
    let mut input: Vec<u8> = Vec::new();
    for (number, piece) in pieces.iter().map(Some).chain([None]).enumerate() {
        input.extend(piece.into_iter().flatten());
        loop {
            let ends = number == pieces.len();
            let step = codec.step(&input, ends, &mut buffer)?;
            output.extend_from_slice(&buffer[..step.written]);
            input.drain(..step.read);
            if step.over {
                let later: usize = pieces[pieces.len().min(number + 1)..].iter().map(Vec::len).sum();
                return Ok((output, input.len() + later));
            }
            if step.read == 0 && step.written == 0 && step.marker.is_none() {
                assert!(!ends, "the end came, and nothing comes of it");
                break;
            }
        }
    }
    unreachable!("the last piece is the end")
}

fn converted(codec: Codec, pieces: &[Vec<u8>], room: usize) -> Vec<u8> {
    convert(codec, pieces, room).unwrap().0
}

fn way(row: &Row<'_>) -> Way {
    if row.raw("dir") == "send" { Way::Send } else { Way::Receive }
}

fn form(representation: Representation, structure: Structure, mode: Mode) -> Form {
    Form { representation, structure, mode }
}

#[test]
fn ascii_is_converted_as_the_table_says() {
    each(table!("ascii"), |row| {
        for (pieces, room) in both_ways(&row.list("chunks[]")).into_iter().zip([64, 8]) {
            let codec = Codec::new(Form::stream(Representation::Ascii), way(row));
            assert_eq!(converted(codec, &pieces, room), row.bytes("out").unwrap());
        }
    });
}

#[test]
fn ebcdic_is_converted_as_the_table_says() {
    each(table!("ebcdic"), |row| {
        let (input, wanted) = (hex(row.raw("in")), hex(row.raw("out")));
        let (there, back) = match way(row) {
            Way::Send => (Way::Send, Way::Receive),
            Way::Receive => (Way::Receive, Way::Send),
        };
        let codec = |way| Codec::new(Form::stream(Representation::Ebcdic), way);
        for (pieces, room) in both_ways(std::slice::from_ref(&input)).into_iter().zip([64, 8]) {
            assert_eq!(converted(codec(there), &pieces, room), wanted, "{}", row.id());
        }
        assert_eq!(converted(codec(back), &[wanted], 64), input, "{}", row.id());
    });
}

#[test]
fn a_listing_is_text_in_every_form() {
    let listing = b"a1\r\nb\r\n".to_vec();
    let cases: [(Form, &[u8]); 7] = [
        (Form::stream(Representation::Ascii), b"a1\r\nb\r\n"),
        (Form::stream(Representation::Image), b"a1\r\nb\r\n"),
        (Form::stream(Representation::Ebcdic), b"\x81\xf1\x15\x82\x15"),
        (form(Representation::Image, Structure::Record, Mode::Stream), b"a1\xff\x01b\xff\x03"),
        (form(Representation::Ebcdic, Structure::Record, Mode::Stream), b"\x81\xf1\xff\x01\x82\xff\x03"),
        (form(Representation::Ascii, Structure::Record, Mode::Block), b"\x80\x00\x02a1\xc0\x00\x01b"),
        (form(Representation::Image, Structure::File, Mode::Block), b"\x40\x00\x07a1\r\nb\r\n"),
    ];
    for (form, wanted) in cases {
        for pieces in both_ways(std::slice::from_ref(&listing)) {
            assert_eq!(converted(Codec::listing(form), &pieces, 100), wanted, "{form:?}");
        }
    }
}

/// What a decoder makes of pieces, as the tables have it; neighbours of the same kind are joined.
fn events(mut decoder: Decoder, pieces: &[Vec<u8>]) -> Vec<String> {
    let mut events: Vec<(char, Vec<u8>)> = Vec::new();
    let mut note = |kind: char, bytes: &[u8]| match events.last_mut() {
        Some((last, so_far)) if *last == kind && matches!(kind, 'D' | 'S') => so_far.extend_from_slice(bytes),
        _ => events.push((kind, bytes.to_vec())),
    };
    let mut why = "";
    'pieces: for piece in pieces {
        let mut rest = &piece[..];
        loop {
            let (read, event) = match decoder.decode(rest, false, 1000) {
                Ok(result) => result,
                Err(error) => {
                    why = match error {
                        CodecError::Descriptor => "descriptor",
                        CodecError::Marker => "marker",
                        CodecError::Escape => "escape",
                        CodecError::AfterEnd => "after-eof",
                        _ => "other",
                    };
                    // In MODE S the end of the file is told with the end of the connection.
                    if error == CodecError::AfterEnd {
                        note('E', b"");
                    }
                    note('X', b"");
                    break 'pieces;
                }
            };
            rest = &rest[read..];
            match event {
                Event::More => break,
                Event::Data { bytes, suspect } => note(if suspect { 'S' } else { 'D' }, bytes),
                Event::Run { byte, count, suspect } => note(if suspect { 'S' } else { 'D' }, &vec![byte; count]),
                Event::EndOfRecord => note('R', b""),
                Event::EndOfFile => note('E', b""),
                Event::Marker(text) => note('M', &text),
            }
        }
    }
    if why.is_empty() {
        if !decoder.is_between() {
            note('P', b"");
        } else if let Ok((_, Event::EndOfFile)) = decoder.decode(b"", true, 1) {
            note('E', b"");
        }
    }
    let shown = |(kind, bytes): (char, Vec<u8>)| match kind {
        'X' => format!("X:{why}"),
        'R' | 'E' | 'P' => kind.to_string(),
        _ => format!("{kind}:{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
    };
    events.into_iter().map(shown).collect()
}

/// A row's events. What stands in an incomplete tail is passed on as it comes, behind `head` bytes of the tail.
fn wanted(row: &Row<'_>, head: usize) -> Vec<String> {
    let mut wanted: Vec<String> = Vec::new();
    for item in row.list("events[]") {
        let item = String::from_utf8(item).unwrap();
        let previous = wanted.last_mut().filter(|last| last[..1] == item[..1] && matches!(&item[..1], "D" | "S"));
        match (previous, item.strip_prefix("P:")) {
            (Some(last), _) => last.push_str(&item[2..]),
            (None, Some(tail)) => {
                let is_escape = head == 1 && tail.starts_with("00");
                if tail.len() > 2 * head && !is_escape {
                    wanted.push(format!("D:{}", &tail[2 * head..]));
                }
                wanted.push("P".to_owned());
            }
            (None, None) => wanted.push(item),
        }
    }
    wanted
}

#[test]
fn blocks_are_read_and_written_as_the_table_says() {
    each(table!("block_mode"), |row| {
        let block = |structure| form(Representation::Ascii, structure, Mode::Block);
        if row.raw("dir") == "dec" {
            for pieces in both_ways(&[hex(row.raw("hex"))]) {
                assert_eq!(events(Decoder::new(block(Structure::File)), &pieces), wanted(row, 3), "{}", row.id());
            }
            return;
        }
        // A text whose lines are the records; the room there is bounds the blocks.
        let (mut text, mut structure, mut room) = (Vec::new(), Structure::File, 1000);
        for item in row.list("events[]") {
            match String::from_utf8(item).unwrap().split_once([':', '=']) {
                Some(("max", most)) => room = 2 * (3 + most.parse::<usize>().unwrap()),
                Some((_, data)) => text.extend(hex(data)),
                None if row.raw("events[]").contains("R|") => {
                    structure = Structure::Record;
                    text.push(b'\n');
                }
                None => {}
            }
        }
        if structure == Structure::Record {
            text.pop();
        }
        for pieces in both_ways(&[text]) {
            let codec = Codec::new(block(structure), Way::Send);
            assert_eq!(converted(codec, &pieces, room), hex(row.raw("hex")), "{}", row.id());
        }
    });
}

#[test]
fn compressed_data_is_read_as_the_table_says() {
    each(table!("compressed_mode"), |row| {
        let representation = match row.raw("type") {
            "A" => Representation::Ascii,
            "E" => Representation::Ebcdic,
            _ => Representation::Image,
        };
        for pieces in both_ways(&[hex(row.raw("hex"))]) {
            let decoder = Decoder::new(form(representation, Structure::File, Mode::Compressed));
            assert_eq!(events(decoder, &pieces), wanted(row, 1), "{}", row.id());
        }
    });
}

#[test]
fn record_streams_are_read_as_the_table_says() {
    each(table!("record_stream"), |row| {
        for pieces in both_ways(&[hex(row.raw("hex"))]) {
            let decoder = Decoder::new(form(Representation::Image, Structure::Record, Mode::Stream));
            assert_eq!(events(decoder, &pieces), wanted(row, 1), "{}", row.id());
        }
    });
}

#[test]
fn runs_are_shortened_and_the_end_stands_before_the_last_unit() {
    let encode = |representation, structure, bytes: &[u8]| {
        let codec = Codec::new(form(representation, structure, Mode::Compressed), Way::Send);
        converted(codec, &[bytes.to_vec()], 1000)
    };
    use Representation::{Ascii, Ebcdic, Image};
    use Structure::{File, Record};
    assert_eq!(encode(Image, File, b"abc"), hex("004003616263"));
    assert_eq!(encode(Image, File, b""), hex("0040c0"));
    assert_eq!(encode(Image, File, b"aabbbbbcd\0\0e"), hex("0261618562026364c200400165"));
    assert_eq!(encode(Ascii, File, b"a  b"), hex("0161c200400162"));
    assert_eq!(encode(Ebcdic, File, b"a   "), hex("01810040c3"));
    assert_eq!(encode(Image, File, &[b'x'; 70]), hex("bf7800408778"));
    assert_eq!(encode(Ascii, Record, b"ab\n\ncd"), hex("00800261620080c00040026364"));
    assert_eq!(encode(Ascii, Record, b"ab\ncd\n"), hex("008002616200c0026364"));
    assert_eq!(encode(Image, Record, b"ab\ncd"), hex("00c00561620a6364"));
    let noise: Vec<u8> = (0..=255).collect();
    assert_eq!(encode(Image, File, &noise).len(), 256 + 2 + 3, "what has no runs grows by its heads alone");
}

#[test]
fn a_marker_is_told_of_in_its_place_and_bounded() {
    for (mode, wire) in [
        (Mode::Block, &b"\x00\x00\x02ab\x10\x00\x0242\x40\x00\x01c"[..]),
        (Mode::Compressed, b"\x02ab\x00\x10\x0242\x00\x40\x01c"),
    ] {
        let mut codec = Codec::new(form(Representation::Image, Structure::File, mode), Way::Receive);
        let mut output = [0; 100];
        let step = codec.step(wire, false, &mut output).unwrap();
        assert_eq!((&output[..step.written], step.marker.as_deref()), (&b"ab"[..], Some(&b"42"[..])));
        let step = codec.step(&wire[step.read..], false, &mut output).unwrap();
        assert_eq!((&output[..step.written], step.marker, step.over), (&b"c"[..], None, true));
    }
    let wire = [b"\x10\xff\xff".to_vec(), vec![b'7'; 65_535]].concat();
    let mut codec = Codec::new(form(Representation::Image, Structure::File, Mode::Block), Way::Receive);
    let step = codec.step(&wire, false, &mut [0; 100]).unwrap();
    assert_eq!(
        (step.read, step.marker),
        (wire.len(), None),
        "nobody could find it again by its first {LONGEST_MARKER}"
    );
    // Nor can the file be taken up between a CR and what follows it.
    let mut codec = Codec::new(form(Representation::Ascii, Structure::File, Mode::Block), Way::Receive);
    let step = codec.step(b"\x00\x00\x02a\r\x10\x00\x01m\x40\x00\x01\n", false, &mut [0; 100]).unwrap();
    assert_eq!((step.written, step.marker, step.over), (2, None, true));
}

#[test]
fn data_that_breaks_off_is_no_file() {
    for (mode, structure, wire) in [
        (Mode::Stream, Structure::Record, &b"abc\xff\x01"[..]),
        (Mode::Stream, Structure::Record, b"abc\xff"),
        (Mode::Block, Structure::File, b"\x00\x00\x03abc"),
        (Mode::Block, Structure::File, b"\x40\x00\x03ab"),
        (Mode::Block, Structure::File, b"\x40\x00"),
        (Mode::Block, Structure::File, b""),
        (Mode::Compressed, Structure::File, b"\x03abc"),
        (Mode::Compressed, Structure::File, b"\x00\x40\x03ab"),
        (Mode::Compressed, Structure::File, b"\x00"),
        (Mode::Compressed, Structure::File, b"\x85"),
    ] {
        let codec = Codec::new(form(Representation::Image, structure, mode), Way::Receive);
        assert_eq!(convert(codec, &[wire.to_vec()], 64), Err(CodecError::Truncated), "{mode:?} {wire:?}");
    }
    // Some send nothing behind the last descriptor.
    let codec = Codec::new(form(Representation::Image, Structure::File, Mode::Compressed), Way::Receive);
    assert_eq!(convert(codec, &[b"\x03abc\x00\x40".to_vec()], 64), Ok((b"abc".to_vec(), 0)));
}

#[test]
fn a_bound_is_kept_both_ways() {
    let block = form(Representation::Image, Structure::File, Mode::Block);
    let send = |count| converted(Codec::new(block, Way::Send).limited(Some(count)), &[b"abcdef".to_vec()], 100);
    assert_eq!(send(4), b"\x40\x00\x04abcd");
    assert_eq!(send(9), b"\x40\x00\x06abcdef");
    for form in [block, Form::stream(Representation::Image)] {
        let wire = converted(Codec::new(form, Way::Send), &[b"abcdef".to_vec()], 100);
        let receive =
            |count| convert(Codec::new(form, Way::Receive).limited(Some(count)), std::slice::from_ref(&wire), 100);
        assert_eq!(receive(6), Ok((b"abcdef".to_vec(), 0)), "{form:?}");
        assert_eq!(receive(5), Err(CodecError::TooMuch), "{form:?}");
    }
}

fn any_form() -> impl Strategy<Value = Form> {
    let representation =
        prop_oneof![Just(Representation::Image), Just(Representation::Ascii), Just(Representation::Ebcdic)];
    let structure = prop_oneof![Just(Structure::File), Just(Structure::Record)];
    let mode = prop_oneof![Just(Mode::Stream), Just(Mode::Block), Just(Mode::Compressed)];
    (representation, structure, mode)
        .prop_map(|(representation, structure, mode)| form(representation, structure, mode))
}

/// Bytes with runs, line ends, and what frames are made of.
fn any_bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        any::<u8>(),
        prop::sample::select(vec![0u8, 1, 2, 3, 0x10, 0x40, 0x80, 0xc0, 0xff, b' ', b'\n', b'\r', b'a'])
    ];
    let run = (byte, prop_oneof![4 => Just(1usize), 1 => 2usize..200]).prop_map(|(byte, count)| vec![byte; count]);
    prop::collection::vec(run, 0..most).prop_map(|runs| runs.concat())
}

/// Cuts bytes into pieces of these lengths, over and over.
fn cut(bytes: &[u8], lengths: &[usize]) -> Vec<Vec<u8>> {
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    for length in lengths.iter().cycle() {
        let (piece, behind) = rest.split_at(rest.len().min(*length));
        pieces.push(piece.to_vec());
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_comes_back(
        form in any_form(),
        mut bytes in any_bytes(100),
        lengths in prop::collection::vec(1usize..100, 1..5),
        rooms in (SMALLEST_OUTPUT..100, SMALLEST_OUTPUT..100),
    ) {
        // The CR of a CR LF is the one thing that TYPE A does not bring back: see its table.
        if form.representation == Representation::Ascii && form.structure == Structure::File {
            bytes.retain(|byte| *byte != b'\r');
        }
        let wire = converted(Codec::new(form, Way::Send), &cut(&bytes, &lengths), rooms.0);
        let (came, left) = convert(Codec::new(form, Way::Receive), &cut(&wire, &lengths), rooms.1).unwrap();
        prop_assert_eq!(came, bytes);
        prop_assert_eq!(left, 0);
    }

    #[test]
    fn one_file_ends_where_the_next_begins(
        form in any_form().prop_filter("it shows its end", |form| form.keeps_connection()),
        files in prop::collection::vec(any_bytes(20), 1..4),
        lengths in prop::collection::vec(1usize..100, 1..5),
        room in SMALLEST_OUTPUT..100,
    ) {
        let form = Form { representation: Representation::Image, ..form };
        let send = |bytes: &Vec<u8>| converted(Codec::new(form, Way::Send), std::slice::from_ref(bytes), 100);
        let mut wire: Vec<u8> = files.iter().flat_map(send).collect();
        for bytes in &files {
            let (came, left) = convert(Codec::new(form, Way::Receive), &cut(&wire, &lengths), room).unwrap();
            prop_assert_eq!(&came, bytes);
            wire.drain(..wire.len() - left);
        }
        prop_assert!(wire.is_empty());
    }

    #[test]
    fn no_more_is_held_than_the_bound(
        form in any_form(),
        bytes in any_bytes(100),
        lengths in prop::collection::vec(1usize..100, 1..5),
        room in 2 * Codec::BOUND..1000,
    ) {
        let form = Form { representation: Representation::Image, ..form };
        let mut codec = Codec::new(form, Way::Send);
        let (mut input, mut buffer, mut held) = (Vec::new(), vec![0; room], 0);
        for piece in cut(&bytes, &lengths) {
            input.extend(piece);
            loop {
                let step = codec.step(&input, false, &mut buffer).unwrap();
                input.drain(..step.read);
                held = held + step.read - step.payload;
                prop_assert!(held <= Codec::BOUND, "{} bytes are held", held);
                if step.read == 0 && step.written == 0 {
                    break;
                }
            }
            prop_assert!(input.len() <= room / 2, "{} bytes are not taken", input.len());
        }
    }

    /// A receiver with little room must be told all that follows from what it has, before it waits for more.
    #[test]
    fn nothing_is_waited_for_that_is_there(
        form in any_form().prop_filter("it shows its end", |form| form.keeps_connection()),
        bytes in any_bytes(100),
        most in SMALLEST_OUTPUT..200,
        lengths in prop::collection::vec(1usize..300, 1..5),
    ) {
        let form = Form { representation: Representation::Image, ..form };
        let wire = converted(Codec::new(form, Way::Send), std::slice::from_ref(&bytes), 1000);
        let mut flow = Inflow::new(Codec::new(form, Way::Receive));
        let (mut file, mut memory, mut over) = (Vec::new(), Vec::new(), false);
        for piece in cut(&wire, &lengths) {
            let mut rest = &piece[..];
            prop_assert!(!over, "it ended too early");
            loop {
                let taken = flow.decode(rest, false, &mut memory, most).unwrap();
                rest = &rest[taken.read..];
                prop_assert!(memory.len() <= most);
                file.append(&mut memory);
                over = taken.over;
                if taken.over || taken.hungry {
                    break;
                }
            }
            prop_assert!(rest.is_empty());
        }
        prop_assert!(over, "the end is there, and was not told");
        prop_assert_eq!(file, bytes);
    }

    #[test]
    fn any_bytes_are_data_or_an_error_however_they_are_cut(
        form in any_form(),
        wire in any_bytes(60),
        lengths in prop::collection::vec(1usize..100, 1..5),
        room in SMALLEST_OUTPUT..100,
    ) {
        let whole = convert(Codec::new(form, Way::Receive), std::slice::from_ref(&wire), 4096);
        let in_pieces = convert(Codec::new(form, Way::Receive), &cut(&wire, &lengths), room);
        prop_assert_eq!(in_pieces, whole);
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
    (0..text.len()).step_by(2).map(digit).collect()
}
