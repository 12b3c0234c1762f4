//! A hundred thousand sessions with all that can go wrong.

use std::sync::atomic::{AtomicU64, Ordering};

use longshore_sim::world::{Tally, run};

const SESSIONS: u64 = 100_000;
/// How many a thread takes at once.
const BATCH: u64 = 500;

#[test]
fn sessions_hold_what_they_promise_whatever_goes_wrong() {
    let next = AtomicU64::new(0);
    let work = || {
        let mut all = Tally::default();
        loop {
            let first = next.fetch_add(BATCH, Ordering::Relaxed);
            if first >= SESSIONS {
                return all;
            }
            for seed in first..first + BATCH {
                let tally = run(seed).unwrap_or_else(|violation| panic!("{violation}"));
                all.done += tally.done;
                all.failed += tally.failed;
                all.broken += tally.broken;
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().expect("no property failed")).collect()
    });
    // Weather of all kinds was there.
    let sum = |part: fn(&Tally) -> u64| tallies.iter().map(part).sum::<u64>();
    let (done, failed, broken) = (sum(|it| it.done), sum(|it| it.failed), sum(|it| it.broken));
    assert!(done > SESSIONS && failed > SESSIONS && broken > SESSIONS / 20, "{done} {failed} {broken}");
}
