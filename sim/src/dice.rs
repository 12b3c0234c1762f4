//! Numbers from a seed: the same seed gives the same numbers.

use std::collections::VecDeque;

/// A sequence of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
    /// Bytes that steer instead, while there are any.
    steering: VecDeque<u8>,
}

impl Dice {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed, steering: VecDeque::new() }
    }

    /// The numbers that bytes have it, two bytes each, and then those of a seed.
    pub fn steered(bytes: &[u8]) -> Self {
        Self { state: 0, steering: bytes.iter().copied().collect() }
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        if let (Some(low), Some(high)) = (self.steering.pop_front(), self.steering.pop_front()) {
            return u64::from(u16::from_le_bytes([low, high]));
        }
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number below a bound; none is 0 too.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    /// The same, for an index.
    pub fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).unwrap_or(0)
    }

    /// Whether something happens that does so many times in a thousand.
    pub fn happens(&mut self, in_a_thousand: u64) -> bool {
        self.below(1000) < in_a_thousand
    }

    /// One of them.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }
}
