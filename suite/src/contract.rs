//! What a user sees: messages, exit codes, the prompt.

use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::dialogues::{fixture, users_file};
use crate::programs::{Programs, folder, wait_for};

/// The session that the project began with.
pub fn the_first_session_goes_as_promised(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| fixture(root));
    let here = folder();
    fs::write(here.path().join("mine.txt"), "mine\n").unwrap();
    let commands = "ls\nget a.txt\nget nosuch\nput nosuch\nfrobnicate\nput mine.txt\nls\nquit\n";
    let ran = programs.at(&server, here.path(), commands).expect(1);
    assert!(ran.out.contains(" a.txt\n") && ran.out.contains(" mine.txt\n"), "{ran:#?}");
    assert_eq!(fs::read_to_string(here.path().join("a.txt")).unwrap(), "hello world\n");
    assert_eq!(fs::read_to_string(server.root().join("mine.txt")).unwrap(), "mine\n");
    assert!(ran.err.contains("get: nosuch: 550 "), "{ran:#?}");
    assert!(ran.err.contains("put: nosuch: No such file or directory\n"), "{ran:#?}");
    assert!(ran.err.contains("frobnicate: unknown command"), "{ran:#?}");
    let left: Vec<_> = fs::read_dir(here.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "only what was there and what came: {left:?}");
    assert!(!server.root().join("nosuch").exists());
}

/// On a terminal: `ftp> `, again after each mistake, until `quit`, which is exit 0.
pub fn the_prompt_survives_mistakes_and_quits(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| fixture(root));
    let here = folder();
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    rustix::fs::fcntl_setfl(&terminal, rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NONBLOCK).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let side = || Stdio::from(fs::File::options().read(true).write(true).open(&name).unwrap());
    let port = server.port.to_string();
    let mut command = programs.client_command(here.path());
    command.args(["127.0.0.1", &port]).env("TERM", "xterm").stdin(side()).stdout(side()).stderr(side());
    let mut child = command.spawn().unwrap();
    let mut terminal = fs::File::from(terminal);
    let mut shown = String::new();
    let mut until = |terminal: &mut fs::File, what: &str| {
        wait_for(what, || {
            let mut buffer = [0; 4096];
            let count = terminal.read(&mut buffer).unwrap_or(0);
            shown.push_str(&String::from_utf8_lossy(&buffer[..count]));
            let at = shown.find(what)?;
            shown.drain(..at + what.len());
            Some(())
        });
    };
    until(&mut terminal, "ftp> ");
    for (line, answer) in [
        ("frobnicate\r", "frobnicate: unknown command"),
        ("get nosuch\r", "get: nosuch: 550 "),
        ("ls\r", " a.txt"),
        ("get a.t\t\r", "a.txt: received 12 bytes"),
    ] {
        terminal.write_all(line.as_bytes()).unwrap();
        until(&mut terminal, answer);
        until(&mut terminal, "ftp> ");
    }
    terminal.write_all(b"quit\r").unwrap();
    let status = wait_for("the client to end", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
    assert_eq!(fs::read_to_string(here.path().join("a.txt")).unwrap(), "hello world\n");
}

/// `-c`: in order, and none after one that failed.
pub fn commands_end_at_the_first_failure(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| fixture(root));
    let here = folder();
    let port = server.port.to_string();
    let run = |commands: &[&str]| {
        let mut arguments = vec!["localhost", &port];
        commands.iter().for_each(|command| arguments.extend(["-c", command]));
        programs.client(here.path(), &arguments, "")
    };
    assert_eq!(run(&["pwd", "size a.txt"]).expect(0).out, "/\n12\n");
    let ran = run(&["mkdir new", "get nosuch", "mkdir never"]).expect(1);
    assert_eq!(ran.err.lines().count(), 1, "{ran:#?}");
    assert!(server.root().join("new").is_dir() && !server.root().join("never").exists());
    run(&["frobnicate"]).expect(1);
    run(&["get"]).expect(1);
    run(&["pwd", "quit", "frobnicate"]).expect(0);
    // A password shows in no dialogue.
    let ran = run(&["quote NOOP", "quote PASS hunter2"]).expect(1);
    assert!(ran.err.contains("503") && !format!("{ran:?}").contains("hunter2"), "{ran:#?}");
    let verbose = programs.client(here.path(), &["-v", "localhost", &port, "-c", "quote PASS hunter2"], "").expect(1);
    assert!(verbose.err.contains("---> PASS ****") && !verbose.err.contains("hunter2"), "{verbose:#?}");
}

/// Nobody listens, nobody of that name, a refused login: exit 2, and one line that says so.
pub fn a_server_that_is_not_there_is_exit_2(programs: &Programs) {
    let here = folder();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let ran = programs.client(here.path(), &["127.0.0.1", &free], "ls\n").expect(2);
    assert!(ran.err.contains("Connection refused"), "{ran:#?}");
    let server = programs.serve_folder(&["--users", "{}/users.toml"], |_, settings| {
        fs::write(settings.join("users.toml"), users_file()).unwrap();
    });
    let ran = programs.at(&server, here.path(), "ls\n").expect(2);
    assert!(ran.err.contains("530"), "{ran:#?}");
    let port = server.port.to_string();
    let ran = programs.client(here.path(), &["--user", "alice", "127.0.0.1", &port], "ls\n").expect(2);
    assert!(ran.err.contains("FTP_PASSWORD"), "{ran:#?}");
}

/// The URL's password before `$FTP_PASSWORD`, and that before `.netrc`.
pub fn logins_come_from_arguments_environment_and_netrc(programs: &Programs) {
    let server = programs.serve_folder(&["--users", "{}/users.toml"], |_, settings| {
        fs::write(settings.join("users.toml"), users_file()).unwrap();
    });
    let here = folder();
    let port = server.port.to_string();
    let url = format!("ftp://bob:secret@127.0.0.1:{port}/");
    assert_eq!(programs.client(here.path(), &[&url, "-c", "pwd"], "").expect(0).out, "/\n");
    let run = |arguments: &[&str], password: Option<&str>| {
        let mut command = programs.client_command(here.path());
        command.args(arguments).args(["127.0.0.1", &port, "-c", "mkdir made", "-c", "rmdir made"]);
        password.map(|password| command.env("FTP_PASSWORD", password));
        crate::programs::Ran::of(command.output().unwrap())
    };
    run(&["--user", "alice"], Some("secret")).expect(0);
    run(&["--user", "alice"], None).expect(2);
    fs::write(here.path().join(".netrc"), "machine 127.0.0.1 login alice password secret\n").unwrap();
    run(&[], None).expect(0);
    run(&["--user", "alice"], None).expect(0);
    run(&[], Some("wrong")).expect(2);
}

/// `ftp://host:port/folder/` begins in the folder.
pub fn urls_lead_to_a_folder(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| fs::create_dir_all(root.join("a b/c")).unwrap());
    let here = folder();
    let at = |path: &str| format!("ftp://127.0.0.1:{}{path}", server.port);
    assert_eq!(programs.client(here.path(), &[&at("/a%20b/c/"), "-c", "pwd"], "").expect(0).out, "/a b/c\n");
    let ran = programs.client(here.path(), &[&at("/nosuch/"), "-c", "pwd"], "").expect(2);
    assert!(ran.err.contains("nosuch: 550"), "{ran:#?}");
    programs.client(here.path(), &[&at("/a%0D%0ADELE%20x"), "-c", "pwd"], "").expect(2);
    programs.client(here.path(), &["http://127.0.0.1/", "-c", "pwd"], "").expect(2);
}

/// Arguments that cannot be.
pub fn bad_arguments_are_exit_2(programs: &Programs) {
    let here = folder();
    for arguments in [&["--frobnicate", "x"][..], &["host", "0"], &["host", "99999"], &[]] {
        let ran = programs.client(here.path(), arguments, "").expect(2);
        assert!(!ran.err.is_empty());
    }
    let ran = programs.client(here.path(), &["--version"], "").expect(0);
    assert!(ran.out.starts_with("ftp-"), "{ran:#?}");
    let ran = programs.client(here.path(), &["--help"], "").expect(0);
    assert!(ran.out.contains("--active"));
}
