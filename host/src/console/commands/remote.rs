//! Commands on the server that move no files.

use bytes::Bytes;
use longshore_core::client::{Job, ListFormat, Outcome};
use longshore_core::time::Timestamp;
use longshore_core::wire::reply::Shown;

use super::{Call, CommandError, Next};
use crate::console::{Console, Dial, LocalContent};

pub(super) fn ls<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    list(console, call, ListFormat::Long)
}

pub(super) fn nls<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    list(console, call, ListFormat::Names)
}

/// Options such as `-a` go along with the path, since servers take them so.
fn list<R: Dial>(console: &mut Console<R>, call: &Call<'_>, format: ListFormat) -> Result<Next, CommandError> {
    let argument = call.arguments.join(&b' ');
    let path = (!argument.is_empty()).then(|| Bytes::from(argument));
    let name = path.clone().unwrap_or_else(|| Bytes::from_static(b"."));
    let open = || Ok(LocalContent::Screen(Vec::new()));
    let result = console.session(call)?.transfer(Job::List { format, path }, open, None);
    result.map_err(|failure| call.about(&name, failure))?;
    Ok(Next::Go)
}

pub(super) fn cd<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let path = call.one_or_none()?.unwrap_or_else(|| Bytes::from_static(b"/"));
    run(console, call, &path.clone(), Job::ChangeDirectory(path)).map(|_| Next::Go)
}

pub(super) fn pwd<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    call.none()?;
    match console.session(call)?.run(Job::WorkingDirectory).map_err(|error| call.error(&error))? {
        Outcome::Path(path) => say!("{}", Shown(&path)),
        _ => return Err(call.text("the server did not tell".to_owned())),
    }
    Ok(Next::Go)
}

pub(super) fn mkdir<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let path = call.one()?;
    run(console, call, &path.clone(), Job::MakeDirectory(path)).map(|_| Next::Go)
}

pub(super) fn rmdir<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let path = call.one()?;
    run(console, call, &path.clone(), Job::RemoveDirectory(path)).map(|_| Next::Go)
}

pub(super) fn rm<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let path = call.one()?;
    run(console, call, &path.clone(), Job::Remove(path)).map(|_| Next::Go)
}

pub(super) fn mv<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let (from, to) = call.two()?;
    run(console, call, &from.clone(), Job::Rename { from, to }).map(|_| Next::Go)
}

pub(super) fn chmod<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let (mode, path) = call.two()?;
    if !(1..=4).contains(&mode.len()) || !mode.iter().all(|digit| (b'0'..=b'7').contains(digit)) {
        return Err(call.text(format!("{}: the mode has to be octal, such as 644", Shown(&mode))));
    }
    run(console, call, &path.clone(), Job::SetMode { mode, path }).map(|_| Next::Go)
}

pub(super) fn size<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let path = call.one()?;
    if let Outcome::Size(size) = run(console, call, &path.clone(), Job::Size(path))? {
        say!("{size}");
    }
    Ok(Next::Go)
}

pub(super) fn modtime<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let path = call.one()?;
    if let Outcome::Time(time) = run(console, call, &path.clone(), Job::Modified(path))? {
        say!("{}", local_time(time));
    }
    Ok(Next::Go)
}

/// Sends a line, and shows all of the reply.
pub(super) fn quote<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    if call.rest.is_empty() {
        return Err(call.usage());
    }
    let job = Job::Quote(Bytes::copy_from_slice(call.rest));
    if let Outcome::Done(reply) = console.session(call)?.run(job).map_err(|error| call.error(&error))? {
        crate::console::remote::reply_lines(&reply).for_each(|line| say!("{line}"));
    }
    Ok(Next::Go)
}

fn run<R: Dial>(console: &mut Console<R>, call: &Call<'_>, name: &[u8], job: Job) -> Result<Outcome, CommandError> {
    console.session(call)?.run(job).map_err(|error| call.about(name, error))
}

/// A date where the user is.
fn local_time(time: Timestamp) -> String {
    match jiff::Timestamp::from_second(time.seconds) {
        Ok(stamp) => stamp.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %z").to_string(),
        Err(_) => format!("{} seconds after 1970", time.seconds),
    }
}
