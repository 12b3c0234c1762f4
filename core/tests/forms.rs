//! The server session beyond MODE S and whole files: MODE B and C, STRU R, restart markers, ranges, digests.

use std::time::Duration;

use longshore_core::codec::{Codec, Form, Mode, Representation, Structure};
use longshore_core::machine::Way;
use longshore_core::server::{Config, DIGEST_AT_ONCE, Tls};
use longshore_core::wire::address;
use longshore_sim::dialogue::{self, Accounts, Peer, Setup, download_framed};
use longshore_sim::{Cuts, Memory, MemoryHost, Raw};

const BLOCK: Form = Form { representation: Representation::Image, structure: Structure::File, mode: Mode::Block };

fn logged_in(memory: &Memory) -> Raw {
    let mut raw = Raw::new(MemoryHost::new(memory.clone(), Accounts::Users.users()), Config::default(), Cuts::none());
    raw.log_in("alice");
    assert_eq!(say(&mut raw, "TYPE I"), 200);
    raw
}

fn say(raw: &mut Raw, command: &str) -> u16 {
    raw.command(command.as_bytes());
    code(raw)
}

fn code(raw: &mut Raw) -> u16 {
    raw.reply().unwrap().code
}

fn passive(raw: &mut Raw) {
    raw.command(b"EPSV");
    let reply = raw.reply().unwrap();
    raw.connect(address::parse_229(reply.text()).unwrap());
}

fn encoded(form: Form, bytes: &[u8]) -> Vec<u8> {
    let (mut codec, mut wire) = (Codec::new(form, Way::Send), vec![0; 2 * bytes.len() + 100]);
    let step = codec.step(bytes, true, &mut wire).unwrap();
    assert!(step.over);
    wire.truncate(step.written);
    wire
}

#[test]
fn every_form_goes_up_and_comes_down() {
    let content = b"one\n\nthree  \xff\xff\xff\xff\0\0\0\0\nlast";
    for (mode, mode_name) in [(Mode::Stream, "S"), (Mode::Block, "B"), (Mode::Compressed, "C")] {
        for (structure, structure_name) in [(Structure::File, "F"), (Structure::Record, "R")] {
            for (representation, type_name) in
                [(Representation::Image, "I"), (Representation::Ascii, "A"), (Representation::Ebcdic, "E")]
            {
                let form = Form { representation, structure, mode };
                let memory = Memory::default();
                let mut raw = logged_in(&memory);
                for command in
                    [format!("MODE {mode_name}"), format!("STRU {structure_name}"), format!("TYPE {type_name}")]
                {
                    assert_eq!(say(&mut raw, &command), 200);
                }
                let wire = encoded(form, content);
                passive(&mut raw);
                assert_eq!(say(&mut raw, "STOR f"), 150);
                if mode == Mode::Stream {
                    raw.upload(&wire);
                    assert_eq!(code(&mut raw), 226, "{form:?}");
                    passive(&mut raw);
                    assert_eq!(say(&mut raw, "RETR f"), 150);
                    assert_eq!(raw.download(), wire, "{form:?}");
                    assert_eq!(code(&mut raw), 226);
                } else {
                    raw.send_data(&wire);
                    assert_eq!(code(&mut raw), 250, "{form:?}");
                    assert_eq!(say(&mut raw, "RETR f"), 125);
                    assert_eq!(download_framed(form, &mut raw), content, "{form:?}");
                    assert_eq!(code(&mut raw), 250);
                }
                assert_eq!(memory.read("/f").unwrap(), content, "{form:?}");
            }
        }
    }
}

#[test]
fn uploads_that_follow_each_other_on_the_wire_are_told_apart() {
    let memory = Memory::default();
    let mut raw = logged_in(&memory);
    assert_eq!(say(&mut raw, "MODE B"), 200);
    passive(&mut raw);
    raw.send(b"STOR a\r\nSTOR b\r\nSTOR c\r\nNOOP\r\n");
    // All the data at once, the files' ends in the middle of it.
    raw.send_data(&[encoded(BLOCK, b"first"), encoded(BLOCK, b""), encoded(BLOCK, &[3; 50_000])].concat());
    let codes: Vec<u16> = (0..7).map(|_| code(&mut raw)).collect();
    assert_eq!(codes, [150, 250, 125, 250, 125, 250, 200]);
    let read = |name| memory.read(name).unwrap();
    assert_eq!((read("/a"), read("/b"), read("/c")), (b"first".to_vec(), Vec::new(), vec![3; 50_000]));
}

#[test]
fn a_block_that_breaks_off_or_means_nothing_stores_nothing() {
    for (wire, ends, expected) in [
        (&b"\x00\x00\x05abcde"[..], true, 426),
        (b"\x40\x00\x05abc", true, 426),
        (b"\x01\x00\x05abcde", false, 451),
        (b"\x10\x00\x00", false, 451),
    ] {
        let memory = Memory::fixture();
        let mut raw = logged_in(&memory);
        assert_eq!(say(&mut raw, "MODE B"), 200);
        passive(&mut raw);
        assert_eq!(say(&mut raw, "STOR a.txt"), 150);
        if ends {
            raw.upload(wire)
        } else {
            raw.send_data(wire)
        }
        assert_eq!(code(&mut raw), expected, "{wire:?}");
        assert_eq!(memory.read("/a.txt").unwrap(), b"hello world\n");
        // The data connection is gone, the session is not.
        assert_eq!(say(&mut raw, "STOR a.txt"), 425);
    }
}

#[test]
fn listings_take_the_form_and_mlsd_ends_the_data_connection() {
    let memory = Memory::fixture();
    let mut raw = logged_in(&memory);
    assert_eq!(say(&mut raw, "MODE B"), 200);
    passive(&mut raw);
    assert_eq!(say(&mut raw, "NLST"), 150);
    assert_eq!(download_framed(BLOCK, &mut raw), b"a.txt\r\ndir\r\nempty\r\n");
    assert_eq!(code(&mut raw), 250);
    assert_eq!(say(&mut raw, "MLSD"), 125);
    assert!(raw.download().starts_with(b"type="), "in MODE S");
    assert_eq!(code(&mut raw), 226);
    assert_eq!(say(&mut raw, "NLST"), 425);
}

#[test]
fn restart_markers_are_answered_with_their_place_in_the_file() {
    let memory = Memory::fixture();
    let mut raw = logged_in(&memory);
    assert_eq!(say(&mut raw, "MODE B"), 200);
    for (command, base) in [("STOR new", 0), ("APPE a.txt", 12)] {
        passive(&mut raw);
        assert_eq!(say(&mut raw, command), 150);
        raw.send_data(b"\x00\x00\x03abc\x10\x00\x02m1\x00\x00\x02de\x10\x00\x01!\x40\x00\x01f");
        assert_eq!(raw.reply().unwrap().to_string(), format!("110 MARK m1 = {}", base + 3));
        assert_eq!(raw.reply().unwrap().to_string(), format!("110 MARK ! = {}", base + 5));
        assert_eq!(code(&mut raw), 250);
    }
    // With the end of the file in the marker's own block.
    assert_eq!(say(&mut raw, "STOR other"), 125);
    raw.send_data(b"\x00\x00\x01a\x50\x00\x03100");
    assert_eq!(raw.reply().unwrap().to_string(), "110 MARK 100 = 1");
    assert_eq!(code(&mut raw), 250);
    assert_eq!(memory.read("/new").unwrap(), b"abcdef");
    // From a marker on, the file is written anew; in MODE B an offset is one of the file in every type.
    assert_eq!((say(&mut raw, "TYPE A"), say(&mut raw, "REST 3"), say(&mut raw, "STOR new")), (200, 350, 125));
    raw.send_data(&encoded(Form { representation: Representation::Ascii, ..BLOCK }, b"x\ny"));
    assert_eq!(code(&mut raw), 250);
    assert_eq!(memory.read("/new").unwrap(), b"abcx\ny");
    assert_eq!((say(&mut raw, "REST 4"), say(&mut raw, "RETR new")), (350, 125));
    assert_eq!(download_framed(Form { representation: Representation::Ascii, ..BLOCK }, &mut raw), b"\ny");
}

#[test]
fn a_range_is_sent_or_written_over_and_nothing_else() {
    let memory = Memory::fixture();
    memory.write("/f", b"0123456789");
    let mut raw = logged_in(&memory);
    let mut get = |range: &str| {
        assert_eq!(say(&mut raw, range), 350);
        passive(&mut raw);
        assert_eq!(say(&mut raw, "RETR f"), 150);
        let came = raw.download();
        assert_eq!(code(&mut raw), 226);
        came
    };
    assert_eq!(get("RANG 2 4"), b"234");
    assert_eq!(get("RANG 8 100"), b"89");
    assert_eq!(get("RANG 10 10"), b"");
    assert_eq!(get("RANG 1 0"), b"0123456789");
    assert_eq!(get("REST 7"), b"789", "the later of the two counts");
    let put = |raw: &mut Raw, range: &str, bytes: &[u8]| {
        assert_eq!(say(raw, range), 350);
        passive(raw);
        assert_eq!(say(raw, "STOR f"), 150);
        raw.upload(bytes);
        code(raw)
    };
    assert_eq!(put(&mut raw, "RANG 2 4", b"abc"), 226);
    assert_eq!(memory.read("/f").unwrap(), b"01abc56789");
    assert_eq!(put(&mut raw, "RANG 8 12", b"ABCDE"), 226);
    assert_eq!(memory.read("/f").unwrap(), b"01abc567ABCDE");
    assert_eq!(put(&mut raw, "RANG 0 4", b"xy"), 426, "all of the range is wanted");
    assert_eq!(put(&mut raw, "RANG 0 1", b"12345"), 451, "and nothing behind it");
    assert!(memory.read("/f").unwrap().ends_with(b"c567ABCDE"));
    for (range, command, expected) in [
        ("RANG 99 100", "RETR f", 554),
        ("RANG 99 100", "STOR f", 554),
        ("RANG 0 1", "APPE f", 554),
        ("RANG 0 1", "STOU f", 554),
    ] {
        assert_eq!(say(&mut raw, range), 350);
        passive(&mut raw);
        assert_eq!(say(&mut raw, command), expected, "{command}");
    }
    assert_eq!((say(&mut raw, "TYPE A"), say(&mut raw, "RANG 0 1")), (200, 350));
    passive(&mut raw);
    assert_eq!(say(&mut raw, "RETR f"), 554);
}

#[test]
fn digests_are_of_the_range_and_by_the_algorithm_that_was_chosen() {
    let memory = Memory::fixture();
    memory.write("/empty file", b"");
    let mut raw = logged_in(&memory);
    let mut tell = |command: &str| {
        raw.command(command.as_bytes());
        let reply = raw.reply().unwrap();
        reply.to_string()
    };
    let whole = "213 SHA-256 0-11 a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447 a.txt";
    assert_eq!(tell("HASH a.txt"), whole);
    assert_eq!(tell("OPTS HASH crc32"), "200 CRC32");
    assert_eq!(tell("HASH a.txt"), "213 CRC32 0-11 af083b2d a.txt");
    assert_eq!(tell("RANG 0 4"), "350 Bytes 0 to 4 are meant.");
    assert_eq!(tell("HASH a.txt"), "213 CRC32 0-4 3610a686 a.txt");
    assert_eq!(tell("HASH a.txt"), "213 CRC32 0-11 af083b2d a.txt", "the range was for one");
    assert_eq!(tell("RANG 12 20"), "350 Bytes 12 to 20 are meant.");
    assert!(tell("HASH a.txt").starts_with("551 "), "there is nothing of it");
    assert_eq!(tell("HASH empty file"), "213 CRC32 0-0 00000000 empty file");
    assert_eq!(tell("XCRC a.txt"), "250 AF083B2D");
    assert_eq!(tell("XCRC a.txt 0 5"), "250 3610A686");
    assert_eq!(tell("XCRC \"a.txt\" 0 5"), "250 3610A686");
    assert_eq!(tell("XMD5 a.txt"), "250 6F5902AC237024BDD0C176CB93063DC4");
    assert!(tell("XCRC nosuch 3").starts_with("550 nosuch 3: "));
    assert!(tell("FEAT").starts_with("211 "));
    assert!(tell("REIN").starts_with("220"));
}

#[test]
fn an_offset_waits_for_its_transfer_while_digests_are_told() {
    let memory = Memory::fixture();
    let mut raw = logged_in(&memory);
    assert_eq!(say(&mut raw, "REST 6"), 350);
    raw.command(b"HASH a.txt");
    assert!(raw.reply().unwrap().text().starts_with(b"SHA-256 0-11 "));
    passive(&mut raw);
    assert_eq!(say(&mut raw, "RETR a.txt"), 150);
    assert_eq!(raw.download(), b"world\n");
}

#[test]
fn a_data_connection_that_the_client_closed_is_not_used() {
    let memory = Memory::fixture();
    let mut raw = logged_in(&memory);
    assert_eq!(say(&mut raw, "MODE B"), 200);
    passive(&mut raw);
    assert_eq!(say(&mut raw, "RETR a.txt"), 150);
    download_framed(BLOCK, &mut raw);
    assert_eq!(code(&mut raw), 250);
    raw.drop_data();
    assert_eq!(say(&mut raw, "RETR a.txt"), 425);
    assert_eq!(say(&mut raw, "STOR a.txt"), 425);
    assert_eq!(memory.read("/a.txt").unwrap(), b"hello world\n");
}

#[test]
fn a_digest_is_aborted_and_disturbs_no_listener() {
    let memory = Memory::fixture();
    let size = usize::try_from(DIGEST_AT_ONCE).unwrap() * 200;
    memory.write("/large", &vec![1; size]);
    let mut raw = logged_in(&memory);
    // All in one packet, so that the digest has only begun when they are heard.
    raw.send(b"HASH large\r\nABOR\r\nNOOP\r\n");
    let codes: Vec<u16> = (0..3).map(|_| code(&mut raw)).collect();
    assert_eq!(codes, [450, 226, 200]);
    raw.command(b"XMD5 large");
    assert_eq!(raw.reply().unwrap().code, 250);
    // A listener that waits is not disturbed.
    passive(&mut raw);
    assert_eq!(say(&mut raw, "HASH large"), 213);
    assert_eq!(say(&mut raw, "RETR a.txt"), 150);
    assert_eq!(raw.download(), b"hello world\n");
}

#[test]
fn an_open_data_connection_lasts_no_longer_than_its_session() {
    let memory = Memory::fixture();
    let mut raw = logged_in(&memory);
    assert_eq!(say(&mut raw, "MODE C"), 200);
    passive(&mut raw);
    assert_eq!(say(&mut raw, "RETR a.txt"), 150);
    download_framed(Form { mode: Mode::Compressed, ..BLOCK }, &mut raw);
    assert_eq!(code(&mut raw), 250);
    raw.now = raw.now + Duration::from_secs(299);
    assert_eq!(say(&mut raw, "NOOP"), 200, "it is no transfer that could stall");
    raw.now = raw.now + Duration::from_secs(301);
    assert_eq!(code(&mut raw), 421);
    assert!(raw.read_data().1, "the data connection is closed");
}

/// FEAT is made from the table, so that what it lists is what works.
#[test]
fn every_feature_that_is_listed_is_served() {
    let mut raw = dialogue::in_memory(&Setup { accounts: Accounts::Users, tls: Tls::Off, user: None }, Cuts::none());
    raw.reply().unwrap();
    raw.command(b"FEAT");
    let reply = raw.reply().unwrap();
    let lines: Vec<String> = reply.lines.iter().map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
    let listed: Vec<&str> = lines[1..lines.len() - 1].iter().map(|line| line.strip_prefix(' ').unwrap()).collect();
    for wanted in [
        "HASH SHA-256*;SHA-512;SHA-1;MD5;CRC32;",
        "LANG EN*",
        "MFF Modify;UNIX.mode;",
        "RANG STREAM",
        "REST STREAM",
        "TVFS",
        "UTF8",
        "XSHA512",
    ] {
        assert!(listed.contains(&wanted), "{wanted} in {listed:?}");
    }
    assert!(!listed.iter().any(|line| line.contains("MODE Z") || line.contains("AUTH")), "{listed:?}");
    assert!(listed.iter().all(|line| !line.starts_with(' ') && !line.is_empty()));
}
