//! The session's deadline.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use longshore_core::time::Instant;

use crate::Runtime;

/// Rings at a deadline that may move. Most deadlines move on with each command, and none is reached: so a timer that is set
/// too early is left as it is until it ends.
pub(crate) struct Alarm<R: Runtime>(Option<(Instant, R::Sleep)>);

impl<R: Runtime> Alarm<R> {
    pub(crate) fn new() -> Self {
        Self(None)
    }

    /// Waits for the deadline, if there is one.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, now: Instant, deadline: Option<Instant>) -> Poll<()> {
        let Some(deadline) = deadline else {
            self.0 = None;
            return Poll::Pending;
        };
        if deadline <= now {
            return Poll::Ready(());
        }
        if self.0.as_ref().is_some_and(|(set, _)| *set > deadline) {
            self.0 = None;
        }
        let (_, sleep) = self.0.get_or_insert_with(|| (deadline, R::sleep(deadline - now)));
        if Pin::new(sleep).poll(cx).is_pending() {
            return Poll::Pending;
        }
        // Whether the deadline is reached is for the clock to say, which the caller looks at next.
        self.0 = None;
        Poll::Ready(())
    }
}
