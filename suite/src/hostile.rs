//! Bad input, ways out of the root, and what else a server must bear.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::symlink;

use longshore_core::wire::address;
use longshore_sim::dialogue::Peer;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::dialogues::{SECRET, fixture};
use crate::peer::SocketPeer;
use crate::programs::{Programs, folder};

/// Each gets its error; session and files stay as they were.
pub fn bad_lines_get_their_error_and_nothing_else(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| fixture(root));
    let mut peer = SocketPeer::logged_in(&server);
    let long = [&[b'x'; 1 << 20][..], b"\r\n"].concat();
    peer.control.write_all(&long).unwrap();
    peer.expect_reply(500);
    for (line, code) in [
        (&b"\x00\x01\x02\x1b[2J"[..], 500),
        (b"DELE a.txt\0b", 501),
        (b"REST -1", 501),
        (b"REST 99999999999999999999", 501),
        (b"PORT 1,2,3", 501),
        (b"PORT 192,0,2,1,200,1", 504),
        (b"PORT 127,0,0,1,0,25", 504),
        (b"EPRT |1|127.0.0.1|25|", 504),
        (b"RETR a.txt", 425),
    ] {
        peer.command(line);
        peer.expect_reply(code);
    }
    peer.say("SIZE a.txt", 213);
    drop(peer);
    // The client sends no name that could be two commands.
    let here = folder();
    let ran = programs.client(
        here.path(),
        &["127.0.0.1", &server.port.to_string(), "-c", "rm \"x\r\nDELE a.txt\"", "-c", "pwd"],
        "",
    );
    assert!(ran.expect(1).err.contains("cannot be sent"));
    assert!(server.root().join("a.txt").exists());
    let mut browser = SocketPeer::connect_to(&server);
    browser.expect_reply(220);
    browser.say("GET / HTTP/1.1", 500);
    assert!(browser.is_closed());
}

/// Neither `..` nor links, old or new, nor a link put in the way.
pub fn nothing_leads_out_of_the_root(programs: &Programs) {
    let outside = folder();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    fs::create_dir(outside.path().join("open")).unwrap();
    let server = programs.serve_folder(&[], |root, _| {
        fixture(root);
        symlink(outside.path(), root.join("out")).unwrap();
        symlink(outside.path().join("secret"), root.join("file")).unwrap();
        symlink("../../../../../../../../etc", root.join("etc")).unwrap();
        symlink("dir", root.join("inside")).unwrap();
        symlink("../a.txt", root.join("dir/up")).unwrap();
    });
    let mut peer = SocketPeer::logged_in(&server);
    let place = outside.path().display().to_string();
    for (command, code) in [
        ("CWD out".to_owned(), 550),
        ("CWD etc".to_owned(), 550),
        (format!("CWD {place}"), 550),
        ("SIZE file".to_owned(), 550),
        ("SIZE out/secret".to_owned(), 550),
        ("MDTM ../../../../etc/passwd".to_owned(), 550),
        ("MKD out/new".to_owned(), 550),
        ("RMD out/open".to_owned(), 550),
        ("DELE out/secret".to_owned(), 550),
        ("SITE CHMOD 777 file".to_owned(), 550),
        ("MFMT 20200101000000 file".to_owned(), 550),
        ("CWD inside".to_owned(), 250),
        ("SIZE up".to_owned(), 213),
    ] {
        peer.say(&command, code);
    }
    peer.say("CWD /", 250);
    peer.say("RNFR a.txt", 350);
    peer.say("RNTO out/a.txt", 553);
    for command in ["RETR file", "RETR out/secret", "LIST out/", "MLSD etc"] {
        peer.passive();
        peer.say(command, 550);
    }
    for command in ["STOR file", "STOR out/new", "APPE file"] {
        peer.passive();
        peer.say(command, 553);
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 2);
    assert_eq!(fs::read_to_string(outside.path().join("secret")).unwrap(), "secret");
    // Removing a link removes the link.
    peer.say("DELE file", 250);
    assert!(outside.path().join("secret").exists());
    peer.passive();
    peer.say("MLSD", 150);
    let listing = String::from_utf8(peer.download()).unwrap();
    assert!(listing.contains("type=OS.unix=slink:") && !listing.contains("type=dir;size"), "{listing}");
}

/// The home is the root, and links in it lead nowhere else, not even within the served folder.
pub fn a_home_is_all_that_its_user_sees(programs: &Programs) {
    let server = programs.serve_folder(&["--users", "{}/users.toml"], |root, settings| {
        fixture(root);
        symlink("../a.txt", root.join("dir/up")).unwrap();
        let user = format!("[[user]]\nname = \"alice\"\npassword = \"{SECRET}\"\nhome = \"dir\"\naccess = \"write\"\n");
        fs::write(settings.join("users.toml"), user).unwrap();
    });
    let mut peer = SocketPeer::connect_to(&server);
    peer.expect_reply(220);
    peer.say("USER alice", 331);
    peer.say("PASS secret", 230);
    assert!(peer.say("PWD", 257).text().starts_with(b"\"/\""));
    peer.say("TYPE I", 200);
    peer.say("SIZE b.bin", 213);
    peer.say("SIZE ../a.txt", 550);
    peer.say("SIZE up", 550);
    peer.say("MKD /made", 257);
    assert!(server.root().join("dir/made").is_dir());
}

/// A connection from elsewhere is closed, and the wait goes on for the one that is due.
pub fn data_connections_are_the_peers_alone(programs: &Programs) {
    let server = programs.serve_folder(&["--listen", "127.0.0.1"], |root, _| fixture(root));
    let mut peer = SocketPeer::logged_in(&server);
    let port = address::parse_229(peer.say("EPSV", 229).text()).unwrap();
    let stranger = socket_from([127, 0, 0, 2], port);
    peer.say("RETR a.txt", 150);
    let stranger_got = std::io::read_to_string(stranger);
    assert!(stranger_got.is_err() || stranger_got.unwrap().is_empty());
    peer.connect(port);
    assert_eq!(peer.download(), b"hello world\n");
    peer.expect_reply(226);
}

/// A connection to this machine from another of its addresses.
fn socket_from(ip: [u8; 4], port: u16) -> TcpStream {
    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &std::net::SocketAddr::from((ip, 0))).unwrap();
    connect(&socket, &std::net::SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    socket.into()
}

/// A pipe that nobody writes to must not hold a session up.
pub fn what_is_no_file_is_not_opened(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| {
        mknodat(CWD, root.join("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    });
    let mut peer = SocketPeer::logged_in(&server);
    peer.say("SIZE pipe", 550);
    for (command, code) in [("RETR pipe", 550), ("STOR pipe", 553), ("APPE pipe", 553)] {
        peer.passive();
        peer.say(command, code);
    }
    peer.passive();
    peer.say("LIST", 150);
    assert!(peer.download().starts_with(b"prw"));
    peer.expect_reply(226);
}

/// A client that says QUIT in the middle of a transfer, sends much, reads nothing and breaks off, costs no time.
pub fn a_broken_client_does_not_spin(programs: &Programs) {
    let server = programs.serve_folder(&["--data-timeout", "2"], |root, _| {
        fs::File::create(root.join("big")).unwrap().set_len(1 << 30).unwrap();
    });
    let before = server.resting_descriptors();
    for half in [true, false] {
        let mut peer = SocketPeer::logged_in(&server);
        peer.passive();
        peer.say("RETR big", 150);
        peer.command(b"QUIT");
        peer.control.write_all(&b"STAT\r\n".repeat(1000)).unwrap();
        if half {
            peer.control.shutdown(std::net::Shutdown::Write).unwrap();
        } else {
            let SocketPeer { control, data, .. } = peer;
            drop(control);
            // The data connection stays open, and is not read.
            std::mem::forget(data);
        }
        // The session ends by itself, at once or with the stalled transfer.
        crate::programs::wait_for("the session to end", || (server.descriptors() <= before).then_some(()));
    }
    // Two seconds of waiting, and hardly any of work.
    assert!(server.cpu_ticks() < 100, "{} ticks of the clock were used", server.cpu_ticks());
}
