//! What a client is told to do.

use std::fmt;

use longshore_core::client::{Job, ListFormat, Manner};
use longshore_core::codec::Representation;
use longshore_core::host::Store;

use crate::{Dice, Mishaps};

/// Something to do, in one job or in several at once.
#[derive(Clone, Debug)]
pub(super) enum Errand {
    Put { name: String, content: Text, ascii: bool, manner: Manner },
    Append { name: String, content: Text },
    Get { name: String, ascii: bool, manner: Manner },
    PutMany(Vec<(String, Text)>),
    GetMany(Vec<String>),
    List(ListFormat),
    MakeDirectory(String),
    RemoveDirectory(String),
    Remove(String),
    Rename(String, String),
    Size(String),
    WorkingDirectory,
}

/// What a file holds; shown by its size alone.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Text(pub(super) Vec<u8>);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Few names, so that errands meet.
const NAMES: &[&str] = &["a.txt", "b", "c d", "dir", "dir/b.bin", "new", "empty", "nosuch/x", "\u{e4}"];

pub(super) fn name(dice: &mut Dice) -> String {
    (*dice.pick(NAMES)).to_owned()
}

/// Text of all kinds of lengths, without line ends that would be changed on their way.
pub(super) fn content(dice: &mut Dice) -> Text {
    let size = match dice.below(10) {
        0 => 0,
        1..=5 => dice.below(300),
        6..=8 => dice.below(9000),
        _ => dice.below(100_000),
    };
    let letter = b'a' + u8::try_from(dice.below(24)).unwrap_or(0);
    Text((0..size).map(|at| if at % 61 == 60 { b'\n' } else { letter + u8::from(at % 7 == 0) }).collect())
}

/// What may go wrong with connections.
pub(super) fn mishaps(dice: &mut Dice) -> Mishaps {
    match dice.below(4) {
        0 => Mishaps::default(),
        1 => Mishaps { stalls: 100, within: 30_000, ..Mishaps::default() },
        2 => Mishaps { resets: 60, within: 20_000, ..Mishaps::default() },
        _ => Mishaps { stalls: 60, resets: 40, ends: 40, within: 10_000 },
    }
}

impl Errand {
    pub(super) fn draw(dice: &mut Dice, is_calm: bool, appends: bool) -> Self {
        let manner = *dice.pick(&[Manner::Plain, Manner::Checked, Manner::Many]);
        // A text that somebody cuts cannot be told from one that is whole, but by a check.
        let ascii = is_calm && dice.happens(200);
        match dice.below(14) {
            0..=2 => Self::Put { name: name(dice), content: content(dice), ascii, manner },
            3..=5 => Self::Get { name: name(dice), ascii, manner },
            // No size is announced for what is put behind a file, so a false end passes for the true one.
            6 if appends => Self::Append { name: name(dice), content: content(dice) },
            7 => Self::PutMany((0..1 + dice.below(6)).map(|_| (name(dice), content(dice))).collect()),
            8 => Self::GetMany((0..1 + dice.below(6)).map(|_| name(dice)).collect()),
            9 => Self::List(*dice.pick(&[ListFormat::Long, ListFormat::Names, ListFormat::Facts])),
            10 => match dice.below(3) {
                0 => Self::MakeDirectory(name(dice)),
                1 => Self::RemoveDirectory(name(dice)),
                _ => Self::Remove(name(dice)),
            },
            11 => Self::Rename(name(dice), name(dice)),
            12 => Self::Size(name(dice)),
            _ => Self::WorkingDirectory,
        }
    }

    /// Its jobs, with what they send.
    pub(super) fn jobs(&self) -> Vec<(Job, Vec<u8>)> {
        let kind = |ascii: bool| if ascii { Representation::Ascii } else { Representation::Image };
        let put = |name: &String, content: &Text, how, ascii, manner| {
            let (path, size) = (name.clone().into(), Some(content.0.len() as u64));
            (Job::Store { path, how, size, representation: kind(ascii), manner }, content.0.clone())
        };
        let get = |name: &String, ascii, manner| {
            let (path, representation) = (name.clone().into(), kind(ascii));
            (Job::Retrieve { path, offset: 0, representation, size: None, manner }, Vec::new())
        };
        let one = |job| vec![(job, Vec::new())];
        match self {
            Self::Put { name, content, ascii, manner } => vec![put(name, content, Store::Replace, *ascii, *manner)],
            Self::Append { name, content } => vec![put(name, content, Store::Append, false, Manner::Plain)],
            Self::Get { name, ascii, manner } => vec![get(name, *ascii, *manner)],
            Self::PutMany(files) => files
                .iter()
                .map(|(name, content)| put(name, content, Store::Replace, false, Manner::Many))
                .chain([(Job::EndMany, Vec::new())])
                .collect(),
            Self::GetMany(names) => {
                names.iter().map(|name| get(name, false, Manner::Many)).chain([(Job::EndMany, Vec::new())]).collect()
            }
            Self::List(format) => one(Job::List { format: *format, path: None }),
            Self::MakeDirectory(name) => one(Job::MakeDirectory(name.clone().into())),
            Self::RemoveDirectory(name) => one(Job::RemoveDirectory(name.clone().into())),
            Self::Remove(name) => one(Job::Remove(name.clone().into())),
            Self::Rename(from, to) => one(Job::Rename { from: from.clone().into(), to: to.clone().into() }),
            Self::Size(name) => one(Job::Size(name.clone().into())),
            Self::WorkingDirectory => one(Job::WorkingDirectory),
        }
    }
}
