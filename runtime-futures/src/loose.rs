//! What goes on though its session is over: letting go of files on a slow disk. A program waits for it, within bounds, before it
//! ends.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::Runtime;

/// How many such tasks there are.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// How long the end of the program waits at most.
const LONGEST: Duration = Duration::from_secs(2);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(5);

/// Counts for as long as it is there.
struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        COUNT.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Lets a task go on by itself.
pub(crate) fn spawn<R: Runtime>(task: impl Future<Output = ()> + Send + 'static) {
    COUNT.fetch_add(1, Ordering::SeqCst);
    let counted = Counted;
    R::spawn(async move {
        task.await;
        drop(counted);
    });
}

/// Waits until nothing goes on any more, or for too long.
pub(crate) async fn settled<R: Runtime>() {
    let mut waited = Duration::ZERO;
    while COUNT.load(Ordering::SeqCst) > 0 && waited < LONGEST {
        R::sleep(LOOK).await;
        waited += LOOK;
    }
}
