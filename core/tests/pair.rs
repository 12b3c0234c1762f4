//! The client session against the server session, over links that cut and delay.

use std::time::Duration;

use longshore_core::client::{self, Job, JobError, ListFormat, Manner, Outcome};
use longshore_core::codec::Representation;
use longshore_core::host::{Access, Store};
use longshore_core::server;
use longshore_sim::{Cuts, Memory, MemoryHost, Pair, User};
use proptest::prelude::*;

fn host(memory: &Memory) -> MemoryHost {
    let alice = User { name: "alice", password: Some("secret"), access: Access::Write };
    MemoryHost::new(memory.clone(), vec![alice])
}

fn retrieve(path: &str) -> Job {
    Job::Retrieve {
        path: path.to_owned().into(),
        offset: 0,
        representation: Representation::Image,
        size: None,
        manner: Manner::Plain,
    }
}

fn store(path: &str) -> Job {
    Job::Store {
        path: path.to_owned().into(),
        how: Store::Replace,
        representation: Representation::Image,
        size: None,
        manner: Manner::Plain,
    }
}

fn refused(result: Result<impl std::fmt::Debug, JobError>) -> u16 {
    match result {
        Err(JobError::Refused(reply)) => reply.code,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn every_job_does_what_it_says() {
    let memory = Memory::fixture();
    for active in [false, true] {
        let mut pair = Pair::logged_in(host(&memory), Cuts::none());
        pair.client.session.set_passive(!active);
        assert_eq!(pair.fetch(retrieve("a.txt")).unwrap(), b"hello world\n");
        assert_eq!(pair.send(store("up"), b"abc").unwrap(), Outcome::Moved(3));
        assert_eq!(memory.read("/up").unwrap(), b"abc");
        let append = Job::Store {
            path: "up".into(),
            how: Store::Append,
            representation: Representation::Image,
            size: None,
            manner: Manner::Plain,
        };
        pair.send(append, b"def").unwrap();
        let resume = Job::Store {
            path: "up".into(),
            how: Store::At(5),
            representation: Representation::Image,
            size: None,
            manner: Manner::Plain,
        };
        pair.send(resume, b"FG").unwrap();
        assert_eq!(memory.read("/up").unwrap(), b"abcdeFG");
        let tail = Job::Retrieve {
            path: "up".into(),
            offset: 5,
            representation: Representation::Image,
            size: None,
            manner: Manner::Plain,
        };
        assert_eq!(pair.fetch(tail).unwrap(), b"FG");
        pair.run(Job::Rename { from: "up".into(), to: "dir/there".into() }).unwrap();
        pair.run(Job::ChangeDirectory("dir".into())).unwrap();
        assert_eq!(pair.run(Job::WorkingDirectory).unwrap(), Outcome::Path("/dir".into()));
        assert_eq!(pair.run(Job::Size("there".into())).unwrap(), Outcome::Size(7));
        assert!(matches!(pair.run(Job::Modified("there".into())).unwrap(), Outcome::Time(_)));
        pair.run(Job::SetMode { mode: "600".into(), path: "there".into() }).unwrap();
        pair.run(Job::Remove("there".into())).unwrap();
        pair.run(Job::MakeDirectory("sub".into())).unwrap();
        pair.run(Job::RemoveDirectory("sub".into())).unwrap();
        let names = pair.fetch(Job::List { format: ListFormat::Names, path: None }).unwrap();
        assert_eq!(names, b"b.bin\r\n");
        assert_eq!(refused(pair.fetch(retrieve("nosuch"))), 550);
        assert_eq!(refused(pair.run(Job::ChangeDirectory("nosuch".into()))), 550);
        pair.run(Job::ChangeDirectory("..".into())).unwrap();
        pair.run(Job::Quit).unwrap();
        assert_eq!(pair.run(Job::WorkingDirectory), Err(JobError::Lost));
    }
}

#[test]
fn names_that_could_be_commands_are_not_sent() {
    let memory = Memory::fixture();
    let mut pair = Pair::logged_in(host(&memory), Cuts::none());
    for name in ["a.txt\r\nDELE a.txt", "a\nb", "a\0b"] {
        assert_eq!(pair.run(Job::Remove(name.to_owned().into())), Err(JobError::Unsendable));
        assert_eq!(pair.fetch(retrieve(name)), Err(JobError::Unsendable));
    }
    assert!(memory.read("/a.txt").is_some());
    assert_eq!(pair.run(Job::WorkingDirectory).unwrap(), Outcome::Path("/".into()));
}

#[test]
fn logins_fail_in_words() {
    let mut pair = Pair::new(host(&Memory::fixture()), Cuts::none());
    let login =
        |password: Option<&'static str>| Job::Login { user: "alice".into(), password: password.map(Into::into) };
    assert_eq!(pair.run(login(None)), Err(JobError::PasswordNeeded));
    assert_eq!(refused(pair.run(login(Some("guess")))), 530);
    pair.run(login(Some("secret"))).unwrap();
    assert!(pair.client.session.has_feature(b"MLST"));
}

#[test]
fn an_aborted_download_leaves_the_session_whole() {
    let memory = Memory::fixture();
    memory.write("/big", &vec![1; 1 << 20]);
    let mut pair = Pair::logged_in(host(&memory), Cuts::none());
    let id = pair.run_until_moved(retrieve("big"), b"", 10_000);
    pair.client.session.abort(pair.now);
    assert_eq!(pair.until_finished(id), Err(JobError::Aborted));
    assert_eq!(pair.fetch(retrieve("a.txt")).unwrap(), b"hello world\n");
}

#[test]
fn an_aborted_upload_leaves_the_old_file() {
    let memory = Memory::fixture();
    let mut pair = Pair::logged_in(host(&memory), Cuts::none());
    let id = pair.run_until_moved(store("a.txt"), &vec![1; 1 << 20], 10_000);
    pair.client.session.abort(pair.now);
    assert_eq!(pair.until_finished(id), Err(JobError::Aborted));
    assert_eq!(memory.read("/a.txt").unwrap(), b"hello world\n");
    assert_eq!(pair.send(store("a.txt"), b"new").unwrap(), Outcome::Moved(3));
}

#[test]
fn a_dead_client_leaves_the_old_file_and_a_dead_server_an_error() {
    let memory = Memory::fixture();
    let mut pair = Pair::logged_in(host(&memory), Cuts::none());
    pair.run_until_moved(store("a.txt"), &vec![1; 1 << 20], 10_000);
    pair.client.kill();
    pair.settle();
    assert_eq!(memory.read("/a.txt").unwrap(), b"hello world\n");

    memory.write("/big", &vec![1; 1 << 20]);
    let mut pair = Pair::logged_in(host(&memory), Cuts::none());
    let id = pair.run_until_moved(retrieve("big"), b"", 10_000);
    pair.server.kill();
    assert_eq!(pair.until_finished(id), Err(JobError::Lost));
    assert!(pair.client.content().is_none(), "nothing is left to be published");
}

#[test]
fn a_failed_upload_is_told_with_the_servers_words() {
    let memory = Memory::fixture();
    memory.limit(50_000);
    let mut pair = Pair::logged_in(host(&memory), Cuts::none());
    assert_eq!(refused(pair.send(store("up"), &vec![1; 100_000])), 552);
    assert_eq!(refused(pair.send(store("dir"), b"x")), 553);
    assert_eq!(pair.send(store("up"), b"x").unwrap(), Outcome::Moved(1));
}

#[test]
fn a_silent_server_is_given_up() {
    let config = client::Config { reply_timeout: Duration::from_secs(30), ..client::Config::default() };
    let slow = server::Config { login_delay: Duration::from_secs(300), ..server::Config::default() };
    let mut pair = Pair::with(host(&Memory::fixture()), Cuts::none(), slow, config);
    let job = Job::Login { user: "alice".into(), password: Some("guess".into()) };
    assert_eq!(pair.run(job), Err(JobError::TimedOut));
    assert!(pair.now.since_origin() <= Duration::from_secs(31));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// However the bytes are cut and delayed, what arrives is what was sent, and the replies are the same.
    #[test]
    fn cuts_do_not_matter(seed: u64, longest in 1usize..5000, millis in 0u64..50, content: Vec<u8>, ascii: bool) {
        let memory = Memory::fixture();
        let mut pair = Pair::logged_in(host(&memory), Cuts::seeded(seed, longest, Duration::from_millis(millis)));
        let representation = if ascii { Representation::Ascii } else { Representation::Image };
        let up = Job::Store { path: "f".into(), how: Store::Replace, representation, size: Some(content.len() as u64), manner: Manner::Plain };
        let sent = pair.send(up, &content).unwrap();
        let down = Job::Retrieve { path: "f".into(), offset: 0, representation, size: None, manner: Manner::Plain };
        let came = pair.fetch(down).unwrap();
        if !ascii {
            prop_assert_eq!(sent, Outcome::Moved(content.len() as u64));
            prop_assert_eq!(memory.read("/f").unwrap(), content.clone());
            prop_assert_eq!(came, content);
        }
        prop_assert_eq!(refused(pair.fetch(retrieve("nosuch"))), 550);
        prop_assert_eq!(pair.run(Job::WorkingDirectory).unwrap(), Outcome::Path("/".into()));
    }

    /// A download of any file from any offset is its tail.
    #[test]
    fn offsets_cut_the_head(content: Vec<u8>, offset in 0u64..200) {
        let memory = Memory::fixture();
        memory.write("/f", &content);
        let mut pair = Pair::logged_in(host(&memory), Cuts::none());
        let job = Job::Retrieve { path: "f".into(), offset, representation: Representation::Image, size: None, manner: Manner::Plain };
        match content.get(usize::try_from(offset).unwrap()..) {
            Some(tail) => prop_assert_eq!(pair.fetch(job).unwrap(), tail),
            None => prop_assert_eq!(refused(pair.fetch(job)), 554),
        }
        // The offset does not linger.
        prop_assert_eq!(pair.fetch(retrieve("f")).unwrap(), content);
    }
}
