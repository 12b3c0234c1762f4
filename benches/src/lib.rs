//! What the benches share: a client session of each runtime as a library, which moves files without looking at them. The servers are
//! the programs themselves.
//!
//! | module | what |
//! |---|---|
//! | [`client`] | sessions with a server |
//! | [`servers`] | the server programs |

pub mod client;
pub mod servers;
