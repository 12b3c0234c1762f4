//! What the three server programs share: everything but the sockets. A program is a runtime that implements [`Serve`], and
//! a `main` that calls [`main`].

mod places;
mod reload;

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;

use longshore_core::server::{Config, Session};
use longshore_core::time::Instant;

pub use self::places::{Place, Places};
use self::reload::Reload;
use crate::directory::{DiskHost, Tree};
use crate::settings::{ServerArguments, SettingsError};
use crate::signals::{Signal, at_hangup};
use crate::tls::{self, Source};

/// Exit code for bad arguments, and for a start that failed.
const FAILED: u8 = 2;

/// A runtime that can serve.
pub trait Serve {
    /// Serves until [`Service::stop`] is readable and all sessions are over.
    ///
    /// # Errors
    ///
    /// The runtime itself failed.
    fn serve(service: Service) -> io::Result<()>;
}

/// A server that is ready to take connections.
#[derive(Debug)]
pub struct Service {
    /// Where connections come in.
    pub listeners: Vec<TcpListener>,
    /// What sessions are told.
    pub config: Arc<Config>,
    /// Becomes readable when the program is to end.
    pub stop: Signal,
    /// Who may have a session.
    pub places: Places,
    tree: Arc<Tree>,
    tls: Option<Arc<tls::Server>>,
}

impl Service {
    /// A session for a connection that came, and its place, which is free again once it is dropped; one for whom there is no
    /// place is told so by its session. It comes boxed, and from a function of its own, so that it does not widen the frame of a
    /// thread that keeps what it touched of its stack.
    #[inline(never)]
    pub fn session(&self, local: SocketAddr, peer: SocketAddr, now: Instant) -> (Box<Session>, Option<Place>) {
        let config = Arc::clone(&self.config);
        match self.places.take(peer.ip()) {
            Ok(place) => (Box::new(Session::new(config, local, peer, now)), Some(place)),
            Err(why) => (Box::new(Session::refused(config, local, peer, now, why)), None),
        }
    }

    /// What protects a session, if anything.
    pub fn tls(&self) -> Option<Source> {
        self.tls.clone().map(Source::Server)
    }

    /// A session's view of the files.
    pub fn host(&self) -> DiskHost {
        DiskHost::new(Arc::clone(&self.tree))
    }
}

/// The whole of a server program.
pub fn main<R: Serve>() -> ExitCode {
    let arguments = match crate::arguments::<ServerArguments>() {
        Ok(arguments) => arguments,
        Err(error) => return crate::usage(&error),
    };
    if arguments.hash_password {
        return match print_hash() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        };
    }
    match start(arguments).and_then(|service| R::serve(service).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &str) -> ExitCode {
    eprintln!("{}: {error}", crate::program());
    ExitCode::from(FAILED)
}

fn start(arguments: ServerArguments) -> Result<Service, String> {
    let text = |error: SettingsError| error.to_string();
    let arguments = arguments.with_file().map_err(text)?;
    crate::logging::start(arguments.verbosity(), arguments.log_format.unwrap_or_default());
    let settings = arguments.settle().map_err(text)?;
    raise_descriptors();
    // Before the first connection, so that no signal is lost.
    let stop = Signal::stop().map_err(|error| error.to_string())?;
    let (tree, tls) = (Arc::new(settings.tree), settings.tls.map(Arc::new));
    let reload = Reload { tls: tls.clone(), users: settings.users, tree: Arc::clone(&tree) };
    if reload.has_files() {
        at_hangup(move || reload.run()).map_err(|error| error.to_string())?;
    }
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut port = settings.port;
    for ip in &settings.listen {
        let address = SocketAddr::new(*ip, port);
        let listener =
            crate::net::listen_control(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
        // All addresses share the port that the system picked for the first.
        port = listener.local_addr().map_err(|error| error.to_string())?.port();
        listeners.push(listener);
    }
    if let Err(error) = announce(&listeners) {
        // Whoever started it does not listen; others may want to connect all the same.
        tracing::warn!(%error, "cannot say where the server listens");
    }
    if let Some(tls) = &tls {
        tracing::info!(fingerprint = tls.fingerprint(), "FTPS is offered with this certificate");
    }
    Ok(Service {
        listeners,
        config: Arc::new(settings.config),
        stop,
        places: Places::new(settings.max_sessions, settings.max_sessions_per_ip),
        tree,
        tls,
    })
}

/// A session takes up to a handful of descriptors, and the usual limit is for programs that have no clients.
fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

fn announce(listeners: &[TcpListener]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut local_only = true;
    for listener in listeners {
        let address = listener.local_addr()?;
        local_only &= address.ip().to_canonical().is_loopback();
        writeln!(out, "Server listening on port {}", address.port())?;
    }
    out.flush()?;
    if local_only {
        tracing::info!("only this machine can connect; --listen ADDRESS opens the server to others");
    }
    Ok(())
}

fn print_hash() -> Result<(), String> {
    let password = if io::IsTerminal::is_terminal(&io::stdin()) {
        rpassword::prompt_password("Password: ")
    } else {
        io::stdin().lines().next().unwrap_or(Ok(String::new()))
    };
    let password = password.map_err(|error| error.to_string())?;
    if password.is_empty() {
        return Err("the password is empty".to_owned());
    }
    let hash = crate::accounts::hash_password(&password)?;
    writeln!(io::stdout(), "{hash}").map_err(|error| error.to_string())
}
