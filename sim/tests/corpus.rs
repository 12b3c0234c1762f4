//! What fuzzing has found interesting, and what it begins with, run once more by every target.

use std::path::Path;

use longshore_core::wire::verb::Verb;
use longshore_sim::fuzz::{TARGETS, seeds};

const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz");

#[test]
fn corpora_hold_no_surprise() {
    for (target, body) in TARGETS {
        let folder = Path::new(FUZZ).join("corpus").join(target);
        let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut count = 0;
        for file in files {
            let path = file.unwrap().path();
            run(&path.display().to_string(), *body, &std::fs::read(&path).unwrap());
            count += 1;
        }
        assert!(count > 0, "{target} has a corpus");
        for (name, bytes) in seeds(target) {
            run(&name, *body, &bytes);
        }
    }
}

#[test]
fn every_verb_is_in_the_dictionary() {
    let dictionary = std::fs::read_to_string(Path::new(FUZZ).join("dictionary")).unwrap();
    for verb in Verb::ALL {
        let entry = format!("\"{}", verb.row().name);
        assert!(dictionary.lines().any(|line| line.starts_with(&entry)), "{entry} is missing");
    }
}

/// Says which bytes they were that made a body panic.
fn run(name: &str, body: fn(&[u8]), bytes: &[u8]) {
    struct Blame<'a>(&'a str);
    impl Drop for Blame<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("with {}", self.0);
            }
        }
    }
    let _blame = Blame(name);
    body(bytes);
}
