//! FTP sessions without a socket, for tests, fuzzing and benches: a [`MemoryHost`], a [`Network`] whose connections cut and
//! delay bytes, a virtual clock, and a driver for either side.
//!
//! - [`Pair`] runs a client session against a server session.
//! - [`Raw`] runs a server session against commands that a test types.
//! - [`Odd`] runs a client session against replies that a test types.
//! - [`world`] runs whole sessions from a seed, with all that can go wrong, against a model of what must come of them.
//! - [`fuzz`] has the bodies of the fuzz targets.
//! - [`vectors`] reads the tables of test vectors, and [`dialogue`] runs the dialogues among them against any server.

pub mod dialogue;
mod dice;
mod driver;
pub mod fuzz;
mod host;
mod network;
mod odd;
mod pair;
mod raw;
pub mod vectors;
pub mod world;

pub use dice::Dice;
pub use driver::Driver;
pub use host::{Memory, MemoryDirectory, MemoryFile, MemoryHost, User};
pub use network::{Cuts, Mishap, Mishaps, Network, Read, Stream};
pub use odd::Odd;
pub use pair::{Buffer, Pair};
pub use raw::Raw;
