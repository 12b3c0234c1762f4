//! Texts of the protocol: whatever comes is read or refused, and what is read can be written and read again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use longshore_core::path::VirtualPath;
use longshore_core::time::Timestamp;
use longshore_core::wire::command::{Command, masked};
use longshore_core::wire::facts::{FactLine, FactSet};
use longshore_core::wire::line::{LineDecoder, Side};
use longshore_core::wire::listing::read::{self, ListLine};
use longshore_core::wire::reply::{Reply, ReplyDecoder, Shown};
use longshore_core::wire::url::Url;
use longshore_core::wire::verb::Verb;
use longshore_core::wire::{address as wire_address, feature, hash, quoted, time_value};
use longshore_core::{netrc, pattern};

/// A command that is read is written as a line that is read as the same.
pub fn command(data: &[u8]) {
    let line = Bytes::copy_from_slice(data);
    let shown = masked(&line);
    match Command::parse(&line) {
        Ok(command) => {
            if command.verb == Verb::Pass {
                assert!(shown.len() == 9 && shown.ends_with(b" ****"), "a password shows");
            }
            let is_printable = command.argument.as_ref().is_none_or(|argument| !argument.contains(&b'\n'));
            if is_printable {
                let mut printed = Vec::new();
                command.print(&mut printed);
                let mut decoder = LineDecoder::new(Side::Server, usize::MAX);
                let (taken, line) = decoder.decode(&printed, &mut Vec::new());
                let line = line.expect("a line was written");
                assert_eq!(taken, printed.len(), "one line was written");
                assert_eq!(Command::parse(&line.text).as_ref(), Ok(&command));
            }
        }
        Err(error) => {
            assert!(matches!(error.code(), 500..=504), "{error:?}");
        }
    }
    let root = VirtualPath::root();
    if let Ok(path) = root.join(data) {
        assert!(path.as_bytes().starts_with(b"/"));
        assert!(!path.as_bytes().split(|byte| *byte == b'/').any(|part| part == b".." || part == b"."));
        assert_eq!(root.join(path.as_bytes()).as_ref(), Ok(&path), "a path is what it is");
        assert!(path.is_root() || path.parent().join(path.name()).as_ref() == Ok(&path));
    }
}

/// Replies are the same however they are cut, and within their bound; what they tell is read or not.
pub fn reply(data: &[u8]) {
    const MOST: usize = 64 * 1024;
    let ([how], data) = super::split(data);
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut decoder, mut replies) = (ReplyDecoder::new(), Vec::new());
        for piece in pieces {
            let mut rest = piece;
            while !rest.is_empty() {
                match decoder.decode(rest) {
                    Ok((taken, reply)) => {
                        rest = &rest[taken..];
                        if let Some(reply) = reply {
                            replies.push(reply);
                        } else if taken == 0 {
                            break;
                        }
                    }
                    Err(_) => return (replies, true),
                }
            }
        }
        (replies, false)
    };
    let whole = read(&mut std::iter::once(data));
    assert_eq!(whole, read(&mut super::pieces(data, how)), "cuts do not matter");
    for reply in &whole.0 {
        tell(reply);
        assert!(reply.lines.iter().map(Bytes::len).sum::<usize>() <= MOST);
        assert!((100..700).contains(&reply.code) && !reply.lines.is_empty());
    }
}

fn tell(reply: &Reply) {
    let shown = reply.to_string();
    assert!(!shown.contains(|letter: char| letter.is_control() && letter != '\n'), "{shown:?} is for a terminal");
    let _ = (reply.announced_size(), reply.text(), quoted::parse(reply), time_value::parse(reply.text()));
    let features = feature::parse(reply);
    let _ = hash::strongest(&features);
    for verb in [Verb::Hash, Verb::Xmd5, Verb::Xcrc] {
        let _ = hash::parse(verb, reply);
    }
    let _ = (wire_address::parse_227(reply.text()), wire_address::parse_229(reply.text()));
}

/// Lines of LIST and MLSD.
pub fn listing(data: &[u8]) {
    let now = Timestamp::from_seconds(1_718_452_800);
    for line in data.split(|byte| *byte == b'\n') {
        if let ListLine::Entry(listed) = read::parse(line, now) {
            assert!(!listed.name.is_empty() && listed.name != b"." && listed.name != b"..");
        }
        if let Some(facts) = FactLine::parse(line) {
            assert!(!facts.name.is_empty());
            let _ = (facts.size(), facts.modified());
        }
        if let Some(time) = time_value::parse(line) {
            let mut printed = Vec::new();
            time_value::print(time, &mut printed);
            let again = time_value::parse(&printed).expect("what is written can be read");
            assert_eq!(again.seconds, time.seconds);
        }
        if let Ok(set) = FactSet::parse(line) {
            assert_eq!(FactSet::parse(set.selected().as_bytes()).ok(), Some(set));
        }
        assert!(!Shown(line).to_string().contains(char::is_control));
    }
    if let Some(at) = data.iter().position(|byte| *byte == b'\n') {
        // However it is put, a pattern comes to an end, and a name is its own pattern.
        let (pattern, name) = (&data[..at], &data[at + 1..]);
        let _ = pattern::matches(pattern, name);
        assert!(pattern::is_pattern(name) || name.len() > pattern::PATTERN_LIMIT || pattern::matches(name, name));
        assert!(pattern::matches(b"*", name));
    }
}

/// Addresses of PORT, EPRT, and of the replies to PASV and EPSV.
pub fn address(data: &[u8]) {
    for peer in [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        if let Ok(target) = wire_address::parse_port(data, peer) {
            assert!(target.ip() == peer && target.port() >= 1024, "{target}");
        }
        if let Ok(target) = wire_address::parse_eprt(data, peer) {
            assert!(target.ip() == peer && target.port() >= 1024, "{target}");
            assert_eq!(wire_address::parse_eprt(&wire_address::print_eprt(target), peer), Ok(target));
        }
    }
    if let Some(SocketAddr::V4(target)) = wire_address::parse_227(data) {
        let mut printed = b"x (".to_vec();
        wire_address::print_port(*target.ip(), target.port(), &mut printed);
        printed.push(b')');
        assert_eq!(wire_address::parse_227(&printed), Some(target.into()));
    }
    if let Some(port) = wire_address::parse_229(data) {
        assert_eq!(wire_address::parse_229(format!("x (|||{port}|)").as_bytes()), Some(port));
    }
}

/// URLs, and `.netrc`.
pub fn url(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(url) = Url::parse(&text) {
        assert!(Url::is_url(&text) && !url.host.is_empty() && url.port > 0);
        let unsendable = |part: &Vec<u8>| part.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
        assert!(!url.segments.iter().flatten().any(unsendable), "a URL is no command");
        assert!(!url.user.iter().chain(&url.password).any(unsendable), "a URL is no command");
        let without = Url { password: None, ..url.clone() };
        assert_eq!(format!("{url:?}"), format!("{without:?}"), "a password shows");
    }
    for (machine, user) in [("example.org", None), ("a", Some(&b"b"[..]))] {
        if let Some(login) = netrc::find(data, machine, user) {
            assert!(user.is_none() || login.user.as_deref().is_none_or(|found| Some(found) == user));
        }
    }
}
