//! The client on async-std.

fn main() -> std::process::ExitCode {
    longshore_futures::client::main::<longshore_async_std::AsyncStd>()
}
