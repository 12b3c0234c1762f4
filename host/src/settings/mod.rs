//! Command lines, and the settings file of the server.

mod client;
mod server;

pub use self::client::{ClientArguments, ClientTls, Pin};
pub use self::server::{ServerArguments, ServerSettings, SettingsError, TlsMode};
