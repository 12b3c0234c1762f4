//! Starting servers and clients, and stopping them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::peer::SocketPeer;

/// How long anything may take before a case gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The server and the client of a runtime.
#[derive(Clone, Debug)]
pub struct Programs {
    server: PathBuf,
    client: PathBuf,
}

/// A server that runs, with the folder that it serves. It ends with the value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// The control port.
    pub port: u16,
    root: TempDir,
    settings: TempDir,
}

/// Has cargo build what a test needs besides the programs of its own package, which are all that cargo names to it. Says where
/// they lie. What is up to date already, as it is whenever the whole workspace is tested, is not built again.
pub fn build(arguments: &[&str]) -> PathBuf {
    let test = std::env::current_exe().expect("it runs");
    let folder = test.ancestors().nth(2).expect("it lies in target/PROFILE/deps");
    let profile = match folder.file_name().and_then(|name| name.to_str()).expect("cargo names it") {
        "debug" => "test",
        profile => profile,
    };
    let target = folder.parent().expect("it lies in target/PROFILE/deps");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--profile", profile])
        .args(arguments)
        .arg("--target-dir")
        .arg(target)
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the programs can be built");
    folder.to_owned()
}

impl Programs {
    /// These programs.
    pub fn new(server: impl Into<PathBuf>, client: impl Into<PathBuf>) -> Self {
        Self { server: server.into(), client: client.into() }
    }

    /// A server with an empty folder.
    pub fn serve(&self, arguments: &[&str]) -> Server {
        self.serve_folder(arguments, |_, _| {})
    }

    /// A server with a folder that `prepare` fills; it may put settings into its second argument, where `{}` in the
    /// arguments points.
    pub fn serve_folder(&self, arguments: &[&str], prepare: impl FnOnce(&Path, &Path)) -> Server {
        let (root, settings) = (folder(), folder());
        prepare(root.path(), settings.path());
        let place = settings.path().display().to_string();
        let arguments: Vec<String> = arguments.iter().map(|argument| argument.replace("{}", &place)).collect();
        let mut child = self
            .server_command()
            .args(arguments)
            .args(["--root", &root.path().display().to_string(), "0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("standard output is a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("the server says where it listens");
        let port = line.trim_end().strip_prefix("Server listening on port ").and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("the server says {line:?}"));
        Server { child, port, root, settings }
    }

    /// The server program, not started.
    pub fn server_command(&self) -> Command {
        let mut command = Command::new(&self.server);
        command.arg("-q").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The client program, not started, in `folder`; nothing of the machine's own logins reaches it.
    pub fn client_command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.client);
        command
            .current_dir(folder)
            .env("HOME", folder)
            .env_remove("NETRC")
            .env_remove("FTP_PASSWORD")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the client in `folder`, with commands on its standard input.
    pub fn client(&self, folder: &Path, arguments: &[&str], commands: &str) -> Ran {
        let mut child = self.client_command(folder).args(arguments).spawn().expect("the client starts");
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        // A client that ends early does not read on.
        let _ = stdin.write_all(commands.as_bytes());
        drop(stdin);
        Ran::of(child.wait_with_output().expect("the client ends"))
    }

    /// Runs the client against a server as the anonymous user.
    pub fn at(&self, server: &Server, folder: &Path, commands: &str) -> Ran {
        self.client(folder, &["127.0.0.1", &server.port.to_string()], commands)
    }
}

/// What a program said, and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// The exit code.
    pub code: Option<i32>,
}

impl Ran {
    /// Reads the output of a program.
    pub fn of(output: Output) -> Self {
        Self {
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }

    /// Checks the exit code, and shows all in a failure.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

impl Server {
    /// The folder that it serves.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Where its settings are.
    pub fn settings(&self) -> &Path {
        self.settings.path()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(pid(&self.child), signal).expect("the server runs");
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for("the server to end", || self.child.try_wait().expect("the server is a child"))
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("the server is a child").is_none()
    }

    /// A number from its status in /proc, such as `VmHWM` in KiB or `Threads`.
    pub fn status(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("the field is there");
        line.trim_start_matches(':').split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number")
    }

    /// How much of the processor it has used, in hundredths of a second.
    pub fn cpu_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("Linux");
        let fields: Vec<&str> = stat.rsplit(") ").next().expect("a name").split(' ').collect();
        let number = |at: usize| fields[at].parse::<u64>().expect("a number");
        number(11) + number(12)
    }

    /// How many descriptors it has open while nobody is connected, once it has served somebody: a runtime makes some when it
    /// first needs them.
    pub fn resting_descriptors(&self) -> usize {
        let mut peer = SocketPeer::logged_in(self);
        peer.say("STAT /", 212);
        peer.say("QUIT", 221);
        drop(peer);
        let mut last = (usize::MAX, 0);
        wait_for("the descriptors to stay the same", || {
            let count = self.descriptors();
            last = if last.0 == count { (count, last.1 + 1) } else { (count, 0) };
            (last.1 >= 100).then_some(count)
        })
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("Linux").count()
    }

    /// Reads away what it writes to standard error, which would stop it when nobody does.
    pub fn ignore_errors(&mut self) {
        let mut stderr = self.child.stderr.take().expect("standard error is a pipe");
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
    }

    /// Waits until it writes a line with this text to standard error.
    pub fn wait_for_log(&mut self, text: &str) {
        let stderr = self.child.stderr.as_mut().expect("standard error is a pipe");
        let mut line = Vec::new();
        loop {
            let mut byte = [0];
            stderr.read_exact(&mut byte).expect("the server runs");
            match byte[0] {
                b'\n' if String::from_utf8_lossy(&line).contains(text) => return,
                b'\n' => line.clear(),
                byte => line.push(byte),
            }
        }
    }

    /// What it wrote to standard error, once it has ended.
    pub fn errors(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut text).expect("text");
        }
        text
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process number of a child.
pub fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// A folder that goes away with its value.
pub fn folder() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    folder
}

/// Waits until `found` gives something.
///
/// # Panics
///
/// If it does not for too long.
pub fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Bytes that look random, and are the same for the same seed.
pub fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}
