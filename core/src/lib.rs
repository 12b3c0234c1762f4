//! # The FTP protocol without I/O
//!
//! This crate holds everything about FTP (RFC 959 and its successors) that can be said without a socket, a file or a clock:
//! the text of commands, replies and listings ([`wire`]), what happens to file bytes on their way ([`codec`], [`pump`]), and
//! both sides of a session as state machines ([`server::Session`], [`client::Session`]). Every rule, limit, deadline and
//! reply text of Longshore is decided here; runtimes bind it to their sockets and do as they are told.
//!
//! It does not open anything, wait for anything, or start a thread; it has no `std` and no unsafe code.
//!
//! # The loop
//!
//! A session is a [`Machine`](machine::Machine). Whoever drives it carries out its actions, sends its bytes, and tells it what
//! happened. This is the whole of it, for a server whose client only asks for the working directory:
//!
//! ```
//! use std::sync::Arc;
//! use longshore_core::machine::{Action, Machine};
//! use longshore_core::server::{Config, Event, Session};
//! use longshore_core::time::Instant;
//! # use longshore_sim::{Memory, MemoryHost, User};
//! # let anybody = User { name: "ftp", password: None, access: longshore_core::host::Access::Read };
//! # let mut host = MemoryHost::new(Memory::default(), vec![anybody]);
//!
//! let now = Instant::ORIGIN; // a real driver reads a clock
//! let (local, peer) = ("127.0.0.1:21".parse().unwrap(), "127.0.0.1:40000".parse().unwrap());
//! let mut session = Session::new(Arc::new(Config::default()), local, peer, now);
//!
//! let mut sent = Vec::new();
//! let mut came = &b"USER ftp\r\nPASS me@example.org\r\nPWD\r\nQUIT\r\n"[..];
//! 'session: loop {
//!     while let Some(action) = session.poll() {
//!         match action {
//!             Action::Event(Event::Ask(request)) => {
//!                 let (answer, _content) = request.run(&mut host);
//!                 session.answer(now, answer);
//!             }
//!             Action::Event(Event::Closed) => break 'session,
//!             _ => {} // data connections, which this client never makes
//!         }
//!     }
//!     sent.extend_from_slice(session.transmit());
//!     session.sent(now, session.transmit().len());
//!     if session.wants_input() && !came.is_empty() {
//!         let taken = session.receive(now, came);
//!         came = &came[taken..];
//!     }
//! }
//! let replies = String::from_utf8(sent).unwrap();
//! assert!(replies.contains("257 \"/\" is the current directory\r\n"));
//! assert!(replies.ends_with("221 Goodbye.\r\n"));
//! ```
//!
//! # The modules, from the ground up
//!
//! | module | what |
//! |---|---|
//! | [`time`], [`path`], [`part`], [`pattern`], [`netrc`], [`entry`] | values that know nothing of a wire |
//! | [`wire`] | text in, values out, and back; the table of [verbs](wire::verb::Verb) |
//! | [`host`] | what a session wants of a machine: files and users |
//! | [`codec`], [`pump`], [`digest`] | bytes in, bytes out; content through a codec to a socket; digests of content |
//! | [`machine`] | what a session and its driver say to each other |
//! | [`server`], [`client`] | the two sides |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod client;
pub mod codec;
pub mod digest;
pub mod entry;
pub mod host;
pub mod machine;
pub mod netrc;
mod outbox;
pub mod part;
pub mod path;
pub mod pattern;
pub mod pump;
pub mod server;
pub mod time;
pub mod wire;
