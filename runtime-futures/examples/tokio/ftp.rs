//! The client on tokio: `cargo run -p longshore-futures --example ftp-tokio -- localhost 2121`.

mod runtime;

fn main() -> std::process::ExitCode {
    longshore_futures::client::main::<runtime::Tokio>()
}
