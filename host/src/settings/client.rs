//! The client's arguments.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Parser};

use crate::tls::Trust;

/// Whether a session is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ClientTls {
    /// Not.
    Off,
    /// From AUTH TLS on, before the login.
    Explicit,
    /// From the first byte.
    Implicit,
}

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin(pub [u8; 32]);

/// Moves files to and from an FTP server.
#[derive(Clone, Debug, Parser)]
#[command(version, about = "Moves files to and from an FTP server.", arg_required_else_help = true)]
pub struct ClientArguments {
    /// Host name, IP address, or URL (ftp://user@host:port/folder/)
    #[arg(value_name = "SERVER")]
    pub server: String,
    /// Control port [default: 21]
    #[arg(value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Log in as NAME [default: the URL's user, else the one of ~/.netrc, else anonymous]
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Run COMMAND in place of the prompt; may be repeated; the first that fails ends the run
    #[arg(short, long = "command", value_name = "COMMAND")]
    pub commands: Vec<OsString>,
    /// Protect the session: by asking for TLS, or from the first byte [default: off, or implicit for ftps://]
    #[arg(long, value_enum)]
    pub tls: Option<ClientTls>,
    /// Trust these certificates besides the system's: of authorities, or the server's own
    #[arg(long, value_name = "PEM")]
    pub cacert: Option<PathBuf>,
    /// Accept any certificate: nothing is read by others, but nobody knows who the server is
    #[arg(long)]
    pub insecure: bool,
    /// Accept exactly the certificate with this SHA-256, and no other
    #[arg(long, value_name = "SHA256", value_parser = parse_pin, conflicts_with_all = ["cacert", "insecure"])]
    pub pin: Option<Pin>,
    /// Active mode: the server connects back
    #[arg(long)]
    pub active: bool,
    /// Show the control dialogue
    #[arg(short, long, action = ArgAction::SetTrue)]
    pub verbose: bool,
    /// Show errors only
    #[arg(short, long, action = ArgAction::SetTrue, conflicts_with = "verbose")]
    pub quiet: bool,
}

impl ClientArguments {
    /// Whom the client trusts.
    pub fn trust(&self) -> Trust {
        Trust { authorities: self.cacert.clone(), anybody: self.insecure, pin: self.pin.map(|Pin(digest)| digest) }
    }
}

/// 64 hexadecimal digits, in pairs or not, as this client, the server and openssl print them.
fn parse_pin(text: &str) -> Result<Pin, String> {
    let wrong = || "has to be 64 hexadecimal digits, in pairs with colons or without".to_owned();
    let prefix = "SHA256:";
    let digits = match text.get(..prefix.len()) {
        Some(start) if start.eq_ignore_ascii_case(prefix) => &text[prefix.len()..],
        _ => text,
    };
    let digits: Vec<u8> = digits.bytes().filter(|byte| *byte != b':').collect();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(wrong());
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(Pin(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_come_with_colons_and_without() {
        let plain = "00".repeat(31) + "fF";
        let pairs = "00:".repeat(31) + "Ff";
        let mut digest = [0; 32];
        digest[31] = 0xff;
        for text in [plain.clone(), pairs.clone(), format!("sha256:{pairs}")] {
            assert_eq!(parse_pin(&text), Ok(Pin(digest)), "{text}");
        }
        for text in ["", "ff", &plain[1..], &(plain.clone() + "0"), &plain.replace('f', "g"), "ä"] {
            assert!(parse_pin(text).is_err(), "{text}");
        }
    }
}
