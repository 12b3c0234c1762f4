//! TLS, as far as sessions decide about it.

use std::sync::Arc;

use longshore_core::client::{self, Job, JobError, Manner, Outcome};
use longshore_core::codec::Representation;
use longshore_core::host::Store;
use longshore_core::machine::{Action, CertificateError, Input, Machine, SecureError, Secured, TransferError};
use longshore_core::server::{Config, Event, HANDSHAKE_TIMEOUT, Refusal, Session, Tls};
use longshore_core::time::Instant;
use longshore_sim::dialogue::{self, Accounts, Peer, Setup};
use longshore_sim::{Cuts, Odd, Raw};

const NOW: Instant = Instant::ORIGIN;

fn server(tls: Tls) -> Session {
    let (local, peer) = ("127.0.0.1:21".parse().unwrap(), "127.0.0.1:40000".parse().unwrap());
    Session::new(Arc::new(Config { tls, ..Config::default() }), local, peer, NOW)
}

/// Lets the session say what it has to, and gives that with the last action that is no event.
fn turn(session: &mut Session) -> (String, Option<Action<Event>>) {
    let (mut said, mut last) = (String::new(), None);
    loop {
        while let Some(action) = session.poll() {
            if !matches!(action, Action::Event(_)) {
                last = Some(action);
            }
        }
        if session.transmit().is_empty() {
            return (said, last);
        }
        said += std::str::from_utf8(session.transmit()).unwrap();
        session.sent(NOW, session.transmit().len());
    }
}

fn memory(tls: Tls, user: &str) -> Raw {
    let mut raw = dialogue::in_memory(&Setup { accounts: Accounts::Users, tls, user: None }, Cuts::none());
    assert_eq!(raw.reply().unwrap().code, 220);
    if tls != Tls::Implicit {
        say(&mut raw, "AUTH TLS", 234);
    }
    say(&mut raw, &format!("USER {user}"), 331);
    say(&mut raw, "PASS secret", 230);
    raw
}

fn say(raw: &mut Raw, command: &str, code: u16) -> String {
    raw.command(command.as_bytes());
    let reply = raw.reply().unwrap();
    assert_eq!(reply.code, code, "{command}: {reply}");
    String::from_utf8(reply.lines.join(&b'\n')).unwrap()
}

fn passive(raw: &mut Raw) {
    raw.command(b"EPSV");
    let reply = raw.reply().unwrap();
    raw.connect(longshore_core::wire::address::parse_229(reply.text()).unwrap());
}

#[test]
fn nothing_behind_auth_is_taken_as_a_command() {
    for before in ["", "NOOP\r\n", "USER alice\r\nPASS secret\r\n"] {
        let mut session = server(Tls::Optional);
        turn(&mut session);
        let line = format!("{before}AUTH TLS\r\n");
        let taken = session.receive(NOW, format!("{line}USER alice\r\nQUIT\r\n").as_bytes());
        assert_eq!(taken, line.len());
        assert!(!session.wants_input());
        assert_eq!(session.receive(NOW, b"QUIT\r\n"), 0);
        if before.starts_with("USER") {
            // The host still thinks about the password, and nothing is read on.
            turn(&mut session);
            assert!(!session.wants_input());
            continue;
        }
        // 234 is the last in clear: TLS comes once it is sent.
        assert!(!std::iter::from_fn(|| session.poll()).any(|action| matches!(action, Action::Secure)));
        let (said, last) = turn(&mut session);
        assert!(said.ends_with("234 Proceed with the TLS handshake.\r\n") && said.lines().count() <= 2, "{said}");
        assert!(matches!(last, Some(Action::Secure)));
        assert!(!session.wants_input() && session.transmit().is_empty());
        session.handle(NOW, Input::Secured(Ok(Secured::default())));
        assert!(session.wants_input());
        session.receive(NOW, b"NOOP\r\n");
        assert_eq!(turn(&mut session).0, "200 NOOP ok.\r\n");
    }
    // What is refused takes nothing away.
    let mut session = server(Tls::Off);
    turn(&mut session);
    assert_eq!(session.receive(NOW, b"AUTH TLS\r\nNOOP\r\n"), 16);
    assert_eq!(turn(&mut session).0, "502 Command not implemented.\r\n200 NOOP ok.\r\n");
}

#[test]
fn implicit_tls_comes_before_the_first_word() {
    let mut session = server(Tls::Implicit);
    let (said, last) = turn(&mut session);
    assert!(said.is_empty() && matches!(last, Some(Action::Secure)) && !session.wants_input());
    session.handle(NOW, Input::Secured(Ok(Secured::default())));
    assert_eq!(turn(&mut session).0, "220 Longshore ready\r\n");
    for (command, reply) in
        [("AUTH TLS\r\n", "503 "), ("PROT C\r\n", "534 "), ("PBSZ 0\r\n", "200 "), ("PROT P\r\n", "200 ")]
    {
        session.receive(NOW, command.as_bytes());
        let (said, _) = turn(&mut session);
        assert!(said.starts_with(reply), "{command}: {said}");
    }
    let (local, peer) = ("127.0.0.1:21".parse().unwrap(), "127.0.0.1:40000".parse().unwrap());
    let config = Arc::new(Config { tls: Tls::Implicit, ..Config::default() });
    let mut session = Session::refused(config, local, peer, NOW, Refusal::Full);
    let (said, last) = turn(&mut session);
    assert!(said.is_empty() && matches!(last, Some(Action::Close)), "{said}");
}

#[test]
fn a_handshake_that_fails_or_never_ends_ends_the_session_without_a_word() {
    let handshaking = || {
        let mut session = server(Tls::Optional);
        session.receive(NOW, b"AUTH TLS\r\n");
        turn(&mut session);
        session
    };
    let mut session = handshaking();
    session.handle(NOW, Input::Secured(Err(SecureError::Handshake)));
    let (said, last) = turn(&mut session);
    assert!(said.is_empty() && matches!(last, Some(Action::Close)));

    let mut session = handshaking();
    let deadline = session.deadline().unwrap();
    assert_eq!(deadline, NOW + HANDSHAKE_TIMEOUT);
    session.handle(deadline, Input::Tick);
    let (said, last) = turn(&mut session);
    assert!(said.is_empty() && matches!(last, Some(Action::Close)));

    let mut session = handshaking();
    session.handle(NOW, Input::Stop);
    let (said, last) = turn(&mut session);
    assert!(said.is_empty() && matches!(last, Some(Action::Close)));

    let mut session = handshaking();
    session.receive(NOW, &[]);
    assert!(matches!(turn(&mut session).1, Some(Action::Close)));
}

#[test]
fn the_server_tells_of_tls_where_it_has_it() {
    for (tls, has_it) in [(Tls::Off, false), (Tls::Optional, true), (Tls::Required, true)] {
        let mut session = server(tls);
        turn(&mut session);
        session.receive(NOW, b"FEAT\r\nHELP\r\nHELP PROT\r\n");
        let said = turn(&mut session).0;
        for line in [" AUTH TLS\r\n", " PBSZ\r\n", " PROT\r\n", "214 PROT argument: "] {
            assert_eq!(said.contains(line), has_it, "{line}: {said}");
        }
    }
    let mut raw = memory(Tls::Optional, "alice");
    assert!(say(&mut raw, "STAT", 211).contains("Control connection protected by TLS, data connections in clear"));
}

#[test]
fn host_has_to_be_the_one_of_the_handshake() {
    let mut session = server(Tls::Optional);
    session.receive(NOW, b"AUTH TLS\r\n");
    turn(&mut session);
    session.handle(NOW, Input::Secured(Ok(Secured { server_name: Some("a.example".into()) })));
    for (command, reply) in [
        ("HOST A.example\r\n", "220 "),
        ("HOST b.example\r\n", "504 "),
        ("HOST 127.0.0.1\r\n", "504 "),
        ("HOST a:1\r\n", "501 "),
    ] {
        session.receive(NOW, command.as_bytes());
        let (said, _) = turn(&mut session);
        assert!(said.starts_with(reply), "{command}: {said}");
    }
}

#[test]
fn data_is_protected_as_agreed() {
    let mut raw = memory(Tls::Optional, "alice");
    for (commands, protected) in
        [(&[][..], false), (&["PBSZ 0", "PROT P"][..], true), (&["PROT C"][..], false), (&["PROT P"][..], true)]
    {
        passive(&mut raw);
        // The level counts when the transfer begins, also behind PASV.
        commands.iter().for_each(|command| drop(say(&mut raw, command, 200)));
        say(&mut raw, "RETR a.txt", 150);
        raw.download();
        assert_eq!(raw.reply().unwrap().code, 226);
        assert_eq!(raw.server.is_protected, protected, "{commands:?}");
    }
    // A data connection that is open stays as it is.
    say(&mut raw, "MODE B", 200);
    passive(&mut raw);
    say(&mut raw, "RETR a.txt", 150);
    assert_eq!(raw.reply().unwrap().code, 250);
    say(&mut raw, "PROT P", 200);
    say(&mut raw, "RETR a.txt", 125);
    assert_eq!(raw.reply().unwrap().code, 250);
    say(&mut raw, "PROT C", 200);
    say(&mut raw, "RETR a.txt", 425);
}

#[test]
fn an_upload_that_was_cut_is_none() {
    let mut raw = memory(Tls::Implicit, "alice");
    raw.server.is_cut = true;
    say(&mut raw, "TYPE I", 200);
    for (announced, code) in [(None, 426), (Some(4), 426), (Some(3), 226)] {
        passive(&mut raw);
        if let Some(size) = announced {
            say(&mut raw, &format!("ALLO {size}"), 200);
        }
        say(&mut raw, "STOR new", 150);
        raw.upload(b"abc");
        assert_eq!(raw.reply().unwrap().code, code, "{announced:?}");
        say(&mut raw, "SIZE new", if code == 226 { 213 } else { 550 });
    }
}

// The client

fn protected(tls: client::Tls) -> Odd {
    Odd::with(client::Config { tls, ..client::Config::default() })
}

fn login(odd: &mut Odd) -> client::JobId {
    odd.start(Job::Login { user: "me".into(), password: Some("x".into()) })
}

const LOGIN: &[(&str, &str)] =
    &[("USER me", "331 pw"), ("PASS x", "230 in"), ("PBSZ 0", "200 ok"), ("PROT P", "200 ok"), ("FEAT", "500 what?")];

fn ready() -> Odd {
    let mut odd = protected(client::Tls::Explicit);
    let job = login(&mut odd);
    odd.say("220 hi");
    odd.dialogue(&[("AUTH TLS", "234 go")]);
    odd.dialogue(LOGIN);
    assert!(odd.result(job).is_ok());
    odd
}

fn retrieve() -> Job {
    let (representation, manner) = (Representation::Image, Manner::Plain);
    Job::Retrieve { path: "f".into(), offset: 0, representation, size: None, manner }
}

#[test]
fn a_client_says_nothing_in_clear_but_that_it_wants_tls() {
    assert!(ready().client.session.is_protected());
    let mut odd = protected(client::Tls::Implicit);
    let job = login(&mut odd);
    assert_eq!(odd.hear(), "");
    odd.say("230 you are in already");
    odd.dialogue(&LOGIN[2..]);
    assert!(odd.result(job).is_ok());
    // Who greets with 230 in clear may be anybody.
    let mut odd = protected(client::Tls::Explicit);
    let job = login(&mut odd);
    odd.say("230 you are in already");
    odd.dialogue(&[("AUTH TLS", "234 go")]);
    odd.dialogue(LOGIN);
    assert!(odd.result(job).is_ok());
    // Refused.
    let mut odd = protected(client::Tls::Explicit);
    let job = login(&mut odd);
    odd.say("220 hi");
    odd.dialogue(&[("AUTH TLS", "502 no")]);
    assert!(matches!(odd.result(job), Err(JobError::Unprotected(reply)) if reply.code == 502));
    assert_eq!((odd.hear(), odd.closed), (String::new(), true));
    let mut odd = protected(client::Tls::Explicit);
    let job = login(&mut odd);
    odd.say("220 hi");
    odd.dialogue(&[("AUTH TLS", "234 go"), LOGIN[0], LOGIN[1], LOGIN[2], ("PROT P", "536 no")]);
    assert!(matches!(odd.result(job), Err(JobError::Unprotected(reply)) if reply.code == 536));
    // Failed.
    let mut odd = protected(client::Tls::Explicit);
    let error = SecureError::Certificate(CertificateError::Expired);
    odd.client.handshake = Err(error);
    let job = login(&mut odd);
    odd.say("220 hi");
    odd.dialogue(&[("AUTH TLS", "234 go")]);
    assert_eq!(odd.result(job), Err(JobError::Secure(error)));
    assert_eq!((odd.hear(), odd.closed), (String::new(), true));
    // Anything else before the login.
    let mut odd = protected(client::Tls::Explicit);
    odd.say("220 hi");
    let jobs = [Job::WorkingDirectory, retrieve(), Job::Quote("NOOP".into())].map(|job| odd.start(job));
    for job in jobs {
        assert_eq!(odd.result(job), Err(JobError::NotYetProtected));
    }
    assert_eq!(odd.hear(), "");
    let mut odd = ready();
    for line in ["AUTH TLS", "auth tls", " CCC", "PROT C"] {
        let job = odd.start(Job::Quote(line.into()));
        assert_eq!(odd.result(job), Err(JobError::NotByHand));
    }
}

#[test]
fn nothing_behind_the_reply_to_auth_is_believed() {
    let config = client::Config { tls: client::Tls::Explicit, ..client::Config::default() };
    let (local, peer) = ("127.0.0.1:40000".parse().unwrap(), "127.0.0.1:21".parse().unwrap());
    let mut session = client::Session::new(config, local, peer, NOW);
    session.start(NOW, Job::Login { user: "me".into(), password: None });
    session.receive(NOW, b"220 hi\r\n");
    session.sent(NOW, session.transmit().len());
    let reply = b"234 go\r\n230 you are in\r\n";
    assert_eq!(session.receive(NOW, reply), 8);
    assert!(!session.wants_input());
    assert_eq!(session.receive(NOW, &reply[8..]), 0);
    assert!(std::iter::from_fn(|| session.poll()).any(|action| matches!(action, Action::Secure)));
    assert!(session.transmit().is_empty());
    // A handshake has a bound too.
    let deadline = session.deadline().unwrap();
    session.handle(deadline, Input::Tick);
    assert!(std::iter::from_fn(|| session.poll()).any(|action| matches!(action, Action::Close)));
}

#[test]
fn a_download_that_was_cut_is_none_unless_something_proves_it() {
    for (size, whole) in [("500 what?", false), ("213 6", false), ("213 5", true)] {
        let mut odd = ready();
        odd.client.is_cut = true;
        let job = odd.start(retrieve());
        let data = odd.passive(&[("TYPE I", "200 ok"), ("SIZE f", size)]);
        odd.dialogue(&[("RETR f", "150 here")]);
        data.write(odd.now, b"12345");
        data.close();
        odd.say("226 done");
        assert!(odd.client.is_protected);
        match odd.result(job) {
            Ok(Outcome::Moved(5)) => assert!(whole, "{size}"),
            Err(JobError::Transfer(TransferError::Unclosed) | JobError::Short { .. }) => assert!(!whole, "{size}"),
            other => panic!("{size}: {other:?}"),
        }
        assert_eq!(odd.client.content().is_some_and(|content| content.published), whole);
    }
}

#[test]
fn a_data_connection_without_a_ticket_is_tried_once_more() {
    for (second, code) in [("226 done", None), ("522 no", Some(522))] {
        for first in ["522 resume it", "425 resume it"] {
            let mut odd = ready();
            let job = odd.start(Job::Store {
                path: "f".into(),
                how: Store::Replace,
                size: Some(7),
                representation: Representation::Image,
                manner: Manner::Plain,
            });
            let allo = ("ALLO 7", "200 ok");
            let refused = odd.passive(&[("TYPE I", "200 ok")]);
            odd.dialogue(&[allo, ("STOR f", "150 go")]);
            drop(refused);
            odd.say(first);
            let data = odd.passive(&[]);
            odd.dialogue(&[allo, ("STOR f", "150 go")]);
            assert!(matches!(data.read(odd.now), longshore_sim::Read::Bytes(bytes) if bytes == b"content"));
            odd.say(second);
            match (odd.result(job), code) {
                (Ok(Outcome::Moved(7)), None) => {}
                (Err(JobError::Refused(reply)), Some(code)) => assert_eq!(reply.code, code),
                (other, _) => panic!("{other:?}"),
            }
        }
    }
    // In clear these codes mean what they say.
    let mut odd = Odd::ready();
    let job = odd.start(retrieve());
    let data = odd.passive(&[("TYPE I", "200 ok"), ("SIZE f", "500 what?")]);
    odd.dialogue(&[("RETR f", "150 here")]);
    drop(data);
    odd.say("425 no");
    assert!(matches!(odd.result(job), Err(JobError::Refused(_))));
}

#[test]
fn aborting_over_tls_is_a_plain_line() {
    let mut odd = ready();
    let job = odd.start(retrieve());
    let data = odd.passive(&[("TYPE I", "200 ok"), ("SIZE f", "500 what?")]);
    odd.dialogue(&[("RETR f", "150 here")]);
    data.write(odd.now, b"123");
    odd.run();
    odd.client.session.abort(odd.now);
    assert_eq!(odd.client.session.urgent(), 0);
    assert_eq!(odd.hear(), "ABOR");
    odd.say("426 aborted\r\n226 ok");
    assert_eq!(odd.result(job), Err(JobError::Aborted));
}
