//! The control connection: a stream, and the bytes on their way between it and the session.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};
use longshore_core::machine::Machine;
use longshore_core::time::Instant;
use longshore_host::control::{self, Line, READ};
use longshore_host::tls::Source;

use crate::Runtime;

/// How much is read ahead, in bytes.
const AHEAD: usize = 16 * 1024;

pub(crate) struct Control<R: Runtime> {
    pub(crate) stream: R::Stream,
    pub(crate) line: Line,
    /// The peer has closed, and the session is not yet told, since it wants no input.
    ended: bool,
}

impl<R: Runtime> Control<R> {
    pub(crate) fn new(stream: R::Stream, tls: Option<Source>) -> Self {
        Self { stream, line: Line::new(tls), ended: false }
    }

    /// Reads once, and offers what came. Where the session wants nothing, some is read ahead, since a connection that broke
    /// shows only so.
    pub(crate) fn poll_read<M: Machine>(&mut self, cx: &mut Context<'_>, now: Instant, session: &mut M) -> Poll<()> {
        if session.wants_input() && self.line.has_left(session) {
            self.line.arrived(now, session);
            return Poll::Ready(());
        }
        let wanted = self.line.wants_input(session);
        if wanted && self.ended {
            self.line.ended(now, session);
            return Poll::Ready(());
        }
        if self.ended || self.line.left() >= AHEAD {
            return Poll::Pending;
        }
        let mut buffer = [0; READ];
        match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
            Ok(0) if !wanted => self.ended = true,
            Ok(0) | Err(_) => self.line.ended(now, session),
            Ok(count) => self.line.came(now, session, &buffer[..count]),
        }
        Poll::Ready(())
    }

    /// Sends what waits to be sent, once.
    pub(crate) fn poll_write<M: Machine>(&mut self, cx: &mut Context<'_>, now: Instant, session: &mut M) -> Poll<()> {
        let (bytes, urgent) = self.line.outgoing(session);
        if bytes.is_empty() {
            return Poll::Pending;
        }
        let sent = match urgent {
            0 => None,
            // Where there is no room for urgent bytes they go as others do; the mark is a courtesy.
            urgent => control::send(&self.stream, bytes, urgent).ok().filter(|&count| count > 0),
        };
        match sent {
            Some(count) => self.line.sent(now, session, count),
            None => match ready!(Pin::new(&mut self.stream).poll_write(cx, bytes)) {
                Ok(count) => self.line.sent(now, session, count),
                Err(_) => self.line.ended(now, session),
            },
        }
        Poll::Ready(())
    }

    /// Ends the connection.
    pub(crate) fn close(&mut self) {
        control::close(&self.stream, &mut self.line);
    }
}

impl<R: Runtime> Drop for Control<R> {
    /// A client may be done before its session is: TLS is to end in order all the same.
    fn drop(&mut self) {
        if self.line.tls().is_some() {
            self.close();
        }
    }
}
