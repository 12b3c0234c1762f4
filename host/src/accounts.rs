//! Who may log in: the users of a TOML file, with Argon2id hashes, and perhaps anybody.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use longshore_core::host::{Access, LoginError, is_anonymous};
use serde::Deserialize;
use thiserror::Error;

use crate::toml_file::{self, TomlFileError};

/// The most passwords that are checked at once: each check takes megabytes.
pub const CHECKS: usize = 4;

/// What anonymous users may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Anonymous {
    /// Not log in.
    Off,
    /// Look and download.
    Read,
    /// Change as well.
    Write,
}

/// Why a users file is of no use.
#[derive(Debug, Error)]
pub enum AccountsError {
    /// The file is of no use.
    #[error("{0}")]
    File(#[from] TomlFileError),
    /// A user's entry makes no sense.
    #[error("{path}: user \"{name}\": {what}")]
    User {
        /// Which file.
        path: String,
        /// Whose entry.
        name: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// All accounts.
#[derive(Debug)]
pub struct Accounts {
    users: HashMap<Vec<u8>, User>,
    anonymous: Anonymous,
    /// What the passwords of unknown names are checked against, so that the check takes its time.
    decoy: Option<String>,
    checks: Checks,
}

#[derive(Debug)]
struct User {
    hash: String,
    home: Option<String>,
    access: Access,
}

/// What a login brings.
#[derive(Debug)]
pub(crate) struct Account<'a> {
    pub(crate) home: Option<&'a str>,
    pub(crate) access: Access,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UsersFile {
    #[serde(default)]
    user: Vec<UserEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserEntry {
    name: String,
    password: String,
    home: Option<String>,
    access: EntryAccess,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EntryAccess {
    Read,
    Write,
}

impl Accounts {
    /// Nobody but perhaps anybody.
    pub fn anonymous(anonymous: Anonymous) -> Self {
        Self { users: HashMap::new(), anonymous, decoy: None, checks: Checks::default() }
    }

    /// The users of a file.
    ///
    /// # Errors
    ///
    /// See [`AccountsError`].
    pub fn read(path: &Path, anonymous: Anonymous) -> Result<Self, AccountsError> {
        let shown = path.display().to_string();
        let file: UsersFile = toml_file::read(path)?;
        let mut accounts = Self::anonymous(anonymous);
        for entry in file.user {
            let wrong = |what| AccountsError::User { path: shown.clone(), name: entry.name.clone(), what };
            if entry.name.is_empty() || entry.name.contains(char::is_control) {
                return Err(wrong("a name has to hold something, and no control characters"));
            }
            if !entry.password.starts_with("$argon2") || PasswordHash::new(&entry.password).is_err() {
                return Err(wrong("the password has to be a hash as --hash-password prints it"));
            }
            let home = entry.home.clone().filter(|home| !home.is_empty());
            if home.as_deref().is_some_and(|home| Path::new(home).is_absolute()) {
                return Err(wrong("the home has to be a folder below the root, without a leading slash"));
            }
            let access = match entry.access {
                EntryAccess::Read => Access::Read,
                EntryAccess::Write => Access::Write,
            };
            accounts.decoy.get_or_insert_with(|| entry.password.clone());
            let user = User { hash: entry.password.clone(), home, access };
            if accounts.users.insert(entry.name.clone().into_bytes(), user).is_some() {
                return Err(wrong("there is another of this name"));
            }
        }
        Ok(accounts)
    }

    /// Whether there is no user.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The homes of all users that have one, with the user's name.
    pub fn homes(&self) -> impl Iterator<Item = (&[u8], &str)> {
        self.users.iter().filter_map(|(name, user)| Some((&name[..], user.home.as_deref()?)))
    }

    pub(crate) fn check(&self, name: &[u8], password: &[u8]) -> Result<Account<'_>, LoginError> {
        if is_anonymous(name) {
            match self.anonymous {
                Anonymous::Off => {}
                Anonymous::Read => return Ok(Account { home: None, access: Access::Read }),
                Anonymous::Write => return Ok(Account { home: None, access: Access::Write }),
            }
        }
        let user = self.users.get(name);
        let hash = user.map(|user| &user.hash).or(self.decoy.as_ref()).ok_or(LoginError)?;
        let fits = self.checks.run(|| verify(hash, password));
        let user = user.filter(|_| fits).ok_or(LoginError)?;
        Ok(Account { home: user.home.as_deref(), access: user.access })
    }
}

/// Apart, since it takes much of the stack, of which a thread keeps every page that it once touched.
#[inline(never)]
fn verify(hash: &str, password: &[u8]) -> bool {
    try_verify(hash, password).unwrap_or(false)
}

/// As argon2's own, but with memory that goes back to the system: allocators keep pieces of this size for later, one for each
/// thread that ever checked a password.
fn try_verify(hash: &str, password: &[u8]) -> argon2::password_hash::Result<bool> {
    /// More than any allocator keeps, in bytes. What is not touched costs nothing.
    const NEVER_KEPT: usize = 40 * 1024 * 1024;
    let hash = PasswordHash::new(hash)?;
    let algorithm = Algorithm::try_from(hash.algorithm.as_str())?;
    let version = hash.version.map_or(Ok(Version::default()), Version::try_from)?;
    let params = Params::try_from(&hash)?;
    let (Some(salt), Some(wanted)) = (hash.salt, hash.hash) else {
        return Ok(false);
    };
    let blocks = params.block_count();
    let mut memory = Vec::with_capacity(blocks.max(NEVER_KEPT / Block::SIZE));
    memory.resize(blocks, Block::default());
    let mut digest = vec![0; wanted.len()];
    let argon2 = Argon2::new(algorithm, version, params);
    argon2.hash_password_into_with_memory(password, &salt, &mut digest, &mut memory)?;
    // Outputs are compared in constant time.
    Ok(Output::new(&digest).is_ok_and(|digest| digest == wanted))
}

/// The Argon2id hash of a password, for a users file.
///
/// # Errors
///
/// The password is too long, or there is no randomness for the salt.
pub fn hash_password(password: &str) -> Result<String, String> {
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|error| error.to_string())?;
    Ok(hash.to_string())
}

/// Lets a few in at a time.
#[derive(Debug, Default)]
struct Checks {
    running: Mutex<usize>,
    freed: Condvar,
}

impl Checks {
    fn run<T>(&self, check: impl FnOnce() -> T) -> T {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |running: &mut usize| *running >= CHECKS;
        let mut running = self.freed.wait_while(running, full).unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        drop(running);
        let result = check();
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.freed.notify_one();
        result
    }
}
