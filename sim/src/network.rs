//! Connections in memory: each way a queue of pieces, each piece with the time at which it arrives.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use longshore_core::time::Instant;

use crate::dice::Dice;

/// How many bytes may be under way in one direction.
const WINDOW: usize = 64 * 1024;
/// The first port that is given out.
const FIRST_PORT: u16 = 50_001;

/// Decides, from a seed, how a connection cuts and delays what goes over it.
#[derive(Clone, Debug)]
pub struct Cuts {
    state: u64,
    /// The longest piece.
    pub longest: usize,
    /// The longest delay of a piece.
    pub delay: Duration,
}

impl Cuts {
    /// No cuts and no delays.
    pub fn none() -> Self {
        Self { state: 1, longest: usize::MAX, delay: Duration::ZERO }
    }

    /// Pieces of up to `longest` bytes, each delayed by up to `delay`.
    pub fn seeded(seed: u64, longest: usize, delay: Duration) -> Self {
        Self { state: seed.wrapping_mul(2) | 1, longest: longest.max(1), delay }
    }

    /// The next number of a xorshift sequence, below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) % bound.max(1)
    }

    fn piece(&mut self, available: usize) -> usize {
        if self.longest == usize::MAX {
            available
        } else {
            1 + usize::try_from(self.below(available.min(self.longest) as u64)).unwrap_or(0)
        }
    }

    fn wait(&mut self) -> Duration {
        let nanos = u64::try_from(self.delay.as_nanos()).unwrap_or(u64::MAX);
        if nanos == 0 { Duration::ZERO } else { Duration::from_nanos(self.below(nanos)) }
    }
}

/// What may go wrong with one direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// Nothing moves for so long.
    Stall(Duration),
    /// The connection breaks, both ways.
    Reset,
    /// It looks as if the sender had ended in order; the rest is lost.
    End,
}

/// How often what goes wrong, a thousand directions of connections taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mishaps {
    /// Stalls.
    pub stalls: u64,
    /// Resets.
    pub resets: u64,
    /// False ends.
    pub ends: u64,
    /// After how many bytes at most.
    pub within: u64,
}

impl Mishaps {
    fn draw(&self, dice: &mut Dice) -> Option<(u64, Mishap)> {
        let at = dice.below(self.within);
        let mishap = match dice.below(1000) {
            number if number < self.stalls => Mishap::Stall(Duration::from_secs(1 + dice.below(200))),
            number if number < self.stalls + self.resets => Mishap::Reset,
            number if number < self.stalls + self.resets + self.ends => Mishap::End,
            _ => return None,
        };
        Some((at, mishap))
    }
}

#[derive(Debug, Default)]
struct Pipe {
    pieces: VecDeque<(Instant, Vec<u8>)>,
    /// After how many more bytes what goes wrong.
    mishap: Option<(u64, Mishap)>,
    /// What is sent goes nowhere.
    lost: bool,
    size: usize,
    last: Instant,
    closed: bool,
    reset: bool,
}

/// One end of a connection.
#[derive(Debug)]
pub struct Stream {
    incoming: Rc<RefCell<Pipe>>,
    outgoing: Rc<RefCell<Pipe>>,
    cuts: Rc<RefCell<Cuts>>,
    /// Nobody is told when it goes.
    has_vanished: bool,
}

/// What a read brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// Bytes.
    Bytes(Vec<u8>),
    /// Nothing yet.
    Pending,
    /// The peer closed.
    End,
    /// The connection broke.
    Reset,
}

impl Stream {
    /// Two ends of a connection.
    pub fn pair(cuts: &Rc<RefCell<Cuts>>) -> (Self, Self) {
        let (there, back) = (Rc::new(RefCell::new(Pipe::default())), Rc::new(RefCell::new(Pipe::default())));
        let end = |incoming: &Rc<RefCell<Pipe>>, outgoing: &Rc<RefCell<Pipe>>| Self {
            incoming: incoming.clone(),
            outgoing: outgoing.clone(),
            cuts: cuts.clone(),
            has_vanished: false,
        };
        (end(&back, &there), end(&there, &back))
    }

    /// Sends what the window allows, and says how much that was.
    pub fn write(&self, now: Instant, bytes: &[u8]) -> usize {
        let mut pipe = self.outgoing.borrow_mut();
        if pipe.lost {
            return bytes.len();
        }
        let mut count = bytes.len().min(WINDOW.saturating_sub(pipe.size));
        match pipe.mishap {
            Some((left, _)) if (count as u64) < left => {
                pipe.mishap = pipe.mishap.map(|(_, it)| (left - count as u64, it))
            }
            Some((left, mishap)) if count > 0 => {
                pipe.mishap = None;
                match mishap {
                    Mishap::Stall(time) => pipe.last = pipe.last.max(now) + time,
                    Mishap::Reset => {
                        pipe.reset = true;
                        self.incoming.borrow_mut().reset = true;
                        return bytes.len();
                    }
                    Mishap::End => {
                        count = usize::try_from(left).unwrap_or(count);
                        (pipe.lost, pipe.closed) = (true, true);
                    }
                }
            }
            _ => {}
        }
        let mut rest = &bytes[..count];
        let mut cuts = self.cuts.borrow_mut();
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(cuts.piece(rest.len()));
            pipe.last = pipe.last.max(now + cuts.wait());
            let arrival = pipe.last;
            pipe.pieces.push_back((arrival, piece.to_vec()));
            pipe.size += piece.len();
            rest = behind;
        }
        if pipe.lost { bytes.len() } else { count }
    }

    /// Takes the next piece that has arrived.
    pub fn read(&self, now: Instant) -> Read {
        let mut pipe = self.incoming.borrow_mut();
        if pipe.reset {
            return Read::Reset;
        }
        match pipe.pieces.front() {
            Some((arrival, _)) if *arrival <= now => {}
            Some(_) => return Read::Pending,
            None if pipe.closed && pipe.last <= now => return Read::End,
            None => return Read::Pending,
        }
        let piece = pipe.pieces.pop_front().map(|(_, piece)| piece).unwrap_or_default();
        pipe.size -= piece.len();
        Read::Bytes(piece)
    }

    /// Whether nothing will ever come again.
    pub fn is_closed(&self, now: Instant) -> bool {
        let pipe = self.incoming.borrow();
        pipe.reset || (pipe.pieces.is_empty() && pipe.closed && pipe.last <= now)
    }

    /// Puts back what a reader did not take.
    pub fn unread(&self, bytes: &[u8]) {
        let mut pipe = self.incoming.borrow_mut();
        pipe.size += bytes.len();
        pipe.pieces.push_front((Instant::ORIGIN, bytes.to_vec()));
    }

    /// Ends this direction in order.
    pub fn close(&self) {
        self.outgoing.borrow_mut().closed = true;
    }

    /// Is gone without a word, as with a machine that loses its network: the peer sees neither an end nor a reset.
    pub fn vanish(mut self) {
        self.has_vanished = true;
    }

    /// When the next piece, or the end, arrives.
    pub fn next_arrival(&self) -> Option<Instant> {
        let pipe = self.incoming.borrow();
        pipe.pieces.front().map(|(arrival, _)| *arrival).or_else(|| pipe.closed.then_some(pipe.last))
    }
}

impl Drop for Stream {
    /// As with TCP: the peer sees an end, or a reset where something was left unread.
    fn drop(&mut self) {
        if self.has_vanished {
            return;
        }
        let unread = !self.incoming.borrow().pieces.is_empty();
        let mut pipe = self.outgoing.borrow_mut();
        pipe.closed = true;
        pipe.reset |= unread;
        self.incoming.borrow_mut().size = 0;
    }
}

/// Listeners, and connections that wait at them.
#[derive(Clone, Debug)]
pub struct Network {
    listeners: Rc<RefCell<BTreeMap<u16, VecDeque<Stream>>>>,
    last_port: Rc<RefCell<u16>>,
    cuts: Rc<RefCell<Cuts>>,
    mishaps: Rc<RefCell<(Mishaps, Dice)>>,
}

impl Network {
    /// A network whose connections cut and delay like this.
    pub fn new(cuts: Cuts) -> Self {
        let mishaps = Rc::new(RefCell::new((Mishaps::default(), Dice::new(0))));
        let last_port = Rc::new(RefCell::new(FIRST_PORT - 1));
        Self { listeners: Rc::default(), last_port, cuts: Rc::new(RefCell::new(cuts)), mishaps }
    }

    /// Lets things go wrong with connections that are made from now on.
    pub fn upset(&self, mishaps: Mishaps, seed: u64) {
        *self.mishaps.borrow_mut() = (mishaps, Dice::new(seed));
    }

    /// A connection.
    pub fn connection(&self) -> (Stream, Stream) {
        let (near, far) = Stream::pair(&self.cuts);
        let (mishaps, dice) = &mut *self.mishaps.borrow_mut();
        for pipe in [&near.incoming, &near.outgoing] {
            pipe.borrow_mut().mishap = mishaps.draw(dice);
        }
        (near, far)
    }

    /// Listens on a port that nobody has.
    pub fn listen(&self) -> u16 {
        let mut port = self.last_port.borrow_mut();
        *port = port.checked_add(1).unwrap_or(FIRST_PORT);
        self.listeners.borrow_mut().insert(*port, VecDeque::new());
        *port
    }

    /// Listens on this port.
    pub fn listen_on(&self, port: u16) {
        self.listeners.borrow_mut().insert(port, VecDeque::new());
    }

    /// Connects to whoever listens there.
    pub fn dial(&self, port: u16) -> Option<Stream> {
        let mut listeners = self.listeners.borrow_mut();
        let waiting = listeners.get_mut(&port)?;
        let (ours, theirs) = self.connection();
        waiting.push_back(theirs);
        Some(ours)
    }

    /// A connection that came.
    pub fn accept(&self, port: u16) -> Option<Stream> {
        self.listeners.borrow_mut().get_mut(&port)?.pop_front()
    }

    /// Stops listening.
    pub fn close(&self, port: u16) {
        self.listeners.borrow_mut().remove(&port);
    }
}
