//! The data connection: a listener or a connection on its way, and then the transfer. What needs no disk is done here and
//! now; what does is a job, of which there is one at a time.

use std::future::Future;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_lite::future;
use longshore_core::digest::{Digest, Summing};
use longshore_core::host::HostError;
use longshore_core::machine::{Action, Input, Listen, NetworkError, Route, TransferError, Way};
use longshore_core::time::Instant;
use longshore_host::net;
use longshore_host::tls::Context as Tls;
use longshore_host::transfer::{BURST, Cargo, Lane, Native, Transfer, Turn, sum};
use rustix::net::Shutdown;

use crate::{Runtime, Watch, loose};

/// How long the reply to an abort waits for the disk to let go of the file. It is done with mostly, and can be resumed.
const LETTING_GO: Duration = Duration::from_millis(50);
/// How long bytes that came may stay in memory while the peer pauses.
const HOLD: Duration = Duration::from_millis(200);

pub(crate) struct Data<R: Runtime, C> {
    end: Option<End<R>>,
    transfer: Option<Transfer>,
    cargo: Option<Cargo<C>>,
    /// What a data connection that outlives a file has besides its socket.
    lane: Lane,
    /// A digest that is being made of the cargo.
    summing: Option<Box<Summing>>,
    /// While a job is out, it has the cargo, and transfer or digest.
    job: Option<Job<C>>,
    /// How the last turn ended, where that is still to be followed.
    turn: Option<Turn>,
    /// When the bytes in memory are to be written.
    hold_until: Option<Instant>,
    /// The last turn moved something, so the next is worth a try without asking the system.
    hot: bool,
}

/// Our end of the data connection.
struct End<R: Runtime> {
    phase: Phase,
    /// Taken up only once the socket has to be waited for: mostly the peer was quicker.
    watch: Option<R::Watch>,
    socket: Arc<OwnedFd>,
}

#[derive(Clone, Copy)]
enum Phase {
    /// Nobody is expected yet.
    Listening,
    Accepting(IpAddr),
    Dialing,
    Open,
}

type Job<C> = Pin<Box<dyn Future<Output = Done<C>> + Send>>;

/// What a job came to.
struct Done<C> {
    moved: u64,
    cargo: Option<Cargo<C>>,
    work: Work,
}

/// What it worked at.
enum Work {
    /// And how the last turn ended.
    Transfer(Transfer, Turn),
    /// And the digest, once it is made.
    Digest(Box<Summing>, Option<Result<Digest, HostError>>),
}

/// What can be done next, without a wait.
enum Next {
    Told(Input),
    /// The socket has to be waited for.
    Wait(Way),
    /// A job has to be waited for.
    Job,
    Nothing,
}

impl<R: Runtime, C: Native + Send + 'static> Data<R, C> {
    pub(crate) fn new() -> Self {
        Self {
            end: None,
            transfer: None,
            cargo: None,
            lane: Lane::default(),
            summing: None,
            job: None,
            turn: None,
            hold_until: None,
            hot: false,
        }
    }

    pub(crate) fn offer(&mut self, cargo: Cargo<C>) {
        self.cargo = Some(cargo);
    }

    pub(crate) fn take_content(&mut self) -> Option<C> {
        self.cargo.take().and_then(Cargo::into_content)
    }

    /// Carries out an order of the session; gives the answer where it is known at once. `tls` protects what is to be protected.
    pub(crate) async fn obey<E>(&mut self, order: Action<E>, tls: Option<&Tls>) -> Option<Input> {
        match order {
            Action::Listen(listen) => return Some(Input::Listening(self.listen(&listen))),
            Action::Open(Route::Accept { from }) => {
                if let Some(end) = &mut self.end {
                    end.phase = Phase::Accepting(from);
                }
                // The peer may well have connected before it sent its command.
                return self.advance();
            }
            Action::Open(Route::Dial { from, to }) => match net::dial(from, to) {
                Ok(stream) => {
                    self.end = Some(End::new(Phase::Dialing, stream.into()));
                    return self.advance();
                }
                Err(error) => return Some(Input::Connected(Err(error))),
            },
            Action::Open(Route::Kept) => {
                let lane = &mut self.lane;
                let stands =
                    self.end.as_ref().is_some_and(|end| matches!(end.phase, Phase::Open) && lane.is_open(&*end.socket));
                return Some(Input::Connected(if stands { Ok(()) } else { Err(NetworkError::Failed) }));
            }
            Action::Start(flow) => {
                let Some(cargo) = &mut self.cargo else {
                    return Some(Input::Finished(Err(HostError::Failed.into())));
                };
                match Transfer::new(flow, cargo, &mut self.lane, tls) {
                    Ok(transfer) => self.transfer = Some(transfer),
                    Err(error) => return Some(Input::Finished(Err(error))),
                }
                self.hot = true;
            }
            Action::Digest(summing) => self.summing = Some(summing),
            Action::Publish => {
                // Nothing else may happen meanwhile: what is published cannot be taken back.
                let cargo = self.cargo.take()?;
                let (result, kept) = R::unblock(|| cargo.publish()).await;
                self.cargo = kept;
                return Some(Input::Published(result));
            }
            Action::Abandon => self.abandon().await,
            Action::Close | Action::Secure | Action::Event(_) => {}
        }
        None
    }

    fn listen(&mut self, listen: &Listen) -> Result<std::net::SocketAddr, NetworkError> {
        let (listener, address) = net::listen_data(listen)?;
        self.end = Some(End::new(Phase::Listening, listener.into()));
        Ok(address)
    }

    /// Whether a turn is worth a try without waiting.
    pub(crate) fn is_hot(&self) -> bool {
        self.hot
    }

    /// Whether a disk is at work, or whatever the content is: the peer is not to blame for how long that takes.
    pub(crate) fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// When bytes that came are to be written, though they are few.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.hold_until
    }

    /// Takes a turn, if one is worth a try.
    pub(crate) fn hurry(&mut self) -> Option<Input> {
        if self.hot { self.advance() } else { None }
    }

    fn advance(&mut self) -> Option<Input> {
        match self.step() {
            Next::Told(input) => Some(input),
            _ => None,
        }
    }

    /// Waits for news of the data connection; there is none for the session where only the data side itself has moved on.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<Option<Input>> {
        loop {
            if let Some(job) = &mut self.job {
                let done = ready!(job.as_mut().poll(cx));
                self.job = None;
                if let Some(input) = self.returned(done) {
                    return Poll::Ready(Some(input));
                }
            }
            match self.step() {
                Next::Told(input) => return Poll::Ready(Some(input)),
                Next::Job => {}
                Next::Nothing => return Poll::Pending,
                Next::Wait(way) => {
                    if self.hold(now) {
                        continue;
                    }
                    let Some(end) = &mut self.end else { return Poll::Pending };
                    match ready!(end.poll_ready(cx, way)) {
                        Ok(()) => {}
                        Err(error) => return Poll::Ready(Some(self.failed(net::network_error(&error)))),
                    }
                }
            }
        }
    }

    /// Lets a pause pass before few bytes are written; true once a job does so.
    fn hold(&mut self, now: Instant) -> bool {
        let comes_in = self.transfer.as_ref().is_some_and(|transfer| transfer.way() == Way::Receive);
        if !comes_in || !self.cargo.as_ref().is_some_and(Cargo::holds) {
            self.hold_until = None;
            return false;
        }
        if now < *self.hold_until.get_or_insert(now + HOLD) {
            return false;
        }
        self.burst();
        true
    }

    /// Does what can be done at once.
    fn step(&mut self) -> Next {
        if let Some(mut summing) = self.summing.take()
            && let Some(mut cargo) = self.cargo.take()
        {
            self.job = Some(Box::pin(R::unblock(move || {
                let (moved, result) = sum(&mut summing, &mut cargo, BURST);
                let is_needed = result.is_none() || summing.keeps_content();
                Done { moved, cargo: is_needed.then_some(cargo), work: Work::Digest(summing, result) }
            })));
            return Next::Job;
        }
        let Some(End { phase, socket, watch }) = &mut self.end else {
            return Next::Nothing;
        };
        match *phase {
            Phase::Listening => Next::Nothing,
            Phase::Accepting(from) => match net::accept_from(&**socket, from) {
                None => Next::Wait(Way::Receive),
                Some(Err(error)) => self.failed(error).into(),
                Some(Ok(stream)) => {
                    self.end = Some(End::new(Phase::Open, stream.into()));
                    Input::Connected(Ok(())).into()
                }
            },
            Phase::Dialing => match net::dialled(&**socket) {
                None => Next::Wait(Way::Send),
                Some(Err(error)) => self.failed(error).into(),
                Some(Ok(())) => {
                    *phase = Phase::Open;
                    *watch = None;
                    Input::Connected(Ok(())).into()
                }
            },
            Phase::Open => self.take_turn(),
        }
    }

    fn take_turn(&mut self) -> Next {
        let (Some(end), Some(transfer)) = (&self.end, &mut self.transfer) else {
            // Whatever there is to wait for is a job, if anything.
            return Next::Nothing;
        };
        let turn = match (self.turn.take(), &mut self.cargo) {
            (Some(turn), _) => turn,
            (None, Some(cargo)) => transfer.turn(end.socket.as_fd(), cargo),
            (None, None) => return Next::Nothing,
        };
        self.hot = matches!(turn, Turn::Moved(_) | Turn::Marked(_));
        match turn {
            Turn::Moved(count) => Input::Moved(count).into(),
            Turn::Marked(mark) => Input::Marked(mark).into(),
            Turn::Wait(way) => Next::Wait(way),
            Turn::Content => {
                self.burst();
                Next::Job
            }
            Turn::Done(result) => {
                self.hold_until = None;
                // What came stays until it is published; what went is done with, mostly, and closing it may take its time.
                let is_needed = transfer.needs_cargo();
                let mut cargo = self.cargo.take();
                if let Some(sent) = cargo.take_if(|cargo| !is_needed && !cargo.is_in_memory()) {
                    loose::spawn::<R>(R::unblock(|| drop(sent)));
                }
                match self.transfer.take().filter(|transfer| result.is_ok() && transfer.keeps_connection()) {
                    Some(transfer) => self.lane = transfer.leave(),
                    None => *self = Self::new(),
                }
                self.cargo = cargo.filter(|_| is_needed);
                Input::Finished(result).into()
            }
        }
    }

    /// Lets a thread that may wait take the next turns.
    fn burst(&mut self) {
        if self.end.is_none() || self.transfer.is_none() || self.cargo.is_none() {
            return;
        }
        if let (Some(end), Some(mut transfer), Some(mut cargo)) = (&self.end, self.transfer.take(), self.cargo.take()) {
            let socket = Arc::clone(&end.socket);
            self.hold_until = None;
            self.hot = false;
            self.job = Some(Box::pin(R::unblock(move || {
                let (moved, turn) = transfer.burst(socket.as_fd(), &mut cargo);
                // A file that was sent is closed here, where it may take its time.
                let is_over = !transfer.needs_cargo() && matches!(turn, Turn::Done(_));
                Done { moved, cargo: (!is_over).then_some(cargo), work: Work::Transfer(transfer, turn) }
            })));
        }
    }

    /// Takes back what a job had.
    fn returned(&mut self, done: Done<C>) -> Option<Input> {
        self.cargo = done.cargo;
        match done.work {
            Work::Transfer(transfer, turn) => {
                // If nothing was moved the disk was slow, and not the peer, whose time begins anew.
                let tells = done.moved > 0 || !matches!(turn, Turn::Done(_));
                self.transfer = Some(transfer);
                self.turn = Some(turn);
                tells.then_some(Input::Moved(done.moved))
            }
            Work::Digest(_, Some(result)) => Some(Input::Digested(result)),
            Work::Digest(summing, None) => {
                self.summing = Some(summing);
                Some(Input::Moved(done.moved))
            }
        }
    }

    /// The socket is of no more use.
    fn failed(&mut self, error: NetworkError) -> Input {
        match self.end.take().map(|end| end.phase) {
            Some(Phase::Open) => Input::Finished(Err(TransferError::Lost)),
            _ => Input::Connected(Err(error)),
        }
    }

    /// Drops all; what came is kept, so that it may be resumed from there.
    async fn abandon(&mut self) {
        let Self { end, mut transfer, cargo, job, lane, .. } = std::mem::replace(self, Self::new());
        if job.is_some()
            && let Some(end) = &end
        {
            // The peer hears of it now, however long the disk takes.
            let _ = rustix::net::shutdown(&end.socket, Shutdown::Both);
        } else if let Some(end) = &end
            && matches!(end.phase, Phase::Open)
        {
            match &mut transfer {
                Some(transfer) => transfer.salvage(end.socket.as_fd()),
                // It is between two files: what was sent is to arrive.
                None => lane.close(&*end.socket),
            }
        }
        let socket = end.map(|end| end.socket).filter(|_| job.is_some());
        if job.is_none() && cargo.is_none() {
            return;
        }
        let mut letting_go = Box::pin(async move {
            let (transfer, cargo) = match job {
                None => (transfer, cargo),
                Some(job) => {
                    let Done { cargo, work, .. } = job.await;
                    match work {
                        Work::Transfer(mut transfer, _) => {
                            if let Some(socket) = &socket {
                                transfer.salvage(socket.as_fd());
                            }
                            (Some(transfer), cargo)
                        }
                        Work::Digest(..) => (None, cargo),
                    }
                }
            };
            drop(socket);
            if let Some(mut cargo) = cargo {
                let let_go = R::unblock(move || {
                    if let Some(transfer) = transfer {
                        transfer.abandon(&mut cargo);
                    }
                    cargo.abandon();
                });
                let_go.await;
            }
        });
        let in_time = async {
            (&mut letting_go).await;
            true
        };
        let too_late = async {
            R::sleep(LETTING_GO).await;
            false
        };
        if !future::or(in_time, too_late).await {
            loose::spawn::<R>(letting_go);
        }
    }
}

impl<R: Runtime> End<R> {
    fn new(phase: Phase, socket: OwnedFd) -> Self {
        Self { phase, watch: None, socket: Arc::new(socket) }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>, way: Way) -> Poll<std::io::Result<()>> {
        let watch = match &mut self.watch {
            Some(watch) => watch,
            none => none.insert(R::Watch::new(Arc::clone(&self.socket))?),
        };
        watch.poll_ready(way, cx)
    }
}

impl From<Input> for Next {
    fn from(input: Input) -> Self {
        Self::Told(input)
    }
}
