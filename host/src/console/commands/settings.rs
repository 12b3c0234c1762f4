//! Commands that set how things are done, and with whom.

use longshore_core::wire::reply::Shown;

use super::{Call, CommandError, Next, table};
use crate::console::target::Target;
use crate::console::{Console, Dial};
use crate::tls::Context;

pub(super) fn ascii<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    call.none()?;
    console.ascii = true;
    Ok(Next::Go)
}

pub(super) fn binary<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    call.none()?;
    console.ascii = false;
    Ok(Next::Go)
}

pub(super) fn passive<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    set_passive(console, call, true)
}

pub(super) fn active<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    set_passive(console, call, false)
}

fn set_passive<R: Dial>(console: &mut Console<R>, call: &Call<'_>, passive: bool) -> Result<Next, CommandError> {
    call.none()?;
    console.passive = passive;
    if let Some(remote) = &mut console.remote {
        remote.session().set_passive(passive);
    }
    Ok(Next::Go)
}

pub(super) fn status<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    call.none()?;
    match &console.remote {
        Some(remote) => {
            let (control, _) = remote.tls.as_ref().map(Context::handshakes).unwrap_or_default();
            let protection = control.map_or("in clear".to_owned(), |it| format!("over {} ({})", it.version, it.cipher));
            say!("Connected to {} as {}, {protection}", remote.place, Shown(&remote.user));
            if let Some((names, fingerprint)) = remote.tls.as_ref().and_then(Context::certificate) {
                let names = if names.is_empty() { "no host name" } else { &names };
                say!("Certificate: for {names}; SHA-256 {fingerprint}");
            }
        }
        None => say!("Not connected"),
    }
    say!("Type: {}", if console.ascii { "ascii" } else { "binary" });
    let tls = console.remote.as_ref().and_then(|remote| remote.tls.as_ref());
    let protection = match tls.map(Context::handshakes) {
        None => "in clear",
        Some((_, None)) => "protected",
        Some((_, Some(last))) if last.is_resumed => "protected, the last one by the resumed TLS session",
        Some((_, Some(_))) => "protected, the last one by a TLS session of its own",
    };
    say!("Data connections: {}, {protection}", if console.passive { "passive" } else { "active" });
    if let Some(remote) = &mut console.remote {
        let many = match remote.session().takes_many() {
            None => "not tried yet",
            Some(true) => "over one data connection (MODE B)",
            Some(false) => "over one data connection each, since the server has no MODE B",
        };
        say!("Many files: {many}");
    }
    Ok(Next::Go)
}

pub(super) fn open<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let (host, port) = call.one_or_two()?;
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| call.usage());
    let port = match port {
        Some(digits) => Some(text(&digits)?.parse().ok().filter(|port| *port > 0).ok_or_else(|| call.usage())?),
        None => None,
    };
    let target = Target::resolve(&text(&host)?, port, None, console.tls).map_err(|error| call.text(error))?;
    console.quit();
    console.connect(&target).map_err(|error| call.text(error))?;
    Ok(Next::Go)
}

pub(super) fn user<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let name = call.one()?;
    let (interrupt, tls) = (console.interrupt.clone(), console.tls);
    let remote = console.session(call)?;
    let user = std::str::from_utf8(&name).map_err(|_| call.usage())?;
    let target = Target::resolve(&remote.host, Some(remote.port), Some(user), tls).map_err(|error| call.text(error))?;
    remote.login(&target, &interrupt).map_err(|error| call.text(error))?;
    Ok(Next::Go)
}

pub(super) fn close<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    call.none()?;
    console.session(call)?;
    console.quit();
    Ok(Next::Go)
}

pub(super) fn help<R: Dial>(_console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let rows = table::<R>();
    let Some(topic) = call.one_or_none()? else {
        rows.iter().for_each(|row| say!("{:<24}{}", row.usage, row.summary));
        return Ok(Next::Go);
    };
    let row = rows.iter().find(|row| row.names.iter().any(|name| name.as_bytes() == &topic[..]));
    let row = row.ok_or_else(|| CommandError::Unknown(Shown(&topic).to_string()))?;
    say!("{}: {}", row.usage, row.summary);
    if let [_, others @ ..] = row.names
        && !others.is_empty()
    {
        say!("also: {}", others.join(", "));
    }
    Ok(Next::Go)
}

pub(super) fn quit<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    call.none()?;
    console.quit();
    Ok(Next::Quit)
}
