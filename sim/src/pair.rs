//! A client session against a server session.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::client::{self, Job, JobError, JobId, Outcome};
use longshore_core::host::{Content, HostError};
use longshore_core::server::{self, Request, ServerContent};
use longshore_core::time::Instant;

use crate::dice::Dice;
use crate::driver::{Driver, LOOPBACK};
use crate::host::MemoryHost;
use crate::network::{Cuts, Network};

/// The client's end of a transfer: what it sends, or what came.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    read: usize,
    /// Whether all came, and was published.
    pub published: bool,
}

impl Buffer {
    /// Content that is to be sent.
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), ..Self::default() }
    }
}

impl Content for Buffer {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError> {
        let count = buffer.len().min(self.bytes.len() - self.read);
        buffer[..count].copy_from_slice(&self.bytes[self.read..self.read + count]);
        self.read += count;
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), HostError> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn publish(&mut self) -> Result<(), HostError> {
        self.published = true;
        Ok(())
    }

    fn rewind(&mut self) -> Result<(), HostError> {
        self.read = 0;
        Ok(())
    }
}

/// Both sides of a session, joined by a link that cuts and delays.
#[derive(Debug)]
pub struct Pair {
    /// The client.
    pub client: Driver<client::Session, Buffer>,
    /// The server.
    pub server: Driver<server::Session, ServerContent<MemoryHost>>,
    host: MemoryHost,
    /// The virtual clock.
    pub now: Instant,
    /// What the server noted.
    pub notes: Vec<server::Note>,
    /// A question that the host thinks about, and until when.
    asked: Option<(Instant, Request)>,
    /// How long the host thinks at most.
    slowness: Duration,
    /// What is seldom and then long.
    dice: Dice,
    payload: Vec<u8>,
    /// What the jobs of [`run_all`](Self::run_all) send, until they are over.
    payloads: HashMap<JobId, Vec<u8>>,
    /// What they brought.
    received: HashMap<JobId, Vec<u8>>,
    moved: u64,
    finished: Vec<(JobId, Result<Outcome, JobError>)>,
}

impl Pair {
    /// A pair that has just connected.
    pub fn new(host: MemoryHost, cuts: Cuts) -> Self {
        Self::with(host, cuts, server::Config::default(), client::Config::default())
    }

    /// A pair with these settings.
    pub fn with(host: MemoryHost, cuts: Cuts, server: server::Config, client: client::Config) -> Self {
        Self::over(&Network::new(cuts), host, server, client)
    }

    /// A pair over a network.
    pub fn over(network: &Network, host: MemoryHost, server: server::Config, client: client::Config) -> Self {
        let (near, far) = network.connection();
        let (here, there) = (SocketAddr::new(LOOPBACK, 40_000), SocketAddr::new(LOOPBACK, 21));
        let now = Instant::ORIGIN;
        let client = client::Session::new(client, here, there, now);
        let server = server::Session::new(Arc::new(server), there, here, now);
        Self {
            client: Driver::new(client, network.clone(), near),
            server: Driver::new(server, network.clone(), far),
            host,
            now,
            notes: Vec::new(),
            asked: None,
            slowness: Duration::ZERO,
            dice: Dice::new(1),
            payload: Vec::new(),
            payloads: HashMap::new(),
            received: HashMap::new(),
            moved: 0,
            finished: Vec::new(),
        }
    }

    /// A pair with a user logged in.
    ///
    /// # Panics
    ///
    /// If the login fails.
    pub fn logged_in(host: MemoryHost, cuts: Cuts) -> Self {
        let mut pair = Self::new(host, cuts);
        let job = Job::Login { user: "alice".into(), password: Some("secret".into()) };
        pair.run(job).expect("alice may log in");
        pair
    }

    /// Runs a job to its end.
    ///
    /// # Errors
    ///
    /// The job's own.
    pub fn run(&mut self, job: Job) -> Result<Outcome, JobError> {
        let id = self.client.session.start(self.now, job);
        self.until_finished(id)
    }

    /// Runs a job that brings data, and gives the data that was published.
    ///
    /// # Errors
    ///
    /// The job's own.
    pub fn fetch(&mut self, job: Job) -> Result<Vec<u8>, JobError> {
        self.payload = Vec::new();
        self.run(job)?;
        let buffer = self.client.content().expect("a job that brings data has content");
        assert!(buffer.published, "data of a job that went well is published");
        Ok(buffer.bytes)
    }

    /// Runs a job that sends data.
    ///
    /// # Errors
    ///
    /// The job's own.
    pub fn send(&mut self, job: Job, data: &[u8]) -> Result<Outcome, JobError> {
        self.payload = data.to_vec();
        self.run(job)
    }

    /// Starts jobs all at once, each with what it sends; gives what they came to, in order, and what they brought.
    pub fn run_all(
        &mut self,
        jobs: impl IntoIterator<Item = (Job, Vec<u8>)>,
    ) -> Vec<Result<(Outcome, Vec<u8>), JobError>> {
        let ids: Vec<JobId> = jobs.into_iter().map(|(job, data)| self.begin(job, data)).collect();
        ids.into_iter()
            .map(|id| {
                let outcome = self.until_finished(id)?;
                Ok((outcome, self.received.remove(&id).unwrap_or_default()))
            })
            .collect()
    }

    /// Starts a job, with what it sends.
    pub fn begin(&mut self, job: Job, data: Vec<u8>) -> JobId {
        let id = self.client.session.start(self.now, job);
        self.payloads.insert(id, data);
        id
    }

    /// What a job that was [begun](Self::begin) came to, if it is over, and what it brought.
    pub fn outcome(&mut self, id: JobId) -> Option<Result<(Outcome, Vec<u8>), JobError>> {
        let at = self.finished.iter().position(|(finished, _)| *finished == id)?;
        let result = self.finished.swap_remove(at).1;
        let received = self.received.remove(&id).unwrap_or_default();
        Some(result.map(|outcome| (outcome, received)))
    }

    /// Starts a job, and goes on until at least `bytes` have been moved for it.
    ///
    /// # Panics
    ///
    /// If the job ends before.
    pub fn run_until_moved(&mut self, job: Job, data: &[u8], bytes: u64) -> JobId {
        self.payload = data.to_vec();
        self.moved = 0;
        let id = self.client.session.start(self.now, job);
        while self.moved < bytes {
            assert!(self.step(), "the job stands still");
            assert!(self.finished.is_empty(), "the job ended early: {:?}", self.finished);
        }
        id
    }

    /// Lets the host think for up to so long, as a seed has it.
    pub fn think(&mut self, slowness: Duration, seed: u64) {
        (self.slowness, self.dice) = (slowness, Dice::new(seed));
    }

    /// Whether both sides are done with their control connections.
    pub fn is_over(&self) -> bool {
        self.client.is_over() && self.server.is_over()
    }

    /// Goes on until a job is over. Time jumps to whatever happens next; a job that never ends is a failure.
    ///
    /// # Errors
    ///
    /// The job's own.
    ///
    /// # Panics
    ///
    /// If nothing will ever happen again.
    pub fn until_finished(&mut self, id: JobId) -> Result<Outcome, JobError> {
        loop {
            if let Some(at) = self.finished.iter().position(|(finished, _)| *finished == id) {
                return self.finished.swap_remove(at).1;
            }
            assert!(self.step(), "the pair stands still, and the job is not over");
        }
    }

    /// Goes on until nothing happens any more.
    pub fn settle(&mut self) {
        for _ in 0..100_000 {
            if !self.step() {
                return;
            }
        }
        panic!("the pair does not come to rest");
    }

    /// Handles what is due now, or jumps to what is due next. False where there is nothing.
    pub fn step(&mut self) -> bool {
        let before = self.client.steps() + self.server.steps();
        while let Some(event) = self.server.next(self.now) {
            match event {
                server::Event::Ask(request) => {
                    let nanos = u64::try_from(self.slowness.as_nanos()).unwrap_or(u64::MAX);
                    let until = self.now + Duration::from_nanos(self.dice.below(nanos));
                    self.asked = Some((until, request));
                    self.answer();
                }
                server::Event::Note(note) => self.notes.push(note),
                server::Event::Closed => {}
            }
        }
        let answered = self.answer();
        while let Some(event) = self.client.next(self.now) {
            match event {
                client::Event::Payload(id) => {
                    let queued = self.payloads.get(&id).cloned();
                    let bytes = queued.unwrap_or_else(|| core::mem::take(&mut self.payload));
                    self.client.offer(Buffer::of(&bytes));
                }
                client::Event::Moved(_, moved) => {
                    self.moved = moved;
                    return true;
                }
                client::Event::Finished(id, result) => {
                    // The content of a job on its own stays at the driver.
                    if self.payloads.remove(&id).is_some()
                        && let Some(buffer) = self.client.content().filter(|buffer| buffer.published)
                    {
                        self.received.insert(id, buffer.bytes);
                    }
                    self.finished.push((id, result));
                }
                client::Event::Sent(_) | client::Event::Reply(_) | client::Event::Closed => {}
            }
        }
        if answered || self.client.steps() + self.server.steps() > before {
            return true;
        }
        let asked = self.asked.as_ref().map(|(until, _)| *until);
        let next = [self.client.next_wake(), self.server.next_wake(), asked].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next > self.now) else {
            return false;
        };
        self.now = next;
        true
    }

    /// Lets the host answer, if it has thought enough; says whether it did.
    fn answer(&mut self) -> bool {
        let now = self.now;
        let Some((_, request)) = self.asked.take_if(|(until, _)| *until <= now) else { return false };
        let (answer, content) = request.run(&mut self.host);
        if let Some(content) = content {
            self.server.offer(content);
        }
        self.server.session.answer(now, answer);
        true
    }
}
