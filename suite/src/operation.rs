//! Settings, limits, stopping, memory.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::process::Stdio;

use longshore_sim::dialogue::Peer;
use rustix::process::Signal;

use crate::dialogues::{fixture, users_file};
use crate::peer::SocketPeer;
use crate::programs::{Programs, Ran, Server, folder, wait_for};

const MIB: u64 = 1024 * 1024;

/// One clear line on standard error, and exit 2.
pub fn bad_settings_are_exit_2(programs: &Programs) {
    let settings = folder();
    let at = |name: &str| settings.path().join(name).display().to_string();
    for (name, text) in [
        ("toml", "[[user]"),
        ("field", "[[user]]\nname = \"a\"\nshoe = 46\n"),
        ("clear", "[[user]]\nname = \"a\"\npassword = \"secret\"\naccess = \"read\"\n"),
        ("unknown.toml", "prot = 21\n"),
        ("home", &users_file().replacen("access", "home = \"nosuch\"\naccess", 1)),
    ] {
        fs::write(settings.path().join(name), text).unwrap();
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().port().to_string();
    let cases: &[(&[&str], &str)] = &[
        (&[&taken], "cannot listen on 127.0.0.1"),
        (&["0", "--root", &at("nosuch")], "nosuch"),
        (&["0", "--root", &at("toml")], "toml"),
        (&["0", "--users", &at("nosuch")], "nosuch"),
        (&["0", "--users", &at("toml")], "toml"),
        (&["0", "--users", &at("field")], "shoe"),
        (&["0", "--users", &at("clear")], "--hash-password"),
        (&["0", "--users", &at("home"), "--root", &at("")], "home"),
        (&["0", "--config", &at("unknown.toml")], "prot"),
        (&["0", "--listen", "0.0.0.0"], "--users FILE, or let anybody in, with --anonymous"),
        (&["0", "--listen", "nonsense"], "nonsense"),
        (&["0", "--passive-ports", "9-1"], "9-1"),
        (&["0", "--max-sessions", "0"], "max-sessions has to be at least 1"),
        (&["0", "--idle-timeout", "0"], "idle-timeout has to be at least 1"),
        (&["0", "--frobnicate"], "--frobnicate"),
        (&["70000"], "70000"),
        (&["--config", &at("empty.toml")], "port"),
    ];
    fs::write(settings.path().join("empty.toml"), "").unwrap();
    for (arguments, word) in cases {
        let output = programs.server_command().args(*arguments).current_dir(settings.path()).output().unwrap();
        let ran = Ran::of(output).expect(2);
        assert!(ran.err.contains(word), "{arguments:?}: {ran:#?}");
        let is_usage = ran.err.starts_with("error:");
        assert!(is_usage || ran.err.lines().count() == 1, "one line: {ran:#?}");
        assert!(ran.out.is_empty(), "{ran:#?}");
    }
}

/// `--config`, and the command line over it.
pub fn settings_come_from_a_file_too(programs: &Programs) {
    let server = programs.serve_folder(&["--config", "{}/ftpd.toml"], |root, settings| {
        fixture(root);
        let text = "anonymous = \"read\"\nidle-timeout = 1\nport = 1\nlisten = [\"127.0.0.1\", \"::1\"]\n";
        fs::write(settings.join("ftpd.toml"), text).unwrap();
    });
    let mut peer = SocketPeer::logged_in(&server);
    peer.say("DELE a.txt", 550);
    peer.expect_reply(421);
    assert!(peer.is_closed());
    let mut peer = SocketPeer::connect_at(std::net::Ipv6Addr::LOCALHOST.into(), server.port);
    peer.expect_reply(220);
}

/// SIGTERM: no new sessions, the idle ones end, a transfer goes on to its end; exit 0.
pub fn a_stop_lets_a_transfer_finish(programs: &Programs) {
    let mut server = programs.serve_folder(&[], |root, _| {
        fs::File::create(root.join("big")).unwrap().set_len(64 * MIB).unwrap();
    });
    let mut idle = SocketPeer::logged_in(&server);
    let mut busy = SocketPeer::logged_in(&server);
    busy.passive();
    busy.say("RETR big", 150);
    server.signal(Signal::TERM);
    idle.expect_reply(421);
    assert!(idle.is_closed());
    assert!(server.runs(), "it waits for the transfer");
    assert_eq!(busy.download().len() as u64, 64 * MIB);
    busy.expect_reply(226);
    busy.expect_reply(421);
    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(server.errors(), "");
}

/// 421 as the greeting, in all and for one address.
pub fn sessions_are_limited(programs: &Programs) {
    for limit in [["--max-sessions", "2"], ["--max-sessions-per-ip", "2"]] {
        let server = programs.serve(&limit);
        let first = SocketPeer::logged_in(&server);
        let _second = SocketPeer::logged_in(&server);
        let mut third = SocketPeer::connect_to(&server);
        third.expect_reply(421);
        assert!(third.is_closed());
        drop(first);
        wait_for("the place to be free", || {
            let mut again = SocketPeer::connect_to(&server);
            again.reply().filter(|reply| reply.code == 220)
        });
    }
}

fn grown(server: &Server, before: u64) -> u64 {
    server.status("VmHWM").saturating_sub(before)
}

/// A gigabyte down, a quarter up, and 100,000 names: the server holds none of it.
pub fn memory_stays_flat(programs: &Programs) {
    // Threads that were not needed before have stacks, and pools of freed memory.
    const GROWTH_KIB: u64 = 3 * 1024;
    let server = programs.serve_folder(&[], |root, _| {
        fs::File::create(root.join("big")).unwrap().set_len(1024 * MIB).unwrap();
        fs::create_dir(root.join("many")).unwrap();
        for number in 0..100_000 {
            fs::File::create(root.join(format!("many/{number:06}"))).unwrap();
        }
    });
    let mut peer = SocketPeer::logged_in(&server);
    let before = server.status("VmHWM");
    peer.passive();
    peer.say("RETR big", 150);
    let mut data = peer.data.take().unwrap();
    let moved = std::io::copy(&mut data, &mut std::io::sink()).unwrap();
    assert_eq!(moved, 1024 * MIB);
    peer.expect_reply(226);
    assert!(grown(&server, before) < GROWTH_KIB, "a download: {} KiB", grown(&server, before));
    peer.passive();
    peer.say("STOR up", 150);
    let mut data = peer.data.take().unwrap();
    let block = vec![7; 1024 * 1024];
    for _ in 0..256 {
        data.write_all(&block).unwrap();
    }
    drop(data);
    peer.expect_reply(226);
    assert!(grown(&server, before) < GROWTH_KIB, "an upload: {} KiB", grown(&server, before));
    for command in ["LIST many", "MLSD many", "NLST many"] {
        peer.passive();
        peer.say(command, 150);
        let lines = peer.download().iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(lines, 100_000, "{command}");
        peer.expect_reply(226);
        assert!(grown(&server, before) < GROWTH_KIB, "{command}: {} KiB", grown(&server, before));
    }
}

/// `--hash-password` prints what a users file takes.
pub fn a_password_hash_lets_its_user_in(programs: &Programs) {
    let mut command = programs.server_command();
    let mut child = command.arg("--hash-password").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all("pass word\n".as_bytes()).unwrap();
    let hash = Ran::of(child.wait_with_output().unwrap()).expect(0).out;
    let server = programs.serve_folder(&["--users", "{}/users.toml"], |_, settings| {
        let hash = hash.trim_end();
        let user = format!("[[user]]\nname = \"zoe\"\npassword = \"{hash}\"\naccess = \"read\"\n");
        fs::write(settings.join("users.toml"), user).unwrap();
    });
    let mut peer = SocketPeer::connect_to(&server);
    peer.expect_reply(220);
    peer.say("USER zoe", 331);
    peer.say("PASS pass word", 230);
}

/// Downloads that nobody reads, uploads of which nothing comes, logins that stop half way: the next session is served as ever.
pub fn stuck_peers_hold_up_nobody_else(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| {
        fixture(root);
        fs::File::create(root.join("big")).unwrap().set_len(1024 * MIB).unwrap();
    });
    let stuck: Vec<SocketPeer> = (0..300)
        .map(|number| match number % 4 {
            0 => SocketPeer::connect_to(&server),
            1 => {
                let mut peer = SocketPeer::connect_to(&server);
                peer.control.write_all(b"USER anonymous\r\nPA").unwrap();
                peer
            }
            kind => {
                let mut peer = SocketPeer::logged_in(&server);
                peer.passive();
                peer.say(if kind == 2 { "RETR big" } else { "STOU" }, 150);
                peer
            }
        })
        .collect();
    let mut peer = SocketPeer::logged_in(&server);
    peer.passive();
    peer.say("RETR a.txt", 150);
    assert_eq!(peer.download(), b"hello world\n");
    peer.expect_reply(226);
    peer.passive();
    peer.say("STOR new", 150);
    peer.upload(b"new");
    peer.expect_reply(226);
    drop(stuck);
}

/// Commands without end, each of them logged: others are served all the same.
pub fn floods_hold_up_nobody_else(programs: &Programs) {
    let mut server = programs.serve(&["-v", "-v"]);
    server.ignore_errors();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let peer = SocketPeer::logged_in(&server);
                let mut replies = peer.control.try_clone().unwrap();
                scope.spawn(move || std::io::copy(&mut replies, &mut std::io::sink()));
                let mut control = &peer.control;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    control.write_all(&b"NOOP\r\n".repeat(1000)).unwrap();
                }
                control.shutdown(std::net::Shutdown::Both).unwrap();
            });
        }
        for _ in 0..20 {
            SocketPeer::logged_in(&server).say("PWD", 257);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

/// Many at work at once need threads, and many passwords megabytes each: both are given back.
pub fn a_rush_leaves_nothing_behind(programs: &Programs) {
    const RUSH: usize = 60;
    let server = programs.serve_folder(&["--users", "{}/users.toml"], |root, settings| {
        fs::write(settings.join("users.toml"), users_file()).unwrap();
        fs::File::create(root.join("big")).unwrap().set_len(4 * MIB).unwrap();
    });
    let rush = |peers: usize| {
        std::thread::scope(|scope| {
            for _ in 0..peers {
                scope.spawn(|| {
                    let mut peer = SocketPeer::connect_to(&server);
                    peer.expect_reply(220);
                    peer.say("USER alice", 331);
                    peer.say("PASS secret", 230);
                    peer.say("TYPE I", 200);
                    peer.passive();
                    peer.say("RETR big", 150);
                    assert_eq!(peer.download().len() as u64, 4 * MIB);
                    peer.expect_reply(226);
                });
            }
        });
    };
    rush(2);
    let (threads, memory) = (server.status("Threads"), server.status("VmRSS"));
    rush(RUSH);
    wait_for("threads to end", || (server.status("Threads") <= threads + 8).then_some(()));
    wait_for("memory to be given back", || (server.status("VmRSS") < memory + 24 * 1024).then_some(()));
}

/// Threads, descriptors and memory are back where they were, after ten thousand sessions, and some with transfers.
pub fn sessions_leave_nothing_behind(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| fixture(root));
    let visits = |count: usize| {
        for _ in 0..count {
            let mut peer = SocketPeer::logged_in(&server);
            peer.say("QUIT", 221);
        }
    };
    let transfers = |count: usize| {
        for _ in 0..count {
            let mut peer = SocketPeer::logged_in(&server);
            peer.passive();
            peer.say("RETR a.txt", 150);
            peer.download();
            peer.expect_reply(226);
            peer.passive();
            peer.say("QUIT", 221);
        }
    };
    let before = server.resting_descriptors();
    let settle = || wait_for("sessions to end", || (server.descriptors() <= before).then_some(()));
    visits(100);
    transfers(50);
    settle();
    let (threads, memory) = (server.status("Threads"), server.status("VmRSS"));
    visits(10_000);
    transfers(300);
    settle();
    // Runtimes keep threads for blocking work for some seconds, in case there is more.
    wait_for("threads to end", || (server.status("Threads") <= threads + 8).then_some(()));
    assert!(server.status("VmRSS") < memory + 1024, "{memory} KiB, then {}", server.status("VmRSS"));
}
