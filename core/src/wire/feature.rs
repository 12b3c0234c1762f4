//! What a server says that it can do beyond RFC 959 (RFC 2389).

use alloc::vec::Vec;

use bytes::Bytes;

use super::reply::Reply;
use super::scan::split_once;

/// A line of the answer to FEAT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// The extension's name, in upper case.
    pub label: Vec<u8>,
    /// What follows it, as it was sent.
    pub parameters: Option<Bytes>,
}

/// Reads the answer to FEAT, also one whose lines are not laid out as RFC 2389, section 3.2, has them; empty for an error.
pub fn parse(reply: &Reply) -> Vec<Feature> {
    if reply.code != 211 || reply.lines.len() < 2 {
        return Vec::new();
    }
    let inner = &reply.lines[1..reply.lines.len() - 1];
    inner.iter().filter_map(parse_line).collect()
}

fn parse_line(line: &Bytes) -> Option<Feature> {
    let text = line.trim_ascii();
    let (label, parameters) = match split_once(text, b' ') {
        Some((label, parameters)) => (label, Some(line.slice_ref(parameters))),
        None => (text, None),
    };
    (!label.is_empty()).then(|| Feature { label: label.to_ascii_uppercase(), parameters })
}
