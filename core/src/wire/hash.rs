//! HASH (draft-bryan-ftpext-hash) and its older forms XCRC, XMD5, XSHA and so on: their arguments and their replies.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::feature::Feature;
use super::reply::{Class, Reply};
use super::scan::{decimal, split_once, word};
use super::verb::Verb;
use crate::digest::Algorithm;

/// The algorithms as HASH's line of FEAT has them, the one that is in force with a `*`.
pub fn feature(in_force: Algorithm) -> String {
    // SHA-256 first: clients that do not choose take what comes first.
    let order = [Algorithm::Sha256, Algorithm::Sha512, Algorithm::Sha1, Algorithm::Md5, Algorithm::Crc32];
    order.iter().fold(String::new(), |list, algorithm| {
        list + algorithm.name() + if *algorithm == in_force { "*;" } else { ";" }
    })
}

/// The algorithm of an older form.
pub fn algorithm(verb: Verb) -> Option<Algorithm> {
    Some(match verb {
        Verb::Xcrc => Algorithm::Crc32,
        Verb::Xmd5 => Algorithm::Md5,
        Verb::Xsha | Verb::Xsha1 => Algorithm::Sha1,
        Verb::Xsha256 => Algorithm::Sha256,
        Verb::Xsha512 => Algorithm::Sha512,
        _ => return None,
    })
}

/// A way to ask a server for a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// What kind.
    pub algorithm: Algorithm,
    /// By which command.
    pub verb: Verb,
    /// Whether the server has to be told of the algorithm before, by OPTS HASH.
    pub chooses: bool,
}

/// The strongest digest that a server offers.
///
/// ```
/// use longshore_core::wire::feature::Feature;
/// use longshore_core::wire::hash::{self, Way};
/// # use longshore_core::{digest::Algorithm, wire::verb::Verb};
///
/// let feature = |label: &[u8], parameters: &'static str| {
///     Feature { label: label.to_vec(), parameters: Some(parameters.into()) }
/// };
/// let features = [feature(b"HASH", "SHA-1*;SHA-256"), feature(b"XCRC", "")];
/// let strongest = Way { algorithm: Algorithm::Sha256, verb: Verb::Hash, chooses: true };
/// assert_eq!(hash::strongest(&features), Some(strongest));
/// ```
pub fn strongest(features: &[Feature]) -> Option<Way> {
    let listed =
        features.iter().find(|feature| feature.label == b"HASH").and_then(|feature| feature.parameters.clone());
    let mut ways: Vec<Way> = Vec::new();
    for name in listed.iter().flat_map(|list| list.split(|&byte| byte == b';')) {
        let (name, in_force) = name.trim_ascii().strip_suffix(b"*").map_or((name.trim_ascii(), false), |it| (it, true));
        if let Some(algorithm) = Algorithm::from_name(name) {
            ways.push(Way { algorithm, verb: Verb::Hash, chooses: !in_force });
        }
    }
    for feature in features {
        if let Some(verb) = Verb::from_upper(&feature.label)
            && let Some(algorithm) = algorithm(verb)
        {
            ways.push(Way { algorithm, verb, chooses: false });
        }
    }
    let strength = |way: &Way| Algorithm::ALL.iter().position(|algorithm| *algorithm == way.algorithm);
    ways.into_iter().min_by_key(strength)
}

/// A file, and perhaps a part of it: what an older form asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The file.
    pub path: Bytes,
    /// Where the part begins.
    pub start: u64,
    /// How long it is; to the end of the file if `None`.
    pub length: Option<u64>,
}

/// What `path [start [end]]` may mean, `path` perhaps in quotes, the likeliest first: digits at the end may belong to a name. The end is
/// the first byte that is not meant.
pub fn targets(argument: &Bytes) -> Vec<Target> {
    let whole = |path: Bytes| Target { path, start: 0, length: None };
    let with = |path: &[u8], start: u64, end: Option<u64>| {
        let length = end.map_or(Some(None), |end| end.checked_sub(start).map(Some))?;
        (!path.is_empty()).then(|| Target { path: argument.slice_ref(path), start, length })
    };
    let mut targets = alloc::vec![whole(argument.clone())];
    if let Some((path, rest)) = argument.strip_prefix(b"\"").and_then(|quoted| split_once(quoted, b'"')) {
        let numbers = match word(rest) {
            None => Some((0, None)),
            Some((start, b"")) => decimal(start).map(|start| (start, None)),
            Some((start, end)) => decimal(start).zip(decimal(end)).map(|(start, end)| (start, Some(end))),
        };
        targets.extend(numbers.and_then(|(start, end)| with(path, start, end)));
        return targets;
    }
    let last = |text: &[u8]| text.iter().rposition(|&byte| byte == b' ');
    let Some((path, number)) = last(argument).and_then(|at| Some((&argument[..at], decimal(&argument[at + 1..])?)))
    else {
        return targets;
    };
    targets.extend(with(path, number, None));
    if let Some((path, start)) = last(path).and_then(|at| Some((&path[..at], decimal(&path[at + 1..])?))) {
        targets.extend(with(path, start, Some(number)));
    }
    targets
}

/// What a server told of a file's digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The algorithm's name, in HASH.
    pub algorithm: Option<Bytes>,
    /// The bytes that were meant, as they were sent, in HASH.
    pub range: Option<Bytes>,
    /// The digest in hexadecimal digits, in lower case.
    pub hex: Vec<u8>,
}

/// Reads the reply to HASH, as `213 SHA-256 0-49 169cd222 file.bin`, or to an older form, as `250 169CD222`, where the digest
/// may stand anywhere.
pub fn parse(verb: Verb, reply: &Reply) -> Option<Told> {
    if reply.class() != Class::Completion {
        return None;
    }
    let line = reply.lines.last()?;
    if verb == Verb::Hash {
        let (algorithm, rest) = word(line)?;
        let (range, rest) = word(rest)?;
        let (hex, _) = word(rest)?;
        let keep = |text: &[u8]| Some(line.slice_ref(text));
        return is_digest(hex).then(|| Told {
            algorithm: keep(algorithm),
            range: keep(range),
            hex: hex.to_ascii_lowercase(),
        });
    }
    // A name may look like a digest, and stands before it.
    let hex = line.split(|&byte| byte == b' ').rfind(|word| is_digest(word))?;
    Some(Told { algorithm: None, range: None, hex: hex.to_ascii_lowercase() })
}

fn is_digest(text: &[u8]) -> bool {
    text.len() >= 8 && text.len().is_multiple_of(2) && text.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_forms_name_a_file_and_perhaps_a_part() {
        let parsed = |text: &'static str| {
            let shown = |target: Target| (target.path, target.start, target.length);
            targets(&Bytes::from(text)).into_iter().map(shown).collect::<Vec<_>>()
        };
        let whole = |text: &'static str| (Bytes::from(text), 0, None);
        assert_eq!(parsed("a.txt"), [whole("a.txt")]);
        assert_eq!(parsed("a 7"), [whole("a 7"), ("a".into(), 7, None)]);
        assert_eq!(parsed("a b 2 7"), [whole("a b 2 7"), ("a b 2".into(), 7, None), ("a b".into(), 2, Some(5))]);
        assert_eq!(parsed("a 7 2"), [whole("a 7 2"), ("a 7".into(), 2, None)]);
        assert_eq!(parsed("\"a 1\""), [whole("\"a 1\""), ("a 1".into(), 0, None)]);
        assert_eq!(parsed("\"a\" 0 5"), [whole("\"a\" 0 5"), ("a".into(), 0, Some(5))]);
        assert_eq!(parsed("\"a\" x"), [whole("\"a\" x")]);
    }
}
