//! The client session against servers that do it in their own way.

use std::net::SocketAddr;
use std::time::Duration;

use longshore_core::client::{Check, Config, Event, Job, JobError, JobId, ListFormat, Manner, Outcome, Session};
use longshore_core::codec::Representation;
use longshore_core::digest::Algorithm;
use longshore_core::host::Store;
use longshore_core::machine::{Input, Machine};
use longshore_core::time::Instant;
use longshore_sim::{Buffer, Cuts, Driver, Network, Read, Stream};

/// A server that says what a test tells it to.
struct Odd {
    client: Driver<Session, Buffer>,
    control: Stream,
    network: Network,
    now: Instant,
    heard: Vec<u8>,
    finished: Vec<(JobId, Result<Outcome, JobError>)>,
    closed: bool,
}

impl Odd {
    fn new() -> Self {
        let network = Network::new(Cuts::none());
        let (near, control) = network.connection();
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let session = Session::new(Config::default(), address(40_000), address(21), Instant::ORIGIN);
        let client = Driver::new(session, network.clone(), near);
        let (heard, finished) = (Vec::new(), Vec::new());
        Self { client, control, network, now: Instant::ORIGIN, heard, finished, closed: false }
    }

    /// One that has greeted, and let somebody in.
    fn ready() -> Self {
        let mut odd = Self::new();
        let login = odd.start(Job::Login { user: "me".into(), password: Some("x".into()) });
        odd.say("220 hi");
        odd.dialogue(&[("USER me", "331 pw"), ("PASS x", "230 in"), ("FEAT", "500 what?")]);
        assert!(odd.result(login).is_ok());
        odd
    }

    fn start(&mut self, job: Job) -> JobId {
        self.client.session.start(self.now, job)
    }

    fn run(&mut self) {
        while let Some(event) = self.client.next(self.now) {
            match event {
                Event::Payload(_) => self.client.offer(Buffer::of(b"content")),
                Event::Finished(id, result) => self.finished.push((id, result)),
                Event::Closed => self.closed = true,
                Event::Sent(_) | Event::Reply(_) | Event::Moved(..) => {}
            }
        }
    }

    fn say(&mut self, text: &str) {
        self.control.write(self.now, format!("{text}\r\n").as_bytes());
        self.run();
    }

    /// What the client has sent since the last time.
    fn hear(&mut self) -> String {
        self.run();
        while let Read::Bytes(bytes) = self.control.read(self.now) {
            self.heard.extend_from_slice(&bytes);
        }
        String::from_utf8_lossy(&std::mem::take(&mut self.heard)).trim_end().to_owned()
    }

    /// Each command is expected, and answered.
    fn dialogue(&mut self, lines: &[(&str, &str)]) {
        for (command, reply) in lines {
            assert_eq!(self.hear(), *command);
            self.say(reply);
        }
    }

    /// A dialogue up to a passive data connection, which it gives.
    fn passive(&mut self, lines: &[(&str, &str)]) -> Stream {
        self.dialogue(lines);
        assert_eq!(self.hear(), "EPSV");
        let port = self.network.listen();
        self.say(&format!("229 ok (|||{port}|)"));
        self.network.accept(port).expect("the client connects")
    }

    fn sleep(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
        self.run();
    }

    fn result(&mut self, id: JobId) -> Result<Outcome, JobError> {
        self.run();
        let at = self.finished.iter().position(|(finished, _)| *finished == id).expect("the job is over");
        self.finished.swap_remove(at).1
    }

    fn is_running(&mut self) -> bool {
        self.run();
        self.finished.is_empty()
    }
}

fn retrieve(offset: u64) -> Job {
    Job::Retrieve { path: "f".into(), offset, representation: Representation::Image, size: None, manner: Manner::Plain }
}

fn store(representation: Representation) -> Job {
    Job::Store { path: "f".into(), how: Store::Replace, representation, size: Some(7), manner: Manner::Plain }
}

fn code(result: Result<Outcome, JobError>) -> u16 {
    match result {
        Err(JobError::Refused(reply)) => reply.code,
        other => panic!("not refused: {other:?}"),
    }
}

const IMAGE: (&str, &str) = ("TYPE I", "200 ok");
const NO_SIZE: (&str, &str) = ("SIZE f", "500 what?");

#[test]
fn the_final_reply_may_overtake_the_data_or_come_behind_it() {
    for overtakes in [true, false] {
        let mut odd = Odd::ready();
        let job = odd.start(retrieve(0));
        let data = odd.passive(&[IMAGE, ("SIZE f", "213 5")]);
        odd.dialogue(&[("RETR f", "150 here")]);
        if overtakes {
            odd.say("226 done");
        }
        data.write(odd.now, b"12345");
        assert!(odd.is_running());
        data.close();
        if !overtakes {
            assert!(odd.is_running());
            odd.say("226 done");
        }
        assert_eq!(odd.result(job), Ok(Outcome::Moved(5)));
        assert!(odd.client.content().unwrap().published);
    }
}

#[test]
fn two_hundred_before_the_preliminary_reply_and_none_at_all_are_borne() {
    let mut odd = Odd::ready();
    let job = odd.start(retrieve(0));
    let data = odd.passive(&[IMAGE, NO_SIZE]);
    odd.dialogue(&[("RETR f", "200 fine")]);
    odd.say("150 here");
    data.close();
    odd.say("226 done");
    assert_eq!(odd.result(job), Ok(Outcome::Moved(0)));
    let job = odd.start(Job::List { format: ListFormat::Names, path: None });
    let data = odd.passive(&[("TYPE A", "200 ok")]);
    odd.dialogue(&[("NLST", "226 nothing here")]);
    data.close();
    assert_eq!(odd.result(job), Ok(Outcome::Moved(0)));
}

#[test]
fn a_download_that_stops_short_is_an_error_though_the_server_says_done() {
    let mut odd = Odd::ready();
    let job = odd.start(retrieve(0));
    let data = odd.passive(&[IMAGE, ("SIZE f", "213 1000")]);
    odd.dialogue(&[("RETR f", "150 here")]);
    data.write(odd.now, b"12345");
    data.close();
    odd.say("226 done");
    assert_eq!(odd.result(job), Err(JobError::Short { moved: 5, expected: 1000 }));
    assert!(odd.client.content().is_none(), "nothing is left to be published");
}

#[test]
fn epsv_gives_way_to_pasv_and_is_not_tried_again() {
    let mut odd = Odd::ready();
    for first in [true, false] {
        let job = odd.start(retrieve(0));
        if first {
            odd.dialogue(&[IMAGE, NO_SIZE, ("EPSV", "500 what?")]);
        } else {
            odd.dialogue(&[NO_SIZE]);
        }
        assert_eq!(odd.hear(), "PASV");
        let [high, low] = odd.network.listen().to_be_bytes();
        // The address is a lie; the port counts.
        odd.say(&format!("227 ok (10,9,8,7,{high},{low})"));
        let data = odd.network.accept(u16::from_be_bytes([high, low])).expect("the client connects");
        odd.dialogue(&[("RETR f", "150 here")]);
        data.close();
        odd.say("226 done");
        assert_eq!(odd.result(job), Ok(Outcome::Moved(0)));
    }
}

#[test]
fn an_endpoint_that_nobody_listens_at_gives_way_to_pasv() {
    let mut odd = Odd::ready();
    let job = odd.start(retrieve(0));
    odd.dialogue(&[IMAGE, NO_SIZE, ("EPSV", "229 ok (|||9|)"), ("PASV", "425 no")]);
    assert_eq!(code(odd.result(job)), 425);
}

#[test]
fn an_x_form_is_tried_where_the_plain_one_is_unknown() {
    let mut odd = Odd::ready();
    let job = odd.start(Job::WorkingDirectory);
    odd.dialogue(&[("PWD", "502 no"), ("XPWD", "257 \"/old\" here")]);
    assert_eq!(odd.result(job), Ok(Outcome::Path("/old".into())));
    let job = odd.start(Job::MakeDirectory("d".into()));
    odd.dialogue(&[("MKD d", "500 what?"), ("XMKD d", "550 exists")]);
    assert_eq!(code(odd.result(job)), 550);
    let job = odd.start(Job::WorkingDirectory);
    odd.dialogue(&[("PWD", "257 C:\\ is current")]);
    assert_eq!(code(odd.result(job)), 257);
    let job = odd.start(Job::Rename { from: "a".into(), to: "b".into() });
    odd.dialogue(&[("RNFR a", "250 done")]);
    assert_eq!(code(odd.result(job)), 250);
}

#[test]
fn a_cancelled_type_is_not_believed() {
    let mut odd = Odd::ready();
    let job = odd.start(retrieve(0));
    let data = odd.passive(&[IMAGE, NO_SIZE]);
    odd.dialogue(&[("RETR f", "550 no")]);
    drop(data);
    assert_eq!(code(odd.result(job)), 550);
    let job = odd.start(Job::List { format: ListFormat::Long, path: None });
    assert_eq!(odd.hear(), "TYPE A");
    odd.client.session.abort(odd.now);
    odd.say("200 ok");
    assert_eq!(odd.result(job), Err(JobError::Aborted));
    odd.start(retrieve(0));
    assert_eq!(odd.hear(), "TYPE I");
}

#[test]
fn an_offset_that_was_not_used_is_taken_back() {
    let mut odd = Odd::ready();
    let job = odd.start(retrieve(500));
    let _data = odd.passive(&[IMAGE, NO_SIZE]);
    odd.dialogue(&[("REST 500", "350 ok"), ("RETR f", "550 gone")]);
    assert_eq!(code(odd.result(job)), 550);
    let job = odd.start(store(Representation::Image));
    let data = odd.passive(&[]);
    odd.dialogue(&[("REST 0", "350 ok"), ("ALLO 7", "202 never mind"), ("STOR f", "150 go")]);
    odd.run();
    assert_eq!(data.read(odd.now), Read::Bytes(b"content".to_vec()));
    odd.say("226 done");
    assert_eq!(odd.result(job), Ok(Outcome::Moved(7)));
    // The server has said that ALLO does not matter.
    odd.start(store(Representation::Image));
    let _data = odd.passive(&[]);
    assert_eq!(odd.hear(), "STOR f");
}

#[test]
fn an_offset_that_was_refused_is_not_in_force() {
    let mut odd = Odd::ready();
    let job = odd.start(retrieve(500));
    let _data = odd.passive(&[IMAGE, NO_SIZE]);
    odd.dialogue(&[("REST 500", "502 no")]);
    assert_eq!(code(odd.result(job)), 502);
    odd.start(store(Representation::Image));
    let _data = odd.passive(&[]);
    odd.dialogue(&[("ALLO 7", "202 never mind")]);
    assert_eq!(odd.hear(), "STOR f");
}

#[test]
fn an_upload_is_not_sent_where_an_old_offset_cannot_be_taken_back() {
    let mut odd = Odd::ready();
    let job = odd.start(retrieve(500));
    let _data = odd.passive(&[IMAGE, NO_SIZE]);
    odd.dialogue(&[("REST 500", "350 ok"), ("RETR f", "550 gone")]);
    assert_eq!(code(odd.result(job)), 550);
    let job = odd.start(store(Representation::Ascii));
    let _data = odd.passive(&[("TYPE A", "200 ok")]);
    odd.dialogue(&[("REST 0", "501 not in ASCII")]);
    assert_eq!(code(odd.result(job)), 501);
}

#[test]
fn an_upload_whose_offset_is_refused_is_appended() {
    let mut odd = Odd::ready();
    let how = Store::At(500);
    odd.start(Job::Store {
        path: "f".into(),
        how,
        representation: Representation::Image,
        size: None,
        manner: Manner::Plain,
    });
    let _data = odd.passive(&[IMAGE]);
    odd.dialogue(&[("REST 500", "502 no")]);
    assert_eq!(odd.hear(), "APPE f");
}

#[test]
fn an_abort_ends_after_two_replies_or_one_or_none() {
    let replies: [&[&str]; 4] =
        [&["426 stopped", "226 done"], &["226 done", "225 nothing"], &["226 stopped"], &["150 half a second"]];
    for (case, replies) in replies.into_iter().enumerate() {
        let mut odd = Odd::ready();
        let job = odd.start(retrieve(0));
        let _data = odd.passive(&[IMAGE, NO_SIZE]);
        odd.dialogue(&[("RETR f", "150 here")]);
        odd.client.session.abort(odd.now);
        assert!(odd.hear().ends_with("ABOR"));
        for reply in replies {
            assert!(odd.is_running(), "case {case}");
            odd.say(reply);
        }
        if case >= 2 {
            assert!(odd.is_running(), "case {case}");
            odd.sleep(3);
            odd.dialogue(&[("NOOP", "200 zzz")]);
        }
        assert_eq!(odd.result(job), Err(JobError::Aborted), "case {case}");
        odd.start(Job::WorkingDirectory);
        assert_eq!(odd.hear(), "PWD", "case {case}");
    }
}

#[test]
fn a_server_that_never_answers_an_abort_is_lost() {
    let mut odd = Odd::ready();
    let job = odd.start(retrieve(0));
    let _data = odd.passive(&[IMAGE, NO_SIZE]);
    odd.dialogue(&[("RETR f", "150 here")]);
    odd.client.session.abort(odd.now);
    odd.sleep(6);
    // It may be busy with what came before.
    odd.sleep(60);
    assert!(odd.is_running());
    odd.sleep(61);
    assert_eq!(odd.result(job), Err(JobError::TimedOut));
    assert!(odd.closed);
}

#[test]
fn a_goodbye_that_nobody_asked_for_ends_the_session() {
    let mut odd = Odd::ready();
    odd.say("421 Timeout.");
    assert!(odd.closed);
    let job = odd.start(Job::WorkingDirectory);
    let result = odd.result(job);
    assert!(result.as_ref().unwrap_err().is_fatal());
    assert_eq!(code(result), 421);
}

#[test]
fn what_is_no_ftp_is_told_so() {
    let mut odd = Odd::new();
    let job = odd.start(Job::WorkingDirectory);
    odd.say("SSH-2.0-OpenSSH_9.2");
    let error = odd.result(job).unwrap_err();
    assert_eq!(error.to_string(), "the server does not speak FTP: it sent \"SSH-2.0-OpenSSH_9.2\"");
    assert!(odd.closed);
}

#[test]
fn a_greeting_that_is_a_login_is_one() {
    let mut odd = Odd::new();
    let job = odd.start(Job::Login { user: "me".into(), password: None });
    odd.say("120 soon");
    odd.say("230 come in");
    odd.dialogue(&[("FEAT", "211-x\r\n UTF8\r\n211 End"), ("OPTS UTF8 ON", "200 ok")]);
    assert!(odd.result(job).is_ok());
    let job = odd.start(Job::Quote("  ".into()));
    assert_eq!(odd.result(job), Err(JobError::Unsendable));
}

#[test]
fn a_failed_transfer_is_told_with_the_servers_reason() {
    let mut odd = Odd::ready();
    let job = odd.start(store(Representation::Image));
    let data = odd.passive(&[IMAGE]);
    odd.dialogue(&[("ALLO 7", "200 ok"), ("STOR f", "150 go")]);
    drop(data);
    odd.say("552 full");
    assert_eq!(code(odd.result(job)), 552);
    odd.start(Job::WorkingDirectory);
    assert_eq!(odd.hear(), "PWD");
}

#[test]
fn a_stalled_download_is_broken_off() {
    let mut odd = Odd::ready();
    let job = odd.start(retrieve(0));
    let _data = odd.passive(&[IMAGE, NO_SIZE]);
    odd.dialogue(&[("RETR f", "150 here")]);
    // A marker is no sign of life of the data, and does not start a wait of its own.
    odd.say("110 MARK 1 = 1");
    odd.sleep(61);
    assert!(odd.hear().ends_with("ABOR"));
    odd.say("426 stopped");
    odd.say("226 done");
    assert_eq!(odd.result(job), Err(JobError::Stalled));
}

fn many(name: &str) -> Job {
    let path = name.to_owned().into();
    Job::Retrieve { path, offset: 0, representation: Representation::Image, size: None, manner: Manner::Many }
}

fn checked() -> Job {
    Job::Retrieve {
        path: "f".into(),
        offset: 0,
        representation: Representation::Image,
        size: None,
        manner: Manner::Checked,
    }
}

#[test]
fn many_files_fall_back_in_silence_where_mode_b_is_refused() {
    let mut odd = Odd::ready();
    let jobs = [odd.start(many("a")), odd.start(many("b"))];
    let data = odd.passive(&[IMAGE, ("MODE B", "504 only S"), ("SIZE a", "213 0")]);
    odd.dialogue(&[("RETR a", "150 here")]);
    data.close();
    odd.say("226 done");
    let data = odd.passive(&[("SIZE b", "213 0")]);
    odd.dialogue(&[("RETR b", "150 here")]);
    data.close();
    odd.say("226 done");
    assert_eq!(jobs.map(|job| odd.result(job)), [Ok(Outcome::Moved(0)), Ok(Outcome::Moved(0))]);
    assert_eq!(odd.client.session.takes_many(), Some(false));
}

#[test]
fn commands_are_sent_ahead_and_their_replies_wait_for_the_data_before_them() {
    let mut odd = Odd::ready();
    let jobs = ["a", "b", "c"].map(|name| odd.start(many(name)));
    let data = odd.passive(&[IMAGE, ("MODE B", "200 ok"), ("MODE X", "504 no")]);
    assert_eq!(odd.hear(), "RETR a");
    odd.say("150 here");
    assert_eq!(odd.hear(), "RETR b\r\nRETR c");
    // All replies come before any data.
    odd.say("250 done, still open\r\n125 here\r\n250 done\r\n550 no such file");
    assert!(odd.is_running());
    data.write(odd.now, b"\x40\x00\x02a");
    assert!(odd.is_running());
    data.write(odd.now, b"a\x40\x00\x01b");
    assert_eq!(odd.result(jobs[0]), Ok(Outcome::Moved(2)));
    assert_eq!(odd.result(jobs[1]), Ok(Outcome::Moved(1)));
    assert_eq!(code(odd.result(jobs[2])), 550);
    // Behind them all, MODE S again.
    let job = odd.start(Job::Size("a".into()));
    odd.dialogue(&[("MODE S", "200 ok"), ("SIZE a", "213 2")]);
    assert_eq!(odd.result(job), Ok(Outcome::Size(2)));
}

#[test]
fn a_data_connection_that_the_server_closed_is_made_again() {
    let mut odd = Odd::ready();
    let jobs = ["a", "b", "c"].map(|name| odd.start(many(name)));
    let data = odd.passive(&[IMAGE, ("MODE B", "200 ok"), ("MODE X", "504 no")]);
    assert_eq!(odd.hear(), "RETR a");
    odd.say("150 here");
    assert_eq!(odd.hear(), "RETR b\r\nRETR c");
    data.write(odd.now, b"\x40\x00\x01a");
    data.close();
    // It was not kept, and the commands that were sent ahead have none to use.
    odd.say("226 done\r\n425 no data connection\r\n425 no data connection");
    assert_eq!(odd.result(jobs[0]), Ok(Outcome::Moved(1)));
    let data = odd.passive(&[]);
    assert_eq!(odd.hear(), "RETR b");
    odd.say("150 here");
    assert_eq!(odd.hear(), "", "there is no use in that here");
    data.write(odd.now, b"\x40\x00\x01b");
    odd.say("250 done");
    assert_eq!(odd.result(jobs[1]), Ok(Outcome::Moved(1)));
    odd.dialogue(&[("RETR c", "425 lost it after all")]);
    let data = odd.passive(&[]);
    odd.dialogue(&[("RETR c", "150 here")]);
    data.write(odd.now, b"\x40\x00\x01c");
    odd.say("226 done");
    assert_eq!(odd.result(jobs[2]), Ok(Outcome::Moved(1)));
}

#[test]
fn an_abort_counts_the_replies_of_what_was_sent_ahead() {
    let mut odd = Odd::ready();
    let jobs = ["a", "b"].map(|name| odd.start(many(name)));
    let data = odd.passive(&[IMAGE, ("MODE B", "200 ok"), ("MODE X", "504 no")]);
    assert_eq!(odd.hear(), "RETR a");
    odd.say("150 here");
    assert_eq!(odd.hear(), "RETR b");
    data.write(odd.now, b"\x00\x00\x01a");
    odd.run();
    odd.client.session.abort(odd.now);
    assert!(odd.hear().ends_with("ABOR"));
    // The server was at the second file already.
    odd.say("250 done\r\n125 here\r\n426 broken off");
    assert!(odd.is_running());
    odd.say("226 aborted");
    assert_eq!(odd.result(jobs[0]), Err(JobError::Aborted));
    let data = odd.passive(&[]);
    odd.dialogue(&[("RETR b", "150 here")]);
    data.write(odd.now, b"\x40\x00\x01b");
    odd.say("250 done");
    assert_eq!(odd.result(jobs[1]), Ok(Outcome::Moved(1)));
}

#[test]
fn a_file_cut_in_a_block_is_no_file() {
    let mut odd = Odd::ready();
    let job = odd.start(many("a"));
    let data = odd.passive(&[IMAGE, ("MODE B", "200 ok"), ("MODE X", "504 no")]);
    odd.dialogue(&[("RETR a", "150 here")]);
    data.write(odd.now, b"\x40\x00\x05abc");
    data.close();
    odd.run();
    assert!(odd.hear().ends_with("ABOR"));
    odd.say("226 done\r\n225 nothing to abort");
    assert!(odd.result(job).is_err());
    assert!(odd.client.content().is_none(), "nothing is left to be published");
}

/// A server with these features, which has sent `content` as the file.
fn moved(features: &str, size: &str) -> (Odd, JobId) {
    let mut odd = Odd::new();
    let login = odd.start(Job::Login { user: "me".into(), password: Some("x".into()) });
    odd.say("220 hi");
    let features = format!("211-Features:\r\n{features}211 End");
    odd.dialogue(&[("USER me", "331 pw"), ("PASS x", "230 in"), ("FEAT", features.as_str())]);
    assert!(odd.result(login).is_ok());
    let job = odd.start(checked());
    let data = odd.passive(&[IMAGE, ("SIZE f", size)]);
    odd.dialogue(&[("RETR f", "150 here")]);
    data.write(odd.now, b"content");
    data.close();
    odd.say("226 done");
    (odd, job)
}

#[test]
fn a_wrong_digest_is_an_error_and_publishes_nothing() {
    // CRC-32 of "content", which is what the file here holds.
    for (told, good) in [("250 FEC530A9", true), ("250 00000000", false)] {
        let (mut odd, job) = moved(" XCRC\r\n", "500 what?");
        odd.dialogue(&[("XCRC f", told)]);
        if !good {
            odd.dialogue(&[("SIZE f", "500 what?")]);
        }
        let by = Check::Digest(Algorithm::Crc32);
        let expected = if good { Ok(Outcome::Checked(7, by)) } else { Err(JobError::Differs(by)) };
        assert_eq!(odd.result(job), expected);
        assert_eq!(odd.client.content().is_some_and(|content| content.published), good);
    }
}

#[test]
fn the_strongest_digest_is_chosen_and_size_does_where_there_is_none() {
    let (mut odd, job) = moved(" HASH MD5;SHA-1*\r\n XMD5\r\n", "213 7");
    odd.dialogue(&[("HASH f", "556 not for you")]);
    assert_eq!(odd.result(job), Ok(Outcome::Checked(7, Check::Size)));
    let (mut odd, job) = moved(" HASH CRC32*;MD5;\r\n", "213 7");
    odd.dialogue(&[("OPTS HASH MD5", "501 no")]);
    assert_eq!(odd.result(job), Ok(Outcome::Checked(7, Check::Size)));
    let (mut odd, job) = moved("", "500 what?");
    assert_eq!(odd.result(job), Ok(Outcome::Checked(7, Check::Nothing)));
    // A slow server says that it is still at it, and is waited for.
    let (mut odd, job) = moved(" HASH MD5*\r\n", "213 7");
    assert_eq!(odd.hear(), "HASH f");
    for _ in 0..10 {
        odd.sleep(100);
        odd.say("213-still at it");
    }
    odd.say("213 MD5 0-6 9a0364b9e99bb480dd25e1f0284c8555 f");
    assert_eq!(odd.result(job), Ok(Outcome::Checked(7, Check::Digest(Algorithm::Md5))));
}

#[test]
fn a_yes_to_any_mode_is_no_yes() {
    let mut odd = Odd::ready();
    let job = odd.start(many("a"));
    odd.start(many("b"));
    let data =
        odd.passive(&[IMAGE, ("MODE B", "200 ok"), ("MODE X", "200 ok"), ("MODE S", "200 ok"), ("SIZE a", "213 1")]);
    odd.dialogue(&[("RETR a", "150 here")]);
    data.write(odd.now, b"a");
    data.close();
    odd.say("226 done");
    assert_eq!(odd.result(job), Ok(Outcome::Moved(1)));
    assert_eq!(odd.client.session.takes_many(), Some(false));
}

#[test]
fn a_server_that_ends_its_session_ends_all_that_was_sent_ahead() {
    let mut odd = Odd::ready();
    let jobs = ["a", "b", "c", "d"].map(|name| odd.start(many(name)));
    let data = odd.passive(&[IMAGE, ("MODE B", "200 ok"), ("MODE X", "504 no")]);
    assert_eq!(odd.hear(), "RETR a");
    odd.say("150 here");
    data.write(odd.now, b"\x40\x00\x01a");
    odd.say("250 done\r\n421 out of order");
    odd.client.session.cancel_waiting();
    assert_eq!(odd.result(jobs[0]), Ok(Outcome::Moved(1)));
    assert!(jobs[1..].iter().all(|job| odd.result(*job).is_err()));
    assert!(odd.closed);
}

#[test]
fn an_interrupt_ends_what_is_under_way_and_what_waits() {
    for in_time in [true, false] {
        let mut odd = Odd::ready();
        let jobs = ["a", "b", "c"].map(|name| odd.start(many(name)));
        let data = odd.passive(&[IMAGE, ("MODE B", "200 ok"), ("MODE X", "504 no")]);
        assert_eq!(odd.hear(), "RETR a");
        odd.say("150 here");
        assert_eq!(odd.hear(), "RETR b\r\nRETR c");
        data.write(odd.now, if in_time { b"\x00\x00\x01a" } else { b"\x40\x00\x01a" });
        odd.run();
        if !in_time {
            odd.say("250 done");
        }
        odd.client.session.handle(odd.now, Input::Stop);
        odd.run();
        assert!(odd.hear().ends_with("ABOR"));
        odd.say("426 broken off\r\n226 aborted\r\n425 none");
        odd.say(if in_time { "425 none" } else { "225 still here" });
        assert_eq!(odd.result(jobs[0]).is_ok(), !in_time);
        for job in &jobs[1..] {
            assert_eq!(odd.result(*job), Err(JobError::Aborted));
        }
        assert_eq!(odd.hear(), "", "nothing is sent again");
    }
}

#[test]
fn a_file_that_grows_meanwhile_is_no_damaged_one() {
    // By size: more came than there was when it was asked for.
    let mut odd = Odd::ready();
    let job = odd.start(checked());
    let data = odd.passive(&[IMAGE, ("SIZE f", "213 2")]);
    odd.dialogue(&[("RETR f", "150 here")]);
    data.write(odd.now, b"123");
    data.close();
    odd.say("226 done");
    assert_eq!(odd.result(job), Ok(Outcome::Checked(3, Check::Nothing)));
    // By digest, which is of what is there by now.
    for (size, good) in [("213 8", true), ("213 0", false)] {
        let (mut odd, job) = moved(" XCRC\r\n", "500 what?");
        odd.dialogue(&[("XCRC f", "250 12345678"), ("SIZE f", size)]);
        assert_eq!(odd.result(job).is_ok(), good, "{size}");
    }
}
