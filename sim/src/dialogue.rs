//! The dialogues of `session.tsv`, run against a server in memory or behind a socket.

use longshore_core::host::Access;
use longshore_core::server::Config;
use longshore_core::wire::address;
use longshore_core::wire::reply::{Class, Reply};

use crate::vectors::Row;
use crate::{Cuts, Memory, MemoryHost, Raw, User};

/// The port that the table's PORT and EPRT name.
pub const ACTIVE_PORT: u16 = 51_201;

/// What a client sends as the content of every upload.
const UPLOAD: &[u8] = b"xyz";

/// The client's end of a session, for a script.
pub trait Peer {
    /// Sends a command.
    fn command(&mut self, line: &[u8]);
    /// Waits for a reply; `None` where the server closed or says nothing.
    fn reply(&mut self) -> Option<Reply>;
    /// Connects for data.
    fn connect(&mut self, port: u16);
    /// Listens for data, and puts the address into a PORT or EPRT in place of the table's.
    fn listen(&mut self, line: &[u8]) -> Vec<u8>;
    /// Takes the connection that the server makes.
    fn accept(&mut self);
    /// Sends data, and ends it.
    fn upload(&mut self, bytes: &[u8]);
    /// Reads data to its end.
    fn download(&mut self) -> Vec<u8>;
    /// Drops data connection and listener.
    fn drop_data(&mut self);
}

/// How the server of a row is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accounts {
    /// alice may write, bob may read, nobody else comes in.
    Users,
    /// Anonymous may write.
    Anonymous,
}

/// The commands of this table that the server does not have yet, and so the rows that cannot pass.
pub const ABSENT: &[&str] = &["MODE B", "MODE C", "STRU R", "AUTH", "HASH", "RANG", "XCRC"];

/// The accounts that a row needs, and who is logged in from the start; `None` for a row that needs what is not there yet.
pub fn setup(row: &Row<'_>) -> Option<(Accounts, Option<String>)> {
    let config = row.raw("config");
    let (accounts, user) = config.split_once('+').map_or((config, None), |(accounts, user)| (accounts, Some(user)));
    let accounts = match accounts {
        "users" => Accounts::Users,
        "anon" => Accounts::Anonymous,
        _ => return None,
    };
    let commands = row.list("commands[]");
    let lacks = |command: &Vec<u8>| ABSENT.iter().any(|absent| command.starts_with(absent.as_bytes()));
    // These two ask for what is refused today, or tell of types whose refusal comes with the others.
    let answered = ["ses-041", "ses-150"];
    (answered.contains(&row.id()) || !commands.iter().any(lacks)).then(|| (accounts, user.map(str::to_owned)))
}

impl Accounts {
    /// These accounts, for a host in memory.
    pub fn users(self) -> Vec<User> {
        let user = |name, password, access| User { name, password, access };
        match self {
            Self::Users => {
                vec![user("alice", Some("secret"), Access::Write), user("bob", Some("secret"), Access::Read)]
            }
            Self::Anonymous => ["anonymous", "ftp"].map(|name| user(name, None, Access::Write)).to_vec(),
        }
    }
}

/// A server in memory that is set up for a row.
pub fn in_memory(accounts: Accounts, cuts: Cuts) -> Raw {
    Raw::new(MemoryHost::new(Memory::fixture(), accounts.users()), Config::default(), cuts)
}

/// Runs a row's dialogue, from the greeting on.
///
/// # Panics
///
/// If a reply is not the one of the table.
pub fn run(row: &Row<'_>, user: Option<&str>, peer: &mut impl Peer) {
    let greeting = peer.reply().expect("a greeting");
    assert_eq!(greeting.code, 220, "{}: {greeting}", row.id());
    if let Some(user) = user {
        exchange(row, format!("USER {user}").as_bytes(), "331", peer);
        exchange(row, b"PASS secret", "230", peer);
    }
    for (command, codes) in row.list("commands[]").iter().zip(row.list("codes[]")) {
        exchange(row, command, std::str::from_utf8(&codes).expect("codes"), peer);
    }
}

fn exchange(row: &Row<'_>, command: &[u8], codes: &str, peer: &mut impl Peer) {
    let verb = command.split(|&byte| byte == b' ').next().unwrap_or_default().to_ascii_uppercase();
    let shown = command.escape_ascii();
    let active = matches!(&verb[..], b"PORT" | b"EPRT") && codes == "200";
    let line = if active { peer.listen(command) } else { command.to_vec() };
    peer.command(&line);
    let mut preliminary = false;
    for expected in codes.split('+') {
        let reply = peer.reply().unwrap_or_else(|| panic!("{}: no reply to {shown}", row.id()));
        assert_eq!(reply.code.to_string(), expected, "{}: {shown} -> {reply}", row.id());
        match reply.code {
            227 => peer.connect(address::parse_227(reply.text()).expect("an address").port()),
            229 => peer.connect(address::parse_229(reply.text()).expect("a port")),
            _ => {}
        }
        match reply.class() {
            Class::Preliminary => {
                preliminary = true;
                peer.accept();
                if matches!(&verb[..], b"STOR" | b"STOU" | b"APPE") {
                    peer.upload(UPLOAD);
                } else {
                    peer.download();
                }
            }
            Class::Transient | Class::Permanent if !preliminary => peer.drop_data(),
            _ => {}
        }
    }
}
