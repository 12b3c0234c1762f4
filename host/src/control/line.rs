//! The bytes of a control connection between its socket and its session: as they are, or through TLS.

use longshore_core::machine::{Input, Machine, SecureError, Secured};
use longshore_core::time::Instant;

use super::{Inbox, READ};
use crate::tls::{Context, Layer, Source};

/// How many bytes are protected at once.
const PIECE: usize = 16 * 1024;

/// A control connection without its socket. What is read is put into [`room`](Self::room) or handed to [`came`](Self::came), what is to
/// be sent stands in [`outgoing`](Self::outgoing).
#[derive(Debug)]
pub struct Line {
    /// In clear, and not taken by the session.
    inbox: Inbox,
    source: Option<Source>,
    tls: Option<Box<Protection>>,
}

#[derive(Debug)]
struct Protection {
    context: Context,
    layer: Layer,
    /// How many of the first bytes of the session stand in what TLS has yet to send.
    underway: usize,
}

impl Line {
    /// A line in clear, which `source` can protect.
    pub fn new(source: Option<Source>) -> Self {
        Self { inbox: Inbox::default(), source, tls: None }
    }

    /// The TLS of data connections, once the control connection has its own.
    pub fn tls(&self) -> Option<&Context> {
        self.tls.as_ref().map(|tls| &tls.context)
    }

    /// Puts TLS in force ([`Action::Secure`](longshore_core::machine::Action::Secure)). What came and was not taken is TLS's.
    pub fn secure(&mut self, now: Instant, session: &mut impl Machine) {
        let opened = self.source.as_ref().ok_or(SecureError::NotSetUp).and_then(|source| {
            let context = source.context()?;
            let layer = context.control()?;
            Ok(Protection { context, layer, underway: 0 })
        });
        match opened {
            Ok(mut protection) => {
                self.inbox.offer(|bytes| {
                    protection.layer.room(bytes.len()).extend_from_slice(bytes);
                    bytes.len()
                });
                self.tls = Some(Box::new(protection));
                self.shake_hands(now, session);
            }
            Err(error) => session.handle(now, Input::Secured(Err(error))),
        }
    }

    fn shake_hands(&mut self, now: Instant, session: &mut impl Machine) {
        let Some(tls) = &mut self.tls else { return };
        match tls.layer.shake_hands() {
            Ok(()) if tls.layer.is_handshaking() => tls.layer.rest(),
            Ok(()) => {
                let secured = Secured { server_name: tls.context.server_name() };
                session.handle(now, Input::Secured(Ok(secured)));
            }
            Err(error) => session.handle(now, Input::Secured(Err(error))),
        }
    }

    /// Whether the handshake is under way, for which bytes are read that are none of the session's.
    fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.layer.is_handshaking())
    }

    /// Whether to read from the socket.
    pub fn wants_input(&self, session: &impl Machine) -> bool {
        session.wants_input() || self.is_handshaking()
    }

    /// Whether something is left that came earlier: bytes, or the peer's word that no more will come, which counts once all is answered.
    pub fn has_left(&self, session: &impl Machine) -> bool {
        let has_ended = || self.tls.as_ref().is_some_and(|tls| tls.layer.has_ended());
        !self.inbox.0.is_empty() || (has_ended() && !self.has_outgoing(session))
    }

    /// How many bytes are left that came earlier.
    pub fn left(&self) -> usize {
        self.inbox.0.len()
    }

    /// Where to read up to [`READ`] bytes into, before [`arrived`](Self::arrived). For a runtime with a thread a session this is better
    /// than a buffer on the stack, of which a thread keeps every page that it once touched.
    pub fn room(&mut self) -> &mut Vec<u8> {
        match &mut self.tls {
            Some(tls) => tls.layer.room(READ),
            None => self.inbox.room(),
        }
    }

    /// Bytes were put into [`room`](Self::room), or are left from earlier: offers to the session what it can take.
    pub fn arrived(&mut self, now: Instant, session: &mut impl Machine) {
        if self.is_handshaking() {
            self.shake_hands(now, session);
        }
        let Some(tls) = self.tls.as_mut().filter(|tls| !tls.layer.is_handshaking()) else {
            return self.offer(now, session);
        };
        let had_ended = tls.layer.has_ended();
        if tls.layer.read(&mut self.inbox.0, usize::MAX).is_err() {
            // It is no end that somebody has said QUIT before: nothing can be sent any more either, which a second end says.
            session.receive(now, &[]);
            session.receive(now, &[]);
            return;
        }
        tls.layer.rest();
        if had_ended && self.inbox.0.is_empty() {
            session.receive(now, &[]);
        } else {
            self.offer(now, session);
        }
    }

    /// As [`arrived`](Self::arrived), for bytes that were read elsewhere.
    pub fn came(&mut self, now: Instant, session: &mut impl Machine, bytes: &[u8]) {
        match &mut self.tls {
            Some(tls) => tls.layer.room(bytes.len()).extend_from_slice(bytes),
            None if self.inbox.0.is_empty() && session.wants_input() => {
                return self.inbox.pass(bytes, |bytes| session.receive(now, bytes));
            }
            None => return self.inbox.pass(bytes, |_| 0),
        }
        self.arrived(now, session);
    }

    fn offer(&mut self, now: Instant, session: &mut impl Machine) {
        if session.wants_input() && !self.inbox.0.is_empty() {
            self.inbox.offer(|bytes| session.receive(now, bytes));
        }
    }

    /// Gives back the memory of buffers that hold nothing.
    pub fn rest(&mut self) {
        self.inbox.rest();
        if let Some(tls) = &mut self.tls {
            tls.layer.rest();
        }
    }

    /// The peer has closed, or the connection broke.
    pub fn ended(&mut self, now: Instant, session: &mut impl Machine) {
        if self.is_handshaking() {
            session.handle(now, Input::Secured(Err(SecureError::Handshake)));
        }
        session.receive(now, &[]);
    }

    /// Whether there is anything to be sent.
    pub fn has_outgoing(&self, session: &impl Machine) -> bool {
        match &self.tls {
            Some(tls) if !tls.layer.outgoing().is_empty() => true,
            Some(tls) => !tls.layer.is_handshaking() && !tls.layer.has_failed() && !session.transmit().is_empty(),
            None => !session.transmit().is_empty(),
        }
    }

    /// What is to be sent now, and how much of it as urgent data, of which TLS has none.
    pub fn outgoing<'a>(&'a mut self, session: &'a impl Machine) -> (&'a [u8], usize) {
        let Some(tls) = &mut self.tls else {
            return (session.transmit(), session.urgent());
        };
        let bytes = session.transmit();
        if tls.layer.outgoing().is_empty() && !tls.layer.is_handshaking() && !bytes.is_empty() {
            let piece = &bytes[..bytes.len().min(PIECE)];
            // Where TLS has failed nothing more is sent, and the session ends by its deadline or the peer's.
            if tls.layer.write(piece).is_ok() {
                tls.underway = piece.len();
            }
        }
        (tls.layer.outgoing(), 0)
    }

    /// So much of [`outgoing`](Self::outgoing) was sent.
    pub fn sent(&mut self, now: Instant, session: &mut impl Machine, count: usize) {
        let Some(tls) = &mut self.tls else {
            return session.sent(now, count);
        };
        tls.layer.sent(count);
        if tls.layer.outgoing().is_empty() {
            tls.layer.rest();
            session.sent(now, std::mem::take(&mut tls.underway));
        }
    }

    /// The session is over: what is still to be sent, TLS's goodbye at its end.
    pub fn goodbye(&mut self) -> &[u8] {
        match &mut self.tls {
            Some(tls) => {
                tls.layer.close();
                tls.layer.outgoing()
            }
            None => &[],
        }
    }
}
