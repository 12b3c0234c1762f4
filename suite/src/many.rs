//! Many files over one data connection, and checks of what was moved.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use longshore_core::codec::{Codec, Form, Mode, Representation, Structure};
use longshore_core::machine::Way;
use longshore_sim::dialogue::{Peer, download_framed};

use crate::dialogues::fixture;
use crate::peer::SocketPeer;
use crate::programs::{Programs, Server, folder, noise, wait_for};
use crate::proxy::{Meddling, Proxy};

/// How many files make many.
const MANY: u64 = 2000;

fn serve_many(programs: &Programs) -> Server {
    programs.serve_folder(&[], |root, _| {
        (0..MANY).for_each(|number| fs::write(root.join(format!("n{number}")), noise(number, 4096)).unwrap());
    })
}

/// Down and up, and what is refused, unreadable or in the way on either side stops nothing else.
pub fn mget_and_mput_need_one_data_connection(programs: &Programs) {
    let server = serve_many(programs);
    let proxy = Proxy::start(server.port, Meddling { data: true, ..Meddling::NONE });
    let port = proxy.port.to_string();
    let here = folder();
    let ran = programs.client(here.path(), &["127.0.0.1", &port, "-q"], "mget n*\nstatus\n").expect(0);
    assert!(ran.out.contains("Many files: over one data connection (MODE B)"), "{ran:#?}");
    // One for the listing, and one for all the files.
    assert_eq!(proxy.data_connections(), 2);
    for number in 0..MANY {
        assert!(fs::read(here.path().join(format!("n{number}"))).unwrap() == noise(number, 4096), "n{number}");
    }
    programs.client(here.path(), &["127.0.0.1", &port, "-q"], "mkdir up\ncd up\nmput n*\n").expect(0);
    assert_eq!(proxy.data_connections(), 3);
    for number in 0..MANY {
        assert!(fs::read(server.root().join(format!("up/n{number}"))).unwrap() == noise(number, 4096), "n{number}");
    }
    // A folder here where a file is to go, and a folder there.
    let names: Vec<_> = fs::read_dir(here.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.iter().for_each(|name| fs::remove_file(name).unwrap());
    fs::create_dir(here.path().join("n7")).unwrap();
    let ran = programs.client(here.path(), &["127.0.0.1", &port, "-q"], "mget n?\nsize n3\n").expect(1);
    assert_eq!(ran.out, "4096\n", "{ran:#?}");
    assert!(ran.err.contains("n7: is a directory"), "{ran:#?}");
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 10, "nine files, and the folder");
    fs::create_dir(server.root().join("up/n5/")).unwrap_err();
    fs::remove_file(server.root().join("up/n5")).unwrap();
    fs::create_dir(server.root().join("up/n5")).unwrap();
    fs::remove_dir(here.path().join("n7")).unwrap();
    let ran = programs.client(here.path(), &["127.0.0.1", &port, "-q"], "cd up\nmput n?\n").expect(1);
    assert!(ran.err.contains("mput: n5: 553 n5: Is a directory"), "{ran:#?}");
}

/// A server without MODE B gets a data connection for each file, and nobody is told.
pub fn many_files_fall_back_in_silence(programs: &Programs) {
    let server = serve_many(programs);
    let refuses = |command: &str| (command == "MODE B").then_some("504 The only mode is S.");
    let proxy = Proxy::start(server.port, Meddling { answer: refuses, data: true, ..Meddling::NONE });
    let here = folder();
    let ran =
        programs.client(here.path(), &["127.0.0.1", &proxy.port.to_string(), "-q"], "mget n1?\nmget n2?\nstatus\n");
    let ran = ran.expect(0);
    assert_eq!(ran.err, "");
    assert!(ran.out.contains("since the server has no MODE B"), "{ran:#?}");
    assert_eq!(proxy.data_connections(), 22);
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 20);
}

/// `get` and `put` say by what they were checked; a file that differs harms nothing.
pub fn files_are_checked_by_their_digest(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| fixture(root));
    let here = folder();
    fs::write(here.path().join("up"), noise(1, 300_000)).unwrap();
    let port = server.port.to_string();
    let ran = programs.client(here.path(), &["127.0.0.1", &port, "-v"], "get a.txt\nput up\nreget a.txt\n").expect(0);
    for name in ["a.txt", "up"] {
        assert!(ran.err.contains(&format!("{name}: the same on both sides, by its SHA-512")), "{ran:#?}");
    }
    let lies = |line: &str| match line.strip_prefix("213 SHA-512 ") {
        Some(rest) => format!("213 SHA-512 {}", rest.replace(|letter: char| "0123".contains(letter), "4")),
        None => line.to_owned(),
    };
    let proxy = Proxy::start(server.port, Meddling { change: lies, ..Meddling::NONE });
    let port = proxy.port.to_string();
    fs::write(here.path().join("a.txt"), "old").unwrap();
    let ran = programs.client(here.path(), &["127.0.0.1", &port], "get a.txt\n").expect(1);
    assert!(
        ran.err.contains("get: a.txt: the file here and the one on the server differ, by their SHA-512"),
        "{ran:#?}"
    );
    assert_eq!(fs::read_to_string(here.path().join("a.txt")).unwrap(), "old");
    assert!(!here.path().join(".a.txt.longshore-part").exists(), "nobody is to go on with that");
    let ran = programs.client(here.path(), &["127.0.0.1", &port], "put up\n").expect(1);
    assert!(ran.err.contains("put: up: the file here and the one on the server differ"), "{ran:#?}");
    // Where the server has no digests, the size does.
    let plain = |command: &str| (command == "FEAT").then_some("502 What?");
    let proxy = Proxy::start(server.port, Meddling { answer: plain, ..Meddling::NONE });
    let port = proxy.port.to_string();
    let ran = programs.client(here.path(), &["127.0.0.1", &port, "-v"], "get a.txt\nput up\n").expect(0);
    for name in ["a.txt", "up"] {
        assert!(ran.err.contains(&format!("{name}: the same on both sides, by its size")), "{ran:#?}");
    }
}

/// A digest that takes long is told of, disturbs nobody, and ends at ABOR.
pub fn a_long_digest_can_be_aborted(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| {
        fixture(root);
        fs::File::create(root.join("endless")).unwrap().set_len(1 << 40).unwrap();
    });
    let mut peer = SocketPeer::logged_in(&server);
    let mut other = SocketPeer::logged_in(&server);
    peer.passive();
    let before = server.cpu_ticks();
    peer.command(b"HASH endless");
    wait_for("the digest to be under way", || (server.cpu_ticks() > before + 10).then_some(()));
    other.passive();
    other.say("RETR a.txt", 150);
    assert_eq!(other.download(), b"hello world\n");
    other.expect_reply(226);
    peer.say("ABOR", 450);
    peer.expect_reply(226);
    assert!(peer.say("HASH a.txt", 213).text().starts_with(b"SHA-256 0-11 a948904f"));
    // Nor does it hold anything back from a client that is gone.
    peer.command(b"XSHA512 endless");
    drop(peer);
    other.passive();
    other.say("RETR a.txt", 150);
    assert_eq!(other.download(), b"hello world\n");
}

/// Large and small, in both directions, over one data connection for each form.
pub fn blocks_carry_files_of_all_sizes(programs: &Programs) {
    let server = programs.serve(&[]);
    for (mode, letter) in [(Mode::Block, "B"), (Mode::Compressed, "C")] {
        let mut peer = SocketPeer::logged_in(&server);
        peer.say(&format!("MODE {letter}"), 200);
        peer.passive();
        let form = Form { representation: Representation::Image, structure: Structure::File, mode };
        for (at, size) in [0, 1, 32_767, 32_768, 65_535, 65_536, 65_537, 3_000_000].into_iter().enumerate() {
            let content = noise(size as u64, size);
            peer.say(&format!("STOR f{size}"), if at == 0 { 150 } else { 125 });
            peer.send_data(&encoded(form, &content));
            peer.expect_reply(250);
            assert!(fs::read(server.root().join(format!("f{size}"))).unwrap() == content, "{size} bytes, {mode:?}");
            peer.say(&format!("RETR f{size}"), 125);
            assert!(download_framed(form, &mut peer) == content, "{size} bytes, {mode:?}");
            peer.expect_reply(250);
        }
        // All at once: commands, and data whose files end in the middle of what is sent.
        peer.control.write_all(b"STOR one\r\nSTOR two\r\nSTOR three\r\n").unwrap();
        let (one, three) = (noise(1, 100_000), noise(3, 300_000));
        let wire = [encoded(form, &one), encoded(form, b""), encoded(form, &three)].concat();
        let mut data: TcpStream = peer.data.as_ref().unwrap().try_clone().unwrap();
        let sender = std::thread::spawn(move || data.write_all(&wire).unwrap());
        for code in [125, 250, 125, 250, 125, 250] {
            peer.expect_reply(code);
        }
        sender.join().unwrap();
        let stored = |name: &str| fs::read(server.root().join(name)).unwrap();
        assert!(stored("one") == one && stored("two").is_empty() && stored("three") == three, "{mode:?}");
        // As large as a buffer of the server's, or nearly, in units that others send: what is held back then has to come all the same.
        for size in 65_500u16..=65_535 {
            let wire = match mode {
                Mode::Block => {
                    [&[0x40, size.to_be_bytes()[0], size.to_be_bytes()[1]], &vec![7; size.into()][..]].concat()
                }
                _ => encoded(form, &vec![0; size.into()]),
            };
            peer.say("STOR edge", 125);
            peer.send_data(&wire);
            peer.expect_reply(250);
            assert_eq!(stored("edge").len(), usize::from(size), "{mode:?}");
        }
        // A small one, sent with a pause, and then nothing: the server rests too.
        let wire = encoded(form, &noise(4, 40_000));
        peer.say("STOR four", 125);
        peer.send_data(&wire[..20_000]);
        std::thread::sleep(Duration::from_millis(50));
        peer.send_data(&wire[20_000..]);
        peer.expect_reply(250);
        let before = server.cpu_ticks();
        std::thread::sleep(Duration::from_millis(700));
        let ticks = server.cpu_ticks() - before;
        assert!(ticks < 30, "{ticks} ticks of the processor for nothing");
        // A block that breaks off stores nothing.
        peer.say("STOR one", 125);
        peer.upload(if mode == Mode::Block { b"\x40\x00\x05ab" } else { b"\x00\x40\x05ab" });
        peer.expect_reply(426);
        assert!(stored("one") == one);
        peer.say("RETR one", 425);
    }
}

fn encoded(form: Form, content: &[u8]) -> Vec<u8> {
    let mut codec = Codec::new(form, Way::Send);
    let mut wire = vec![0; 2 * content.len() + 100];
    let step = codec.step(content, true, &mut wire).unwrap();
    assert!(step.over, "there is room for it");
    wire.truncate(step.written);
    wire
}
