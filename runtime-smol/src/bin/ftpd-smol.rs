//! The server on smol.

fn main() -> std::process::ExitCode {
    longshore_futures::server::main::<longshore_smol::Smol>()
}
