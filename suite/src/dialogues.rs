//! The dialogues of `session.tsv`, in memory and over sockets.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use longshore_core::server::Tls;
use longshore_sim::Cuts;
use longshore_sim::dialogue::{self, Accounts};
use longshore_sim::vectors::{Row, each};

use crate::peer::SocketPeer;
use crate::programs::Programs;

/// A hash of "secret", as `--hash-password` prints it.
pub const SECRET: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$0Ob6LwJV8CV4PCX/BWsNJA$Dwx80xjyrKN9/12LUlkhjdHYGw/p3pHbqjgQHEexTu4";

/// alice, who may write, and bob, who may read; both with the password "secret".
pub fn users_file() -> String {
    ["alice", "bob"]
        .map(|name| {
            let access = if name == "alice" { "write" } else { "read" };
            format!("[[user]]\nname = \"{name}\"\npassword = \"{SECRET}\"\naccess = \"{access}\"\n")
        })
        .concat()
}

/// Every row, against the session in memory, and against a server of its own behind a socket.
pub fn go_as_the_table_says(programs: &Programs) {
    let table = include_str!("../../core/vectors/session.tsv");
    let mut names = Vec::new();
    each(table, |row| names.push(row.id().to_owned()));
    assert!(names.len() > 100, "only {} dialogues would run", names.len());
    // Wrong passwords take their time, so several dialogues are under way at once.
    let left = Mutex::new(names);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(name) = { left.lock().expect("no dialogue failed").pop() } {
                    each(table, |row| {
                        if row.id() == name {
                            go(programs, row);
                        }
                    });
                }
            });
        }
    });
}

fn go(programs: &Programs, row: &Row<'_>) {
    let setup = dialogue::setup(row);
    dialogue::run(row, setup.user.as_deref(), &mut dialogue::in_memory(&setup, Cuts::none()));
    let mut arguments = match setup.accounts {
        Accounts::Users => vec!["--users", "{}/users.toml"],
        Accounts::Anonymous => vec![],
    };
    arguments.extend_from_slice(match setup.tls {
        Tls::Off => &[],
        Tls::Optional => &["--tls-self-signed"],
        Tls::Required => &["--tls-self-signed", "--tls", "required"],
        Tls::Implicit => &["--tls-self-signed", "--tls", "implicit"],
    });
    let server = programs.serve_folder(&arguments, |root, settings| {
        fixture(root);
        fs::write(settings.join("users.toml"), users_file()).expect("it is ours");
    });
    dialogue::run(row, setup.user.as_deref(), &mut SocketPeer::connect_to(&server));
}

/// The files that the dialogues begin with.
pub fn fixture(root: &Path) {
    const MODIFIED_SECS: u64 = 1_704_164_645;
    fs::write(root.join("a.txt"), "hello world\n").expect("the root is ours");
    let file = fs::File::options().write(true).open(root.join("a.txt")).expect("it is there");
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(MODIFIED_SECS)).expect("it is ours");
    fs::create_dir(root.join("dir")).expect("the root is ours");
    fs::write(root.join("dir/b.bin"), [0, 1, 2, 3, 4]).expect("the root is ours");
    fs::create_dir(root.join("empty")).expect("the root is ours");
}
