//! The server programs of all runtimes, built as they are shipped.

use std::path::Path;

use longshore_suite::programs::{Programs, Server, build};

/// The runtimes, by the ends of their programs' names.
pub const RUNTIMES: [&str; 3] = ["std", "smol", "async-std"];

/// Builds all programs; says where they are.
///
/// # Panics
///
/// If they cannot be built.
pub fn programs() -> impl Fn(&str) -> Programs {
    let packages = RUNTIMES.map(|runtime| format!("longshore-{runtime}"));
    let mut arguments = vec!["--bins"];
    packages.iter().for_each(|package| arguments.extend(["-p", package]));
    let folder = build(&arguments);
    move |runtime| {
        let program = |name: &str| folder.join(format!("{name}-{runtime}"));
        Programs::new(program("ftpd"), program("ftp"))
    }
}

/// A server that can do TLS and has a folder in memory, where the machine has such a place.
pub fn serve(programs: &Programs, prepare: impl FnOnce(&Path)) -> Server {
    programs.serve_folder(&["--tls-self-signed"], |root, _| prepare(root))
}
