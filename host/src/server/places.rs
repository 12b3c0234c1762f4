//! How many sessions there may be, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use longshore_core::server::Refusal;

/// The places for sessions. Clones share them.
#[derive(Clone, Debug)]
pub struct Places(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    /// 0 is no limit.
    most_for_peer: usize,
    taken: Mutex<Taken>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// A session's place, free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    peer: IpAddr,
}

impl Places {
    /// So many places.
    pub fn new(most: usize, most_for_peer: usize) -> Self {
        Self(Arc::new(Shared { most, most_for_peer, taken: Mutex::default(), freed: Condvar::new() }))
    }

    /// Takes a place.
    ///
    /// # Errors
    ///
    /// None is left.
    pub fn take(&self, peer: IpAddr) -> Result<Place, Refusal> {
        let peer = peer.to_canonical();
        let mut taken = self.lock();
        if taken.all >= self.0.most {
            return Err(Refusal::Full);
        }
        if self.0.most_for_peer > 0 {
            let count = taken.by_peer.entry(peer).or_default();
            if *count >= self.0.most_for_peer {
                return Err(Refusal::FullForPeer);
            }
            *count += 1;
        }
        taken.all += 1;
        Ok(Place { places: self.clone(), peer })
    }

    /// Waits until all places are free, or for so long.
    pub fn wait_until_free(&self, longest: Duration) {
        let taken = self.lock();
        // Who waits no longer does not need to know why.
        drop(self.0.freed.wait_timeout_while(taken, longest, |taken| taken.all > 0));
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        if let Some(count) = taken.by_peer.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                taken.by_peer.remove(&self.peer);
            }
        }
        if taken.all == 0 {
            self.places.0.freed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_in_all_and_for_each_peer() {
        let places = Places::new(3, 2);
        let (near, far) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([192, 0, 2, 1]));
        let first = places.take(near).unwrap();
        let _second = places.take(near).unwrap();
        assert_eq!(places.take(near).unwrap_err(), Refusal::FullForPeer);
        let _third = places.take(far).unwrap();
        assert_eq!(places.take(far).unwrap_err(), Refusal::Full);
        drop(first);
        places.take(near).unwrap();
    }
}
