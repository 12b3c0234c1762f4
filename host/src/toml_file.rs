//! Reading a TOML file, with errors that name it.

use std::path::Path;

use serde::de::DeserializeOwned;
use thiserror::Error;

/// Why a file is of no use.
#[derive(Debug, Error)]
pub enum TomlFileError {
    /// It cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// It is not in the form. Nothing of its content is shown, which may be a password's hash.
    #[error("{path}, line {line}: {message}")]
    Syntax {
        /// Which file.
        path: String,
        /// In which line, from 1 on.
        line: usize,
        /// What is wrong there.
        message: String,
    },
}

/// Reads a file.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, TomlFileError> {
    let shown = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|error| TomlFileError::Unreadable { path: shown.clone(), error })?;
    toml::from_str(&text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
        TomlFileError::Syntax { path: shown, line, message: error.message().replace('\n', " ") }
    })
}
