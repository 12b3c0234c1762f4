//! FTP sessions without a socket, for tests, fuzzing and benches: a [`MemoryHost`], a [`Network`] whose connections cut and
//! delay bytes, a virtual clock, and a driver for either side.
//!
//! - [`Pair`] runs a client session against a server session.
//! - [`Raw`] runs a server session against commands that a test types.
//! - [`Odd`] runs a client session against replies that a test types.
//! - [`vectors`] reads the tables of test vectors, and [`dialogue`] runs the dialogues among them against any server.

pub mod dialogue;
mod driver;
mod host;
mod network;
mod odd;
mod pair;
mod raw;
pub mod vectors;

pub use driver::Driver;
pub use host::{Memory, MemoryDirectory, MemoryFile, MemoryHost, User};
pub use network::{Cuts, Network, Read, Stream};
pub use odd::Odd;
pub use pair::{Buffer, Pair};
pub use raw::Raw;
