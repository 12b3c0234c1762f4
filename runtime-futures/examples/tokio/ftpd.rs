//! The server on tokio: `cargo run -p longshore-futures --example ftpd-tokio -- 2121`.

mod runtime;

fn main() -> std::process::ExitCode {
    longshore_futures::server::main::<runtime::Tokio>()
}
