//! Sequences of commands, and of replies, drawn from their grammar with hostile parts among them.

use std::collections::VecDeque;

use bytes::Bytes;
use longshore_core::client::{Job, ListFormat, Manner, Outcome};
use longshore_core::codec::Representation;
use longshore_core::host::Store;
use longshore_core::machine::Machine;
use longshore_core::server::{Note, Tls, UNSENT_LIMIT};
use longshore_core::wire::command::{Command, CommandError};
use longshore_core::wire::verb::{Offer, Verb};
use longshore_sim::dialogue::{Accounts, Peer, Setup, in_memory};
use longshore_sim::{Cuts, Odd, Raw};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What a client does to a server.
#[derive(Clone, Debug)]
enum Step {
    /// Sends a line, with its end.
    Line(Vec<u8>),
    /// Connects to the port that the server named last.
    Connect,
    /// Sends a file on the data connection, and its end.
    Upload(Vec<u8>),
    /// Reads the data connection to its end.
    Download,
    /// Drops the data connection.
    Drop,
    /// Waits for whatever the server waits for.
    Sleep,
}

/// Names of files, such as are and such as are not, and such as should not be.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&[u8]> = vec![
        b"a.txt",
        b"dir",
        b"dir/b.bin",
        b"empty",
        b"/",
        b"..",
        b"../../etc/passwd",
        b"new",
        b"dir/new",
        b"a.txt/x",
        b"*",
        b"-la *",
        b"\xff\xff",
        b"\xc3\xbc \"quoted\"",
        b"x\0y",
        b"~",
        b"CON",
    ];
    prop_oneof![8 => select(known).prop_map(<[u8]>::to_vec), 1 => vec(any::<u8>(), 0..20), 1 => Just(vec![b'x'; 5000])]
}

/// What stands behind a verb.
fn argument(verb: Verb) -> BoxedStrategy<Vec<u8>> {
    let words =
        |words: &'static [&'static str]| select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()).boxed();
    match verb {
        Verb::User => words(&["alice", "bob", "nobody"]),
        Verb::Pass => words(&["secret", "wrong", ""]),
        Verb::Type => words(&["I", "A", "A N", "E", "L 8", "L 7", "X"]),
        Verb::Mode => words(&["S", "B", "C", "Z"]),
        Verb::Stru => words(&["F", "R", "P"]),
        Verb::Prot => words(&["P", "C", "S", "E"]),
        Verb::Pbsz => words(&["0", "1", "-1", "99999999999"]),
        Verb::Auth => words(&["TLS", "SSL", "GSSAPI"]),
        Verb::Port => words(&["127,0,0,1,200,1", "127,0,0,1,0,21", "1,2,3,4,200,1", "1,2,3"]),
        Verb::Eprt => words(&["|1|127.0.0.1|51201|", "|2|::1|51201|", "|1|127.0.0.1|21|", "||"]),
        Verb::Epsv => words(&["", "1", "2", "ALL", "x"]),
        Verb::Rest | Verb::Allo => words(&["0", "3", "5", "18446744073709551616", "x", "RPT"]),
        Verb::Rang => words(&["0 3", "3 0", "1 18446744073709551615", "1"]),
        Verb::Opts => words(&["UTF8 ON", "UTF8 OFF", "MLST size;type;", "MLST ;", "HASH SHA-1", "HASH", "NOTHING"]),
        Verb::Site => words(&["CHMOD 644 a.txt", "CHMOD 9 a.txt", "HELP", "EXEC rm"]),
        Verb::Mfmt => words(&["20200101000000 a.txt", "2020 a.txt", "20200101000000 nosuch"]),
        Verb::Mff => words(&["Modify=20200101000000; a.txt", "UNIX.mode=600; a.txt", "size=3; a.txt", "a.txt"]),
        Verb::Lang => words(&["", "EN", "FR"]),
        Verb::Host => words(&["example.org", "[::1]", "a:b"]),
        _ => prop_oneof![3 => name(), 1 => Just(Vec::new())].boxed(),
    }
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let common = vec![
        Verb::Pasv,
        Verb::Epsv,
        Verb::Retr,
        Verb::Stor,
        Verb::Appe,
        Verb::List,
        Verb::Mlsd,
        Verb::Abor,
        Verb::Mode,
        Verb::Rest,
    ];
    let verb = prop_oneof![select(common), select(Verb::ALL.to_vec())];
    let good = verb.prop_flat_map(|verb| {
        argument(verb).prop_map(move |argument| {
            let blank: &[u8] = if argument.is_empty() { b"" } else { b" " };
            [verb.row().name.as_bytes(), blank, &argument].concat()
        })
    });
    let hostile: Vec<&[u8]> = vec![
        b"",
        b" ",
        b"GET / HTTP/1.1",
        b"\xff\xf4\xff\xf2ABOR",
        b"\xff\xfb\x01NOOP",
        b"\0",
        b"\x16\x03\x01\x02\0\x01\0",
        b"noop\rquit",
        b"%n%s%x",
        b"AUTH\tTLS",
    ];
    let line = prop_oneof![12 => good, 1 => select(hostile).prop_map(<[u8]>::to_vec), 1 => vec(any::<u8>(), 0..60)];
    let line = line.prop_filter("no end in it", |line| !line.contains(&b'\n'));
    (line, any::<bool>()).prop_map(|(line, bare)| [&line[..], if bare { &b"\n"[..] } else { b"\r\n" }].concat())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => line().prop_map(Step::Line),
        4 => Just(Step::Connect),
        2 => vec(any::<u8>(), 0..200).prop_map(Step::Upload),
        2 => Just(Step::Download),
        1 => Just(Step::Drop),
        1 => Just(Step::Sleep),
    ]
}

/// What came of it: what the server noted of the dialogue, the data that came, and the files.
type Come = (Vec<Note>, Vec<Vec<u8>>, Vec<(String, usize)>);

/// Does the steps, sending lines in pieces of so many bytes.
fn play(tls: Tls, user: &str, steps: &[Step], piece: usize) -> Come {
    let mut raw = in_memory(&Setup { accounts: Accounts::Users, tls, user: None }, Cuts::none());
    raw.settle();
    let mut port = 50_000;
    let mut data = Vec::new();
    let send = |raw: &mut Raw, line: &[u8]| line.chunks(piece).for_each(|piece| raw.send(piece));
    send(&mut raw, format!("USER {user}\r\nPASS secret\r\n").as_bytes());
    for step in steps {
        match step {
            Step::Line(line) => send(&mut raw, line),
            Step::Connect => raw.connect(port),
            Step::Upload(bytes) => raw.upload(bytes),
            Step::Download => data.push(raw.read_data().0),
            Step::Drop => raw.drop_data(),
            Step::Sleep => drop(raw.sleep()),
        }
        raw.settle();
        assert!(raw.server.session.transmit().len() < 4 * UNSENT_LIMIT, "replies are bounded");
        let named =
            |note: &Note| matches!(note, Note::Reply(reply) if reply.starts_with(b"227") || reply.starts_with(b"229"));
        port = 50_000 + u16::try_from(raw.notes.iter().filter(|note| named(note)).count()).unwrap();
    }
    // Every wait has a bound, so the session ends by itself.
    raw.drop_data();
    for _ in 0..1000 {
        if raw.server.is_over() || !raw.sleep() {
            break;
        }
    }
    assert!(raw.server.is_over(), "a session that nobody uses ends");
    let files = raw.files().into_iter().map(|(path, file)| (path, file.map_or(usize::MAX, |file| file.len())));
    (raw.notes.clone(), data, files.collect())
}

/// The successes that a verb can have (RFC 959, section 5.4, and its successors).
fn successes(verb: Verb) -> &'static [u16] {
    match verb {
        Verb::User => &[230, 331],
        Verb::Pass => &[202, 230],
        Verb::Acct | Verb::Allo => &[200, 202],
        Verb::Rein | Verb::Host => &[220],
        Verb::Quit => &[221],
        Verb::Auth => &[234],
        Verb::Feat => &[211],
        Verb::Help => &[214],
        Verb::Syst => &[215],
        Verb::Stat => &[211, 212, 213],
        Verb::Site => &[200, 214],
        Verb::Cwd | Verb::Cdup => &[200, 250],
        Verb::Pwd | Verb::Mkd => &[257],
        Verb::Pasv => &[227],
        Verb::Epsv => &[200, 229],
        Verb::Rest | Verb::Rang | Verb::Rnfr => &[350],
        Verb::Retr | Verb::Stor | Verb::Stou | Verb::Appe | Verb::List | Verb::Nlst | Verb::Mlsd => &[226, 250],
        Verb::Rnto | Verb::Dele | Verb::Rmd | Verb::Mlst => &[250],
        Verb::Size | Verb::Mdtm | Verb::Mfmt | Verb::Mff | Verb::Hash | Verb::Avbl => &[213],
        Verb::Xcrc | Verb::Xmd5 | Verb::Xsha | Verb::Xsha1 | Verb::Xsha256 | Verb::Xsha512 => &[250],
        Verb::Abor => &[225, 226],
        _ => &[200],
    }
}

/// The command that this reply is for, if it is one that does not wait for the transfer before it (RFC 959, section 4.1.3).
fn jumper(reply: &[u8]) -> Option<Verb> {
    match &reply[..4] {
        b"225 " => Some(Verb::Abor),
        b"226 " if reply[4..].starts_with(b"Abort") => Some(Verb::Abor),
        b"213 " if reply.contains(&b':') => Some(Verb::Stat),
        _ => None,
    }
}

fn is(verb: Verb, line: &Bytes) -> bool {
    Command::parse(line).is_ok_and(|command| command.verb == verb)
}

/// Commands and their final replies, one each and, but for those, in order.
fn check(notes: &[Note]) -> Result<(), TestCaseError> {
    let commands = notes.iter().filter_map(|note| if let Note::Command(line) = note { Some(line) } else { None });
    let mut commands: VecDeque<_> = commands.collect();
    let mut finals = notes.iter().filter_map(|note| match note {
        Note::Reply(reply) if !reply.starts_with(b"1") => Some(reply),
        _ => None,
    });
    prop_assert!(finals.next().is_some_and(|reply| reply.starts_with(b"220 ")), "a greeting");
    let mut over = false;
    for reply in finals {
        prop_assert!(!over, "nothing is said behind the last word");
        let code: u16 = std::str::from_utf8(&reply[..3]).unwrap().parse().unwrap();
        let command = match jumper(reply) {
            // What of these came first need not be at the front.
            Some(verb) => commands.iter().position(|line| is(verb, line)).and_then(|at| commands.remove(at)),
            None => commands.pop_front(),
        };
        // What ends a session may come at any time.
        if code == 421 {
            over = true;
            continue;
        }
        let Some(command) = command else {
            return Err(TestCaseError::fail(format!("{} answers nothing", reply.escape_ascii())));
        };
        // A browser is shown out.
        over = code == 221 || Command::parse(command) == Err(CommandError::Browser);
        let shown = || format!("{} answers {}", reply.escape_ascii(), command.escape_ascii());
        match Command::parse(command) {
            Ok(parsed) => prop_assert!(code >= 400 || successes(parsed.verb).contains(&code), "{}", shown()),
            Err(error) => prop_assert!(code == error.code() || code == 500 || code == 530, "{}", shown()),
        }
    }
    prop_assert!(over || commands.is_empty(), "every command is answered");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn servers_answer_every_command_once_and_in_order(
        tls in select(vec![Tls::Off, Tls::Optional]),
        user in select(vec!["alice", "bob"]),
        steps in vec(step(), 0..25),
        piece in 1..6_usize,
    ) {
        let whole = play(tls, user, &steps, usize::MAX);
        check(&whole.0)?;
        if user == "bob" && !steps.iter().any(|step| matches!(step, Step::Line(line) if line.windows(5).any(|it| it == b"alice"))) {
            let before = in_memory(&Setup { accounts: Accounts::Users, tls, user: None }, Cuts::none()).files();
            prop_assert_eq!(whole.2.len(), before.len(), "who may only read changes nothing");
        }
        let cut = play(tls, user, &steps, piece);
        prop_assert!(whole == cut, "cuts do not matter:\n{:?}\n{:?}", whole, cut);
    }

    #[test]
    fn clients_end_every_job_whatever_is_said(
        job in select(jobs()),
        passive in any::<bool>(),
        replies in vec(reply(), 0..14),
        logged_in in any::<bool>(),
    ) {
        let mut odd = if logged_in { Odd::ready() } else { Odd::silent() };
        odd.client.session.set_passive(passive);
        let first = odd.start(job.clone());
        let second = odd.start(Job::WorkingDirectory);
        odd.network.listen();
        let mut heard = Vec::new();
        for step in &replies {
            match step {
                Said::Line(line) => drop(odd.control.write(odd.now, line)),
                Said::Data(bytes) => odd.send_data(bytes),
                Said::Pause(seconds) => odd.sleep(*seconds),
                Said::Abort => odd.client.session.abort(odd.now),
            }
            odd.run();
            heard.extend(odd.hear().lines().map(str::to_owned));
            prop_assert!(odd.client.session.transmit().len() < UNSENT_LIMIT);
        }
        for _ in 0..20 {
            odd.sleep(130);
        }
        heard.extend(odd.hear().lines().map(str::to_owned));
        // A client sends commands that a server can read, and no others.
        for line in &heard {
            let line = line.trim_start_matches(['\u{fffd}']);
            let parsed = Command::parse(&line.to_owned().into());
            prop_assert!(parsed.is_ok() || line.is_empty(), "{line:?}");
        }
        let sent = |verb: &str| heard.iter().any(|line| line.starts_with(verb));
        if let Ok(Outcome::Moved(_) | Outcome::Checked(..)) = odd.result(first) {
            prop_assert!(["RETR", "STOR", "MLSD", "NLST"].into_iter().any(sent), "{job:?} is done, and {heard:?} was sent");
            let good = |said: &Said| matches!(said, Said::Line(line) if line.starts_with(b"2"));
            prop_assert!(replies.iter().any(good), "nobody said that it was");
        }
        drop(odd.result(second));
    }
}

/// What a server does to a client.
#[derive(Clone, Debug)]
enum Said {
    /// Sends a line, or a part of one.
    Line(Vec<u8>),
    /// Sends data.
    Data(Vec<u8>),
    /// Says nothing for so many seconds.
    Pause(u64),
    /// The user interrupts.
    Abort,
}

fn jobs() -> Vec<Job> {
    let (path, representation) = (Bytes::from("f"), Representation::Image);
    let retrieve = |manner| Job::Retrieve { path: path.clone(), offset: 0, representation, size: None, manner };
    vec![
        retrieve(Manner::Plain),
        retrieve(Manner::Checked),
        retrieve(Manner::Many),
        Job::Store { path: path.clone(), how: Store::Replace, size: Some(7), representation, manner: Manner::Checked },
        Job::List { format: ListFormat::Facts, path: None },
        Job::List { format: ListFormat::Names, path: Some(path.clone()) },
        Job::Rename { from: path.clone(), to: "g".into() },
        Job::Login { user: path.clone(), password: Some("x".into()) },
        Job::Size(path),
        Job::Quit,
    ]
}

fn reply() -> impl Strategy<Value = Said> {
    let texts: Vec<&[u8]> = vec![
        b"200 ok",
        b"202 no need",
        b"211-x\r\n MLST size*;\r\n HASH SHA-256*\r\n211 end",
        b"213 7",
        b"213 20200101000000",
        b"220 hi",
        b"226 done",
        b"227 ok (127,0,0,1,195,81)",
        b"227 ok (10,0,0,1,195,81)",
        b"229 ok (|||50001|)",
        b"229 ok",
        b"230 in",
        b"250 done",
        b"257 \"/a\"\"b\"",
        b"331 pw",
        b"350 go on",
        b"150 go (7 bytes)",
        b"125 go",
        b"421 bye",
        b"425 no",
        b"426 cut",
        b"450 busy",
        b"500 what?",
        b"502 no",
        b"530 no",
        b"550 no",
        b"551 x",
        b"654 x",
    ];
    let hostile: Vec<&[u8]> = vec![
        b"hello",
        b"99 x",
        b"200",
        b"2",
        b"",
        b"\xff\xfb\x01",
        b"211-never ends",
        b"\x1b]0;x\x07",
        b"HTTP/1.1 200 OK",
    ];
    let line = prop_oneof![12 => select(texts), 1 => select(hostile)].prop_map(|text| [text, b"\r\n"].concat());
    prop_oneof![
        14 => line.prop_map(Said::Line),
        1 => vec(any::<u8>(), 0..40).prop_map(Said::Line),
        3 => vec(any::<u8>(), 0..60).prop_map(Said::Data),
        1 => (1..200_u64).prop_map(Said::Pause),
        1 => Just(Said::Abort),
    ]
}

#[test]
fn every_verb_that_is_served_can_succeed() {
    // What `successes` says is no wildcard: these are the verbs that it leaves to its last line.
    let plain = Verb::ALL.iter().filter(|verb| verb.row().offer == Offer::Served && successes(**verb) == [200]);
    let names: Vec<_> = plain.map(|verb| verb.row().name).collect();
    assert_eq!(
        names,
        ["ADAT", "PBSZ", "PROT", "CCC", "OPTS", "NOOP", "CLNT", "LANG", "PORT", "EPRT", "TYPE", "STRU", "MODE"]
    );
}
