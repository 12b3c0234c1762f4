//! The client session with commands sent ahead and with checks, against servers that do it in their own way.

use longshore_core::client::{Check, Job, JobError, JobId, Manner, Outcome};
use longshore_core::codec::Representation;
use longshore_core::digest::Algorithm;
use longshore_core::machine::{Input, Machine};
use longshore_sim::Odd;

const IMAGE: (&str, &str) = ("TYPE I", "200 ok");

fn code(result: Result<Outcome, JobError>) -> u16 {
    match result {
        Err(JobError::Refused(reply)) => reply.code,
        other => panic!("not refused: {other:?}"),
    }
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
    let mut odd = Odd::silent();
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
