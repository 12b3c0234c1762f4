//! Sessions from seeds, for as long as one likes:
//!
//!     cargo run --release -p longshore-sim --example world              until something fails
//!     cargo run --release -p longshore-sim --example world -- 42        the session of this seed
//!     cargo run --release -p longshore-sim --example world -- 0 100000  those of these seeds

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use longshore_sim::world::{Tally, run};

fn main() -> ExitCode {
    let numbers: Result<Vec<u64>, _> = std::env::args().skip(1).map(|argument| argument.parse()).collect();
    let (first, count) = match numbers.as_deref() {
        Ok([]) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            (now.as_secs() << 32, u64::MAX)
        }
        Ok([seed]) => (*seed, 1),
        Ok([first, count]) => (*first, *count),
        _ => {
            eprintln!("usage: world [SEED [COUNT]]");
            return ExitCode::from(2);
        }
    };
    let mut all = Tally::default();
    for number in 0..count {
        match run(first.wrapping_add(number)) {
            Ok(tally) => {
                all.done += tally.done;
                all.failed += tally.failed;
                all.broken += tally.broken;
            }
            Err(violation) => {
                if count == 1 {
                    violation.dialogue.iter().for_each(|line| println!("{line}"));
                }
                eprintln!("{violation}");
                return ExitCode::FAILURE;
            }
        }
        if (number + 1) % 100_000 == 0 || number + 1 == count {
            println!(
                "{} sessions: {} errands done, {} failed, {} sessions broken off",
                number + 1,
                all.done,
                all.failed,
                all.broken
            );
        }
    }
    ExitCode::SUCCESS
}
