//! How long many small files take over one data connection, against one data connection for each:
//!
//!     TMPDIR=/dev/shm cargo run --release -p longshore-suite --example many -- target/release/ftpd-std target/release/ftp-std 2000
//!
//! The client's `mget` brings so many files of 4 KiB, through a proxy on the control connection that in every other round refuses MODE B.
//! Prints the median times, and their ratio. The files are in TMPDIR; where that is in memory, no disk is measured.

use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use longshore_suite::programs::{Programs, folder, noise};
use longshore_suite::proxy::{Meddling, Proxy};

const ROUNDS: usize = 5;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, client, count] = &arguments[..] else {
        eprintln!("usage: many SERVER CLIENT FILES");
        return ExitCode::from(2);
    };
    let (Ok(server), Ok(client), Ok(count)) = (fs::canonicalize(server), fs::canonicalize(client), count.parse())
    else {
        eprintln!("many: SERVER and CLIENT are programs, and FILES is a number");
        return ExitCode::from(2);
    };
    measure(&Programs::new(server, client), count);
    ExitCode::SUCCESS
}

fn measure(programs: &Programs, count: u64) {
    let server = programs.serve_folder(&[], |root, _| {
        (0..count).for_each(|number| {
            fs::write(root.join(format!("f{number}")), noise(number, 4096)).expect("it is ours");
        });
    });
    let refuses = |command: &str| (command == "MODE B").then_some("504 The only mode is S.");
    let proxies = [Meddling::NONE, Meddling { answer: refuses, ..Meddling::NONE }];
    let proxies = proxies.map(|meddling| Proxy::start(server.port, meddling));
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        for (proxy, times) in proxies.iter().zip(&mut times) {
            times.push(mget(programs, proxy.port, count));
        }
    }
    let [one, each] = times.map(|mut times| {
        times.sort_unstable();
        times[ROUNDS / 2]
    });
    println!("{count} files of 4 KiB, median of {ROUNDS}:");
    println!("  over one data connection (MODE B)  {:.3} s", one.as_secs_f64());
    println!("  over one data connection each      {:.3} s", each.as_secs_f64());
    println!("  ratio                              {:.1}", each.as_secs_f64() / one.as_secs_f64());
}

fn mget(programs: &Programs, port: u16, count: u64) -> Duration {
    let here = folder();
    let start = Instant::now();
    programs.client(here.path(), &["127.0.0.1", &port.to_string(), "-q", "-c", "mget f*"], "").expect(0);
    let time = start.elapsed();
    assert_eq!(fs::read_dir(here.path()).expect("it is ours").count() as u64, count);
    time
}
