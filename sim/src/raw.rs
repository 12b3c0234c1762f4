//! A server session against commands that a test types.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use longshore_core::machine::{Input, Machine};
use longshore_core::server::{Config, Event, Note, ServerContent, Session};
use longshore_core::time::Instant;
use longshore_core::wire::reply::{Reply, ReplyDecoder};

use crate::dialogue::Peer;
use crate::driver::{Driver, LOOPBACK};
use crate::host::MemoryHost;
use crate::network::{Cuts, Network, Read, Stream};

/// The test's end of a control connection, and a server at the other.
#[derive(Debug)]
pub struct Raw {
    /// The server.
    pub server: Driver<Session, ServerContent<MemoryHost>>,
    host: MemoryHost,
    network: Network,
    control: Option<Stream>,
    data: Option<Stream>,
    listening: bool,
    decoder: ReplyDecoder,
    unread: Vec<u8>,
    /// The virtual clock.
    pub now: Instant,
    /// What the server noted.
    pub notes: Vec<Note>,
}

impl Raw {
    /// A server that has just been connected to.
    pub fn new(host: MemoryHost, config: Config, cuts: Cuts) -> Self {
        let network = Network::new(cuts);
        let (near, far) = network.connection();
        let (here, there) = (SocketAddr::new(LOOPBACK, 40_000), SocketAddr::new(LOOPBACK, 21));
        let session = Session::new(Arc::new(config), there, here, Instant::ORIGIN);
        Self {
            server: Driver::new(session, network.clone(), far),
            host,
            network,
            control: Some(near),
            data: None,
            listening: false,
            decoder: ReplyDecoder::new(),
            unread: Vec::new(),
            now: Instant::ORIGIN,
            notes: Vec::new(),
        }
    }

    /// Hears the greeting, and logs in.
    ///
    /// # Panics
    ///
    /// If the server does not let this user in.
    pub fn log_in(&mut self, user: &str) {
        let greeting = self.reply().map(|reply| reply.code);
        assert_eq!(greeting, Some(220));
        for (command, code) in [(format!("USER {user}"), 331), ("PASS secret".to_owned(), 230)] {
            self.command(command.as_bytes());
            assert_eq!(self.reply().map(|reply| reply.code), Some(code), "{command}");
        }
    }

    /// All files there are, and directories.
    pub fn files(&self) -> BTreeMap<String, Option<Arc<Vec<u8>>>> {
        self.host.files()
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        if let Some(control) = &self.control {
            control.write(self.now, bytes);
        }
        self.settle();
    }

    /// Sends data and its end, while the server looks elsewhere.
    pub fn upload_quietly(&mut self, bytes: &[u8]) {
        if let Some(data) = self.data.take() {
            data.write(self.now, bytes);
        }
    }

    /// Hangs up.
    pub fn hang_up(&mut self) {
        self.control = None;
        self.settle();
    }

    /// Tells the server that the program is to end.
    pub fn stop(&mut self) {
        self.server.session.handle(self.now, Input::Stop);
        self.settle();
    }

    /// Lets the server do what is due now.
    pub fn settle(&mut self) {
        while let Some(event) = self.server.next(self.now) {
            match event {
                Event::Ask(request) => {
                    let (answer, content) = request.run(&mut self.host);
                    if let Some(content) = content {
                        self.server.offer(content);
                    }
                    self.server.session.answer(self.now, answer);
                }
                Event::Note(note) => self.notes.push(note),
                Event::Closed => {}
            }
        }
    }

    /// Jumps to what the server waits for. False where it waits for nothing but its peer.
    pub fn sleep(&mut self) -> bool {
        self.settle();
        let arrival = self.control.as_ref().and_then(Stream::next_arrival);
        let data = self.data.as_ref().and_then(Stream::next_arrival);
        let next = [self.server.next_wake(), arrival, data].into_iter().flatten().filter(|next| *next > self.now).min();
        let Some(next) = next else {
            return false;
        };
        self.now = next;
        self.settle();
        true
    }

    /// All the data that has come on the data connection, and whether it has ended.
    pub fn read_data(&mut self) -> (Vec<u8>, bool) {
        let mut bytes = Vec::new();
        loop {
            self.settle();
            match self.data.as_ref().map(|data| data.read(self.now)) {
                Some(Read::Bytes(piece)) => bytes.extend_from_slice(&piece),
                Some(Read::End | Read::Reset) | None => return (bytes, true),
                Some(Read::Pending) => {
                    if self.data.as_ref().is_some_and(|data| data.next_arrival().is_none()) || !self.sleep() {
                        return (bytes, false);
                    }
                }
            }
        }
    }

    fn next_reply(&mut self) -> Option<Reply> {
        if !self.unread.is_empty() {
            let (taken, reply) = self.decoder.decode(&self.unread).expect("a server sends replies");
            self.unread.drain(..taken);
            if reply.is_some() {
                return reply;
            }
        }
        match self.control.as_ref().map(|control| control.read(self.now)) {
            Some(Read::Bytes(piece)) => {
                self.unread.extend_from_slice(&piece);
                self.next_reply()
            }
            _ => None,
        }
    }
}

impl Peer for Raw {
    fn command(&mut self, line: &[u8]) {
        self.send(&[line, b"\r\n"].concat());
    }

    fn reply(&mut self) -> Option<Reply> {
        loop {
            self.settle();
            if let Some(reply) = self.next_reply() {
                return Some(reply);
            }
            if !self.sleep() {
                return None;
            }
        }
    }

    fn connect(&mut self, port: u16) {
        self.listening = false;
        self.data = self.network.dial(port);
    }

    fn listen(&mut self, line: &[u8]) -> Vec<u8> {
        self.network.listen_on(crate::dialogue::ACTIVE_PORT);
        self.listening = true;
        line.to_vec()
    }

    fn accept(&mut self) {
        self.settle();
        if core::mem::take(&mut self.listening) {
            self.data = self.network.accept(crate::dialogue::ACTIVE_PORT);
        }
    }

    fn upload(&mut self, bytes: &[u8]) {
        if let Some(data) = self.data.take() {
            data.write(self.now, bytes);
            data.close();
            self.settle();
        }
    }

    fn send_data(&mut self, bytes: &[u8]) {
        if let Some(data) = &self.data {
            data.write(self.now, bytes);
            self.settle();
        }
    }

    fn receive_data(&mut self) -> Vec<u8> {
        loop {
            self.settle();
            match self.data.as_ref().map(|data| data.read(self.now)) {
                Some(Read::Bytes(piece)) => return piece,
                Some(Read::Pending) if self.sleep() => {}
                _ => return Vec::new(),
            }
        }
    }

    fn download(&mut self) -> Vec<u8> {
        let (bytes, _) = self.read_data();
        self.data = None;
        bytes
    }

    fn drop_data(&mut self) {
        self.data = None;
        self.listening = false;
    }

    /// In memory TLS is in force as soon as it is agreed on, and changes no bytes.
    fn secure(&mut self) {
        self.settle();
    }

    fn protect_data(&mut self, _is_private: bool) {}
}
