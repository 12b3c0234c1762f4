//! Reading certificate, key and users file again while the server runs. Sessions that have begun keep what they began with; a file
//! that is of no use changes nothing.

use std::path::PathBuf;
use std::sync::Arc;

use tracing::{error, info};

use crate::accounts::{Accounts, Anonymous};
use crate::directory::Tree;
use crate::settings::SettingsError;
use crate::tls;

/// What may be read again.
#[derive(Clone, Debug)]
pub(super) struct Reload {
    pub(super) tls: Option<Arc<tls::Server>>,
    pub(super) users: Option<(PathBuf, Anonymous)>,
    pub(super) tree: Arc<Tree>,
}

impl Reload {
    /// Whether there is anything to be read again.
    pub(super) fn has_files(&self) -> bool {
        self.users.is_some() || self.tls.as_ref().is_some_and(|tls| tls.is_of_files())
    }

    /// Reads all there is, and says how that went.
    pub(super) fn run(&self) {
        match self.tls.as_ref().and_then(|tls| tls.reload()) {
            Some(Ok(certificate)) => info!(fingerprint = certificate.fingerprint(), "the certificate was read again"),
            Some(Err(fault)) => error!("the certificate at hand stays: {fault}"),
            None => {}
        }
        match self.accounts() {
            Ok(Some(accounts)) => {
                self.tree.set_accounts(accounts);
                info!("the users file was read again");
            }
            Ok(None) => {}
            Err(fault) => error!("the users at hand stay: {fault}"),
        }
    }

    fn accounts(&self) -> Result<Option<Accounts>, SettingsError> {
        let Some((path, anonymous)) = &self.users else {
            return Ok(None);
        };
        let accounts = Accounts::read(path, *anonymous)?;
        if accounts.is_empty() {
            // An editor may be about to write it.
            return Err(SettingsError::NoUsers(path.display().to_string()));
        }
        self.tree.check_homes(&accounts)?;
        Ok(Some(accounts))
    }
}
