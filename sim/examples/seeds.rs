//! Writes what fuzzing begins with, the rows of the test vectors, to a folder for each target:
//! `cargo run -p longshore-sim --example seeds -- fuzz/corpus`.

use std::path::PathBuf;

use longshore_sim::fuzz::{TARGETS, seeds};

fn main() -> std::io::Result<()> {
    let corpus = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "fuzz/corpus".into()));
    for (target, _) in TARGETS {
        let folder = corpus.join(target);
        std::fs::create_dir_all(&folder)?;
        for (name, bytes) in seeds(target) {
            std::fs::write(folder.join(name), bytes)?;
        }
    }
    Ok(())
}
