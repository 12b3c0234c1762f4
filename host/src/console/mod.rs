//! What the three client programs share: everything but the sockets. A program is a runtime that implements [`Dial`], and a
//! `main` that calls [`main`].
//!
//! | file | what |
//! |---|---|
//! | `remote.rs` | the session with a server: jobs are run, events shown |
//! | `target.rs` | where to connect to, and as whom: arguments, URL, `.netrc`, environment |
//! | `content.rs` | the local end of transfers |
//! | `commands/` | the commands, and the table of them |
//! | `prompt.rs` | line editing, history, completion |
//! | `progress.rs` | the progress bar |

/// Prints a line of a result, to standard output.
macro_rules! say {
    ($($text:tt)*) => {
        if let Err(error) = $crate::console::print(std::io::stdout(), format_args!($($text)*)) {
            $crate::console::lost_output(&error);
        }
    };
}

/// Prints a line of what is not a result, to standard error.
macro_rules! tell {
    ($($text:tt)*) => {
        // There is nowhere else to say it.
        drop($crate::console::print(std::io::stderr(), format_args!($($text)*)))
    };
}

mod commands;
mod content;
mod progress;
mod prompt;
mod remote;
mod target;

use std::io::{self, BufRead, IsTerminal};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use longshore_core::client::Tls;

use self::commands::{CommandError, Next};
pub use self::content::LocalContent;
use self::remote::Remote;
use self::target::Target;
use crate::control::Drive;
use crate::settings::{ClientArguments, ClientTls};
use crate::signals::Interrupt;
use crate::tls::{Source, Trust};

/// Exit code where a command failed.
const COMMAND_FAILED: u8 = 1;
/// Exit code where there is no session to run commands in.
const NO_SESSION: u8 = 2;

/// A runtime that can connect.
pub trait Dial {
    /// Its driver.
    type Wire: Drive<LocalContent>;

    /// Connects; `tls` can protect the connection.
    ///
    /// # Errors
    ///
    /// Nobody answers there.
    fn dial(address: SocketAddr, tls: Option<Source>, interrupt: Interrupt) -> io::Result<Self::Wire>;
}

/// Whether a result could not be written, to a disk that is full, say.
static OUTPUT_LOST: AtomicBool = AtomicBool::new(false);

fn print(mut out: impl io::Write, line: std::fmt::Arguments<'_>) -> io::Result<()> {
    writeln!(out, "{line}")
}

/// A reader that has gone away wants no more, which is no error.
fn lost_output(error: &io::Error) {
    if error.kind() != io::ErrorKind::BrokenPipe {
        OUTPUT_LOST.store(true, Ordering::Relaxed);
    }
}

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Talk {
    Quiet,
    Normal,
    /// The control dialogue too.
    Verbose,
}

/// The whole of a client program.
pub fn main<R: Dial>() -> ExitCode {
    let arguments = match crate::arguments::<ClientArguments>() {
        Ok(arguments) => arguments,
        Err(error) => return crate::usage(&error),
    };
    match Console::<R>::start(&arguments) {
        Ok(mut console) => console.run(&arguments),
        Err(error) => {
            tell!("{}: {error}", crate::program());
            ExitCode::from(NO_SESSION)
        }
    }
}

/// A user at work.
struct Console<R: Dial> {
    remote: Option<Remote<R>>,
    interrupt: Interrupt,
    talk: Talk,
    ascii: bool,
    passive: bool,
    /// As the arguments said, for whatever server is connected to.
    tls: Option<ClientTls>,
    trust: Trust,
}

impl<R: Dial> Console<R> {
    fn start(arguments: &ClientArguments) -> Result<Self, String> {
        let talk = match (arguments.verbose, arguments.quiet) {
            (true, _) => Talk::Verbose,
            (_, true) => Talk::Quiet,
            _ => Talk::Normal,
        };
        let tls = arguments.tls;
        let target = Target::resolve(&arguments.server, arguments.port, arguments.user.as_deref(), tls)?;
        let interrupt = Interrupt::new().map_err(|error| error.to_string())?;
        let (passive, trust) = (!arguments.active, arguments.trust());
        // Who began with ftps:// means it for whatever is opened later.
        let tls = tls.or((target.tls != Tls::Off).then_some(ClientTls::Implicit));
        if target.tls == Tls::Off && trust != Trust::default() {
            return Err("--cacert, --insecure and --pin are for --tls explicit, --tls implicit and ftps://".to_owned());
        }
        let mut console = Self { remote: None, interrupt, talk, ascii: false, passive, tls, trust };
        console.connect(&target)?;
        Ok(console)
    }

    /// Connects, logs in, and goes where the target says.
    fn connect(&mut self, target: &Target) -> Result<(), String> {
        self.remote = None;
        self.interrupt.arm();
        let mut remote = Remote::connect(target, &self.trust, self.interrupt.clone(), self.talk, self.passive)?;
        remote.login(target, &self.interrupt)?;
        for folder in &target.folders {
            remote.enter(folder).map_err(|error| format!("{}: {error}", longshore_core::wire::reply::Shown(folder)))?;
        }
        self.ascii = target.ascii;
        self.remote = Some(remote);
        Ok(())
    }

    fn run(&mut self, arguments: &ClientArguments) -> ExitCode {
        if !arguments.commands.is_empty() {
            for command in &arguments.commands {
                match self.execute(command.as_bytes()) {
                    Ok(Next::Go) => {}
                    Ok(Next::Quit) => return ExitCode::SUCCESS,
                    Err(error) => return self.failed(&error),
                }
            }
            self.quit();
            return ExitCode::SUCCESS;
        }
        if io::stdin().is_terminal() {
            prompt::run(self);
            ExitCode::SUCCESS
        } else {
            self.run_lines()
        }
    }

    /// Commands from a pipe: all of them, and the exit code tells whether one failed.
    fn run_lines(&mut self) -> ExitCode {
        let mut code = ExitCode::SUCCESS;
        let mut input = io::stdin().lock();
        let mut line = Vec::new();
        loop {
            line.clear();
            match input.read_until(b'\n', &mut line) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    tell!("{}: {error}", crate::program());
                    return ExitCode::from(COMMAND_FAILED);
                }
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            match self.execute(text.strip_suffix(b"\r").unwrap_or(text)) {
                Ok(Next::Go) => {}
                Ok(Next::Quit) => return code,
                Err(error) => code = self.failed(&error),
            }
        }
        self.quit();
        code
    }

    fn failed(&self, error: &CommandError) -> ExitCode {
        tell!("{error}");
        ExitCode::from(COMMAND_FAILED)
    }

    /// Runs a line.
    fn execute(&mut self, line: &[u8]) -> Result<Next, CommandError> {
        self.interrupt.begin();
        let mut result = commands::execute(self, line);
        if OUTPUT_LOST.swap(false, Ordering::Relaxed) && result.is_ok() {
            result = Err(CommandError::Output);
        }
        if self.remote.as_ref().is_some_and(|remote| remote.is_lost()) {
            self.remote = None;
        }
        result
    }

    /// Says goodbye, if there is anybody to say it to.
    fn quit(&mut self) {
        if let Some(mut remote) = self.remote.take() {
            remote.quit();
        }
    }
}
