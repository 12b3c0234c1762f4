//! The driver: it carries out what a session wants, and waits for what happens next.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use longshore_core::machine::{Action, Input, Machine};
use longshore_core::time::Instant;
use longshore_host::control::{Clock, Drive, EAGER_TURNS};
use longshore_host::signals::Signal;
use longshore_host::tls::Source;
use longshore_host::transfer::Native;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::control::Control;
use crate::data::Data;

/// A control connection, the data connections beside it, and a clock.
#[derive(Debug)]
pub struct Wire<C> {
    control: Control,
    data: Data<C>,
    clock: Clock,
    signal: Option<Signal>,
    /// Whether the signal comes again and again, as an interrupt does, or once, as the order to stop does.
    repeats: bool,
}

/// What a wait found.
struct Ready {
    control: bool,
    broken: bool,
    data: bool,
    signal: bool,
}

impl<C: Native> Drive<C> for Wire<C> {
    fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        self.control.addresses()
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn offer(&mut self, content: C) {
        self.data.offer(content);
    }

    fn take_content(&mut self) -> Option<C> {
        self.data.take_content()
    }

    fn next<M: Machine>(&mut self, session: &mut M) -> io::Result<M::Event> {
        loop {
            while let Some(action) = session.poll() {
                let input = match action {
                    Action::Event(event) => return Ok(event),
                    Action::Close => {
                        self.control.close();
                        None
                    }
                    Action::Secure => {
                        self.secure(session);
                        None
                    }
                    order => self.data.obey(order, self.control.line.tls()),
                };
                if let Some(input) = input {
                    session.handle(self.clock.now(), input);
                }
            }
            let mut turns = 0;
            while turns < EAGER_TURNS
                && self.data.is_hot()
                && let Some(input) = self.data.step()
            {
                session.handle(self.clock.now(), input);
                turns += 1;
            }
            if turns > 0 && !self.data.is_hot() {
                continue;
            }
            if self.control.flush(self.clock.now(), session) {
                continue;
            }
            let ready = self.wait(session)?;
            let now = self.clock.now();
            if ready.broken {
                self.control.line.ended(now, session);
            } else if ready.control {
                self.control.read(now, session);
            }
            if ready.signal {
                self.signalled();
                session.handle(now, Input::Stop);
            }
            // What becomes due just now waits for the next look at the control connection.
            let is_due = |session: &M| session.deadline().is_some_and(|deadline| deadline <= now);
            let due = is_due(session);
            if ready.data
                && let Some(input) = self.data.step()
            {
                session.handle(now, input);
            }
            if due && is_due(session) {
                session.handle(now, Input::Tick);
            }
        }
    }
}

impl<C: Native> Wire<C> {
    /// A wire over a connection that was just made, which `tls` can protect. `signal` becomes [`Input::Stop`].
    ///
    /// # Errors
    ///
    /// The connection is gone already.
    pub fn new(stream: TcpStream, tls: Option<Source>, signal: Signal, repeats: bool) -> io::Result<Self> {
        let control = Control::new(stream, tls)?;
        Ok(Self { control, data: Data::new(), clock: Clock::start(), signal: Some(signal), repeats })
    }

    /// Apart, since a handshake needs more of the stack than a session at rest.
    #[inline(never)]
    fn secure<M: Machine>(&mut self, session: &mut M) {
        self.control.line.secure(self.clock.now(), session);
    }

    fn signalled(&mut self) {
        match &self.signal {
            Some(signal) if self.repeats => drop(signal.take()),
            _ => self.signal = None,
        }
    }

    /// Waits for control, data, the signal or the deadline, whichever comes first.
    fn wait<M: Machine>(&self, session: &M) -> io::Result<Ready> {
        let wants_input = self.control.line.wants_input(session);
        let left = session.wants_input() && self.control.line.has_left(session);
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, wants_input);
        flags.set(PollFlags::OUT, self.control.line.has_outgoing(session));
        let hot = self.data.is_hot();
        let interest = self.data.interest().filter(|_| !hot);
        let timeout = if left || hot { Some(Duration::ZERO) } else { self.timeout(session) };
        let mut fds = [
            PollFd::new(&self.control, flags),
            PollFd::new(&self.control, PollFlags::empty()),
            PollFd::new(&self.control, PollFlags::empty()),
        ];
        let mut count = 1;
        if let Some(signal) = &self.signal {
            fds[count] = PollFd::new(signal, PollFlags::IN);
            count += 1;
        }
        let data_at = count;
        if let Some((socket, flags)) = interest {
            fds[count] = PollFd::from_borrowed_fd(socket, flags);
            count += 1;
        }
        let timeout = timeout.map(|span| Timespec {
            tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: span.subsec_nanos().into(),
        });
        match poll(&mut fds[..count], timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [control, second, _] = &fds;
        let is_set = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let broken = PollFlags::HUP | PollFlags::ERR;
        Ok(Ready {
            control: wants_input && (left || is_set(control)),
            // Where nothing is to be read, a connection that broke shows only so.
            broken: !wants_input && control.revents().intersects(broken),
            data: hot || (interest.is_some() && is_set(&fds[data_at])),
            signal: self.signal.is_some() && is_set(second),
        })
    }

    fn timeout<M: Machine>(&self, session: &M) -> Option<Duration> {
        session.deadline().map(|deadline| deadline - self.clock.now())
    }
}
