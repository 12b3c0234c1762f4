//! A client session of each runtime, as a library: what the client programs are without their console.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use longshore_core::client::{Config, Event, Job, JobError, ListFormat, Manner, Outcome, Session, Tls};
use longshore_core::codec::Representation;
use longshore_core::host::{Content, HostError, Store};
use longshore_core::time::Instant;
use longshore_futures::Runtime;
use longshore_host::control::Drive;
use longshore_host::signals::Interrupt;
use longshore_host::tls::{Context, Source, Trust};
use longshore_host::transfer::{Cargo, Native};

/// A file as it is, of which nobody asks how it fares.
#[derive(Debug)]
pub struct Local(File);

impl Content for Local {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError> {
        self.0.read(buffer).map_err(|_| HostError::Failed)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), HostError> {
        self.0.write_all(bytes).map_err(|_| HostError::Failed)
    }

    fn publish(&mut self) -> Result<(), HostError> {
        Ok(())
    }
}

impl Native for Local {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }
}

/// A runtime's driver for a session.
pub trait Link {
    /// Connects to a server on this machine.
    fn connect(port: u16, tls: Option<Source>) -> Self;
    /// The ends of the control connection.
    fn addresses(&self) -> (SocketAddr, SocketAddr);
    /// The time that the session is told.
    fn now(&self) -> Instant;
    /// Puts content at the data connection.
    fn offer(&mut self, content: Local);
    /// Drives the session to its next event.
    fn next(&mut self, session: &mut Session) -> Event;
}

/// Blocking std.
#[allow(missing_debug_implementations)]
pub struct Std(longshore_std::wire::Wire<Local>);

impl Link for Std {
    fn connect(port: u16, tls: Option<Source>) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the server takes connections");
        let interrupt = Interrupt::new().expect("there are descriptors");
        let wire = longshore_std::wire::Wire::new(stream, tls, interrupt.signal().clone(), true);
        Self(wire.expect("the connection stands"))
    }

    fn addresses(&self) -> (SocketAddr, SocketAddr) {
        self.0.addresses().expect("the connection stands")
    }

    fn now(&self) -> Instant {
        self.0.now()
    }

    fn offer(&mut self, content: Local) {
        self.0.offer(content);
    }

    fn next(&mut self, session: &mut Session) -> Event {
        self.0.next(session).expect("the system can wait")
    }
}

/// An async runtime.
#[allow(missing_debug_implementations)]
pub struct Futures<R: Runtime>(longshore_futures::wire::Wire<R, Local>);

impl<R: Runtime> Link for Futures<R> {
    fn connect(port: u16, tls: Option<Source>) -> Self {
        R::run(async {
            let stream = R::connect((Ipv4Addr::LOCALHOST, port).into()).await.expect("the server takes connections");
            let interrupt = Interrupt::new().expect("there are descriptors");
            let wire = longshore_futures::wire::Wire::dial(stream, tls, interrupt.signal());
            Self(wire.expect("the connection stands"))
        })
    }

    fn addresses(&self) -> (SocketAddr, SocketAddr) {
        self.0.addresses().expect("the connection stands")
    }

    fn now(&self) -> Instant {
        self.0.now()
    }

    fn offer(&mut self, content: Local) {
        self.0.offer(Cargo::new(content));
    }

    fn next(&mut self, session: &mut Session) -> Event {
        R::run(self.0.next(session))
    }
}

/// A session that is logged in.
#[allow(missing_debug_implementations)]
pub struct Connection<L> {
    link: L,
    session: Session,
}

impl<L: Link> Connection<L> {
    /// Connects, and logs in.
    ///
    /// # Panics
    ///
    /// If that fails; so do all others.
    pub fn open(port: u16, protected: bool) -> Self {
        let trust = Trust { anybody: true, ..Trust::default() };
        let tls = protected.then(|| Source::Client(Context::client(&trust, "localhost").expect("a name")));
        let link = L::connect(port, tls);
        let (local, peer) = link.addresses();
        let config = Config { tls: if protected { Tls::Explicit } else { Tls::Off }, ..Config::default() };
        let session = Session::new(config, local, peer, link.now());
        let mut connection = Self { link, session };
        connection.run(vec![Job::Login { user: "anonymous".into(), password: Some("x".into()) }], || unreachable!());
        connection
    }

    /// Logs out.
    pub fn close(mut self) {
        self.run(vec![Job::Quit], || unreachable!());
    }

    /// Gets files, and throws them away.
    pub fn get(&mut self, names: &[String], manner: Manner) {
        let jobs = names.iter().map(|name| Job::Retrieve {
            path: name.clone().into(),
            offset: 0,
            representation: Representation::Image,
            size: Some(0),
            manner,
        });
        self.run(jobs.collect(), || File::options().write(true).open("/dev/null"));
        self.end(manner);
    }

    /// Puts one file under these names.
    pub fn put(&mut self, path: &std::path::Path, names: &[String], manner: Manner) {
        let jobs = names.iter().map(|name| Job::Store {
            path: name.clone().into(),
            how: Store::Replace,
            size: path.metadata().ok().map(|it| it.len()),
            representation: Representation::Image,
            manner,
        });
        self.run(jobs.collect(), || File::open(path));
        self.end(manner);
    }

    /// Changes the working directory.
    pub fn enter(&mut self, directory: &str) {
        self.run(vec![Job::ChangeDirectory(directory.to_owned().into())], || unreachable!());
    }

    /// Lists the directory.
    pub fn list(&mut self, format: ListFormat) {
        self.run(vec![Job::List { format, path: None }], || File::options().write(true).open("/dev/null"));
    }

    fn end(&mut self, manner: Manner) {
        if manner == Manner::Many {
            self.run(vec![Job::EndMany], || unreachable!());
        }
    }

    fn run(&mut self, jobs: Vec<Job>, open: impl Fn() -> std::io::Result<File>) {
        let mut left = jobs.len();
        for job in jobs {
            self.session.start(self.link.now(), job);
        }
        while left > 0 {
            match self.link.next(&mut self.session) {
                Event::Payload(_) => self.link.offer(Local(open().expect("the file is there"))),
                Event::Finished(_, result) => {
                    let _: Outcome = result.unwrap_or_else(|error: JobError| panic!("{error}"));
                    left -= 1;
                }
                Event::Closed => panic!("the server has gone"),
                Event::Sent(_) | Event::Reply(_) | Event::Moved(..) => {}
            }
        }
    }
}
