//! A client session against a server that does it in its own way.

use std::net::SocketAddr;
use std::time::Duration;

use longshore_core::client::{Config, Event, Job, JobError, JobId, Outcome, Session};
use longshore_core::time::Instant;

use crate::{Buffer, Cuts, Driver, Network, Read, Stream};

/// A server that says what a test tells it to.
#[derive(Debug)]
pub struct Odd {
    /// The client.
    pub client: Driver<Session, Buffer>,
    /// The server's end of the control connection.
    pub control: Stream,
    /// Where data connections are made.
    pub network: Network,
    /// The virtual clock.
    pub now: Instant,
    heard: Vec<u8>,
    finished: Vec<(JobId, Result<Outcome, JobError>)>,
    /// Whether the session is over.
    pub closed: bool,
}

impl Odd {
    /// One that has not said anything yet.
    pub fn silent() -> Self {
        Self::with(Config::default())
    }

    /// One that has not said anything yet, to a client with this configuration.
    pub fn with(config: Config) -> Self {
        let network = Network::new(Cuts::none());
        let (near, control) = network.connection();
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let session = Session::new(config, address(40_000), address(21), Instant::ORIGIN);
        let client = Driver::new(session, network.clone(), near);
        let (heard, finished) = (Vec::new(), Vec::new());
        Self { client, control, network, now: Instant::ORIGIN, heard, finished, closed: false }
    }

    /// One that has greeted, and let somebody in.
    ///
    /// # Panics
    ///
    /// If the client does not log in.
    pub fn ready() -> Self {
        let mut odd = Self::silent();
        let login = odd.start(Job::Login { user: "me".into(), password: Some("x".into()) });
        odd.say("220 hi");
        odd.dialogue(&[("USER me", "331 pw"), ("PASS x", "230 in"), ("FEAT", "500 what?")]);
        assert!(odd.result(login).is_ok());
        odd
    }

    /// Starts a job.
    pub fn start(&mut self, job: Job) -> JobId {
        self.client.session.start(self.now, job)
    }

    /// Lets the client do what is due now.
    pub fn run(&mut self) {
        while let Some(event) = self.client.next(self.now) {
            match event {
                Event::Payload(_) => self.client.offer(Buffer::of(b"content")),
                Event::Finished(id, result) => self.finished.push((id, result)),
                Event::Closed => self.closed = true,
                Event::Sent(_) | Event::Reply(_) | Event::Moved(..) => {}
            }
        }
    }

    /// Says a line, or several.
    pub fn say(&mut self, text: &str) {
        self.control.write(self.now, format!("{text}\r\n").as_bytes());
        self.run();
    }

    /// Sends data to whoever has connected, or connects itself where the client listens.
    pub fn send_data(&mut self, bytes: &[u8]) {
        let ports = 50_001..50_010;
        let waiting = ports.clone().find_map(|port| self.network.accept(port));
        if let Some(data) = waiting.or_else(|| ports.clone().find_map(|port| self.network.dial(port))) {
            data.write(self.now, bytes);
        }
    }

    /// What the client has sent since the last time.
    pub fn hear(&mut self) -> String {
        self.run();
        while let Read::Bytes(bytes) = self.control.read(self.now) {
            self.heard.extend_from_slice(&bytes);
        }
        String::from_utf8_lossy(&std::mem::take(&mut self.heard)).trim_end().to_owned()
    }

    /// Each command is expected, and answered.
    ///
    /// # Panics
    ///
    /// If another comes.
    pub fn dialogue(&mut self, lines: &[(&str, &str)]) {
        for (command, reply) in lines {
            assert_eq!(self.hear(), *command);
            self.say(reply);
        }
    }

    /// A dialogue up to a passive data connection, which it gives.
    ///
    /// # Panics
    ///
    /// If the client says something else.
    pub fn passive(&mut self, lines: &[(&str, &str)]) -> Stream {
        self.dialogue(lines);
        assert_eq!(self.hear(), "EPSV");
        let port = self.network.listen();
        self.say(&format!("229 ok (|||{port}|)"));
        self.network.accept(port).expect("the client connects")
    }

    /// Lets time pass.
    pub fn sleep(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
        self.run();
    }

    /// What a job came to.
    ///
    /// # Panics
    ///
    /// If it is not over.
    pub fn result(&mut self, id: JobId) -> Result<Outcome, JobError> {
        self.run();
        let at = self.finished.iter().position(|(finished, _)| *finished == id).expect("the job is over");
        self.finished.swap_remove(at).1
    }

    /// Whether no job has ended.
    pub fn is_running(&mut self) -> bool {
        self.run();
        self.finished.is_empty()
    }
}
