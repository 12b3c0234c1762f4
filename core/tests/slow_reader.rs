//! A test of memory, in a process of its own.
#![cfg(target_os = "linux")]

use longshore_core::machine::Machine;
use longshore_core::server::{Session, UNSENT_LIMIT};
use longshore_core::time::Instant;

#[test]
fn a_peer_that_reads_slowly_does_not_make_the_server_grow() {
    let (local, peer) = ("127.0.0.1:21".parse().unwrap(), "127.0.0.1:40000".parse().unwrap());
    let mut session = Session::new(std::sync::Arc::default(), local, peer, Instant::ORIGIN);
    // The greeting comes first.
    assert!(session.poll().is_none());
    let mut sent = 0;
    for _ in 0..200_000 {
        if session.wants_input() {
            session.receive(Instant::ORIGIN, b"HELP\r\n");
        }
        let unsent = session.transmit().len();
        assert!(unsent < 2 * UNSENT_LIMIT, "{unsent} bytes wait");
        // All but one byte.
        session.sent(Instant::ORIGIN, unsent - 1);
        sent += unsent - 1;
    }
    assert!(sent > 50_000_000);
    let held = resident_kib();
    assert!(held < 64 * 1024, "{held} KiB are held");
}

/// What this process holds, in KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the field is there");
    line.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number")
}
