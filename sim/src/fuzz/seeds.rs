//! What fuzzing begins with: the rows of the test vectors, in the form that each target reads.

use crate::vectors::{Row, each};

macro_rules! table {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../core/vectors/", $name, ".tsv"))
    };
}

/// A row's name, and the bytes that it makes.
pub type Seed = (String, Vec<u8>);

/// The seeds of a target.
///
/// # Panics
///
/// If there is no such target.
pub fn seeds(target: &str) -> Vec<Seed> {
    match target {
        "frame_decoder" => {
            let modes = [(table!("block_mode"), 7), (table!("compressed_mode"), 13), (table!("record_stream"), 4)];
            let mut seeds = bytes(table!("framing"), |row| [&[3, 0][..], &row.list("chunks[]").concat()].concat());
            for (table, form) in modes {
                seeds.extend(bytes(table, |row| [&[3, form][..], &hexadecimal(row.raw("hex"))].concat()));
            }
            seeds
        }
        "command" => {
            let mut seeds = bytes(table!("commands"), |row| row.bytes("line").unwrap_or_default());
            seeds.extend(bytes(table!("paths"), |row| row.bytes("arg").unwrap_or_default()));
            seeds
        }
        "reply" => {
            let line = |row: &Row<'_>| [&[1][..], &row.bytes("reply").unwrap_or_default(), b"\r\n"].concat();
            let mut seeds = bytes(table!("replies"), |row| [&[1][..], &row.bytes("in").unwrap_or_default()].concat());
            for table in [table!("pasv227"), table!("epsv229"), table!("quoted257"), table!("size150")] {
                seeds.extend(bytes(table, line));
            }
            seeds
        }
        "listing" => {
            let line = |row: &Row<'_>| row.bytes("line").unwrap_or_default();
            let mut seeds = bytes(table!("list_lines"), line);
            seeds.extend(bytes(table!("mlsx"), line));
            seeds.extend(bytes(table!("timeval"), |row| row.bytes("in").unwrap_or_default()));
            seeds
        }
        "address" => {
            let argument = |row: &Row<'_>| row.bytes("arg").unwrap_or_default();
            let text = |row: &Row<'_>| row.bytes("reply").unwrap_or_default().get(4..).unwrap_or_default().to_vec();
            let mut seeds = bytes(table!("port_args"), argument);
            seeds.extend(bytes(table!("eprt_args"), argument));
            seeds.extend(bytes(table!("pasv227"), text));
            seeds.extend(bytes(table!("epsv229"), text));
            seeds
        }
        "url" => bytes(table!("urls"), |row| row.bytes("url").unwrap_or_default()),
        "server_session" => bytes(table!("session"), dialogue),
        "client_session" => REPLIES.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect(),
        // Its bytes are numbers, which fuzzing itself finds as well as anybody.
        "pair" => vec![("nothing".to_owned(), Vec::new())],
        other => panic!("there is no target {other}"),
    }
}

fn bytes(table: &str, seed: impl Fn(&Row<'_>) -> Vec<u8>) -> Vec<Seed> {
    let mut seeds = Vec::new();
    each(table, |row| seeds.push((row.id().to_owned(), seed(row))));
    seeds
}

fn hexadecimal(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap_or_default()).collect()
}

/// The commands of a dialogue, with the client's part in its transfers.
fn dialogue(row: &Row<'_>) -> Vec<u8> {
    let (accounts, user) = row.raw("config").split_once('+').unwrap_or((row.raw("config"), ""));
    let mut seed = vec![u8::from(accounts != "users")];
    if !user.is_empty() {
        seed.extend_from_slice(format!("USER {user}\r\nPASS secret\r\n").as_bytes());
    }
    let mut port = 0;
    for (command, codes) in row.list("commands[]").iter().zip(row.list("codes[]")) {
        seed.extend_from_slice(command);
        seed.extend_from_slice(b"\r\n");
        if codes.starts_with(b"227") || codes.starts_with(b"229") {
            port += 1;
            seed.extend_from_slice(&[1, port, b'\n']);
        }
        if codes.starts_with(b"150") || codes.starts_with(b"125") {
            let sends = [&b"STO"[..], b"APPE"].iter().any(|verb| command.starts_with(verb));
            seed.extend_from_slice(if sends { b"\x02xyz\n" } else { b"\x03\n" });
        }
    }
    seed
}

/// Servers' parts of the dialogues of some jobs.
const REPLIES: &[(&str, &[u8])] = &[
    ("retrieve", b"\0\0\x07200 ok\r\n229 ok (|||50001|)\r\n150 go (7 bytes)\r\n\x01content\n226 done\r\n221 bye\r\n"),
    ("checked", b"\x02\0\x07200 ok\r\n213 7\r\n213 20200101000000\r\n229 ok (|||50001|)\r\n150 go\r\n\x01content\n226 done\r\n221 bye\r\n"),
    ("many", b"\x04\0\x08200 ok\r\n504 no\r\n229 ok (|||50001|)\r\n150 go\r\n\x01content\n250 done\r\n226 done\r\n"),
    ("store", b"\0\x01\x07200 ok\r\n227 ok (127,0,0,1,195,81)\r\n150 go\r\n226 done\r\n221 bye\r\n"),
    ("list", b"\0\x02\x07229 ok (|||50001|)\r\n150 go\r\n\x01type=file;size=1; a\r\n226 done\r\n221 bye\r\n"),
    ("rename", b"\0\x03\x04350 to?\r\n250 done\r\n257 \"/a\"\"b\"\r\n"),
    ("login", b"\x01\x05\x06220-hi\r\n there\r\n220 go on\r\n331 pw\r\n230 in\r\n211-x\r\n MLST size*;\r\n SIZE\r\n HASH SHA-256*\r\n211 end\r\n213 5\r\n"),
    ("abort", b"\0\0\x07200 ok\r\n229 ok (|||50001|)\r\n150 go\r\n\x01con\n\x02\n426 cut\r\n226 abort\r\n221 bye\r\n"),
    ("active", b"\x40\0\x07200 ok\r\n200 port\r\n150 go\r\n\x01content\n226 done\r\n221 bye\r\n"),
    ("late", b"\0\x04\x06\0\x3c\n421 bye\r\n"),
];
