//! Sessions and transfers over TLS.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;

use longshore_sim::dialogue::Peer;
use rustix::net::sockopt::set_socket_linger;

use crate::dialogues::fixture;
use crate::peer::SocketPeer;
use crate::programs::{Programs, Server, folder, noise};
use crate::tls::{Config, Tls, config};

fn serve(programs: &Programs, arguments: &[&str]) -> Server {
    let arguments = [&["--tls-self-signed"], arguments].concat();
    programs.serve_folder(&arguments, |root, _| fixture(root))
}

/// Explicit and implicit, passive and active, files of all sizes and many at once.
pub fn protected_sessions_move_files(programs: &Programs) {
    for (mode, tls) in [("optional", "explicit"), ("required", "explicit"), ("implicit", "implicit")] {
        let server = serve(programs, &["--tls", mode]);
        let (here, back) = (folder(), folder());
        let sizes = [0, 1, 16_384, 65_537, 3_000_000];
        for size in sizes {
            fs::write(here.path().join(format!("f{size}")), noise(size as u64, size)).unwrap();
        }
        let each = |verb: &str| sizes.map(|size| format!("{verb} f{size}\n")).concat();
        let port = server.port.to_string();
        for passive in ["passive", "active"] {
            let arguments = ["--tls", tls, "--insecure", "127.0.0.1", &port];
            let commands = format!("{passive}\n{}mput f*\nls\nstatus\n", each("put"));
            let ran = programs.client(here.path(), &arguments, &commands).expect(0);
            assert!(ran.out.contains("over TLS 1.3 (TLS_AES_128_GCM_SHA256)"), "{ran:#?}");
            assert!(
                ran.out.contains(&format!("{passive}, protected, the last one by the resumed TLS session")),
                "{ran:#?}"
            );
            assert!(ran.out.contains("Certificate: for localhost"), "{ran:#?}");
            let commands = format!("{passive}\n{}mget f*\n", each("get"));
            programs.client(back.path(), &arguments, &commands).expect(0);
            for size in sizes {
                assert!(fs::read(back.path().join(format!("f{size}"))).unwrap() == noise(size as u64, size), "{size}");
                fs::remove_file(back.path().join(format!("f{size}"))).unwrap();
                fs::remove_file(server.root().join(format!("f{size}"))).unwrap();
            }
        }
        // Aborts, resumption and texts are as without TLS.
        fs::write(server.root().join("text"), "a\nb\n").unwrap();
        fs::write(server.root().join("large"), noise(1, 1_000_000)).unwrap();
        fs::write(back.path().join(".large.longshore-part"), &noise(1, 1_000_000)[..300_000]).unwrap();
        let arguments = ["--tls", tls, "--insecure", "127.0.0.1", &port];
        programs.client(back.path(), &arguments, "ascii\nget text\nbinary\nreget large\nget nosuch\n").expect(1);
        assert_eq!(fs::read(back.path().join("text")).unwrap(), b"a\nb\n");
        assert!(fs::read(back.path().join("large")).unwrap() == noise(1, 1_000_000));
    }
}

/// Bytes in clear behind AUTH are TLS's, which they break.
pub fn bytes_behind_auth_are_never_commands(programs: &Programs) {
    let server = serve(programs, &[]);
    for injected in [
        &b"AUTH TLS\r\nUSER anonymous\r\nPASS x\r\nDELE a.txt\r\nQUIT\r\n"[..],
        b"NOOP\r\nAUTH TLS\r\nNOOP\r\nUSER anonymous\r\nPASS x\r\nDELE a.txt\r\n",
    ] {
        let mut peer = SocketPeer::connect_to(&server);
        peer.expect_reply(220);
        peer.control.write_all(injected).unwrap();
        if injected.starts_with(b"NOOP") {
            peer.expect_reply(200);
        }
        peer.expect_reply(234);
        let mut rest = Vec::new();
        // What comes, if anything, is an alert of TLS, and then the end.
        let _ = peer.control.read_to_end(&mut rest);
        assert!(rest.is_empty() || rest[0] == 21, "{}", rest.escape_ascii());
        assert!(server.root().join("a.txt").exists());
    }
    // The handshake may come right behind, in the same segment.
    let mut peer = SocketPeer::connect_to(&server);
    peer.expect_reply(220);
    peer.say("AUTH TLS", 234);
    peer.secure();
    peer.say("USER anonymous", 331);
}

/// An end that TLS does not confirm is none, unless the announced size proves it.
pub fn uploads_that_are_cut_are_errors(programs: &Programs) {
    let server = serve(programs, &[]);
    let shared = config(true);
    let mut peer = SocketPeer::logged_in_over_tls(&server, &shared);
    let cut = |peer: &mut SocketPeer| {
        peer.send_data(b"new");
        peer.data_tls = None;
        peer.data.take().unwrap().shutdown(Shutdown::Write).unwrap();
    };
    peer.passive();
    peer.say("STOR a.txt", 150);
    cut(&mut peer);
    peer.expect_reply(426);
    assert_eq!(fs::read(server.root().join("a.txt")).unwrap(), b"hello world\n");
    peer.passive();
    peer.say("ALLO 3", 200);
    peer.say("STOR a.txt", 150);
    cut(&mut peer);
    peer.expect_reply(226);
    assert_eq!(fs::read(server.root().join("a.txt")).unwrap(), b"new");
    // In order.
    peer.passive();
    peer.say("STOR a.txt", 150);
    peer.upload(b"newer");
    peer.expect_reply(226);
    assert_eq!(fs::read(server.root().join("a.txt")).unwrap(), b"newer");
}

/// Handshakes that fail, are broken off, or never end harm nobody else.
pub fn broken_handshakes_end_their_session_alone(programs: &Programs) {
    let server = serve(programs, &[]);
    let shared = config(true);
    let mut other = SocketPeer::logged_in_over_tls(&server, &shared);
    let auth = || {
        let mut peer = SocketPeer::connect_to(&server);
        peer.expect_reply(220);
        peer.say("AUTH TLS", 234);
        peer
    };
    let silent = auth();
    for _ in 0..20 {
        let mut garbage = auth();
        // The server may be gone before it has all.
        let _ = garbage.control.write_all(&noise(7, 1 << 20));
        let reset = auth();
        (&reset.control).write_all(b"\x16\x03\x01\x02\x00\x01\x00").unwrap();
        set_socket_linger(&reset.control, Some(std::time::Duration::ZERO)).unwrap();
        drop(reset);
        other.say("NOOP", 200);
    }
    // On data connections too.
    other.passive();
    other.say("RETR a.txt", 150);
    other.data.as_mut().unwrap().write_all(&noise(9, 100_000)).unwrap();
    other.expect_reply(522);
    other.passive();
    other.say("RETR a.txt", 150);
    assert_eq!(other.download(), b"hello world\n");
    other.expect_reply(226);
    drop(silent);
}

/// Who insists on resumption gets its own session, and no other login's.
pub fn data_connections_resume_their_own_session(programs: &Programs) {
    for is_13 in [true, false] {
        let server = serve(programs, &["--tls-resume", "require"]);
        let (own, foreign) = (config(is_13), config(is_13));
        let mut peer = SocketPeer::logged_in_over_tls(&server, &own);
        let mut stranger = SocketPeer::logged_in_over_tls(&server, &foreign);
        let upload = |peer: &mut SocketPeer| {
            let mut seen = (false, 0);
            peer.passive();
            peer.say("STOR b", 150);
            peer.send_data_then(b"b", |tls| seen = (tls.is_resumed(), tls.tickets()));
            peer.expect_reply(226);
            seen
        };
        // Their tickets have come with the replies.
        if is_13 {
            assert!(peer.tls.as_ref().unwrap().tickets() > 2);
        }
        for _ in 0..3 {
            peer.passive();
            peer.say("RETR a.txt", 150);
            peer.secure_data().unwrap();
            assert!(peer.data_tls.as_ref().unwrap().is_resumed());
            // Each download brings as many tickets as it took.
            let mut tickets = 0;
            peer.read_data_then(|tls| tickets = tls.tickets());
            assert_eq!(tickets, u32::from(is_13));
            peer.expect_reply(226);
        }
        // An upload brings none, since its client might leave it unread.
        assert_eq!(upload(&mut peer), (true, 0));
        for wrong in [&foreign, &config(is_13)] {
            peer.passive();
            peer.say("STOR a.txt", 150);
            peer.tls_config = Config::clone(wrong);
            let refused = peer.secure_data();
            if refused.is_ok() {
                assert!(!peer.data_tls.as_ref().unwrap().is_resumed());
            }
            peer.expect_reply(522);
            assert_eq!(fs::read(server.root().join("a.txt")).unwrap(), b"hello world\n");
            peer.drop_data();
        }
        stranger.say("NOOP", 200);
        let server = serve(programs, &["--tls-resume", "off"]);
        let shared = config(is_13);
        let mut peer = SocketPeer::logged_in_over_tls(&server, &shared);
        peer.passive();
        peer.say("RETR a.txt", 150);
        peer.secure_data().unwrap();
        assert!(!peer.data_tls.as_ref().unwrap().is_resumed());
        peer.download();
        peer.expect_reply(226);
    }
}

/// The handshake may be cut anywhere.
pub fn handshakes_come_in_pieces(programs: &Programs) {
    let server = serve(programs, &[]);
    let mut peer = SocketPeer::connect_to(&server);
    peer.expect_reply(220);
    peer.say("AUTH TLS", 234);
    peer.tls = Some(Tls::in_pieces(&peer.tls_config, &mut peer.control, 1).unwrap());
    peer.say("USER anonymous", 331);
    peer.say("PASS x", 230);
    let before = server.cpu_ticks();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(server.cpu_ticks() <= before + 5, "a session at rest needs no processor");
    peer.say("QUIT", 221);
    assert!(peer.is_closed());
}

/// Who says all at once and that no more will come is answered all; who sends records that are damaged is not heard again.
pub fn the_end_of_a_protected_session_is_an_end(programs: &Programs) {
    let server = serve(programs, &[]);
    let shared = config(true);
    let mut other = SocketPeer::logged_in_over_tls(&server, &shared);
    let mut peer = SocketPeer::logged_in_over_tls(&server, &shared);
    let mut tls = peer.tls.take().unwrap();
    peer.control.write_all(&tls.last_words(b"NOOP\r\nPWD\r\n")).unwrap();
    peer.tls = Some(tls);
    peer.expect_reply(200);
    peer.expect_reply(257);
    assert!(peer.is_closed());

    let mut damaged: Vec<_> = (0..3).map(|_| SocketPeer::logged_in_over_tls(&server, &shared)).collect();
    for peer in &mut damaged {
        peer.control.write_all(&[&[23, 3, 3, 0, 40][..], &[0; 40]].concat()).unwrap();
    }
    for peer in &mut damaged {
        let mut rest = Vec::new();
        // An alert at most.
        let _ = peer.control.read_to_end(&mut rest);
        assert!(rest.len() < 64, "{}", rest.escape_ascii());
    }
    let before = server.cpu_ticks();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(server.cpu_ticks() <= before + 5, "what has ended needs no processor");
    other.say("NOOP", 200);
}
