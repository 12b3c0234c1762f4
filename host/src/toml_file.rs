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
    /// It is not in the form.
    #[error("{path}: {error}")]
    Syntax {
        /// Which file.
        path: String,
        /// Where, and what was expected.
        error: Box<toml::de::Error>,
    },
}

/// Reads a file.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, TomlFileError> {
    let shown = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|error| TomlFileError::Unreadable { path: shown.clone(), error })?;
    toml::from_str(&text).map_err(|error| TomlFileError::Syntax { path: shown, error: Box::new(error) })
}
