//! Digests of files: HASH (draft-bryan-ftpext-hash) and its older forms, and the check of what was moved.

use alloc::vec::Vec;
use core::fmt;

use md5::Md5;
use sha1::Sha1;
use sha2::digest::Digest as _;
use sha2::{Sha256, Sha512};

use crate::host::{Content, HostError};

/// How much is read at first, in bytes: most files are small.
const FIRST_PIECE: usize = 16 * 1024;
/// How much is read at once then.
const PIECE: usize = 256 * 1024;

/// A way to make a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-512
    Sha512,
    /// SHA-256
    Sha256,
    /// SHA-1
    Sha1,
    /// MD5
    Md5,
    /// CRC-32, as zip and Ethernet have it
    Crc32,
}

impl Algorithm {
    /// All of them, the strongest first.
    pub const ALL: [Self; 5] = [Self::Sha512, Self::Sha256, Self::Sha1, Self::Md5, Self::Crc32];

    /// Its name in HASH, as IANA has it for hash functions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha512 => "SHA-512",
            Self::Sha256 => "SHA-256",
            Self::Sha1 => "SHA-1",
            Self::Md5 => "MD5",
            Self::Crc32 => "CRC32",
        }
    }

    /// The algorithm of this name, in any case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().as_bytes().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A digest that is being made.
///
/// ```
/// use longshore_core::digest::{Algorithm, Hasher};
///
/// let mut hasher = Hasher::new(Algorithm::Crc32);
/// hasher.update(b"123456789");
/// assert_eq!(hasher.finish().to_string(), "cbf43926");
/// ```
#[derive(Clone, Debug)]
pub struct Hasher {
    state: State,
    length: u64,
}

#[derive(Clone, Debug)]
enum State {
    Sha512(Sha512),
    Sha256(Sha256),
    Sha1(Sha1),
    Md5(Md5),
    Crc32(crc32fast::Hasher),
}

impl Hasher {
    /// A digest of nothing so far.
    pub fn new(algorithm: Algorithm) -> Self {
        let state = match algorithm {
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha1 => State::Sha1(Sha1::new()),
            Algorithm::Md5 => State::Md5(Md5::new()),
            Algorithm::Crc32 => State::Crc32(crc32fast::Hasher::new()),
        };
        Self { state, length: 0 }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        match &mut self.state {
            State::Sha512(state) => state.update(bytes),
            State::Sha256(state) => state.update(bytes),
            State::Sha1(state) => state.update(bytes),
            State::Md5(state) => state.update(bytes),
            State::Crc32(state) => state.update(bytes),
        }
    }

    /// That was all.
    pub fn finish(self) -> Digest {
        let bytes = match self.state {
            State::Sha512(state) => state.finalize().to_vec(),
            State::Sha256(state) => state.finalize().to_vec(),
            State::Sha1(state) => state.finalize().to_vec(),
            State::Md5(state) => state.finalize().to_vec(),
            State::Crc32(state) => state.finalize().to_be_bytes().to_vec(),
        };
        Digest { bytes, length: self.length }
    }
}

/// A digest; it shows as hexadecimal digits, `{:X}` in upper case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The digest itself.
    pub bytes: Vec<u8>,
    /// Of how many bytes it is.
    pub length: u64,
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::UpperHex for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// What a digest is to be made of: an order of a session to its driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// How.
    pub algorithm: Algorithm,
    /// Of so many bytes at the most; of all there are if `None`.
    pub length: Option<u64>,
    /// Of the content at hand from its start, though it was read or written before; it stays at hand. Else from where it stands, and
    /// then it is done with.
    pub again: bool,
}

/// A digest of content, made piece by piece, so that its driver can look elsewhere in between.
#[derive(Debug)]
pub struct Summing {
    hasher: Option<Hasher>,
    left: Option<u64>,
    /// The content is to be read from its start.
    rewinds: bool,
    keeps_content: bool,
    buffer: Vec<u8>,
}

impl Summing {
    /// Begins.
    pub fn new(order: Order) -> Self {
        let Order { algorithm, length, again } = order;
        let hasher = Some(Hasher::new(algorithm));
        Self { hasher, left: length, rewinds: again, keeps_content: again, buffer: Vec::new() }
    }

    /// Whether the content is still needed when the digest is made.
    pub fn keeps_content(&self) -> bool {
        self.keeps_content
    }

    /// Reads a piece; gives how large it was, and the digest once there is nothing more to read.
    ///
    /// # Errors
    ///
    /// The content cannot be read, or not again.
    pub fn step(&mut self, content: &mut impl Content) -> Result<(u64, Option<Digest>), HostError> {
        if core::mem::take(&mut self.rewinds) {
            content.rewind()?;
        }
        let size = if self.buffer.is_empty() { FIRST_PIECE } else { PIECE };
        self.buffer.resize(size, 0);
        let most = self.left.and_then(|left| usize::try_from(left).ok()).map_or(size, |left| left.min(size));
        let count = if most > 0 { content.read(&mut self.buffer[..most])? } else { 0 };
        if count == 0 {
            return Ok((0, self.hasher.take().map(Hasher::finish)));
        }
        self.left = self.left.map(|left| left - count as u64);
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&self.buffer[..count]);
        }
        Ok((count as u64, None))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn digests_are_the_known_ones() {
        let known = [
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "a9993e364706816aba3e25717850c26c9cd0d89d",
            "900150983cd24fb0d6963f7d28e17f72",
            "352441c2",
        ];
        for (algorithm, known) in Algorithm::ALL.into_iter().zip(known) {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(b"a");
            hasher.update(b"bc");
            let digest = hasher.finish();
            assert_eq!((digest.to_string().as_str(), digest.length), (known, 3));
            assert_eq!(Algorithm::from_name(algorithm.name().to_lowercase().as_bytes()), Some(algorithm));
        }
    }
}
