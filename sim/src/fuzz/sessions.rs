//! Whole sessions: a server against any bytes, a client against any bytes, and both against each other.

use longshore_core::client::{Job, ListFormat, Manner};
use longshore_core::codec::Representation;
use longshore_core::host::Store;
use longshore_core::machine::Machine;
use longshore_core::server::{Note, Tls, UNSENT_LIMIT};

use crate::dialogue::{Accounts, Peer, Setup, in_memory};
use crate::{Cuts, Dice, Odd, world};

/// Any commands, with data and without: every command has one reply at most, nothing grows, and who may only read changes nothing.
pub fn server_session(data: &[u8]) {
    let ([how], data) = super::split(data);
    let tls = [Tls::Off, Tls::Optional, Tls::Required, Tls::Implicit][usize::from(how & 3)];
    let mut raw = in_memory(&Setup { accounts: Accounts::Users, tls, user: None }, Cuts::none());
    let before = raw.files();
    raw.settle();
    if how & 4 != 0 {
        raw.send(b"AUTH TLS\r\nUSER bob\r\nPASS secret\r\n");
    }
    // A line that begins with one of these does something else than send itself.
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        match line[0] {
            1 => raw.connect(50_000 + u16::from(*line.get(1).unwrap_or(&1))),
            2 => raw.upload(&line[1..]),
            3 => drop(raw.read_data()),
            4 => drop(raw.sleep()),
            5 => raw.stop(),
            6 => raw.drop_data(),
            7 => raw.hang_up(),
            _ => raw.send(line),
        }
        assert!(raw.server.session.transmit().len() < 4 * UNSENT_LIMIT, "replies are bounded");
    }
    raw.hang_up();
    for _ in 0..10_000 {
        if !raw.sleep() {
            break;
        }
    }
    assert!(raw.server.is_over(), "a session whose client is gone ends");
    let commands = raw.notes.iter().filter(|note| matches!(note, Note::Command(_))).count();
    let finals = raw.notes.iter().filter(|note| matches!(note, Note::Reply(reply) if !reply.starts_with(b"1"))).count();
    assert!(finals <= commands + 2, "{finals} final replies to {commands} commands");
    if how & 4 != 0 && !data.windows(4).any(|word| word.eq_ignore_ascii_case(b"USER")) {
        assert_eq!(raw.files(), before, "bob may only read");
    }
}

/// Any replies: every job ends, and nothing is believed that was not asked for.
pub fn client_session(data: &[u8]) {
    let ([how, first, second], data) = super::split(data);
    let mut odd = if how & 1 == 0 { Odd::ready() } else { Odd::silent() };
    let manner = [Manner::Plain, Manner::Checked, Manner::Many][usize::from(how) / 2 % 3];
    let jobs = [first, second].map(|which| {
        let (path, representation) = ("f".into(), Representation::Image);
        odd.start(match which % 8 {
            0 => Job::Retrieve { path, offset: u64::from(which), representation, size: None, manner },
            1 => Job::Store { path, how: Store::Replace, size: Some(7), representation, manner },
            2 => Job::List { format: ListFormat::Facts, path: None },
            3 => Job::Rename { from: path, to: "g".into() },
            4 => Job::WorkingDirectory,
            5 => Job::Login { user: path, password: Some("x".into()) },
            6 => Job::Size(path),
            _ => Job::Quit,
        })
    });
    odd.client.session.set_passive(how & 64 == 0);
    odd.network.listen();
    // A line that begins with one of these does something else than send itself.
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        match line {
            [0, ..] => odd.sleep(u64::from(*line.get(1).unwrap_or(&1))),
            [1, rest @ ..] => odd.send_data(rest),
            [2, ..] => odd.client.session.abort(odd.now),
            _ => drop(odd.control.write(odd.now, line)),
        }
        odd.run();
        assert!(odd.client.session.transmit().len() < UNSENT_LIMIT);
    }
    // A server that says no more is given up.
    for _ in 0..20 {
        odd.sleep(130);
    }
    for job in jobs {
        drop(odd.result(job));
    }
}

/// Both against each other, steered by the bytes as long as there are any.
pub fn pair(data: &[u8]) {
    if let Err(violation) = world::play(Dice::steered(data), 0) {
        panic!("{violation}");
    }
}
