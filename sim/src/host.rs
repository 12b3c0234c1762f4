//! A tree of files in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use longshore_core::entry::{Attributes, Entry, Kind, Owner};
use longshore_core::host::{Access, Content, Directory, Host, HostError, LoginError, Store};
use longshore_core::path::VirtualPath;
use longshore_core::time::Timestamp;

use crate::dice::Dice;

/// The date on which all of memory's changes happen: 2024-06-15T12:00:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_718_452_800);

/// A user of a [`MemoryHost`].
#[derive(Clone, Debug)]
pub struct User {
    /// The name.
    pub name: &'static str,
    /// The password; any will do if `None`.
    pub password: Option<&'static str>,
    /// What the user may do.
    pub access: Access,
}

#[derive(Clone, Debug)]
struct Node {
    content: Option<Arc<Vec<u8>>>,
    modified: Timestamp,
    mode: u32,
    inode: u64,
}

#[derive(Debug, Default)]
struct Tree {
    nodes: BTreeMap<VirtualPath, Node>,
    inodes: u64,
    capacity: Option<u64>,
    /// How many of a thousand things that are asked of it fail.
    failures: u64,
    dice: Option<Dice>,
}

/// The files, which all sessions share.
#[derive(Clone, Debug)]
pub struct Memory(Arc<Mutex<Tree>>);

impl Default for Memory {
    fn default() -> Self {
        let memory = Self(Arc::default());
        memory.tree().put(VirtualPath::root(), None);
        memory
    }
}

impl Memory {
    /// The tree that the dialogues of `session.tsv` begin with.
    pub fn fixture() -> Self {
        let memory = Self::default();
        memory.write("/a.txt", b"hello world\n");
        memory.make_directory("/dir");
        memory.write("/dir/b.bin", &[0, 1, 2, 3, 4]);
        memory.make_directory("/empty");
        memory
    }

    /// Puts a file there.
    ///
    /// # Panics
    ///
    /// If the path cannot be.
    pub fn write(&self, path: &str, content: &[u8]) {
        self.tree().put(at(path), Some(content.to_vec()));
    }

    /// Makes a directory.
    ///
    /// # Panics
    ///
    /// If the path cannot be.
    pub fn make_directory(&self, path: &str) {
        self.tree().put(at(path), None);
    }

    /// What a file holds, if there is one.
    ///
    /// # Panics
    ///
    /// If the path cannot be.
    pub fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.tree().nodes.get(&at(path))?.content.as_ref().map(|content| content.to_vec())
    }

    /// All there is: files with what they hold, and directories.
    pub fn snapshot(&self) -> BTreeMap<String, Option<Arc<Vec<u8>>>> {
        let tree = self.tree();
        let name = |path: &VirtualPath| String::from_utf8_lossy(path.as_bytes()).into_owned();
        tree.nodes.iter().map(|(path, node)| (name(path), node.content.clone())).collect()
    }

    /// Every path there is.
    pub fn paths(&self) -> Vec<String> {
        self.tree().nodes.keys().map(|path| path.to_string()).collect()
    }

    /// Lets the files hold so many bytes in all and no more.
    pub fn limit(&self, capacity: u64) {
        self.tree().capacity = Some(capacity);
    }

    /// Lets so many of a thousand things fail that are asked of it.
    pub fn fail(&self, in_a_thousand: u64, seed: u64) {
        let mut tree = self.tree();
        (tree.failures, tree.dice) = (in_a_thousand, Some(Dice::new(seed)));
    }

    /// Fails, or not.
    fn may_fail(&self) -> Result<(), HostError> {
        let mut tree = self.tree();
        let failures = tree.failures;
        let fails = tree.dice.as_mut().is_some_and(|dice| dice.happens(failures));
        if fails { Err(HostError::Failed) } else { Ok(()) }
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn at(path: &str) -> VirtualPath {
    VirtualPath::root().join(path.as_bytes()).expect("a path without CR, LF and NUL")
}

impl Tree {
    fn put(&mut self, path: VirtualPath, content: Option<Vec<u8>>) {
        self.inodes += 1;
        let mode = if content.is_some() { 0o100_644 } else { 0o040_755 };
        let node = Node { content: content.map(Arc::new), modified: NOW, mode, inode: self.inodes };
        self.nodes.insert(path, node);
    }

    fn node(&self, path: &VirtualPath) -> Result<&Node, HostError> {
        self.nodes.get(path).ok_or(HostError::NotFound)
    }

    fn directory(&self, path: &VirtualPath) -> Result<(), HostError> {
        if self.node(path)?.content.is_some() { Err(HostError::NotDirectory) } else { Ok(()) }
    }

    fn children(&self, path: &VirtualPath) -> Vec<VirtualPath> {
        self.nodes.keys().filter(|child| !child.is_root() && child.parent() == *path).cloned().collect()
    }

    fn used(&self) -> u64 {
        self.nodes.values().filter_map(|node| node.content.as_ref()).map(|content| content.len() as u64).sum()
    }

    fn attributes(node: &Node) -> Attributes {
        Attributes {
            kind: if node.content.is_some() { Kind::File } else { Kind::Directory },
            size: node.content.as_ref().map_or(0, |content| content.len() as u64),
            modified: node.modified,
            mode: node.mode,
            links: 1,
            owner: Owner::Name("ftp".into()),
            group: Owner::Name("ftp".into()),
            unique: (1, node.inode),
        }
    }
}

/// One session's view of a [`Memory`].
#[derive(Clone, Debug)]
pub struct MemoryHost {
    memory: Memory,
    users: Arc<Vec<User>>,
}

impl MemoryHost {
    /// A host for these files and users.
    pub fn new(memory: Memory, users: Vec<User>) -> Self {
        Self { memory, users: Arc::new(users) }
    }

    /// All files there are, and directories.
    pub fn files(&self) -> BTreeMap<String, Option<Arc<Vec<u8>>>> {
        self.memory.snapshot()
    }
}

impl Host for MemoryHost {
    type File = MemoryFile;
    type Directory = MemoryDirectory;

    fn now(&self) -> Timestamp {
        NOW
    }

    fn login(&mut self, user: &[u8], password: &[u8]) -> Result<Access, LoginError> {
        let known = self.users.iter().find(|known| known.name.as_bytes() == user).ok_or(LoginError)?;
        let fits = known.password.is_none_or(|expected| expected.as_bytes() == password);
        fits.then_some(known.access).ok_or(LoginError)
    }

    fn attributes(&self, path: &VirtualPath) -> Result<Attributes, HostError> {
        self.memory.tree().node(path).map(Tree::attributes)
    }

    fn entry(&self, path: &VirtualPath) -> Result<Entry, HostError> {
        let attributes = self.attributes(path)?;
        Ok(Entry { name: Bytes::copy_from_slice(path.name()), attributes, link: None })
    }

    fn enter(&self, path: &VirtualPath) -> Result<(), HostError> {
        self.memory.tree().directory(path)
    }

    fn open_directory(&self, path: &VirtualPath) -> Result<MemoryDirectory, HostError> {
        let tree = self.memory.tree();
        tree.directory(path)?;
        let names = tree.children(path).iter().map(|child| Bytes::copy_from_slice(child.name())).collect();
        Ok(MemoryDirectory { host: self.clone(), path: path.clone(), names })
    }

    fn open(&self, path: &VirtualPath, offset: u64) -> Result<(MemoryFile, Attributes), HostError> {
        self.memory.may_fail()?;
        let tree = self.memory.tree();
        let node = tree.node(path)?;
        let content = node.content.clone().ok_or(HostError::IsDirectory)?;
        let at = usize::try_from(offset).ok().filter(|at| *at <= content.len()).ok_or(HostError::Beyond)?;
        let memory = self.memory.clone();
        Ok((MemoryFile::Reader { memory, content, at }, Tree::attributes(node)))
    }

    fn store(&self, path: &VirtualPath, how: Store) -> Result<(MemoryFile, Option<Bytes>), HostError> {
        self.memory.may_fail()?;
        let mut tree = self.memory.tree();
        tree.directory(&path.parent())?;
        let mut path = path.clone();
        let existing = tree.nodes.get(&path).map(|node| node.content.clone().ok_or(HostError::IsDirectory));
        if how == Store::Unique {
            let mut number = 0;
            while tree.nodes.contains_key(&path) {
                number += 1;
                let name = [path.name(), format!(".{number}").as_bytes()].concat();
                path = path.parent().join(&name).map_err(|_| HostError::BadName)?;
            }
            tree.put(path.clone(), Some(Vec::new()));
            let name = Bytes::copy_from_slice(path.name());
            return Ok((MemoryFile::writer(&self.memory, path, Vec::new(), true), Some(name)));
        }
        let existing = existing.transpose()?;
        let content = existing.as_ref().map(|content| content.to_vec()).unwrap_or_default();
        let within =
            |offset: u64| usize::try_from(offset).ok().filter(|at| *at <= content.len()).ok_or(HostError::Beyond);
        let file = match how {
            Store::Replace | Store::Unique => MemoryFile::writer(&self.memory, path, Vec::new(), false),
            Store::Append => MemoryFile::writer(&self.memory, path, content, true),
            Store::At(offset) => {
                let kept = content[..within(offset)?].to_vec();
                MemoryFile::writer(&self.memory, path, kept, true)
            }
            Store::Over(offset) => {
                let at = within(offset)?;
                MemoryFile::Writer { memory: self.memory.clone(), path, content, at, in_place: true }
            }
        };
        Ok((file, None))
    }

    fn available(&self, path: &VirtualPath) -> Result<u64, HostError> {
        self.enter(path)?;
        let tree = self.memory.tree();
        Ok(tree.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(tree.used())))
    }

    fn make_directory(&self, path: &VirtualPath) -> Result<(), HostError> {
        self.memory.may_fail()?;
        let mut tree = self.memory.tree();
        tree.directory(&path.parent())?;
        if tree.nodes.contains_key(path) {
            return Err(HostError::Exists);
        }
        tree.put(path.clone(), None);
        Ok(())
    }

    fn remove_directory(&self, path: &VirtualPath) -> Result<(), HostError> {
        let mut tree = self.memory.tree();
        tree.directory(path)?;
        if !tree.children(path).is_empty() {
            return Err(HostError::NotEmpty);
        }
        tree.nodes.remove(path);
        Ok(())
    }

    fn remove(&self, path: &VirtualPath) -> Result<(), HostError> {
        self.memory.may_fail()?;
        let mut tree = self.memory.tree();
        if tree.node(path)?.content.is_none() {
            return Err(HostError::IsDirectory);
        }
        tree.nodes.remove(path);
        Ok(())
    }

    fn rename(&self, from: &VirtualPath, to: &VirtualPath) -> Result<(), HostError> {
        self.memory.may_fail()?;
        let mut tree = self.memory.tree();
        tree.node(from)?;
        tree.directory(&to.parent())?;
        if from != to && tree.nodes.get(to).is_some_and(|node| node.content.is_none()) {
            return Err(HostError::IsDirectory);
        }
        let moves = |path: &VirtualPath| path == from || path.as_bytes().starts_with(&[from.as_bytes(), b"/"].concat());
        if from != to && to.as_bytes().starts_with(&[from.as_bytes(), b"/"].concat()) {
            return Err(HostError::Denied);
        }
        let moved: Vec<VirtualPath> = tree.nodes.keys().filter(|path| moves(path)).cloned().collect();
        for path in moved {
            if let Some(node) = tree.nodes.remove(&path) {
                let behind = [to.as_bytes(), &path.as_bytes()[from.as_bytes().len()..]].concat();
                let path = VirtualPath::root().join(&behind).map_err(|_| HostError::BadName)?;
                tree.nodes.insert(path, node);
            }
        }
        Ok(())
    }

    fn set_modified(&self, path: &VirtualPath, time: Timestamp) -> Result<(), HostError> {
        self.memory.tree().nodes.get_mut(path).ok_or(HostError::NotFound)?.modified = time;
        Ok(())
    }

    fn set_mode(&self, path: &VirtualPath, mode: u32) -> Result<(), HostError> {
        let mut tree = self.memory.tree();
        let node = tree.nodes.get_mut(path).ok_or(HostError::NotFound)?;
        node.mode = node.mode & 0o170_000 | mode;
        Ok(())
    }
}

/// An open file.
#[derive(Debug)]
pub enum MemoryFile {
    /// For reading.
    Reader {
        /// Where it belongs.
        memory: Memory,
        /// What it holds.
        content: Arc<Vec<u8>>,
        /// Where the next read begins.
        at: usize,
    },
    /// For writing.
    Writer {
        /// Where it belongs.
        memory: Memory,
        /// Under which name.
        path: VirtualPath,
        /// What it will hold.
        content: Vec<u8>,
        /// Where in it the next bytes go.
        at: usize,
        /// Whether what is written shows at once, rather than when it is published.
        in_place: bool,
    },
}

impl MemoryFile {
    fn writer(memory: &Memory, path: VirtualPath, content: Vec<u8>, in_place: bool) -> Self {
        let at = content.len();
        Self::Writer { memory: memory.clone(), path, content, at, in_place }
    }

    fn show(&mut self) {
        if let Self::Writer { memory, path, content, .. } = self {
            memory.tree().put(path.clone(), Some(content.clone()));
        }
    }
}

impl Content for MemoryFile {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError> {
        let Self::Reader { memory, content, at } = self else {
            return Err(HostError::Unsupported);
        };
        memory.may_fail()?;
        let count = buffer.len().min(content.len() - *at);
        buffer[..count].copy_from_slice(&content[*at..*at + count]);
        *at += count;
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), HostError> {
        let Self::Writer { memory, content, at, in_place, .. } = self else {
            return Err(HostError::Unsupported);
        };
        memory.may_fail()?;
        let tree = memory.tree();
        if tree.capacity.is_some_and(|capacity| tree.used() + (content.len() + bytes.len()) as u64 > capacity) {
            return Err(HostError::NoSpace);
        }
        drop(tree);
        let covered = bytes.len().min(content.len() - *at);
        content.splice(*at..*at + covered, bytes.iter().copied());
        *at += bytes.len();
        if *in_place {
            self.show();
        }
        Ok(())
    }

    fn publish(&mut self) -> Result<(), HostError> {
        if let Self::Writer { memory, .. } = self {
            memory.may_fail()?;
        }
        self.show();
        Ok(())
    }
}

/// A directory that is being read.
#[derive(Debug)]
pub struct MemoryDirectory {
    host: MemoryHost,
    path: VirtualPath,
    names: Vec<Bytes>,
}

impl Directory for MemoryDirectory {
    fn next_name(&mut self) -> Result<Option<Bytes>, HostError> {
        Ok(self.names.pop())
    }

    fn entry(&mut self, name: &Bytes) -> Result<Option<Entry>, HostError> {
        let path = self.path.join(name).map_err(|_| HostError::BadName)?;
        Ok(self.host.entry(&path).ok())
    }
}
