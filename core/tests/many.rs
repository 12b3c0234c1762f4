//! Many files over one data connection, in MODE B: the client session against the server session.

use std::time::Duration;

use longshore_core::client::{Check, Job, JobError, Manner, Outcome};
use longshore_core::codec::Representation;
use longshore_core::digest::Algorithm;
use longshore_core::host::{Access, Store};
use longshore_sim::{Cuts, Memory, MemoryHost, Pair, User};
use proptest::prelude::*;

fn pair(memory: &Memory, cuts: Cuts) -> Pair {
    let alice = User { name: "alice", password: Some("secret"), access: Access::Write };
    Pair::logged_in(MemoryHost::new(memory.clone(), vec![alice]), cuts)
}

fn down(path: &str, manner: Manner) -> (Job, Vec<u8>) {
    let path = path.to_owned().into();
    (Job::Retrieve { path, offset: 0, representation: Representation::Image, size: None, manner }, Vec::new())
}

fn up(path: &str, content: &[u8], manner: Manner) -> (Job, Vec<u8>) {
    let path = path.to_owned().into();
    let how = Store::Replace;
    (Job::Store { path, how, representation: Representation::Image, size: None, manner }, content.to_vec())
}

/// A file of some bytes that are its own, the more the higher its number.
fn content(number: usize) -> Vec<u8> {
    (0..number * number * 7).map(|at| u8::try_from((at * 31 + number) % 251).unwrap()).collect()
}

fn code(result: &Result<(Outcome, Vec<u8>), JobError>) -> u16 {
    match result {
        Err(JobError::Refused(reply)) => reply.code,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn fifty_files_need_one_data_connection_each_way() {
    let memory = Memory::default();
    for active in [false, true] {
        let mut pair = pair(&memory, Cuts::none());
        pair.client.session.set_passive(!active);
        assert_eq!(pair.client.session.takes_many(), None);
        let sent = pair.run_all((0..50).map(|number| up(&format!("f{number}"), &content(number), Manner::Many)));
        for (number, result) in sent.iter().enumerate() {
            assert_eq!(result.as_ref().unwrap().0, Outcome::Moved(content(number).len() as u64));
            assert_eq!(memory.read(&format!("/f{number}")).unwrap(), content(number));
        }
        let came = pair.run_all((0..50).map(|number| down(&format!("f{number}"), Manner::Many)));
        for (number, result) in came.into_iter().enumerate() {
            assert_eq!(result.unwrap().1, content(number));
        }
        assert_eq!(pair.server.data_connections, 1, "both ways over the same one");
        assert_eq!(pair.client.session.takes_many(), Some(true));
        pair.run(Job::EndMany).unwrap();
        assert_eq!(pair.run(Job::Size("f3".into())).unwrap(), Outcome::Size(63), "which MODE B has not");
        assert_eq!(pair.fetch(down("f3", Manner::Plain).0).unwrap(), content(3));
        assert_eq!(pair.server.data_connections, 2);
    }
}

#[test]
fn a_refused_file_stands_between_two_good_ones() {
    let memory = Memory::fixture();
    let mut pair = pair(&memory, Cuts::none());
    let names = ["nosuch", "a.txt", "dir", "a.txt", "nosuch", "dir/b.bin"];
    let results = pair.run_all(names.map(|name| down(name, Manner::Many)));
    let whole = |result: &Result<(Outcome, Vec<u8>), JobError>| result.as_ref().unwrap().1.clone();
    assert_eq!((code(&results[0]), code(&results[2]), code(&results[4])), (550, 550, 550));
    assert_eq!((whole(&results[1]), whole(&results[3])), (b"hello world\n".to_vec(), b"hello world\n".to_vec()));
    assert_eq!(whole(&results[5]), [0, 1, 2, 3, 4]);
    assert_eq!(pair.server.data_connections, 1);
    let results = pair.run_all(["dir", "x", "no/where", "y"].map(|name| up(name, b"abc", Manner::Many)));
    assert_eq!((code(&results[0]), code(&results[2])), (553, 553));
    assert_eq!((memory.read("/x").unwrap(), memory.read("/y").unwrap()), (b"abc".to_vec(), b"abc".to_vec()));
    assert_eq!(pair.server.data_connections, 1);
}

/// The disk fills up in the middle: the data connection goes with the file, and those behind it get another.
#[test]
fn an_error_in_the_middle_harms_one_file() {
    let memory = Memory::default();
    memory.limit(1000);
    let mut pair = pair(&memory, Cuts::none());
    let jobs = [("a", 400), ("b", 900), ("c", 300)].map(|(name, size)| up(name, &vec![7; size], Manner::Many));
    let results = pair.run_all(jobs);
    assert!(results[0].is_ok() && results[2].is_ok(), "{results:?}");
    assert_eq!(code(&results[1]), 552);
    assert_eq!(memory.paths(), ["/", "/a", "/c"]);
    assert_eq!(pair.server.data_connections, 2);
}

#[test]
fn an_abort_ends_one_file_and_the_others_come() {
    for sends in [false, true] {
        let memory = Memory::default();
        (0..8).for_each(|number| memory.write(&format!("/f{number}"), &vec![9; 300_000]));
        let mut pair = pair(&memory, Cuts::seeded(3, 4000, Duration::from_millis(3)));
        let job =
            |name: String| if sends { up(&name, &vec![8; 300_000], Manner::Many) } else { down(&name, Manner::Many) };
        let (first, data) = job("f0".to_owned());
        pair.run_until_moved(first, &data, 100_000);
        let rest: Vec<_> = (1..8).map(|number| job(format!("f{number}"))).collect();
        pair.client.session.abort(pair.now);
        let results = pair.run_all(rest);
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        if sends {
            assert_eq!(memory.read("/f0").unwrap(), vec![9; 300_000], "the old one");
            assert_eq!(memory.read("/f7").unwrap(), vec![8; 300_000]);
        } else {
            assert_eq!(results[6].as_ref().unwrap().1.len(), 300_000);
        }
    }
}

#[test]
fn what_was_moved_is_checked_by_its_digest() {
    let memory = Memory::fixture();
    let mut pair = pair(&memory, Cuts::none());
    let (job, _) = down("a.txt", Manner::Checked);
    let id = pair.client.session.start(pair.now, job);
    let by = Check::Digest(Algorithm::Sha512);
    assert_eq!(pair.until_finished(id), Ok(Outcome::Checked(12, by)));
    assert!(pair.client.content().unwrap().published);
    let (job, data) = up("two words", &content(9), Manner::Checked);
    assert_eq!(pair.send(job, &data), Ok(Outcome::Checked(567, by)));
    assert!(pair.client.content().is_none());
    // With what a resumed download has already: it is compared as a whole.
    let job = Job::Retrieve {
        path: "a.txt".into(),
        offset: 6,
        representation: Representation::Image,
        size: None,
        manner: Manner::Checked,
    };
    assert_eq!(pair.run(job), Err(JobError::Differs(by)), "the head is not here");
    assert!(!pair.client.content().is_some_and(|buffer| buffer.published));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// However the bytes are cut and delayed, each file arrives whole or is refused.
    #[test]
    fn cuts_do_not_matter(
        seed: u64,
        longest in 1usize..5000,
        millis in 0u64..50,
        files in prop::collection::vec((any::<bool>(), 0usize..30), 1..60),
        sends: bool,
        active: bool,
    ) {
        let memory = Memory::default();
        memory.make_directory("/folder");
        (0..30).for_each(|number| memory.write(&format!("/f{number}"), &content(number)));
        let mut pair = pair(&memory, Cuts::seeded(seed, longest, Duration::from_millis(millis)));
        pair.client.session.set_passive(!active);
        let jobs = files.iter().enumerate().map(|(at, (good, number))| match (*good, sends) {
            (true, true) => up(&format!("n{at}"), &content(*number), Manner::Many),
            (true, false) => down(&format!("f{number}"), Manner::Many),
            (false, true) => up("folder", b"", Manner::Many),
            (false, false) => down("folder", Manner::Many),
        });
        let results = pair.run_all(jobs.collect::<Vec<_>>());
        for (at, ((good, number), result)) in files.iter().zip(results).enumerate() {
            if !good {
                prop_assert!(matches!(result, Err(JobError::Refused(_))), "{result:?}");
                continue;
            }
            let (outcome, came) = result.unwrap();
            prop_assert_eq!(outcome, Outcome::Moved(content(*number).len() as u64));
            let arrived = if sends { memory.read(&format!("/n{at}")).unwrap() } else { came };
            prop_assert_eq!(arrived, content(*number));
        }
        prop_assert!(pair.server.data_connections <= 1);
        prop_assert_eq!(pair.run(Job::EndMany).map(drop), Ok(()));
        prop_assert_eq!(pair.run(Job::WorkingDirectory).unwrap(), Outcome::Path("/".into()));
    }
}
