//! The client session against servers that do it in their own way.

use longshore_core::client::{Job, JobError, ListFormat, Manner, Outcome};
use longshore_core::codec::Representation;
use longshore_core::host::Store;
use longshore_sim::{Odd, Read};

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
    let mut odd = Odd::silent();
    let job = odd.start(Job::WorkingDirectory);
    odd.say("SSH-2.0-OpenSSH_9.2");
    let error = odd.result(job).unwrap_err();
    assert_eq!(error.to_string(), "the server does not speak FTP: it sent \"SSH-2.0-OpenSSH_9.2\"");
    assert!(odd.closed);
}

#[test]
fn a_greeting_that_is_a_login_is_one() {
    let mut odd = Odd::silent();
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
