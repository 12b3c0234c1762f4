//! A driver in memory: what runtimes do with sockets, over a [`Network`].

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use longshore_core::digest::Summing;
use longshore_core::host::Content;
use longshore_core::machine::{
    Action, Flow, Input, Machine, NetworkError, Route, SecureError, Secured, TransferError, Way,
};
use longshore_core::pump::{Inflow, Outflow};
use longshore_core::time::Instant;

use crate::network::{Network, Read, Stream};

/// The size of the transfer buffer; small, so that transfers take many steps.
const BUFFER: usize = 4096;

/// One side of a session with its control connection and its data side.
#[derive(Debug)]
pub struct Driver<M, C> {
    /// The session.
    pub session: M,
    network: Network,
    control: Option<Stream>,
    ended: bool,
    steps: u64,
    data: Data,
    flow: Option<Pump>,
    content: Option<C>,
    summing: Option<Box<Summing>>,
    /// The codec has something to tell without more input.
    more: bool,
    /// What the session is still to be told of the data connection.
    news: VecDeque<Input>,
    /// How many data connections there have been.
    pub data_connections: usize,
    /// What comes of a handshake on the control connection.
    pub handshake: Result<Secured, SecureError>,
    /// Whether protected data ends without TLS saying so.
    pub is_cut: bool,
    /// Whether the last flow was protected.
    pub is_protected: bool,
}

#[derive(Debug)]
enum Data {
    None,
    Listening(u16),
    Accepting(u16),
    Open(Stream),
}

#[derive(Debug)]
enum Pump {
    Out(Outflow),
    In(Inflow),
}

impl<M: Machine, C: Content> Driver<M, C> {
    /// A driver for a session on a control connection.
    pub fn new(session: M, network: Network, control: Stream) -> Self {
        Self {
            session,
            network,
            control: Some(control),
            ended: false,
            steps: 0,
            data: Data::None,
            flow: None,
            content: None,
            summing: None,
            more: false,
            news: VecDeque::new(),
            data_connections: 0,
            handshake: Ok(Secured::default()),
            is_cut: false,
            is_protected: false,
        }
    }

    /// Puts content at the data connection.
    pub fn offer(&mut self, content: C) {
        self.content = Some(content);
    }

    /// What is at the data connection.
    pub fn content(&mut self) -> Option<C> {
        self.content.take()
    }

    /// Whether the control connection is done with.
    pub fn is_over(&self) -> bool {
        self.control.is_none()
    }

    /// Breaks the control connection, as a process that dies does.
    pub fn kill(&mut self) {
        self.control = None;
        self.abandon();
    }

    /// Is gone without a word, as a machine is that loses its network: the peer sees neither an end nor a reset.
    pub fn vanish(&mut self) {
        if let Some(control) = self.control.take() {
            control.vanish();
        }
        if let Data::Open(stream) = std::mem::replace(&mut self.data, Data::None) {
            stream.vanish();
        }
        self.abandon();
    }

    /// Goes on until an event comes, or nothing is left to do now.
    pub fn next(&mut self, now: Instant) -> Option<M::Event> {
        loop {
            let mut idle = true;
            while let Some(action) = self.session.poll() {
                idle = false;
                self.steps += 1;
                let input = match action {
                    Action::Event(event) => return Some(event),
                    Action::Close => {
                        self.control = None;
                        self.abandon();
                        None
                    }
                    order => self.obey(now, order),
                };
                if let Some(input) = input {
                    self.session.handle(now, input);
                }
            }
            idle &= !self.control_step(now);
            if let Some(input) = self.data_step(now) {
                self.session.handle(now, input);
                idle = false;
            }
            if self.session.deadline().is_some_and(|deadline| deadline <= now) {
                self.session.handle(now, Input::Tick);
                idle = false;
            }
            if idle {
                return None;
            }
            self.steps += 1;
        }
    }

    /// How often something was done, so that a caller sees whether a call of [`next`](Self::next) changed anything.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// When something will happen by itself.
    pub fn next_wake(&self) -> Option<Instant> {
        let listens = !self.ended && self.session.wants_input();
        let control = self.control.as_ref().filter(|_| listens).and_then(Stream::next_arrival);
        let data = match &self.data {
            Data::Open(stream) if matches!(self.flow, Some(Pump::In(_))) => stream.next_arrival(),
            _ => None,
        };
        [control, data, self.session.deadline()].into_iter().flatten().min()
    }

    fn control_step(&mut self, now: Instant) -> bool {
        let Some(control) = &self.control else {
            return false;
        };
        let sent = control.write(now, self.session.transmit());
        if sent > 0 {
            self.session.sent(now, sent);
            return true;
        }
        if self.ended || !self.session.wants_input() {
            return false;
        }
        match control.read(now) {
            Read::Pending => return false,
            Read::Bytes(bytes) => {
                let taken = self.session.receive(now, &bytes);
                if taken < bytes.len() {
                    control.unread(&bytes[taken..]);
                }
            }
            Read::End | Read::Reset => {
                self.ended = true;
                self.session.receive(now, &[]);
            }
        }
        true
    }

    fn obey(&mut self, now: Instant, order: Action<M::Event>) -> Option<Input> {
        match order {
            // What TLS does is for the runtimes to show; here it is in force at once.
            Action::Secure => Some(Input::Secured(self.handshake.clone())),
            Action::Listen(listen) => {
                self.abandon();
                let port = self.network.listen();
                self.data = Data::Listening(port);
                Some(Input::Listening(Ok(SocketAddr::new(listen.local.ip(), port))))
            }
            Action::Open(Route::Accept { .. }) => {
                if let Data::Listening(port) = self.data {
                    self.data = Data::Accepting(port);
                }
                None
            }
            Action::Open(Route::Dial { to, .. }) => {
                let result = match self.network.dial(to.port()) {
                    Some(stream) => {
                        self.data = Data::Open(stream);
                        self.data_connections += 1;
                        Ok(())
                    }
                    None => Err(NetworkError::Refused),
                };
                Some(Input::Connected(result))
            }
            Action::Open(Route::Kept) => {
                let stands = matches!(&self.data, Data::Open(stream) if !stream.is_closed(now));
                Some(Input::Connected(if stands { Ok(()) } else { Err(NetworkError::Failed) }))
            }
            Action::Start(Flow { way, codec, protected, .. }) => {
                self.is_protected = protected;
                self.flow = Some(match way {
                    Way::Send => Pump::Out(Outflow::new(codec, BUFFER)),
                    Way::Receive => Pump::In(Inflow::new(codec)),
                });
                None
            }
            Action::Digest(summing) => {
                self.summing = Some(summing);
                None
            }
            Action::Publish => self.content.as_mut().map(|content| Input::Published(content.publish())),
            Action::Abandon => {
                self.abandon();
                self.content = None;
                None
            }
            Action::Close | Action::Event(_) => None,
        }
    }

    fn abandon(&mut self) {
        if let Data::Listening(port) | Data::Accepting(port) = self.data {
            self.network.close(port);
        }
        self.data = Data::None;
        self.flow = None;
        self.summing = None;
        self.more = false;
        self.news.clear();
    }

    fn data_step(&mut self, now: Instant) -> Option<Input> {
        if let Some(news) = self.news.pop_front() {
            return Some(news);
        }
        if let (Some(summing), Some(content)) = (&mut self.summing, &mut self.content) {
            let result = match summing.step(content) {
                Ok((count, None)) => return Some(Input::Moved(count)),
                Ok((_, Some(digest))) => Ok(digest),
                Err(error) => Err(error),
            };
            self.summing = None;
            return Some(Input::Digested(result));
        }
        if let Data::Accepting(port) = self.data {
            let stream = self.network.accept(port)?;
            self.network.close(port);
            self.data = Data::Open(stream);
            self.data_connections += 1;
            return Some(Input::Connected(Ok(())));
        }
        let (Data::Open(stream), Some(flow), Some(content)) = (&self.data, &mut self.flow, &mut self.content) else {
            return None;
        };
        let mut keeps = false;
        let result = match flow {
            Pump::Out(flow) => match flow.fill(content) {
                Ok(()) if flow.is_over() => {
                    keeps = flow.keeps_connection();
                    if !keeps {
                        stream.close();
                    }
                    Ok(())
                }
                Ok(()) => {
                    let sent = stream.write(now, flow.bytes());
                    let told = flow.sent(sent);
                    return (sent > 0).then_some(Input::Moved(told));
                }
                Err(error) => Err(error),
            },
            Pump::In(flow) => {
                let read = if core::mem::take(&mut self.more) { Read::Bytes(Vec::new()) } else { stream.read(now) };
                let (bytes, ends) = match read {
                    Read::Pending => return None,
                    Read::Bytes(bytes) => (bytes, false),
                    Read::End if self.is_protected && self.is_cut => {
                        (self.flow, self.data) = (None, Data::None);
                        return Some(Input::Finished(Err(TransferError::Unclosed)));
                    }
                    Read::End => (Vec::new(), true),
                    Read::Reset => {
                        (self.flow, self.data) = (None, Data::None);
                        return Some(Input::Finished(Err(TransferError::Lost)));
                    }
                };
                match flow.write(&bytes, ends, content) {
                    Ok(taken) => {
                        if taken.read < bytes.len() {
                            stream.unread(&bytes[taken.read..]);
                        }
                        self.news.push_back(Input::Moved(taken.payload));
                        self.news.extend(taken.mark.map(Input::Marked));
                        if !taken.over {
                            self.more = !taken.hungry;
                            return self.news.pop_front();
                        }
                        keeps = flow.keeps_connection();
                        Ok(())
                    }
                    Err(error) => Err(error),
                }
            }
        };
        self.flow = None;
        if !keeps {
            self.data = Data::None;
        }
        self.news.push_back(Input::Finished(result));
        self.news.pop_front()
    }
}

/// The address of everybody in memory.
pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
