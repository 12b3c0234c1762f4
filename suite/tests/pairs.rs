//! The client of each runtime against the server of each other one. (Each against its own is in the runtime's tests.)

use std::path::PathBuf;
use std::sync::OnceLock;

use longshore_suite::programs::build;

macro_rules! pairs {
    ($($name:ident: $server:literal, $client:literal;)*) => {
        $(
            mod $name {
                longshore_suite::pair!(server = super::program($server), client = super::program($client));
            }
        )*
    };
}

pairs! {
    std_serves_async_std: "ftpd-std", "ftp-async-std";
    std_serves_smol: "ftpd-std", "ftp-smol";
    async_std_serves_std: "ftpd-async-std", "ftp-std";
    async_std_serves_smol: "ftpd-async-std", "ftp-smol";
    smol_serves_std: "ftpd-smol", "ftp-std";
    smol_serves_async_std: "ftpd-smol", "ftp-async-std";
}

fn program(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let packages = ["--package", "longshore-std", "--package", "longshore-async-std", "--package", "longshore-smol"];
    FOLDER.get_or_init(|| build(&[&["--bins"], &packages[..]].concat())).join(name)
}
