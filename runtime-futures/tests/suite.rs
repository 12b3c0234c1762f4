//! The example with tokio, from outside: a runtime of one's own does all that the others do.

longshore_suite::suite!(server = example("ftpd-tokio"), client = example("ftp-tokio"));

/// Where cargo puts an example.
fn example(name: &str) -> String {
    let test = std::env::current_exe().expect("it runs");
    let path = test.ancestors().nth(2).expect("it lies in target/PROFILE/deps").join("examples").join(name);
    assert!(path.exists(), "cargo test builds {name}, unless only this test is asked for: cargo build --examples");
    path.display().to_string()
}
