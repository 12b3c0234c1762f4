//! Every row of the tables in `vectors/`, against the module of `wire` that the table is about.

use std::net::IpAddr;

use bytes::Bytes;
use longshore_core::entry::{Attributes, Entry, Kind, Link, Owner};
use longshore_core::path::VirtualPath;
use longshore_core::time::Timestamp;
use longshore_core::wire::command::{Command, CommandError};
use longshore_core::wire::facts::{Fact, FactLine, FactSet, ListedKind};
use longshore_core::wire::line::{LineDecoder, Side};
use longshore_core::wire::listing::{read, write};
use longshore_core::wire::reply::{Reply, ReplyDecoder};
use longshore_core::wire::url::Url;
use longshore_core::wire::verb::Verb;
use longshore_core::wire::{address, feature, hash, quoted, time_value};
use longshore_sim::vectors::{Row, each};

macro_rules! table {
    ($name:literal) => {
        include_str!(concat!("../vectors/", $name, ".tsv"))
    };
}

/// The pieces as they are, and byte by byte.
fn both_ways(pieces: &[Vec<u8>]) -> [Vec<Vec<u8>>; 2] {
    let single = pieces.concat().iter().map(|byte| vec![*byte]).collect();
    [pieces.to_vec(), single]
}

#[test]
fn lines_are_framed_as_the_table_says() {
    each(table!("framing"), |row| {
        for pieces in both_ways(&row.list("chunks[]")) {
            let mut decoder = LineDecoder::new(Side::Server, 4096);
            let (mut lines, mut answer) = (Vec::new(), Vec::new());
            for piece in &pieces {
                let mut rest = &piece[..];
                while !rest.is_empty() {
                    let (taken, line) = decoder.decode(rest, &mut answer);
                    lines.extend(line.map(|line| line.text.to_vec()));
                    rest = &rest[taken..];
                }
            }
            assert_eq!(lines, row.list("lines[]"));
            assert_eq!(answer, row.bytes("reply").unwrap_or_default());
            assert_eq!(decoder.pending(), row.bytes("rest").unwrap_or_default());
        }
    });
}

#[test]
fn overlong_lines_are_cut_and_end_at_their_lf() {
    let mut decoder = LineDecoder::new(Side::Server, 8);
    let (_, none) = decoder.decode(&[b'x'; 1 << 20], &mut Vec::new());
    assert_eq!(none, None);
    assert_eq!(decoder.pending().len(), 8, "no more than the limit is held");
    let (taken, line) = decoder.decode(b"y\nNOOP", &mut Vec::new());
    assert_eq!(taken, 2);
    assert!(line.unwrap().cut);
    let (_, line) = decoder.decode(b"NOOP\n", &mut Vec::new());
    assert!(!line.unwrap().cut);
}

#[test]
fn commands_are_read_as_the_table_says() {
    each(table!("commands"), |row| {
        let line = Bytes::from(row.bytes("line").unwrap());
        let outcome = match Command::parse(&line) {
            Ok(command) => {
                assert_eq!(Some(command.verb.row().name), row.text("verb").as_deref());
                assert_eq!(command.argument.as_deref(), row.bytes("arg").as_deref());
                "ok".to_owned()
            }
            Err(CommandError::Blank) if line.is_empty() => "ignore".to_owned(),
            Err(CommandError::Browser) => "500close".to_owned(),
            Err(error) => error.code().to_string(),
        };
        assert_eq!(outcome, row.raw("outcome"));
    });
}

#[test]
fn commands_print_as_they_were_read() {
    each(table!("commands"), |row| {
        let Ok(command) = Command::parse(&Bytes::from(row.bytes("line").unwrap())) else { return };
        let mut printed = Vec::new();
        command.print(&mut printed);
        let (_, line) = LineDecoder::new(Side::Server, 4096).decode(&printed, &mut Vec::new());
        assert_eq!(Command::parse(&line.unwrap().text), Ok(command));
    });
}

#[test]
fn replies_are_read_as_the_table_says() {
    each(table!("replies"), |row| {
        let input = row.bytes("in").unwrap();
        for pieces in both_ways(std::slice::from_ref(&input)) {
            let mut decoder = ReplyDecoder::new();
            let (mut status, mut consumed) = ("more", 0);
            for piece in &pieces {
                match decoder.decode(piece) {
                    Ok((taken, reply)) => {
                        consumed += taken;
                        if let Some(reply) = reply {
                            status = "done";
                            assert_eq!(Some(reply.code), row.number("code"));
                            assert_eq!(reply.lines, row.list("text[]"));
                            assert_eq!(&input[consumed..], row.bytes("rest").unwrap());
                            break;
                        }
                    }
                    Err(_) => {
                        status = "bad";
                        break;
                    }
                }
            }
            assert_eq!(status, row.raw("status"));
        }
    });
}

#[test]
fn a_reply_is_bounded_and_its_end_is_found_all_the_same() {
    let mut decoder = ReplyDecoder::new();
    let mut wire = b"220-start\r\n".to_vec();
    for _ in 0..100_000 {
        wire.extend_from_slice(b"220-more\r\n");
    }
    wire.extend_from_slice(b"220 end\r\n250 next\r\n");
    let (taken, reply) = decoder.decode(&wire).unwrap();
    let reply = reply.unwrap();
    assert_eq!(&wire[taken..], b"250 next\r\n");
    assert_eq!(reply.text(), b"end");
    assert!(reply.lines.iter().map(Bytes::len).sum::<usize>() <= 64 * 1024);
}

fn reply_of(wire: &[u8]) -> Reply {
    let wire = if wire.ends_with(b"\n") { wire.to_vec() } else { [wire, b"\r\n"].concat() };
    ReplyDecoder::new().decode(&wire).unwrap().1.unwrap()
}

#[test]
fn features_are_read_as_the_table_says() {
    each(table!("feat"), |row| {
        let features = feature::parse(&reply_of(&row.bytes("in").unwrap()));
        let texts: Vec<Vec<u8>> = features
            .into_iter()
            .map(|feature| match feature.parameters {
                Some(parameters) => [&feature.label[..], b" ", &parameters].concat(),
                None => feature.label,
            })
            .collect();
        assert_eq!(texts, row.list("features[]"));
    });
}

#[test]
fn passive_replies_are_read_as_the_table_says() {
    each(table!("pasv227"), |row| {
        let address = address::parse_227(reply_of(&row.bytes("reply").unwrap()).text());
        assert_eq!(address.map_or("err".to_owned(), |address| address.to_string()), row.raw("out"));
    });
    each(table!("epsv229"), |row| {
        let port = address::parse_229(reply_of(&row.bytes("reply").unwrap()).text());
        assert_eq!(port.map_or("err".to_owned(), |port| port.to_string()), row.raw("out"));
    });
}

#[test]
fn a_passive_reply_is_found_whatever_surrounds_it_and_in_no_time() {
    for text in ["192,0,2,7,195,80, go", "192,0,2,7,195,80 5 left", "(192,0,2,7,195,80,)", "1,2 then 192,0,2,7,195,80"]
    {
        assert_eq!(
            address::parse_227(text.as_bytes()).map(|it| it.to_string()),
            Some("192.0.2.7:50000".into()),
            "{text}"
        );
    }
    // A reply of the greatest size: quadratic work would take seconds.
    assert_eq!(address::parse_227("1,".repeat(32_000).as_bytes()).map(|it| it.port()), Some(257));
    assert_eq!(address::parse_227("1,999,".repeat(10_000).as_bytes()), None);
}

#[test]
fn active_addresses_are_read_as_the_tables_say() {
    let check = |row: &Row<'_>, parse: fn(&[u8], IpAddr) -> _| {
        let result: Result<std::net::SocketAddr, address::AddressError> =
            parse(&row.bytes("arg").unwrap(), row.raw("peer").parse().unwrap());
        assert_eq!(result.map_or_else(address::AddressError::code, |_| 200), row.number("code").unwrap());
        assert_eq!(result.ok().map(|address| address.to_string()), row.text("addr"));
    };
    each(table!("port_args"), |row| check(row, address::parse_port));
    each(table!("eprt_args"), |row| check(row, address::parse_eprt));
}

#[test]
fn quoted_paths_are_read_as_the_table_says() {
    each(table!("quoted257"), |row| {
        assert_eq!(quoted::parse(&reply_of(&row.bytes("reply").unwrap())), row.bytes("path"));
    });
}

#[test]
fn time_values_are_read_as_the_table_says() {
    each(table!("timeval"), |row| {
        let time = time_value::parse(&row.bytes("in").unwrap());
        let expected = (row.raw("unix") != "err")
            .then(|| Timestamp { seconds: row.number("unix").unwrap(), nanos: row.number("nanos").unwrap() });
        assert_eq!(time, expected);
        if let Some(time) = time.filter(|_| !row.raw("in").starts_with("19981231235960")) {
            let mut printed = Vec::new();
            time_value::print(time, &mut printed);
            assert_eq!(printed, row.raw("in").as_bytes()[..14]);
        }
    });
}

#[test]
fn fact_lines_are_read_as_the_table_says() {
    each(table!("mlsx"), |row| {
        let line = row.bytes("line").unwrap();
        let parsed = FactLine::parse(&line);
        let kind = parsed.as_ref().map_or("err", |line| match line.kind {
            ListedKind::File => "file",
            ListedKind::Directory => "dir",
            ListedKind::Current => "cdir",
            ListedKind::Parent => "pdir",
            ListedKind::Link => "link",
            ListedKind::Other => "other",
            ListedKind::Unknown => "unknown",
        });
        assert_eq!(kind, row.raw("kind"));
        let Some(parsed) = parsed else { return };
        let facts: Vec<Vec<u8>> = parsed.facts.iter().map(|(name, value)| [name, &b"="[..], value].concat()).collect();
        assert_eq!(facts, row.list("facts[]"));
        assert_eq!(Some(parsed.name), row.bytes("name").as_deref());
    });
}

#[test]
fn facts_are_chosen_as_the_table_says() {
    // The table's server has neither of the numbers, and shows owner and group unless it is told otherwise.
    each(table!("mlst_opts"), |row| {
        let argument = row.bytes("arg").unwrap_or_default();
        let expected = row.text("text").filter(|_| row.raw("code") == "200");
        let answer =
            FactSet::parse(&argument).ok().map(|set| format!("MLST OPTS {}", set.selected()).trim_end().to_owned());
        assert_eq!(answer, expected);
    });
    assert!(FactSet::default().has(Fact::Type) && !FactSet::default().has(Fact::UnixUid));
}

#[test]
fn listings_of_all_dialects_are_read_as_the_table_says() {
    each(table!("list_lines"), |row| {
        let now = minute(row.raw("now"));
        let parsed = read::parse(&row.bytes("line").unwrap(), now);
        let read::ListLine::Entry(entry) = parsed else {
            let kind = if parsed == read::ListLine::Skip { "skip" } else { "err" };
            return assert_eq!(kind, row.raw("kind"));
        };
        let kind = match entry.kind {
            Kind::File => "file",
            Kind::Directory => "dir",
            Kind::Link => "link",
            Kind::Other => "other",
        };
        assert_eq!(kind, row.raw("kind"));
        assert_eq!(entry.size, row.number("size"));
        assert_eq!(entry.modified, row.text("mtime").map(|text| minute(&text)));
        assert_eq!(Some(entry.name), row.bytes("name"));
        assert_eq!(entry.target, row.bytes("target"));
    });
}

/// Reads `2024-06-15`, with hours, minutes and seconds where they are.
fn minute(text: &str) -> Timestamp {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    time_value::parse(format!("{digits:0<14}").as_bytes()).unwrap()
}

#[test]
fn listing_lines_are_written_as_the_table_says() {
    each(table!("list_format"), |row| {
        let mode = u32::from_str_radix(row.raw("mode"), 8).unwrap();
        let kind = match mode & 0o170_000 {
            0o040_000 => Kind::Directory,
            0o120_000 => Kind::Link,
            _ => Kind::File,
        };
        let attributes = Attributes {
            kind,
            size: row.number("size").unwrap(),
            modified: Timestamp::from_seconds(row.number("mtime").unwrap()),
            mode,
            links: row.number("nlink").unwrap(),
            owner: Owner::Name(row.raw("owner").into()),
            group: Owner::Name(row.raw("group").into()),
            unique: (0, 0),
        };
        let link = row.bytes("target").map(|text| Link { text: text.into(), target: None });
        let entry = Entry { name: row.bytes("name").unwrap().into(), attributes, link };
        let mut line = Vec::new();
        write::print(&entry, Timestamp::from_seconds(row.number("now").unwrap()), &mut line);
        assert_eq!(line.escape_ascii().to_string(), row.raw("line"));
    });
}

#[test]
fn paths_are_normalised_as_the_table_says() {
    each(table!("paths"), |row| {
        let cwd = VirtualPath::root().join(&row.bytes("cwd").unwrap()).unwrap();
        let path = cwd.join(&row.bytes("arg").unwrap()).map(|path| path.as_bytes().to_vec());
        assert_eq!(path.unwrap_or_else(|_| b"err".to_vec()), row.bytes("path").unwrap());
    });
}

#[test]
fn announced_sizes_are_read_as_the_table_says() {
    each(table!("size150"), |row| {
        assert_eq!(reply_of(&row.bytes("reply").unwrap()).announced_size(), row.number("size"));
    });
}

#[test]
fn urls_are_read_as_the_table_says() {
    each(table!("urls"), |row| {
        let Ok(url) = Url::parse(row.raw("url")) else { return assert_eq!(row.raw("tls"), "err") };
        assert_eq!(if url.implicit_tls { "implicit" } else { "off" }, row.raw("tls"));
        assert_eq!(url.user, row.bytes("user"));
        assert_eq!(url.password, row.bytes("password"));
        assert_eq!(url.host, row.raw("host"));
        assert_eq!(Some(url.port), row.number("port"));
        let segments = (row.raw("segments[]") != "~").then(|| row.list("segments[]"));
        assert_eq!(url.segments, segments);
        assert_eq!(url.kind, row.bytes("type").map(|letter| letter[0]));
    });
}

#[test]
fn digests_are_read_as_the_table_says() {
    each(table!("hash_replies"), |row| {
        let verb = Verb::from_upper(row.raw("cmd").as_bytes()).unwrap();
        let told = hash::parse(verb, &reply_of(&row.bytes("reply").unwrap()));
        if row.raw("alg") == "err" {
            return assert_eq!(told, None);
        }
        let told = told.unwrap();
        assert_eq!(told.algorithm.as_deref(), row.bytes("alg").as_deref());
        assert_eq!(told.range.as_deref(), row.bytes("range").as_deref());
        assert_eq!(told.hex, row.bytes("hex").unwrap());
    });
}
