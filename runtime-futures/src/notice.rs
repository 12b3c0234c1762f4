//! The word to stop: to all sessions of a server once, to a client as often as its user interrupts.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use event_listener::{Event, EventListener};
use longshore_core::machine::Way;
use longshore_host::signals::Signal;

use crate::{Runtime, Watch};

/// Tells everybody, once and for all. Clones tell the same.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    told: AtomicBool,
    event: Event,
}

impl Stop {
    /// Tells.
    pub fn tell(&self) {
        self.0.told.store(true, Ordering::SeqCst);
        self.0.event.notify(usize::MAX);
    }

    /// Waits until it is told.
    pub async fn told(&self) {
        let listener = self.0.event.listen();
        if !self.0.told.load(Ordering::SeqCst) {
            listener.await;
        }
    }
}

/// One session's ear.
pub(crate) enum Notice<R: Runtime> {
    Stop(Stop, EventListener),
    Interrupt(Signal, R::Watch),
    /// All is said.
    Over,
}

impl<R: Runtime> Notice<R> {
    pub(crate) fn stop(stop: &Stop) -> Self {
        Self::Stop(stop.clone(), stop.0.event.listen())
    }

    pub(crate) fn interrupt(signal: &Signal) -> io::Result<Self> {
        Ok(Self::Interrupt(signal.clone(), R::Watch::new(signal.descriptor())?))
    }

    /// Waits for word.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Stop(stop, listener) => {
                if !stop.0.told.load(Ordering::SeqCst) && Pin::new(listener).poll(cx).is_pending() {
                    return Poll::Pending;
                }
                *self = Self::Over;
                Poll::Ready(())
            }
            Self::Interrupt(signal, watch) => loop {
                match watch.poll_ready(Way::Receive, cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(())) if signal.take() => return Poll::Ready(()),
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(_)) => {
                        *self = Self::Over;
                        return Poll::Pending;
                    }
                }
            },
            Self::Over => Poll::Pending,
        }
    }
}
