//! The example with tokio, from outside: a runtime of one's own does all that the others do.

use std::path::PathBuf;
use std::sync::OnceLock;

use longshore_suite::programs::build;

longshore_suite::suite!(server = example("ftpd-tokio"), client = example("ftp-tokio"));

fn example(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| build(&["--examples", "--package", "longshore-futures"]).join("examples")).join(name)
}
