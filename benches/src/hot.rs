//! The core's hot paths, each with what it works on. Criterion measures them, and callgrind counts their instructions.

use std::hint::black_box;

use bytes::Bytes;
use longshore_core::client::{Job, Manner};
use longshore_core::codec::{Codec, Form, Mode, Representation, Structure};
use longshore_core::entry::{Attributes, Entry, Kind, Owner};
use longshore_core::host::{Access, Store};
use longshore_core::machine::Way;
use longshore_core::time::Timestamp;
use longshore_core::wire::command::Command;
use longshore_core::wire::facts::{self, FactLine, FactSet};
use longshore_core::wire::line::{LineDecoder, Side};
use longshore_core::wire::listing::{read, write};
use longshore_core::wire::reply::{Reply, ReplyDecoder};
use longshore_sim::{Cuts, Memory, MemoryHost, Pair, User};

use crate::dialogues::{COMMANDS, REPLIES};

/// How many entries a listing has.
const ENTRIES: usize = 1000;
/// How many bytes a codec turns.
const SIZE: usize = 1 << 20;
/// How much is handed to a codec at once.
const PIECE: usize = 64 * 1024;
/// How many files a session moves.
const FILES: u64 = 100;
/// How large they are.
const FILE: usize = 4096;

/// What a path works through in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many of what the path is named after.
    Items(u64),
    /// So many bytes.
    Bytes(u64),
}

/// What anybody would have to do with the same bytes, to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yardstick {
    /// Looks for the ends of lines.
    Lines,
    /// Copies.
    Copy,
}

/// A path, ready to be run again and again.
#[allow(missing_debug_implementations)]
pub struct Path {
    /// What it is called.
    pub name: &'static str,
    /// What one run works through.
    pub amount: Amount,
    /// What it is compared with.
    pub yardstick: Yardstick,
    /// What the yardstick is laid at.
    pub input: Vec<u8>,
    /// Runs it once.
    pub run: Box<dyn FnMut()>,
}

impl Yardstick {
    /// Does its work once.
    pub fn run(self, input: &[u8], output: &mut Vec<u8>) {
        match self {
            Self::Lines => {
                black_box(input.split(|byte| *byte == b'\n').map(<[u8]>::len).max());
            }
            Self::Copy => {
                output.clear();
                output.extend_from_slice(black_box(input));
            }
        }
    }
}

/// All of them.
pub fn all() -> Vec<Path> {
    let mut paths = vec![commands(), replies(), facts_written(), facts_read(), list_written(), list_read()];
    for (name, form) in FORMS {
        paths.push(codec(name[0], *form, Way::Send));
        paths.push(codec(name[1], *form, Way::Receive));
    }
    paths.extend([sessions("pair/get", Manner::Plain, false), sessions("pair/put", Manner::Plain, true)]);
    paths.extend([sessions("pair/mget", Manner::Many, false), sessions("pair/mput", Manner::Many, true)]);
    paths
}

const FORMS: &[([&str; 2], Form)] = &[
    (["codec/ascii send", "codec/ascii receive"], Form::stream(Representation::Ascii)),
    (["codec/ebcdic send", "codec/ebcdic receive"], Form::stream(Representation::Ebcdic)),
    (["codec/block send", "codec/block receive"], form(Representation::Image, Structure::File, Mode::Block)),
    (
        ["codec/compressed send", "codec/compressed receive"],
        form(Representation::Image, Structure::File, Mode::Compressed),
    ),
    (["codec/record send", "codec/record receive"], form(Representation::Ascii, Structure::Record, Mode::Stream)),
];

const fn form(representation: Representation, structure: Structure, mode: Mode) -> Form {
    Form { representation, structure, mode }
}

fn lines(text: &str) -> u64 {
    text.lines().count() as u64
}

/// Framed, and read.
fn commands() -> Path {
    let run = || {
        let (mut decoder, mut answer, mut rest) =
            (LineDecoder::new(Side::Server, 4096), Vec::new(), COMMANDS.as_bytes());
        while !rest.is_empty() {
            let (taken, line) = decoder.decode(black_box(rest), &mut answer);
            rest = &rest[taken..];
            if let Some(line) = line {
                black_box(Command::parse(&line.text)).expect("a client said it");
            }
        }
    };
    Path {
        name: "wire/commands",
        amount: Amount::Items(lines(COMMANDS)),
        yardstick: Yardstick::Lines,
        input: COMMANDS.into(),
        run: Box::new(run),
    }
}

fn each_reply(mut put: impl FnMut(Reply)) {
    let (mut decoder, mut rest) = (ReplyDecoder::new(), REPLIES.as_bytes());
    while !rest.is_empty() {
        let (taken, reply) = decoder.decode(black_box(rest)).expect("a server said it");
        rest = &rest[taken..];
        reply.into_iter().for_each(&mut put);
    }
}

fn replies() -> Path {
    let mut count = 0;
    each_reply(|_| count += 1);
    let run = || each_reply(|reply| drop(black_box(reply)));
    Path {
        name: "wire/replies",
        amount: Amount::Items(count),
        yardstick: Yardstick::Lines,
        input: REPLIES.into(),
        run: Box::new(run),
    }
}

fn entries() -> Vec<Entry> {
    let entry = |at: u64| {
        let attributes = Attributes {
            kind: if at.is_multiple_of(7) { Kind::Directory } else { Kind::File },
            size: at * 77_777,
            modified: Timestamp::from_seconds(1_718_000_000 - 86_400 * at.cast_signed()),
            mode: 0o100_644,
            links: 1,
            owner: Owner::Name("alice".into()),
            group: Owner::Id(1000),
            unique: (64_769, 1_000_000 + at),
        };
        Entry { name: Bytes::from(format!("file number {at}.txt")), attributes, link: None }
    };
    (0..ENTRIES as u64).map(entry).collect()
}

const NOW: Timestamp = Timestamp::from_seconds(1_718_452_800);

fn print_facts(entries: &[Entry], out: &mut Vec<u8>) {
    for entry in entries {
        facts::print(entry, Access::Write, false, FactSet::default(), out);
        out.extend_from_slice(&entry.name);
        out.extend_from_slice(b"\r\n");
    }
}

fn print_list(entries: &[Entry], out: &mut Vec<u8>) {
    for entry in entries {
        write::print(entry, NOW, out);
        out.extend_from_slice(b"\r\n");
    }
}

fn written(name: &'static str, print: fn(&[Entry], &mut Vec<u8>)) -> Path {
    let (entries, mut out) = (entries(), Vec::new());
    print(&entries, &mut out);
    let input = out.clone();
    let run = move || {
        out.clear();
        print(black_box(&entries), &mut out);
    };
    Path { name, amount: Amount::Items(ENTRIES as u64), yardstick: Yardstick::Copy, input, run: Box::new(run) }
}

fn facts_written() -> Path {
    written("wire/MLSD written", print_facts)
}

fn list_written() -> Path {
    written("wire/LIST written", print_list)
}

fn read_by(name: &'static str, print: fn(&[Entry], &mut Vec<u8>), read: fn(&[u8])) -> Path {
    let mut text = Vec::new();
    print(&entries(), &mut text);
    let input = text.clone();
    let run =
        move || text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).for_each(read);
    Path { name, amount: Amount::Items(ENTRIES as u64), yardstick: Yardstick::Lines, input, run: Box::new(run) }
}

fn facts_read() -> Path {
    read_by("wire/MLSD read", print_facts, |line| {
        let read = FactLine::parse(black_box(line));
        black_box(read.map(|line| (line.size(), line.modified())));
    })
}

fn list_read() -> Path {
    read_by("wire/LIST read", print_list, |line| {
        black_box(read::parse(black_box(line), NOW));
    })
}

/// Text of lines of many lengths, with runs of blanks in it.
fn text() -> Vec<u8> {
    let mut text = Vec::with_capacity(SIZE + 100);
    let mut number = 1_u32;
    while text.len() < SIZE {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = (number >> 26) as usize;
        text.extend(std::iter::repeat_n(b' ', length / 8));
        text.extend((b'a'..=b'z').cycle().take(length));
        text.push(b'\n');
    }
    text.truncate(SIZE);
    text
}

fn turn(form: Form, way: Way, input: &[u8], buffer: &mut [u8], mut put: impl FnMut(&[u8])) {
    let (mut codec, mut at) = (Codec::new(form, way), 0);
    loop {
        let end = (at + PIECE).min(input.len());
        let step = codec.step(&input[at..end], end == input.len(), buffer).expect("it is in the form");
        put(&buffer[..step.written]);
        at += step.read;
        if step.over {
            return;
        }
    }
}

fn codec(name: &'static str, form: Form, way: Way) -> Path {
    let (mut buffer, mut input) = (vec![0; PIECE], text());
    if way == Way::Receive {
        let mut wire = Vec::new();
        turn(form, Way::Send, &input, &mut buffer, |bytes| wire.extend_from_slice(bytes));
        input = wire;
    }
    let yard = input.clone();
    let run = move || {
        turn(form, way, black_box(&input), &mut buffer, |bytes| {
            black_box(bytes);
        })
    };
    Path { name, amount: Amount::Bytes(SIZE as u64), yardstick: Yardstick::Copy, input: yard, run: Box::new(run) }
}

/// A client's session and a server's, in memory, with a file moved for each job.
fn sessions(name: &'static str, manner: Manner, puts: bool) -> Path {
    let memory = Memory::default();
    let content = vec![7; FILE];
    (0..FILES).for_each(|at| memory.write(&format!("/f{at}"), &content));
    let user = User { name: "alice", password: Some("secret"), access: Access::Write };
    let mut pair = Pair::logged_in(MemoryHost::new(memory, vec![user]), Cuts::none());
    let run = move || {
        let job = |at: u64| {
            let (path, representation) = (Bytes::from(format!("f{at}")), Representation::Image);
            if puts {
                Job::Store { path, how: Store::Replace, size: Some(FILE as u64), representation, manner }
            } else {
                Job::Retrieve { path, offset: 0, representation, size: None, manner }
            }
        };
        let content = if puts { content.clone() } else { Vec::new() };
        for moved in pair.run_all((0..FILES).map(|at| (job(at), content.clone()))) {
            moved.expect("nothing is in the way");
        }
        if manner == Manner::Many {
            pair.run(Job::EndMany).expect("nothing is in the way");
        }
        pair.notes.clear();
    };
    let input = vec![7; FILE * usize::try_from(FILES).unwrap_or_default()];
    Path { name, amount: Amount::Items(FILES), yardstick: Yardstick::Copy, input, run: Box::new(run) }
}
