//! Longshore on any async runtime: a task a session. A runtime says in a hundred lines whose sockets, timers and tasks are
//! used ([`Runtime`], [`Watch`]); all else is here, once, for servers and clients.
//!
//! | module | what |
//! |---|---|
//! | [`runtime`] | what a runtime has to say |
//! | [`wire`] | the driver: one loop for both roles |
//! | `control` | the control connection's stream |
//! | `data` | the data connection's sockets, and the transfer over them |
//! | `alarm`, `notice`, `loose` | the session's deadline; the word to stop; what outlasts its session |
//! | [`server`], [`client`] | the programs: `main` is a line for each |
//!
//! No task waits for a disk: questions to the host, and the turns of a transfer that need its content, go to the runtime's
//! threads for blocking work, in few and large steps. A small file that is downloaded takes one such step.
#![forbid(unsafe_code)]

mod alarm;
pub mod client;
mod control;
mod data;
mod loose;
mod notice;
pub mod runtime;
pub mod server;
pub mod wire;

pub use self::runtime::{Runtime, Watch};
