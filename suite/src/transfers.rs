//! Files of all sizes, both ways, resumed and broken off.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use longshore_sim::dialogue::Peer;

use crate::dialogues::fixture;
use crate::peer::SocketPeer;
use crate::programs::{Programs, folder, noise, wait_for};

const SIZES: [usize; 7] = [0, 1, 65_535, 65_536, 65_537, 1_000_000, 5_000_000];
/// Larger than what any machine moves before a signal arrives; the files are sparse.
const ENDLESS: u64 = 1 << 36;

/// Passive and active, IPv4 and IPv6.
pub fn files_of_all_sizes_arrive_whole(programs: &Programs) {
    let server = programs.serve(&["--listen", "127.0.0.1", "--listen", "::1"]);
    for host in ["127.0.0.1", "::1"] {
        for mode in ["passive", "active"] {
            let (from, to) = (folder(), folder());
            for size in SIZES {
                fs::write(from.path().join(format!("f{size}")), noise(size as u64, size)).unwrap();
            }
            let puts: String = SIZES.map(|size| format!("put f{size}\n")).concat();
            let gets: String = SIZES.map(|size| format!("get f{size}\nrm f{size}\n")).concat();
            let port = server.port.to_string();
            programs.client(from.path(), &[host, &port], &format!("{mode}\n{puts}")).expect(0);
            programs.client(to.path(), &[host, &port], &format!("{mode}\n{gets}")).expect(0);
            for size in SIZES {
                let came = fs::read(to.path().join(format!("f{size}"))).unwrap();
                assert!(came == noise(size as u64, size), "{size} bytes, {mode}, over {host}");
            }
            assert_eq!(fs::read_dir(server.root()).unwrap().count(), 0);
        }
    }
}

/// `mget` and `mput`, with folders left out, and one failure that does not stop the others.
pub fn many_files_by_wildcard(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| {
        fs::create_dir_all(root.join("in/folder.txt")).unwrap();
        for number in 0..20 {
            fs::write(root.join(format!("in/n{number}.txt")), noise(number, 1000)).unwrap();
        }
        fs::write(root.join("in/other.bin"), "x").unwrap();
    });
    let here = folder();
    programs.at(&server, here.path(), "mget in/*.txt\nmkdir out\ncd out\nmput n1*.txt\n").expect(0);
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 20);
    assert_eq!(fs::read_dir(server.root().join("out")).unwrap().count(), 11);
    assert_eq!(fs::read(here.path().join("n7.txt")).unwrap(), noise(7, 1000));
    let ran = programs.at(&server, here.path(), "mget nosuch* in/other.bin\n").expect(1);
    assert!(ran.err.contains("nosuch*: no file matches"), "{ran:#?}");
    assert!(here.path().join("other.bin").exists());
}

/// `reget` takes up what is there, and refuses what cannot be the same file.
pub fn downloads_resume(programs: &Programs) {
    let content = noise(3, 3_000_000);
    let server = programs.serve_folder(&[], |root, _| fs::write(root.join("big"), &content).unwrap());
    let here = folder();
    let local = |name: &str| here.path().join(name);
    fs::write(local(".big.longshore-part"), &content[..1_234_567]).unwrap();
    let ran = programs.at(&server, here.path(), "reget big\n").expect(0);
    assert!(ran.err.contains(&format!("received {} bytes", content.len() - 1_234_567)), "{ran:#?}");
    assert!(fs::read(local("big")).unwrap() == content);
    assert!(!local(".big.longshore-part").exists());
    fs::write(local("big"), &content[..100]).unwrap();
    programs.at(&server, here.path(), "reget big\n").expect(0);
    assert!(fs::read(local("big")).unwrap() == content);
    fs::write(local("big"), noise(4, 3_000_001)).unwrap();
    let ran = programs.at(&server, here.path(), "reget big\n").expect(1);
    assert!(ran.err.contains("longer"), "{ran:#?}");
    assert_eq!(fs::read(local("big")).unwrap().len(), 3_000_001);
}

/// What came of a broken upload is hidden, and `reput` goes on with it; the old file stays until the new one is whole.
pub fn a_broken_upload_is_kept_and_resumed(programs: &Programs) {
    let content = noise(5, 2_000_000);
    let server = programs.serve_folder(&[], |root, _| fixture(root));
    let mut peer = SocketPeer::logged_in(&server);
    peer.passive();
    peer.say("STOR a.txt", 150);
    peer.data.as_mut().unwrap().write_all(&content[..1_000_000]).unwrap();
    drop(peer);
    let kept = server.root().join(".a.txt.longshore-part");
    wait_for("the part to be kept", || kept.exists().then_some(()));
    assert_eq!(fs::read_to_string(server.root().join("a.txt")).unwrap(), "hello world\n");
    let here = folder();
    fs::write(here.path().join("a.txt"), &content).unwrap();
    let ran = programs.at(&server, here.path(), "nls -a\nreput a.txt\n").expect(0);
    assert!(!ran.out.contains("longshore"), "a part is in no listing: {ran:#?}");
    assert!(fs::read(server.root().join("a.txt")).unwrap() == content);
    assert!(!kept.exists());
    // The whole file is there: nothing is left to be sent.
    let ran = programs.at(&server, here.path(), "reput a.txt\n").expect(0);
    assert!(ran.err.contains("sent 0 bytes"), "{ran:#?}");
    assert!(fs::read(server.root().join("a.txt")).unwrap() == content);
}

/// Names travel as they are, whatever they hold.
pub fn names_are_bytes(programs: &Programs) {
    let names: [&[u8]; 8] = [
        &[b'n'; 255],
        b"~",
        b" lead",
        b"trail ",
        "d\u{e9}j\u{e0} vu".as_bytes(),
        b"caf\xe9",
        b"two  blanks",
        b"\xff\xffiac\x01",
    ];
    let server = programs.serve(&[]);
    let (from, to) = (folder(), folder());
    let at = |folder: &Path, name: &[u8]| folder.join(OsStr::from_bytes(name));
    for name in names {
        fs::write(at(from.path(), name), name).unwrap();
    }
    let port = server.port.to_string();
    programs.client(from.path(), &["127.0.0.1", &port], "mput *\n").expect(0);
    for name in names {
        assert_eq!(fs::read(at(server.root(), name)).unwrap(), name);
    }
    programs.client(to.path(), &["127.0.0.1", &port], "mget *\nget ' lead' copy\nget trail\\ \n").expect(0);
    for name in names {
        assert_eq!(fs::read(at(to.path(), name)).unwrap(), name);
    }
    assert_eq!(fs::read(to.path().join("copy")).unwrap(), b" lead");
}

/// A file in `folder` that is being written, and is not whole yet.
fn part_in(folder: &Path, end: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.into_iter().find(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with('.') && name.ends_with(end) && path.metadata().is_ok_and(|metadata| metadata.len() > 0)
    })
}

/// How a part of the server's ends while it is written, and one of the client's.
const SERVERS: &str = ".part";
const CLIENTS: &str = ".longshore-part";

/// SIGKILL in the middle of a `put` over an existing file.
pub fn a_killed_client_leaves_the_old_file(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| fixture(root));
    let here = folder();
    fs::File::create(here.path().join("a.txt")).unwrap().set_len(ENDLESS).unwrap();
    let mut command = programs.client_command(here.path());
    let mut child = command.args(["127.0.0.1", &server.port.to_string(), "-c", "put a.txt"]).spawn().unwrap();
    wait_for("the upload to begin", || part_in(server.root(), SERVERS));
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for("the server to notice", || part_in(server.root(), SERVERS).is_none().then_some(()));
    assert!(fs::read(server.root().join("a.txt")).unwrap() == b"hello world\n", "the old file is harmed");
}

/// SIGKILL of the server in the middle of a `get` over an existing file.
pub fn a_killed_server_leaves_the_old_local_file(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| {
        fs::File::create(root.join("a.txt")).unwrap().set_len(ENDLESS).unwrap();
    });
    let here = folder();
    fs::write(here.path().join("a.txt"), "old").unwrap();
    let mut command = programs.client_command(here.path());
    let child = command.args(["127.0.0.1", &server.port.to_string(), "-c", "get a.txt"]).spawn().unwrap();
    wait_for("the download to begin", || part_in(here.path(), CLIENTS));
    drop(server);
    let ran = crate::programs::Ran::of(child.wait_with_output().unwrap()).expect(1);
    assert!(ran.err.contains("get: a.txt: the server closed the connection"), "{ran:#?}");
    assert_eq!(fs::read_to_string(here.path().join("a.txt")).unwrap(), "old");
}

/// The replies to ABOR come though the client reads no data, and the session serves the next command.
pub fn abort_stops_a_download_that_nobody_reads(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| {
        fixture(root);
        fs::File::create(root.join("endless")).unwrap().set_len(ENDLESS).unwrap();
    });
    for abort in [&b"ABOR\r\n"[..], b"\xff\xf4\xff\xf2ABOR\r\n", b"\xff\xf2ABOR\r\n"] {
        let mut peer = SocketPeer::logged_in(&server);
        peer.passive();
        peer.say("RETR endless", 150);
        peer.data.as_mut().unwrap().read_exact(&mut [0; 1000]).unwrap();
        peer.control.write_all(abort).unwrap();
        peer.expect_reply(426);
        peer.expect_reply(226);
        peer.drop_data();
        peer.passive();
        peer.say("RETR a.txt", 150);
        assert_eq!(peer.download(), b"hello world\n");
        peer.expect_reply(226);
    }
    // With the mark of urgent data, as ftplib sends it: on the line's end.
    let mut peer = SocketPeer::logged_in(&server);
    peer.passive();
    peer.say("RETR endless", 150);
    rustix::net::send(&peer.control, b"ABOR\r\n", rustix::net::SendFlags::OOB).unwrap();
    peer.expect_reply(426);
    peer.expect_reply(226);
    peer.say("NOOP", 200);
}

/// A client may connect only after the 150, and take its time, whatever is sent to it.
pub fn late_data_connections_get_all(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| fixture(root));
    let mut peer = SocketPeer::logged_in(&server);
    for command in ["RETR a.txt", "NLST"] {
        let reply = peer.say("EPSV", 229);
        peer.say(command, 150);
        std::thread::sleep(Duration::from_millis(500));
        peer.connect(longshore_core::wire::address::parse_229(reply.text()).unwrap());
        assert!(!peer.download().is_empty(), "{command}");
        peer.expect_reply(226);
    }
}

/// Urgent bytes on a data connection, where they mean nothing, neither stop a transfer nor cut it.
pub fn urgent_bytes_among_data_do_not_cut_it(programs: &Programs) {
    let server = programs.serve_folder(&[], |_, _| {});
    let content = noise(3, 301_000);
    let mut peer = SocketPeer::logged_in(&server);
    peer.passive();
    peer.say("STOR up", 150);
    let data = peer.data.as_mut().unwrap();
    data.write_all(&content[..300_000]).unwrap();
    rustix::net::send(&*data, b"!", rustix::net::SendFlags::OOB).unwrap();
    wait_for("the server to rest", || {
        let before = server.cpu_ticks();
        std::thread::sleep(Duration::from_millis(300));
        (server.cpu_ticks() - before < 10).then_some(())
    });
    peer.upload(&content[300_000..]);
    peer.expect_reply(226);
    let stored = fs::read(server.root().join("up")).unwrap();
    assert!(stored.starts_with(&content[..300_000]) && stored.ends_with(&content[300_000..]), "{}", stored.len());
}

/// The old content until the end, the new one at once, the permissions as they were.
pub fn uploads_replace_whole_and_keep_permissions(programs: &Programs) {
    for (mode, in_place) in [("atomic", false), ("direct", true)] {
        let server = programs.serve_folder(&["--uploads", mode], |root, _| {
            fixture(root);
            fs::set_permissions(root.join("a.txt"), fs::Permissions::from_mode(0o640)).unwrap();
            std::os::unix::fs::symlink("a.txt", root.join("link")).unwrap();
        });
        let read = |name: &str| fs::read_to_string(server.root().join(name)).unwrap();
        let mut peer = SocketPeer::logged_in(&server);
        peer.passive();
        peer.say("STOR a.txt", 150);
        peer.data.as_mut().unwrap().write_all(b"new").unwrap();
        if in_place {
            wait_for("the first bytes", || (read("a.txt") == "new").then_some(()));
        } else {
            wait_for("the part", || part_in(server.root(), SERVERS));
            assert_eq!(read("a.txt"), "hello world\n");
        }
        peer.upload(b"er");
        peer.expect_reply(226);
        assert_eq!(read("a.txt"), "newer");
        peer.passive();
        peer.say("STOR link", 150);
        peer.upload(b"through");
        peer.expect_reply(226);
        assert_eq!(read("a.txt"), "through");
        assert!(server.root().join("link").is_symlink());
        let mode = fs::metadata(server.root().join("a.txt")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        peer.say("MFMT 20200101000000 link", 213);
        assert_eq!(peer.say("MDTM a.txt", 213).text(), b"20200101000000");
        peer.say("SITE CHMOD 600 a.txt", 200);
        assert_eq!(fs::metadata(server.root().join("a.txt")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

/// `ascii`: lines end as each side has it.
pub fn texts_are_converted(programs: &Programs) {
    let server = programs.serve(&[]);
    let here = folder();
    fs::write(here.path().join("t"), "one\ntwo\n").unwrap();
    let ran = programs.at(&server, here.path(), "ascii\nput t\nget t back\n").expect(0);
    assert!(ran.err.contains("sent 10 bytes"), "the line ends travel as CR LF: {ran:#?}");
    assert_eq!(fs::read_to_string(server.root().join("t")).unwrap(), "one\ntwo\n");
    assert_eq!(fs::read_to_string(here.path().join("back")).unwrap(), "one\ntwo\n");
}

/// What an earlier upload left must not become the head of another file.
pub fn a_whole_upload_forgets_an_earlier_part(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| {
        fixture(root);
        fs::create_dir(root.join("full")).unwrap();
        fs::write(root.join("full/file"), "x").unwrap();
        fs::write(root.join("full/.f.longshore-part"), "x").unwrap();
        fs::write(root.join("empty/.f.longshore-part"), "x").unwrap();
    });
    let kept = server.root().join(".a.txt.longshore-part");
    fs::write(&kept, "OLD-OLD-").unwrap();
    let here = folder();
    fs::write(here.path().join("a.txt"), "the file, all new").unwrap();
    programs.at(&server, here.path(), "put a.txt\nreput a.txt\n").expect(0);
    assert!(!kept.exists());
    assert_eq!(fs::read_to_string(server.root().join("a.txt")).unwrap(), "the file, all new");
    // A part is no reason to keep a directory, and a refusal no reason to lose a part.
    programs.at(&server, here.path(), "rmdir full\n").expect(1);
    assert!(server.root().join("full/.f.longshore-part").exists());
    programs.at(&server, here.path(), "rmdir empty\n").expect(0);
}

/// Both at once, and neither over the other.
pub fn appends_from_two_clients_are_both_there(programs: &Programs) {
    let server = programs.serve(&[]);
    let mut peers = [SocketPeer::logged_in(&server), SocketPeer::logged_in(&server)];
    for peer in &mut peers {
        peer.passive();
        peer.say("APPE log", 150);
    }
    for peer in &mut peers {
        peer.upload(b"line\n");
        peer.expect_reply(226);
    }
    assert_eq!(fs::read_to_string(server.root().join("log")).unwrap(), "line\nline\n");
}
