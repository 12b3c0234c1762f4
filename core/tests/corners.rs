//! What few sessions meet: refusals, what STAT tells on the way, HOST, commands by hand, names of parts.

use std::sync::Arc;

use longshore_core::client::{Job, JobError, Outcome};
use longshore_core::machine::Machine;
use longshore_core::part;
use longshore_core::server::{Config, Refusal, Session, Tls};
use longshore_core::time::Instant;
use longshore_core::wire::time_value;
use longshore_sim::dialogue::{Accounts, Peer, Setup, in_memory};
use longshore_sim::{Cuts, Odd, Raw};

fn alice() -> Raw {
    let mut raw = in_memory(&Setup { accounts: Accounts::Users, tls: Tls::Off, user: None }, Cuts::none());
    raw.log_in("alice");
    raw
}

fn say(raw: &mut Raw, command: &str) -> String {
    raw.command(command.as_bytes());
    let reply = raw.reply().unwrap();
    let lines: Vec<_> = reply.lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("{} {}", reply.code, lines.join("\n"))
}

#[test]
fn a_refused_session_hears_why() {
    let (local, peer) = ("127.0.0.1:21".parse().unwrap(), "127.0.0.1:40000".parse().unwrap());
    for (why, text) in [
        (Refusal::Full, "421 Too many sessions; try again later."),
        (Refusal::FullForPeer, "421 Too many sessions from your address; try again later."),
        (Refusal::Stopping, "421 The server is about to stop."),
    ] {
        let mut session = Session::refused(Arc::new(Config::default()), local, peer, Instant::ORIGIN, why);
        assert!(session.poll().is_none());
        let said = session.transmit().to_vec();
        assert_eq!(String::from_utf8(said).unwrap().trim_end(), text);
        session.sent(Instant::ORIGIN, session.transmit().len());
        assert!(session.poll().is_some(), "it is closed once that is said");
    }
}

#[test]
fn stat_tells_what_is_agreed_on() {
    let mut raw = alice();
    assert!(say(&mut raw, "STAT").contains("No data connection is agreed on"));
    assert!(say(&mut raw, "PASV").starts_with("227"));
    assert!(say(&mut raw, "STAT").contains("Waiting for a passive data connection"));
    assert!(say(&mut raw, "PORT 127,0,0,1,200,1").starts_with("200"));
    assert!(say(&mut raw, "STAT").contains("The next data connection goes to 127.0.0.1:51201"));
    let entry = say(&mut raw, "STAT a.txt");
    assert!(entry.starts_with("213 ") && entry.contains("a.txt"), "{entry}");
    assert!(say(&mut raw, "STAT nosuch").starts_with("550"));
}

#[test]
fn host_takes_this_host_alone() {
    let mut raw = in_memory(&Setup { accounts: Accounts::Users, tls: Tls::Off, user: None }, Cuts::none());
    raw.reply();
    for (host, code) in [
        ("ftp.example.org", "220 "),
        ("127.0.0.1", "220 "),
        ("[::ffff:127.0.0.1]", "220 "),
        ("192.0.2.1", "504 "),
        ("[::1]", "504 "),
        ("a:21", "501 "),
    ] {
        let reply = say(&mut raw, &format!("HOST {host}"));
        assert!(reply.starts_with(code), "{host}: {reply}");
    }
}

#[test]
fn commands_by_hand_go_as_they_are_and_what_they_change_is_known() {
    let mut odd = Odd::ready();
    let mut quote = |line: &str, reply: &str| {
        let job = odd.start(Job::Quote(line.to_owned().into()));
        assert_eq!(odd.hear(), line);
        odd.say(reply);
        odd.result(job)
    };
    assert!(matches!(quote("site help", "214 none"), Ok(Outcome::Done(reply)) if reply.code == 214));
    assert!(matches!(quote("MODE B", "200 ok"), Ok(Outcome::Done(_))));
    assert!(matches!(quote("RNFR a", "350 go on"), Ok(Outcome::Done(_))));
    assert!(matches!(quote("XYZZY", "500 what?"), Err(JobError::Refused(reply)) if reply.code == 500));
    // The mode and the type are as nobody knows, so both are agreed on anew.
    let job = odd.start(Job::Retrieve {
        path: "f".into(),
        offset: 0,
        representation: longshore_core::codec::Representation::Image,
        size: None,
        manner: longshore_core::client::Manner::Plain,
    });
    assert_eq!(odd.hear(), "TYPE I");
    odd.say("200 ok");
    assert_eq!(odd.hear(), "MODE S");
    odd.client.session.abort_job(odd.now, job);
    odd.say("200 ok");
    assert!(odd.result(job).is_err());
    assert!(!odd.client.session.has_feature(b"SIZE") && odd.client.session.features().is_empty());
    assert!(odd.client.session.is_passive());
}

#[test]
fn parts_have_names_that_fit() {
    assert_eq!(part::kept(b"a.txt"), b".a.txt.longshore-part");
    let (long, other) = (vec![b'x'; 255], [vec![b'x'; 254], vec![b'y']].concat());
    assert_eq!(part::kept(&long).len(), 255);
    assert_ne!(part::kept(&long), part::kept(&other), "what is cut off still tells them apart");
    assert!(part::is_kept(&part::kept(&long)) && part::is_kept(&part::kept(b"a")));
    assert!(!part::is_kept(b"a.longshore-part") && !part::is_kept(b".longshore-part"));
}

#[test]
fn a_time_that_is_read_can_be_written() {
    // A leap second, which belongs to the next minute, even where that is the next year.
    let (mut printed, time) = (Vec::new(), time_value::parse(b"20161231235960").unwrap());
    time_value::print(time, &mut printed);
    assert_eq!(printed, b"20170101000000");
    assert_eq!(time_value::parse(b"99991231235960"), None, "there is no year 10000");
}
