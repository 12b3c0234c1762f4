//! How much memory a session holds that is logged in and has nothing to do:
//!
//!     cargo run --release -p longshore-suite --example idle -- target/release/ftpd-smol 5000 4
//!
//! Starts the server, logs in so many sessions, and divides what the kernel says that the process occupies more than before
//! (Pss in /proc/PID/smaps_rollup) by their number. Fails where one takes more than so many KiB.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Sessions that come and go before the first look, so that the runtime has what it needs.
const WARMING: usize = 50;
/// How long threads and freed memory may take to go.
const REST: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, count, most] = &arguments[..] else {
        eprintln!("usage: idle SERVER SESSIONS KIB");
        return ExitCode::from(2);
    };
    let (Ok(count), Ok(most)) = (count.parse(), most.parse()) else {
        eprintln!("idle: SESSIONS and KIB are numbers");
        return ExitCode::from(2);
    };
    match measure(server, count) {
        Ok(kib) => {
            let name = Path::new(server).file_name().unwrap_or_default().to_string_lossy();
            println!("{name}: {count} idle sessions, {kib:.2} KiB each (at most {most})");
            if kib <= most { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("idle: {error}");
            ExitCode::from(2)
        }
    }
}

fn measure(server: &str, count: usize) -> std::io::Result<f64> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    let root = tempfile::tempdir()?;
    let mut child = Command::new(server)
        .args(["-q", "--max-sessions", "100000", "--root", &root.path().display().to_string(), "0"])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("it is a pipe")).read_line(&mut line)?;
    let port = line.trim_end().rsplit(' ').next().and_then(|port| port.parse().ok()).unwrap_or(0);
    let result = (|| {
        drop((0..WARMING).map(|_| login(port)).collect::<Result<Vec<_>, _>>()?);
        std::thread::sleep(REST);
        let before = occupied(child.id())?;
        let mut sessions = (0..count).map(|_| login(port)).collect::<Result<Vec<_>, _>>()?;
        std::thread::sleep(REST);
        let after = occupied(child.id())?;
        // All of them are still served.
        sessions.iter_mut().try_for_each(|session| say(session, b"NOOP\r\n", b"200"))?;
        #[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
        Ok(after.saturating_sub(before) as f64 / count as f64)
    })();
    child.kill()?;
    child.wait()?;
    result
}

fn login(port: u16) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    say(&mut stream, b"", b"220")?;
    say(&mut stream, b"USER anonymous\r\n", b"331")?;
    say(&mut stream, b"PASS x\r\n", b"230")?;
    Ok(stream)
}

/// Sends a command; its reply is of one line.
fn say(stream: &mut TcpStream, command: &[u8], code: &[u8]) -> std::io::Result<()> {
    stream.write_all(command)?;
    let mut reply = Vec::new();
    while !reply.ends_with(b"\n") {
        let mut buffer = [0; 256];
        match stream.read(&mut buffer)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => reply.extend_from_slice(&buffer[..read]),
        }
    }
    let told = String::from_utf8_lossy(&reply).into_owned();
    if reply.starts_with(code) { Ok(()) } else { Err(std::io::Error::other(told)) }
}

/// The process's proportional set size, in KiB.
fn occupied(process: u32) -> std::io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let pss = text.lines().find_map(|line| line.strip_prefix("Pss:")).and_then(|rest| rest.split_whitespace().next());
    pss.and_then(|number| number.parse().ok()).ok_or_else(|| std::io::Error::other("no Pss in smaps_rollup"))
}
