//! The client of each runtime against the server of each other one. (Each against its own is in the runtime's tests.)

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

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

/// Where a program lies. Cargo names to a test the programs of its own package alone, so these are built here, if they are not
/// up to date already, as they are whenever the whole workspace is tested.
fn program(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let test = std::env::current_exe().expect("it runs");
        let folder = test.ancestors().nth(2).expect("it lies in target/PROFILE/deps");
        let profile = match folder.file_name().and_then(|name| name.to_str()).expect("cargo names it") {
            "debug" => "test",
            profile => profile,
        };
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--bins", "--profile", profile])
            .args(["--package", "longshore-std", "--package", "longshore-async-std", "--package", "longshore-smol"])
            .arg("--target-dir")
            .arg(folder.parent().unwrap_or(Path::new("target")))
            .status();
        assert!(built.is_ok_and(|status| status.success()), "the programs can be built");
        folder.to_owned()
    });
    folder.join(name)
}
