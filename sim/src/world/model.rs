//! What must come of an errand: a tree of files, and what each errand does to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use longshore_core::client::{JobError, ListFormat, Outcome};

use super::errand::Errand;
use crate::Memory;

type Tree = BTreeMap<String, Option<Arc<Vec<u8>>>>;
type Results = [Result<(Outcome, Vec<u8>), JobError>];

/// The files as they must be.
#[derive(Debug)]
pub(super) struct Model {
    tree: Tree,
    /// What each file that changed behind everybody's back during this errand held at one time.
    versions: BTreeMap<String, Vec<Option<Arc<Vec<u8>>>>>,
    /// A file is being moved, removed or written to in its place, and nobody meddles with it.
    is_moving: bool,
}

fn at(name: &str) -> String {
    format!("/{name}")
}

impl Model {
    pub(super) fn of(memory: &Memory) -> Self {
        Self { tree: memory.snapshot(), versions: BTreeMap::new(), is_moving: false }
    }

    /// Another errand begins. What changed since the last is as it was changed.
    pub(super) fn begin(&mut self, errand: Option<&Errand>) {
        self.is_moving = matches!(errand, Some(Errand::Rename(..) | Errand::Remove(_) | Errand::Append { .. }));
        for (path, mut versions) in std::mem::take(&mut self.versions) {
            self.tree.insert(path, versions.pop().flatten());
        }
    }

    /// Whether somebody may write a file there.
    pub(super) fn may_change(&self, name: &str) -> bool {
        // One that is a directory at some time of the errand stays alone.
        !self.is_moving && !name.contains('/') && matches!(self.tree.get(&at(name)), Some(Some(_)))
    }

    /// Somebody has written a file.
    pub(super) fn changed(&mut self, name: &str, content: Vec<u8>) {
        let old = self.tree.get(&at(name)).cloned().flatten();
        let versions = self.versions.entry(at(name)).or_default();
        versions.push(old);
        versions.push(Some(Arc::new(content)));
    }

    pub(super) fn check(&self, memory: &Memory) -> Result<(), String> {
        let now = memory.snapshot();
        if now == self.tree {
            return Ok(());
        }
        Err(format!("the files are not what they must be: {}", differences(&self.tree, &now)))
    }

    /// Compares what an errand came to with what it has to.
    pub(super) fn judge(
        &mut self,
        errand: &Errand,
        results: &Results,
        memory: &Memory,
        is_calm: bool,
    ) -> Result<(), String> {
        let now = memory.snapshot();
        let mut expected = self.tree.clone();
        // Who changed a file meanwhile may have done so before or behind the errand.
        for (path, versions) in &self.versions {
            let held = now.get(path).cloned().flatten();
            if versions.contains(&held) {
                expected.insert(path.clone(), held);
            }
        }
        match errand {
            Errand::Put { name, content, .. } => {
                self.put(&mut expected, &now, name, &content.0, &results[0], is_calm)?;
            }
            Errand::PutMany(files) => {
                // Each name holds what it held, or what was last put there, or an earlier one if that failed.
                for ((name, content), result) in files.iter().zip(results) {
                    let was = expected.clone();
                    if let Err(what) = self.put(&mut expected, &now, name, &content.0, result, is_calm) {
                        let later = files.iter().zip(results).any(|((other, new), _)| {
                            at(other) == at(name) && now.get(&at(name)) == Some(&Some(Arc::new(new.0.clone())))
                        });
                        if !later {
                            return Err(what);
                        }
                        expected = was;
                        expected.insert(at(name), now.get(&at(name)).cloned().flatten());
                    }
                }
            }
            Errand::Append { name, content } => {
                let path = at(name);
                let (old, new) = (expected.get(&path).cloned(), now.get(&path).cloned());
                let old_bytes = old.clone().flatten().unwrap_or_default();
                let whole = [&old_bytes[..], &content.0].concat();
                let came = new.clone().flatten();
                match &results[0] {
                    Ok(_) if came.as_deref() == Some(&whole) => {}
                    Ok(_) => return Err("what was appended is not there".to_owned()),
                    Err(error) => {
                        let is_part =
                            came.as_ref().is_none_or(|came| whole.starts_with(came) && came.len() >= old_bytes.len());
                        if !is_part && !self.versions.contains_key(&path) {
                            return Err(format!("a failed append has harmed the file ({error})"));
                        }
                        if is_calm && self.may_store(&path) {
                            return Err(format!("failed: {error}"));
                        }
                    }
                }
                if let Some(new) = new {
                    expected.insert(path, new);
                }
            }
            Errand::Get { name, .. } => self.got(name, &results[0], is_calm)?,
            Errand::GetMany(names) => {
                for (name, result) in names.iter().zip(results) {
                    self.got(name, result, is_calm)?;
                }
            }
            Errand::List(format) => self.listed(*format, &results[0], is_calm)?,
            Errand::MakeDirectory(name) => {
                let path = at(name);
                let may = !expected.contains_key(&path) && is_directory(&expected, &parent(&path));
                let mut after = expected.clone();
                after.insert(path, None);
                expected = either(&results[0], may, is_calm, expected, after, &now)?;
            }
            Errand::RemoveDirectory(name) => {
                let path = at(name);
                let is_empty = !expected.keys().any(|other| other.starts_with(&format!("{path}/")));
                let may = is_directory(&expected, &path) && is_empty;
                let mut after = expected.clone();
                after.remove(&path);
                expected = either(&results[0], may, is_calm, expected, after, &now)?;
            }
            Errand::Remove(name) => {
                let path = at(name);
                let may = matches!(expected.get(&path), Some(Some(_)));
                let mut after = expected.clone();
                after.remove(&path);
                expected = either(&results[0], may, is_calm, expected, after, &now)?;
            }
            Errand::Rename(from, to) => {
                let (from, to) = (at(from), at(to));
                let may = expected.contains_key(&from)
                    && is_directory(&expected, &parent(&to))
                    && (from == to || !is_directory(&expected, &to))
                    && !to.starts_with(&format!("{from}/"));
                let after = renamed(&expected, &from, &to);
                expected = either(&results[0], may, is_calm, expected, after, &now)?;
            }
            Errand::Size(name) => {
                let size = self.tree.get(&at(name)).and_then(|it| it.as_ref()).map(|content| content.len() as u64);
                match (&results[0], size) {
                    (Ok((Outcome::Size(told), _)), size) if Some(*told) == size => {}
                    (Ok(_), _) if self.versions.contains_key(&at(name)) => {}
                    (Ok((told, _)), _) => return Err(format!("{told:?} is told, and {size:?} is so")),
                    (Err(error), Some(_)) if is_calm => return Err(format!("failed: {error}")),
                    (Err(_), _) => {}
                }
            }
            Errand::WorkingDirectory => match &results[0] {
                Ok((Outcome::Path(path), _)) if &path[..] == b"/" => {}
                Err(_) if !is_calm => {}
                other => return Err(format!("{other:?}")),
            },
        }
        self.tree = expected;
        self.versions.clear();
        self.check(memory)
    }

    fn may_store(&self, path: &str) -> bool {
        is_directory(&self.tree, &parent(path)) && !is_directory(&self.tree, path)
    }

    fn put(
        &self,
        expected: &mut Tree,
        now: &Tree,
        name: &str,
        content: &[u8],
        result: &Result<(Outcome, Vec<u8>), JobError>,
        is_calm: bool,
    ) -> Result<(), String> {
        let path = at(name);
        let came = now.get(&path).cloned();
        let is_new = matches!(&came, Some(Some(came)) if came[..] == *content);
        match result {
            Ok(_) if is_new || self.versions.contains_key(&path) => {}
            // Another of the same name came later, perhaps.
            Ok(_) => return Err(format!("{name}: done, and the file is not what was sent")),
            Err(error) if is_calm && self.may_store(&path) => return Err(format!("{name}: failed: {error}")),
            Err(_) if is_new => {}
            Err(_) => return Ok(()),
        }
        if let Some(came) = came {
            expected.insert(path, came);
        }
        Ok(())
    }

    fn got(&self, name: &str, result: &Result<(Outcome, Vec<u8>), JobError>, is_calm: bool) -> Result<(), String> {
        let path = at(name);
        let file = self.tree.get(&path).and_then(|it| it.as_deref());
        match (result, file) {
            (Ok((_, bytes)), Some(file)) if bytes == file => Ok(()),
            (Ok((_, bytes)), _)
                if self
                    .versions
                    .get(&path)
                    .is_some_and(|versions| versions.iter().flatten().any(|version| **version == *bytes)) =>
            {
                Ok(())
            }
            (Ok((_, bytes)), _) => Err(format!("{name}: done, and {} bytes came that are not the file", bytes.len())),
            (Err(error), Some(_)) if is_calm => Err(format!("{name}: failed: {error}")),
            (Err(_), _) => Ok(()),
        }
    }

    fn listed(
        &self,
        format: ListFormat,
        result: &Result<(Outcome, Vec<u8>), JobError>,
        is_calm: bool,
    ) -> Result<(), String> {
        let listing = match result {
            Ok((_, listing)) if is_calm => String::from_utf8_lossy(listing).into_owned(),
            Err(error) if is_calm => return Err(format!("failed: {error}")),
            _ => return Ok(()),
        };
        let mut told: Vec<String> = listing
            .lines()
            .filter_map(|line| match format {
                ListFormat::Names => Some(line.to_owned()),
                ListFormat::Long => Some(line.split_once(" 12:00 ")?.1.to_owned()),
                ListFormat::Facts => {
                    let (facts, name) = line.split_once(' ')?;
                    (!facts.contains("type=cdir") && !facts.contains("type=pdir")).then(|| name.to_owned())
                }
            })
            .collect();
        told.sort();
        let mut names: Vec<&str> = self
            .tree
            .keys()
            .filter_map(|path| path.strip_prefix('/'))
            .filter(|name| !name.is_empty() && !name.contains('/'))
            .collect();
        names.sort_unstable();
        if told == names { Ok(()) } else { Err(format!("{told:?} is told, and {names:?} is there")) }
    }
}

fn parent(path: &str) -> String {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/".to_owned(),
        Some((parent, _)) => parent.to_owned(),
    }
}

fn is_directory(tree: &Tree, path: &str) -> bool {
    matches!(tree.get(path), Some(None))
}

fn renamed(tree: &Tree, from: &str, to: &str) -> Tree {
    let below = format!("{from}/");
    tree.iter()
        .filter(|(path, _)| *path != to || from == to)
        .map(|(path, content)| {
            let path = if path == from {
                to.to_owned()
            } else {
                path.strip_prefix(&below).map_or(path.clone(), |rest| format!("{to}/{rest}"))
            };
            (path, content.clone())
        })
        .collect()
}

/// An errand that is done or not: `before` or `after`.
fn either(
    result: &Result<(Outcome, Vec<u8>), JobError>,
    may: bool,
    is_calm: bool,
    before: Tree,
    after: Tree,
    now: &Tree,
) -> Result<Tree, String> {
    match result {
        Ok(_) if may => Ok(after),
        Ok(_) => Err("done, though it cannot be".to_owned()),
        Err(error) if may && is_calm => Err(format!("failed: {error}")),
        Err(_) if may && *now == after => Ok(after),
        Err(_) => Ok(before),
    }
}

fn differences(one: &Tree, other: &Tree) -> String {
    let shown = |content: Option<&Option<Arc<Vec<u8>>>>| match content {
        None => "nothing".to_owned(),
        Some(None) => "a directory".to_owned(),
        Some(Some(content)) => format!("{} bytes", content.len()),
    };
    let paths: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differ = paths.into_iter().filter(|path| one.get(*path) != other.get(*path));
    differ
        .map(|path| format!("{path}: {} expected, {} found", shown(one.get(path)), shown(other.get(path))))
        .collect::<Vec<_>>()
        .join(", ")
}
