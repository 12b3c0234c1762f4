//! The path in a 257 reply: between quotes, a quote within it doubled (RFC 959, appendix II).

use alloc::vec::Vec;

use super::reply::Reply;

/// Puts `path` behind `out`, between quotes.
pub fn print(path: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in path {
        out.push(byte);
        if byte == b'"' {
            out.push(byte);
        }
    }
    out.push(b'"');
}

/// The path that a 257 names: what stands between the first quote and its match, or, from servers that quote nothing, the
/// first word where it begins with `/`.
pub fn parse(reply: &Reply) -> Option<Vec<u8>> {
    if reply.code != 257 {
        return None;
    }
    let text = reply.text();
    let Some(start) = text.iter().position(|&byte| byte == b'"') else {
        let word = text.split(|&byte| byte == b' ').next()?;
        return word.starts_with(b"/").then(|| word.to_vec());
    };
    let mut path = Vec::new();
    let mut bytes = text[start + 1..].iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'"' {
            path.push(byte);
        } else if bytes.next_if_eq(&b'"').is_some() {
            path.push(b'"');
        } else {
            return (!path.is_empty()).then_some(path);
        }
    }
    None
}
