//! The client on blocking std.

fn main() -> std::process::ExitCode {
    longshore_host::console::main::<longshore_std::server::Std>()
}
