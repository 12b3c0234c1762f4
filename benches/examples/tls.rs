//! What TLS costs: a file moved in clear and over TLS, and what the cipher alone could do.
//!
//!     cargo run --release -p longshore-benches --example tls -- 1024 5
//!
//! moves 1,024 MiB down and up by the server and the client of each runtime, five times each, and takes the medians. The cipher
//! alone is what `openssl speed` says of it, on one core, with records of 16 KiB.

use std::fs::File;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use longshore_async_std::AsyncStd;
use longshore_benches::client::{Connection, Futures, Link, Std};
use longshore_benches::servers::{RUNTIMES, programs, serve};
use longshore_core::client::Manner;
use longshore_smol::Smol;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (Some(Ok(size)), Some(Ok(rounds @ 1..)), None) = (numbers.next(), numbers.next(), numbers.next()) else {
        eprintln!("usage: tls MIB ROUNDS");
        return ExitCode::from(2);
    };
    let cipher = cipher_alone();
    println!("AES-128-GCM alone, by openssl: {cipher:.0} MiB/s");
    println!("{:<10}{:<6}{:>12}{:>12}{:>12}{:>12}", "", "", "clear MiB/s", "TLS MiB/s", "TLS/clear", "TLS/cipher");
    let programs = programs();
    for runtime in RUNTIMES {
        let server = serve(&programs(runtime), |root| fill(&root.join("file"), size));
        let file = server.root().join("file");
        let [clear, tls] = [false, true].map(|protected| match runtime {
            "std" => measure::<Std>(server.port, protected, &file, rounds),
            "smol" => measure::<Futures<Smol>>(server.port, protected, &file, rounds),
            _ => measure::<Futures<AsyncStd>>(server.port, protected, &file, rounds),
        });
        for (way, name) in ["down", "up"].iter().enumerate() {
            let [clear, tls] = [clear[way], tls[way]].map(|seconds| size as f64 / seconds);
            println!("{runtime:<10}{name:<6}{clear:>12.0}{tls:>12.0}{:>12.2}{:>12.2}", tls / clear, tls / cipher);
        }
    }
    ExitCode::SUCCESS
}

fn fill(path: &Path, mib: u64) {
    let mut file = File::create(path).expect("the folder is ours");
    let block: Vec<u8> = (0..1 << 20).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for _ in 0..mib {
        std::io::Write::write_all(&mut file, &block).expect("there is room");
    }
}

/// Seconds for a download and for an upload.
fn measure<L: Link>(port: u16, protected: bool, file: &Path, rounds: u64) -> [f64; 2] {
    let mut connection = Connection::<L>::open(port, protected);
    let median = |mut work: Box<dyn FnMut() + '_>| {
        let mut times: Vec<f64> = (0..rounds)
            .map(|_| {
                let start = Instant::now();
                work();
                start.elapsed().as_secs_f64()
            })
            .collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let down = median(Box::new(|| connection.get(&["file".into()], Manner::Plain)));
    let up = median(Box::new(|| connection.put(file, &["copy".into()], Manner::Plain)));
    connection.close();
    [down, up]
}

/// MiB a second.
fn cipher_alone() -> f64 {
    let output = Command::new("openssl")
        .args(["speed", "-mr", "-seconds", "2", "-bytes", "16384", "-evp", "aes-128-gcm"])
        .output()
        .expect("openssl is installed");
    let text = String::from_utf8_lossy(&output.stdout);
    let rate =
        text.lines().filter_map(|line| line.strip_prefix("+F:")).filter_map(|line| line.rsplit(':').next()).next_back();
    rate.and_then(|rate| rate.parse::<f64>().ok()).expect("openssl tells a rate") / f64::from(1 << 20)
}
