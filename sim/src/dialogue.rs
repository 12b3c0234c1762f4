//! The dialogues of `session.tsv`, run against a server in memory or behind a socket.

use longshore_core::codec::{Codec, Form, Mode, Representation, Structure};
use longshore_core::host::Access;
use longshore_core::machine::Way;
use longshore_core::pump::Inflow;
use longshore_core::server::{Config, Tls};
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
    /// Sends data, and leaves the data connection open.
    fn send_data(&mut self, bytes: &[u8]);
    /// Reads data to its end.
    fn download(&mut self) -> Vec<u8>;
    /// Reads some data; none at its end.
    fn receive_data(&mut self) -> Vec<u8>;
    /// Drops data connection and listener.
    fn drop_data(&mut self);
    /// Begins TLS on the control connection.
    fn secure(&mut self);
    /// Protects data connections from now on, or does not.
    fn protect_data(&mut self, is_private: bool);
}

/// How the server of a row is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accounts {
    /// alice may write, bob may read, nobody else comes in.
    Users,
    /// Anonymous may write.
    Anonymous,
}

/// What a row begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Who may log in.
    pub accounts: Accounts,
    /// Whether the server does TLS.
    pub tls: Tls,
    /// Who is logged in from the start.
    pub user: Option<String>,
}

/// What a row begins with.
///
/// # Panics
///
/// If the table calls it by a name that is not known.
pub fn setup(row: &Row<'_>) -> Setup {
    let config = row.raw("config");
    let (accounts, user) = config.split_once('+').map_or((config, None), |(accounts, user)| (accounts, Some(user)));
    let (accounts, tls) = match accounts {
        "users" => (Accounts::Users, Tls::Off),
        "anon" => (Accounts::Anonymous, Tls::Off),
        "tls" => (Accounts::Users, Tls::Optional),
        "tlsreq" => (Accounts::Users, Tls::Required),
        other => panic!("{}: there is no setup {other}", row.id()),
    };
    Setup { accounts, tls, user: user.map(str::to_owned) }
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
pub fn in_memory(setup: &Setup, cuts: Cuts) -> Raw {
    let config = Config { tls: setup.tls, dialogue: true, ..Config::default() };
    Raw::new(MemoryHost::new(Memory::fixture(), setup.accounts.users()), config, cuts)
}

/// Runs a row's dialogue, from the greeting on.
///
/// # Panics
///
/// If a reply is not the one of the table.
pub fn run(row: &Row<'_>, user: Option<&str>, peer: &mut impl Peer) {
    let greeting = peer.reply().expect("a greeting");
    assert_eq!(greeting.code, 220, "{}: {greeting}", row.id());
    let mut script = Script { row, form: Form::DEFAULT, is_open: false };
    if let Some(user) = user {
        script.exchange(format!("USER {user}").as_bytes(), "331", peer);
        script.exchange(b"PASS secret", "230", peer);
    }
    for (command, codes) in row.list("commands[]").iter().zip(row.list("codes[]")) {
        script.exchange(command, std::str::from_utf8(&codes).expect("codes"), peer);
    }
}

/// Downloads a file whose end shows in its bytes.
pub fn download_framed(form: Form, peer: &mut impl Peer) -> Vec<u8> {
    let (mut flow, mut file, mut came) = (Inflow::new(Codec::new(form, Way::Receive)), Vec::new(), Vec::new());
    loop {
        let taken = flow.decode(&came, false, &mut file, usize::MAX).expect("what the server sends is in its form");
        came.drain(..taken.read);
        if taken.over {
            assert!(came.is_empty(), "the server sends no more than was asked for");
            return file;
        }
        let piece = peer.receive_data();
        assert!(!piece.is_empty(), "the data connection ended before the file");
        came.extend(piece);
    }
}

/// What a client knows that runs a row.
struct Script<'a> {
    row: &'a Row<'a>,
    form: Form,
    /// The data connection has carried a file and is still open.
    is_open: bool,
}

impl Script<'_> {
    fn exchange(&mut self, command: &[u8], codes: &str, peer: &mut impl Peer) {
        let row = self.row;
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
                234 => peer.secure(),
                200 if verb == b"PROT" => peer.protect_data(command.ends_with(b"P")),
                200 => self.form = agreed(self.form, command),
                226 => self.is_open = false,
                250 if preliminary => self.is_open = true,
                _ => {}
            }
            match reply.class() {
                Class::Preliminary => {
                    preliminary = true;
                    peer.accept();
                    self.move_data(&verb, peer);
                }
                Class::Transient | Class::Permanent if !preliminary && !self.is_open => peer.drop_data(),
                _ => {}
            }
        }
    }

    fn move_data(&self, verb: &[u8], peer: &mut impl Peer) {
        let framed = self.form.keeps_connection() && verb != b"MLSD";
        match verb {
            b"STOR" | b"STOU" | b"APPE" if framed => {
                let (mut codec, mut wire) = (Codec::new(self.form, Way::Send), [0; 64]);
                let step = codec.step(UPLOAD, true, &mut wire).expect("a codec sends anything");
                peer.send_data(&wire[..step.written]);
            }
            b"STOR" | b"STOU" | b"APPE" => peer.upload(UPLOAD),
            _ if framed => drop(download_framed(self.form, peer)),
            _ => drop(peer.download()),
        }
    }
}

/// The form that a command which was answered with 200 makes of another.
fn agreed(form: Form, command: &[u8]) -> Form {
    match command {
        b"TYPE I" | b"TYPE L 8" => Form { representation: Representation::Image, ..form },
        b"TYPE A" => Form { representation: Representation::Ascii, ..form },
        b"TYPE E" => Form { representation: Representation::Ebcdic, ..form },
        b"STRU R" => Form { structure: Structure::Record, ..form },
        b"STRU F" => Form { structure: Structure::File, ..form },
        b"MODE S" => Form { mode: Mode::Stream, ..form },
        b"MODE B" => Form { mode: Mode::Block, ..form },
        b"MODE C" => Form { mode: Mode::Compressed, ..form },
        _ => form,
    }
}
