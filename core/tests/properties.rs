//! Every type that goes over the wire, both ways: what is written is read as what it was, however it is cut, and what is not in the
//! grammar is refused. The codecs have theirs in `codec.rs`, and any bytes at all are the business of the fuzz targets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use longshore_core::digest::{Algorithm, Hasher};
use longshore_core::entry::{Attributes, Entry, Kind, Link, Owner};
use longshore_core::host::Access;
use longshore_core::path::{PATH_LIMIT, PathError, VirtualPath};
use longshore_core::time::Timestamp;
use longshore_core::wire::address::{self, AddressError};
use longshore_core::wire::command::{Command, CommandError, is_sendable};
use longshore_core::wire::facts::{self, Fact, FactLine, FactSet, ListedKind};
use longshore_core::wire::host_name::HostName;
use longshore_core::wire::line::{LineDecoder, Side, escape_into};
use longshore_core::wire::listing::{read, write};
use longshore_core::wire::new_facts::NewFacts;
use longshore_core::wire::reply::{Reply, ReplyDecoder};
use longshore_core::wire::url::{FTP_PORT, FTPS_PORT, Url};
use longshore_core::wire::verb::{Argument, Offer, Verb};
use longshore_core::wire::{feature, hash, quoted, time_value};
use longshore_core::{netrc, pattern};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Bytes that can stand in an argument, the odd ones often.
fn argument() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => 0x21..0x7f_u8, 1 => select(b" \t\"%;=\xff\xf4\x80".to_vec()), 1 => any::<u8>()];
    vec(byte, 0..40).prop_map(|mut bytes| {
        bytes.retain(|byte| is_sendable(&[*byte]));
        bytes
    })
}

/// A name of a file.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let names = argument().prop_map(|mut name| {
        name.retain(|byte| *byte != b'/');
        name
    });
    names.prop_filter("a name", |name| !name.is_empty() && name != b"." && name != b"..")
}

/// A name that the columns of a listing can tell: no blank at its ends, no control byte, no arrow.
fn column_name() -> impl Strategy<Value = Vec<u8>> {
    name().prop_map(|mut name| {
        name.retain(|byte| !byte.is_ascii_control() && *byte != b'>');
        let name = name.trim_ascii();
        if name.is_empty() || name.starts_with(b".") { b"x".to_vec() } else { name.to_vec() }
    })
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    (-62_135_596_800..253_402_300_800_i64).prop_map(Timestamp::from_seconds)
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let kinds = select(vec![
        (Kind::File, 0o100_000),
        (Kind::Directory, 0o040_000),
        (Kind::Link, 0o120_000),
        (Kind::Other, 0o140_000),
    ]);
    let owner = || prop_oneof![any::<u32>().prop_map(Owner::Id), "[a-z][a-z0-9_-]{0,12}".prop_map(Owner::Name)];
    (kinds, any::<u64>(), timestamp(), 0..0o10_000_u32, 1..1000_u64, owner(), owner(), any::<(u64, u64)>()).prop_map(
        |((kind, bits), size, modified, mode, links, owner, group, unique)| {
            // A listing's column is no wider than what a file can be.
            let size = size >> 1;
            Attributes { kind, size, modified, mode: bits | mode, links, owner, group, unique }
        },
    )
}

/// Cuts bytes where the indexes have it.
fn cut<'a>(bytes: &'a [u8], at: &[Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = at.iter().map(|index| index.index(bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    let mut start = 0;
    ends.iter().map(|&end| &bytes[std::mem::replace(&mut start, end)..end]).collect()
}

fn cuts() -> impl Strategy<Value = Vec<Index>> {
    vec(any::<Index>(), 0..6)
}

/// Whether a command's argument goes over the wire as it is, blanks at its ends too.
fn is_verbatim(verb: Verb) -> bool {
    matches!(verb.row().argument, Argument::Text | Argument::OptionalText | Argument::EmptyText)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    /// RFC 959, section 5.3.
    #[test]
    fn commands(verb in select(Verb::ALL.to_vec()), text in argument(), blanks in 0..3_usize, upper in any::<u32>()) {
        let command = Command::with(verb, text.clone());
        let mut line = Vec::new();
        command.print(&mut line);
        // Case does not matter, nor do blanks in front.
        for (at, byte) in line.iter_mut().take_while(|byte| byte.is_ascii_alphanumeric()).enumerate() {
            if upper & (1 << at) != 0 {
                byte.make_ascii_lowercase();
            }
        }
        line.splice(0..0, vec![b' '; blanks]);
        let mut decoder = LineDecoder::new(Side::Server, 4096);
        let (taken, framed) = decoder.decode(&line, &mut Vec::new());
        prop_assert_eq!(taken, line.len());
        let parsed = Command::parse(&framed.unwrap().text);
        if verb.row().offer == Offer::Refused {
            prop_assert_eq!(parsed, Err(CommandError::Refused(verb)));
        } else if is_verbatim(verb) && !text.is_empty() {
            prop_assert_eq!(parsed, Ok(command));
        } else if let Ok(parsed) = parsed {
            prop_assert_eq!(parsed.verb, verb);
            prop_assert_eq!(parsed.argument.as_deref().unwrap_or_default(), text.trim_ascii());
        } else {
            let one_word = !text.trim_ascii().is_empty() && !text.contains(&b' ');
            prop_assert!(!one_word || verb.row().argument == Argument::None, "{:?}", parsed);
        }
    }

    /// RFC 959, section 3.1.1, and RFC 854.
    #[test]
    fn lines(texts in vec(argument(), 0..6), cuts in cuts()) {
        let mut wire = Vec::new();
        for text in &texts {
            escape_into(text, &mut wire);
            wire.extend_from_slice(b"\r\n");
        }
        let (mut decoder, mut answer, mut lines) = (LineDecoder::new(Side::Server, 4096), Vec::new(), Vec::new());
        for piece in cut(&wire, &cuts) {
            let mut rest = piece;
            while !rest.is_empty() {
                let (taken, line) = decoder.decode(rest, &mut answer);
                lines.extend(line.map(|line| line.text.to_vec()));
                rest = &rest[taken..];
            }
        }
        prop_assert_eq!(lines, texts);
        prop_assert!(answer.is_empty() && decoder.pending().is_empty());
    }

    /// RFC 959, section 4.2.
    #[test]
    fn replies(replies in vec((100..700_u16, vec(argument(), 1..5)), 1..4), cuts in cuts()) {
        let (mut wire, mut expected) = (Vec::new(), Vec::new());
        for (code, texts) in &replies {
            let (last, inner) = texts.split_last().unwrap();
            for (at, text) in inner.iter().enumerate() {
                // Lines in between may look like anything, but for an end.
                wire.extend_from_slice(if at == 0 { format!("{code}-") } else { " ".to_owned() }.as_bytes());
                escape_into(text, &mut wire);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(format!("{code} ").as_bytes());
            escape_into(last, &mut wire);
            wire.extend_from_slice(b"\r\n");
            let shown = |(at, text): (usize, &Vec<u8>)| {
                let blank: &[u8] = if at == 0 || at == inner.len() { b"" } else { b" " };
                Bytes::from([blank, text].concat())
            };
            expected.push(Reply { code: *code, lines: texts.iter().enumerate().map(shown).collect() });
        }
        let (mut decoder, mut read) = (ReplyDecoder::new(), Vec::new());
        for piece in cut(&wire, &cuts) {
            let mut rest = piece;
            while !rest.is_empty() {
                let (taken, reply) = decoder.decode(rest).unwrap();
                read.extend(reply);
                rest = &rest[taken..];
            }
        }
        prop_assert_eq!(read, expected);
    }

    /// RFC 959, section 4.1.2, and RFC 2428; nobody else's host and no low port are taken (RFC 2577).
    #[test]
    fn addresses(v4 in any::<[u8; 4]>(), v6 in any::<[u16; 8]>(), port in any::<u16>(), other in any::<[u8; 4]>()) {
        let (v4, v6, other) = (Ipv4Addr::from(v4), Ipv6Addr::from(v6), IpAddr::from(other));
        let judged = |target: SocketAddr| match target.port() {
            0 => Err(AddressError::Syntax),
            1..address::LOWEST_PORT => Err(AddressError::Refused),
            address::LOWEST_PORT.. => Ok(target),
        };
        let mut printed = Vec::new();
        address::print_port(v4, port, &mut printed);
        prop_assert_eq!(address::parse_port(&printed, v4.into()), judged((v4, port).into()));
        prop_assert!(other == v4 || address::parse_port(&printed, other).is_err());
        let reply = [&b"Entering Passive Mode ("[..], &printed, b")."].concat();
        prop_assert_eq!(address::parse_227(&reply), (port > 0).then_some(SocketAddr::from((v4, port))));
        for ip in [IpAddr::from(v4), IpAddr::from(v6)] {
            let target = SocketAddr::new(ip, port);
            let printed = address::print_eprt(target);
            prop_assert_eq!(address::parse_eprt(&printed, ip), judged(target));
            prop_assert!(other == ip || address::parse_eprt(&printed, other).is_err());
        }
        for mark in ['|', '!', '~'] {
            let reply = format!("Entering Extended Passive Mode ({mark}{mark}{mark}{port}{mark})");
            prop_assert_eq!(address::parse_229(reply.as_bytes()), (port > 0).then_some(port));
        }
    }

    /// RFC 3659, section 7.
    #[test]
    fn facts(name in name(), attributes in attributes(), chosen in any::<u16>()) {
        let set = Fact::ALL.iter().filter(|fact| chosen & (1 << **fact as u8) != 0);
        let set = set.fold(FactSet::none(), |set, fact| set.with(*fact));
        prop_assert_eq!(FactSet::parse(set.selected().as_bytes()), Ok(set));
        let entry = Entry { name: name.clone().into(), attributes, link: None };
        let mut line = Vec::new();
        facts::print(&entry, Access::Write, false, set, &mut line);
        line.extend_from_slice(&name);
        let read = FactLine::parse(&line).unwrap();
        prop_assert_eq!(read.name, &name[..]);
        let Attributes { kind, size, modified, mode, .. } = entry.attributes;
        let expected = match kind {
            _ if !set.has(Fact::Type) => ListedKind::Unknown,
            Kind::File => ListedKind::File,
            Kind::Directory => ListedKind::Directory,
            Kind::Link => ListedKind::Link,
            Kind::Other => ListedKind::Other,
        };
        prop_assert_eq!(read.kind, expected);
        prop_assert_eq!(read.size(), (set.has(Fact::Size) && kind == Kind::File).then_some(size));
        prop_assert_eq!(read.modified(), set.has(Fact::Modify).then_some(modified));
        let mode = set.has(Fact::UnixMode).then(|| format!("{:04o}", mode & 0o7777));
        prop_assert_eq!(read.fact(b"unix.mode").map(<[u8]>::to_vec), mode.map(String::into_bytes));
        let told: Vec<_> = read.facts.iter().map(|(name, _)| &name[..]).collect();
        let known = |fact: &&Fact| told.contains(&fact.name().to_ascii_lowercase().as_bytes());
        prop_assert!(Fact::ALL.iter().filter(known).all(|fact| set.has(*fact)), "what was not chosen is not told");
    }

    /// The lines of LIST, in the columns of `ls -l`.
    #[test]
    fn listings(name in column_name(), attributes in attributes(), target in column_name(), age in -400..4000_i64) {
        let now = Timestamp::from_seconds(1_718_452_800);
        let modified = Timestamp::from_seconds(now.seconds - age * 80_000);
        let attributes = Attributes { modified, ..attributes };
        let link = (attributes.kind == Kind::Link).then(|| Link { text: target.clone().into(), target: None });
        let entry = Entry { name: name.clone().into(), attributes, link };
        let mut line = Vec::new();
        write::print(&entry, now, &mut line);
        let read::ListLine::Entry(listed) = read::parse(&line, now) else { panic!("{}", line.escape_ascii()) };
        prop_assert_eq!(listed.kind, entry.attributes.kind, "{}", line.escape_ascii());
        prop_assert_eq!(listed.name, name);
        prop_assert_eq!(listed.target, entry.link.map(|_| target));
        let size = if entry.attributes.kind == Kind::Other { 0 } else { entry.attributes.size };
        prop_assert!(listed.size.is_none_or(|told| told == size));
        // To the minute, or to the day.
        let told = listed.modified.unwrap().seconds;
        let coarse = if told % 86_400 == 0 { 86_400 } else { 60 };
        prop_assert!(told <= modified.seconds && modified.seconds - told < coarse, "{told} for {}", modified.seconds);
    }

    /// RFC 3659, section 2.3.
    #[test]
    fn time_values(time in timestamp(), nanos in 0..1_000_000_000_u32, digits in 1..12_usize) {
        let mut printed = Vec::new();
        time_value::print(time, &mut printed);
        prop_assert_eq!(time_value::parse(&printed), Some(time));
        prop_assert_eq!(time.civil().timestamp(), Some(time));
        let fraction = format!(".{nanos:09}00");
        printed.extend_from_slice(&fraction.as_bytes()[..=digits]);
        let kept = 10_u32.pow(9_u32.saturating_sub(u32::try_from(digits).unwrap()));
        prop_assert_eq!(time_value::parse(&printed), Some(Timestamp { nanos: nanos / kept * kept, ..time }));
    }

    /// RFC 959, appendix II.
    #[test]
    fn quoted_paths(path in name(), comment in "[a-z \"]{0,20}") {
        let mut text = Vec::new();
        quoted::print(&path, &mut text);
        text.extend_from_slice(format!(" {comment}").as_bytes());
        let reply = Reply { code: 257, lines: vec![text.into()] };
        prop_assert_eq!(quoted::parse(&reply), Some(path));
    }

    /// draft-bryan-ftpext-hash, and the older forms.
    #[test]
    fn digests(content in vec(any::<u8>(), 0..300), cuts in cuts(), which in select(Algorithm::ALL.to_vec()), name in name()) {
        let (mut whole, mut pieces) = (Hasher::new(which), Hasher::new(which));
        whole.update(&content);
        cut(&content, &cuts).into_iter().for_each(|piece| pieces.update(piece));
        let digest = whole.finish();
        prop_assert_eq!(&digest, &pieces.finish());
        prop_assert_eq!(Algorithm::from_name(which.name().to_lowercase().as_bytes()), Some(which));
        let mut text = format!("{which} 0-{} {digest:X} ", content.len()).into_bytes();
        text.extend_from_slice(&name);
        let told = hash::parse(Verb::Hash, &Reply { code: 213, lines: vec![text.into()] }).unwrap();
        prop_assert_eq!(told.algorithm.as_deref(), Some(which.name().as_bytes()));
        prop_assert_eq!(String::from_utf8(told.hex).unwrap(), digest.to_string());
        let older = Reply { code: 250, lines: vec![format!("{digest:X}").into()] };
        prop_assert_eq!(hash::parse(Verb::Xcrc, &older).unwrap().hex, digest.to_string().into_bytes());
        prop_assert_eq!(hash::parse(Verb::Hash, &Reply { code: 550, ..older }), None);
    }

    /// What an older form may mean includes what was meant.
    #[test]
    fn parts_of_files(name in name(), start in any::<u32>(), length in option::of(any::<u32>())) {
        let (start, length) = (u64::from(start), length.map(u64::from));
        let mut text = name.clone();
        text.extend_from_slice(format!(" {start}").as_bytes());
        text.extend(length.iter().flat_map(|length| format!(" {}", start + length).into_bytes()));
        let meant = hash::Target { path: name.clone().into(), start, length };
        prop_assert!(name.starts_with(b"\"") || hash::targets(&text.into()).contains(&meant));
    }

    /// RFC 2389, section 3.2.
    #[test]
    fn features(listed in vec(("[A-Z][A-Z0-9-]{1,8}", option::of("[!-~][ -~]{0,20}")), 0..6)) {
        let inner = listed.iter().map(|(label, parameters)| match parameters {
            Some(parameters) => format!(" {label} {parameters}"),
            None => format!(" {label}"),
        });
        let lines = ["Extensions supported:".to_owned()].into_iter().chain(inner).chain(["End".to_owned()]);
        let reply = Reply { code: 211, lines: lines.map(Bytes::from).collect() };
        let read: Vec<_> = feature::parse(&reply).into_iter().map(|feature| {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            (text(&feature.label), feature.parameters.map(|parameters| text(&parameters)))
        }).collect();
        let trimmed = |(label, parameters): &(String, Option<String>)| {
            (label.clone(), parameters.as_ref().map(|it| it.trim_end().to_owned()))
        };
        prop_assert_eq!(read, listed.iter().map(trimmed).collect::<Vec<_>>());
    }

    /// draft-somers-ftp-mfxx.
    #[test]
    fn new_facts(time in option::of(timestamp()), mode in option::of(0..0o10_000_u32), path in name()) {
        let mut text = Vec::new();
        if let Some(time) = time {
            text.extend_from_slice(b"mOdify=");
            time_value::print(time, &mut text);
            text.push(b';');
        }
        text.extend(mode.iter().flat_map(|mode| format!("UNIX.mode={mode:o};").into_bytes()));
        let is_empty = text.is_empty();
        text.push(b' ');
        text.extend_from_slice(&path);
        let read = NewFacts::parse(&text);
        prop_assert!(is_empty == read.is_err());
        if !is_empty {
            prop_assert_eq!(read, Ok((NewFacts { modified: time, mode }, &path[..])));
        }
    }

    /// RFC 7151, section 3.1.
    #[test]
    fn host_names(v4 in any::<[u8; 4]>(), v6 in any::<[u16; 8]>(), labels in vec("[a-z0-9]{1,10}", 1..5)) {
        let (v4, v6) = (IpAddr::from(v4), IpAddr::from(v6));
        prop_assert_eq!(HostName::parse(v4.to_string().as_bytes()), Some(HostName::Address(v4)));
        let expected = Some(HostName::Address(v6.to_canonical()));
        prop_assert_eq!(HostName::parse(format!("[{v6}]").as_bytes()), expected);
        let name = format!("x.{}", labels.join("."));
        prop_assert_eq!(HostName::parse(name.as_bytes()), Some(HostName::Name));
        prop_assert_eq!(HostName::parse(format!("{name}:21").as_bytes()), None);
    }

    /// RFC 1738, section 3.2.
    #[test]
    fn urls(
        implicit_tls in any::<bool>(),
        user in option::of((name(), option::of(argument()))),
        host in "[a-z][a-z0-9.-]{0,20}",
        port in option::of(1..=65535_u16),
        segments in option::of(vec(argument(), 1..4)),
        kind in option::of(select(b"aid".to_vec())),
    ) {
        let escaped = |bytes: &[u8]| bytes.iter().map(|byte| match byte {
            b'a'..=b'z' | b'0'..=b'9' => char::from(*byte).to_string(),
            _ => format!("%{byte:02x}"),
        }).collect::<String>();
        let mut text = String::from(if implicit_tls { "FTPS://" } else { "ftp://" });
        if let Some((user, password)) = &user {
            text += &escaped(user);
            text += &password.iter().map(|password| format!(":{}", escaped(password))).collect::<String>();
            text += "@";
        }
        text += &host;
        text += &port.iter().map(|port| format!(":{port}")).collect::<String>();
        let kind = kind.filter(|_| segments.is_some());
        if let Some(segments) = &segments {
            text += "/";
            text += &segments.iter().map(|segment| escaped(segment)).collect::<Vec<_>>().join("/");
            text += &kind.iter().map(|kind| format!(";type={}", char::from(*kind))).collect::<String>();
        }
        let (user, password) = user.map_or((None, None), |(user, password)| (Some(user), password));
        let port = port.unwrap_or(if implicit_tls { FTPS_PORT } else { FTP_PORT });
        prop_assert_eq!(Url::parse(&text), Ok(Url { implicit_tls, user, password, host, port, segments, kind }));
    }

    /// Logins are found by machine and user, whatever is in their words.
    #[test]
    fn netrc_files(logins in vec((name(), option::of(name())), 1..4), asked in any::<Index>()) {
        let quoted = |word: &[u8]| {
            let mut quoted = vec![b'"'];
            for byte in word {
                quoted.extend(matches!(byte, b'"' | b'\\').then_some(b'\\'));
                quoted.push(*byte);
            }
            quoted.push(b'"');
            quoted
        };
        let mut text = Vec::new();
        for (at, (user, password)) in logins.iter().enumerate() {
            text.extend_from_slice(format!("machine m{at}\n\tlogin ").as_bytes());
            text.extend_from_slice(&quoted(user));
            if let Some(password) = password {
                text.extend_from_slice(b" password ");
                text.extend_from_slice(&quoted(password));
            }
            text.push(b'\n');
        }
        let at = asked.index(logins.len());
        let (user, password) = logins[at].clone();
        let machine = format!("M{at}");
        let login = netrc::Login { user: Some(user.clone()), password };
        prop_assert!(netrc::find(&text, &machine, None) == Some(login.clone()));
        prop_assert!(netrc::find(&text, &machine, Some(&user)) == Some(login));
        prop_assert!(netrc::find(&text, &machine, Some(b"/")).is_none());
        prop_assert!(netrc::find(&text, "elsewhere", None).is_none());
    }

    /// A path never leaves the root, and is what its parts make it.
    #[test]
    fn paths(
        parts in vec(prop_oneof![name(), Just(b"..".to_vec()), Just(b".".to_vec()), Just(vec![])], 0..12),
        absolute in any::<bool>(),
        from in vec(name(), 0..3),
    ) {
        let root = VirtualPath::root();
        let start = root.join(&from.join(&b'/')).unwrap();
        let mut stack: Vec<&[u8]> = if absolute { vec![] } else { from.iter().map(Vec::as_slice).collect() };
        for part in &parts {
            match &part[..] {
                b"" | b"." => {}
                b".." => drop(stack.pop()),
                name => stack.push(name),
            }
        }
        let mut text = if absolute { b"/".to_vec() } else { Vec::new() };
        text.extend_from_slice(&parts.join(&b'/'));
        if !absolute && text.starts_with(b"/") {
            text.insert(0, b'.');
        }
        let path = start.join(&text).unwrap();
        prop_assert_eq!(path.below_root(), stack.join(&b'/'));
        prop_assert_eq!(path.name(), stack.last().copied().unwrap_or_default());
        prop_assert_eq!(path.is_root(), stack.is_empty());
        let long = vec![b'x'; PATH_LIMIT];
        prop_assert_eq!(path.join(&long), Err(PathError::TooLong));
    }

    /// The same as a search that tries everything.
    #[test]
    fn patterns(pattern in vec(select(b"ab*?[]!-".to_vec()), 0..10), name in vec(select(b"ab]-[".to_vec()), 0..8)) {
        prop_assert_eq!(pattern::matches(&pattern, &name), fits(&pattern, &name), "{}", pattern.escape_ascii());
    }
}

/// A pattern's match by trying everything.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let Some((&first, rest)) = pattern.split_first() else { return name.is_empty() };
    if first == b'*' {
        return (0..=name.len()).any(|eaten| fits(rest, &name[eaten..]));
    }
    let Some((&byte, behind)) = name.split_first() else { return false };
    let negated = first == b'[' && matches!(rest.first(), Some(b'!' | b'^'));
    let members = &rest[usize::from(negated)..];
    // The first member may be a ], so the end is looked for behind it; a range takes what follows its -, but for a ].
    let mut at = 0;
    let mut found = false;
    while first == b'[' && at < members.len() {
        if members[at] == b']' && at > 0 {
            return found != negated && fits(&members[at + 1..], behind);
        }
        let is_range = members.get(at + 1) == Some(&b'-') && members.get(at + 2).is_some_and(|high| *high != b']');
        let high = if is_range { members[at + 2] } else { members[at] };
        found |= (members[at]..=high).contains(&byte);
        at += if is_range { 3 } else { 1 };
    }
    (first == b'?' || first == byte) && fits(rest, behind)
}
