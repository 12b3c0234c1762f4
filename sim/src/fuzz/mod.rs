//! The bodies of the fuzz targets: each takes any bytes, and panics where a property does not hold. They stand here, so that what was found once
//! is tried again by every `cargo test`.
//!
//! | file | targets |
//! |---|---|
//! | `text.rs` | `command`, `reply`, `listing`, `address`, `url` |
//! | `frames.rs` | `frame_decoder` |
//! | `sessions.rs` | `server_session`, `client_session`, `pair` |
//!
//! `seeds.rs` has what fuzzing begins with.

mod frames;
mod seeds;
mod sessions;
mod text;

pub use self::frames::frame_decoder;
pub use self::seeds::{Seed, seeds};
pub use self::sessions::{client_session, pair, server_session};
pub use self::text::{address, command, listing, reply, url};

/// What a target does with bytes.
pub type Body = fn(&[u8]);

/// All targets, by their names.
pub const TARGETS: &[(&str, Body)] = &[
    ("frame_decoder", frame_decoder),
    ("command", command),
    ("reply", reply),
    ("listing", listing),
    ("address", address),
    ("url", url),
    ("server_session", server_session),
    ("client_session", client_session),
    ("pair", pair),
];

/// Bytes that steer, from the front, and those behind them.
fn split<const N: usize>(data: &[u8]) -> ([u8; N], &[u8]) {
    match data.split_first_chunk::<N>() {
        Some((head, rest)) => (*head, rest),
        None => ([0; N], data),
    }
}

/// Cuts bytes into pieces, as a byte says.
fn pieces(data: &[u8], how: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = data;
    let mut step = usize::from(how);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        step = (step * 7 + 3) % (usize::from(how) + 1);
        let (piece, behind) = rest.split_at((1 + step).min(rest.len()));
        rest = behind;
        Some(piece)
    })
}
