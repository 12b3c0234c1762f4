//! The control connection: a stream, and what was read from it and not yet taken.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};
use longshore_core::machine::Machine;
use longshore_core::time::Instant;
use longshore_host::control::{self, Inbox, READ};

use crate::Runtime;

/// How much is read ahead, in bytes.
const AHEAD: usize = 16 * 1024;

pub(crate) struct Control<R: Runtime> {
    pub(crate) stream: R::Stream,
    inbox: Inbox,
    /// The peer has closed, and the session is not yet told, since it wants no input.
    ended: bool,
}

impl<R: Runtime> Control<R> {
    pub(crate) fn new(stream: R::Stream) -> Self {
        Self { stream, inbox: Inbox::default(), ended: false }
    }

    /// Reads once, and offers what came. Where the session wants nothing, some is read ahead, since a connection that broke
    /// shows only so.
    pub(crate) fn poll_read<M: Machine>(&mut self, cx: &mut Context<'_>, now: Instant, session: &mut M) -> Poll<()> {
        let wanted = session.wants_input();
        if wanted && !self.inbox.is_empty() {
            self.inbox.offer(|bytes| session.receive(now, bytes));
            return Poll::Ready(());
        }
        if wanted && self.ended {
            session.receive(now, &[]);
            return Poll::Ready(());
        }
        if self.ended || self.inbox.len() >= AHEAD {
            return Poll::Pending;
        }
        let mut buffer = [0; READ];
        match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
            Ok(0) if !wanted => self.ended = true,
            Ok(0) | Err(_) => drop(session.receive(now, &[])),
            Ok(count) => {
                self.inbox.pass(&buffer[..count], |bytes| if wanted { session.receive(now, bytes) } else { 0 })
            }
        }
        Poll::Ready(())
    }

    /// Sends what waits to be sent, once.
    pub(crate) fn poll_write<M: Machine>(&mut self, cx: &mut Context<'_>, now: Instant, session: &mut M) -> Poll<()> {
        let bytes = session.transmit();
        if bytes.is_empty() {
            return Poll::Pending;
        }
        let sent = match session.urgent() {
            0 => None,
            // Where there is no room for urgent bytes they go as others do; the mark is a courtesy.
            urgent => control::send(&self.stream, bytes, urgent).ok().filter(|&count| count > 0),
        };
        match sent {
            Some(count) => session.sent(now, count),
            None => match ready!(Pin::new(&mut self.stream).poll_write(cx, bytes)) {
                Ok(count) => session.sent(now, count),
                Err(_) => drop(session.receive(now, &[])),
            },
        }
        Poll::Ready(())
    }
}
