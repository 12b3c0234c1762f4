//! The server on async-std.

fn main() -> std::process::ExitCode {
    longshore_futures::server::main::<longshore_async_std::AsyncStd>()
}
