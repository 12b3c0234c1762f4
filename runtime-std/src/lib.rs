//! Longshore on blocking std: a thread a session, and in it one `poll(2)` over the control connection, the data connection
//! and the signal to stop. So `ABOR`, `STAT`, a stall and a stop are noticed during a transfer, without a second thread or a
//! lock.
//!
//! | module | what |
//! |---|---|
//! | [`wire`] | the driver: one loop for both roles |
//! | `control` | the control connection's socket |
//! | `data` | the data connection's sockets, and the transfer over them |
//! | [`server`], [`client`] | the runtime's part of `ftpd-std` and `ftp-std` |
#![forbid(unsafe_code)]

pub mod client;
mod control;
mod data;
pub mod server;
pub mod wire;
