//! The server on blocking std.

fn main() -> std::process::ExitCode {
    longshore_host::server::main::<longshore_std::server::Std>()
}
