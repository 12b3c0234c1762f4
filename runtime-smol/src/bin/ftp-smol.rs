//! The client on smol.

fn main() -> std::process::ExitCode {
    longshore_futures::client::main::<longshore_smol::Smol>()
}
