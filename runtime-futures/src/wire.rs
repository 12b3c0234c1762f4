//! The driver: it carries out what a session wants, and waits for what happens next.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use futures_lite::future::yield_now;
use longshore_core::machine::{Action, Input, Machine};
use longshore_core::time::Instant;
use longshore_host::control::{Clock, EAGER_TURNS};
use longshore_host::net;
use longshore_host::signals::Signal;
use longshore_host::tls::Source;
use longshore_host::transfer::{Cargo, Native};

use crate::Runtime;
use crate::alarm::Alarm;
use crate::control::Control;
use crate::data::Data;
use crate::notice::Notice;
pub use crate::notice::Stop;

/// How many things may happen to a session without a wait before other tasks get their turn.
const ROUNDS: u32 = 64;

/// A control connection, the data connections beside it, and a clock.
pub struct Wire<R: Runtime, C> {
    control: Control<R>,
    data: Data<R, C>,
    clock: Clock,
    alarm: Alarm<R>,
    notice: Notice<R>,
    /// How many things have happened since the last wait.
    rounds: u32,
}

impl<R: Runtime, C: Native + Send + 'static> Wire<R, C> {
    /// A server's wire, over a connection that came, which `tls` can protect. `stop` becomes [`Input::Stop`].
    ///
    /// # Errors
    ///
    /// The connection is gone already.
    pub fn serve(stream: R::Stream, tls: Option<Source>, stop: &Stop) -> io::Result<Self> {
        Self::new(stream, tls, Notice::stop(stop))
    }

    /// A client's wire, over a connection that was made, which `tls` can protect. Each `interrupt` becomes [`Input::Stop`].
    ///
    /// # Errors
    ///
    /// The connection is gone already.
    pub fn dial(stream: R::Stream, tls: Option<Source>, interrupt: &Signal) -> io::Result<Self> {
        Self::new(stream, tls, Notice::interrupt(interrupt)?)
    }

    fn new(stream: R::Stream, tls: Option<Source>, notice: Notice<R>) -> io::Result<Self> {
        net::prepare_control(&stream)?;
        let (control, clock) = (Control::new(stream, tls), Clock::start());
        Ok(Self { control, data: Data::new(), clock, alarm: Alarm::new(), notice, rounds: 0 })
    }

    /// The ends of the control connection: ours, and the peer's.
    ///
    /// # Errors
    ///
    /// The connection is gone already.
    pub fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        net::addresses(&self.control.stream)
    }

    /// The time that the session is told.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Puts content at the data connection.
    pub fn offer(&mut self, cargo: Cargo<C>) {
        self.data.offer(cargo);
    }

    /// Takes back the content that the last transfer left.
    pub fn take_content(&mut self) -> Option<C> {
        self.data.take_content()
    }

    /// Drives the session until it has something to say to the application. All that can happen to a connection is told to
    /// the session, and comes out as an event.
    pub async fn next<M: Machine>(&mut self, session: &mut M) -> M::Event {
        loop {
            self.rounds += 1;
            if self.rounds >= ROUNDS {
                self.rounds = 0;
                yield_now().await;
            }
            while let Some(action) = session.poll() {
                let input = match action {
                    Action::Event(event) => return event,
                    Action::Close => {
                        self.control.close();
                        None
                    }
                    Action::Secure => {
                        self.control.line.secure(self.clock.now(), session);
                        None
                    }
                    order => self.data.obey(order, self.control.line.tls()).await,
                };
                if let Some(input) = input {
                    session.handle(self.clock.now(), input);
                }
            }
            if self.hurry(session) {
                continue;
            }
            poll_fn(|cx| self.poll(cx, session)).await;
        }
    }

    /// Takes the first turns of a transfer before the replies so far are sent; true where that has set something free.
    fn hurry<M: Machine>(&mut self, session: &mut M) -> bool {
        let mut turns = 0;
        while turns < EAGER_TURNS
            && let Some(input) = self.data.hurry()
        {
            session.handle(self.clock.now(), input);
            turns += 1;
        }
        turns > 0 && !self.data.is_hot()
    }

    /// Waits for something to happen, and tells the session. Control comes first, and lets the others have their turn.
    fn poll<M: Machine>(&mut self, cx: &mut Context<'_>, session: &mut M) -> Poll<()> {
        let now = self.clock.now();
        if self.control.poll_write(cx, now, session).is_ready() {
            return Poll::Ready(());
        }
        let mut step = self.control.poll_read(cx, now, session);
        // What became due just now waits for the next look at the control connection.
        let is_due = |session: &M| session.deadline().is_some_and(|deadline| deadline <= now);
        let due = is_due(session) && !self.data.is_busy();
        if self.notice.poll(cx).is_ready() {
            session.handle(now, Input::Stop);
            step = Poll::Ready(());
        }
        if let Poll::Ready(input) = self.data.poll(cx, now) {
            if let Some(input) = input {
                session.handle(now, input);
            }
            step = Poll::Ready(());
        }
        if due && is_due(session) {
            session.handle(now, Input::Tick);
            return Poll::Ready(());
        }
        let deadline = session.deadline().filter(|_| !self.data.is_busy());
        let deadline = [deadline, self.data.deadline()].into_iter().flatten().min();
        if self.alarm.poll(cx, now, deadline).is_ready() {
            step = Poll::Ready(());
        }
        step
    }
}
