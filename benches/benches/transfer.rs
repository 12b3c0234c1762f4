//! Transfers through real sockets on this machine, by the server and the client of each runtime. Beside them are yardsticks: the same bytes by
//! the system alone, and by TLS alone.

use std::fs::File;
use std::path::Path;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use longshore_async_std::AsyncStd;
use longshore_benches::client::{Connection, Futures, Link, Std};
use longshore_benches::servers::{RUNTIMES, programs, serve};
use longshore_benches::yardsticks::{Bare, BareTls, list};
use longshore_core::client::{ListFormat, Manner};
use longshore_smol::Smol;
use longshore_suite::programs::{Server, folder, noise};

const LARGE: usize = 64 << 20;
const SMALL: usize = 4096;
const FILES: usize = 1000;
const ENTRIES: usize = 50_000;
/// Lines that a client sends from its connection to its end.
const LINES: usize = 4;

type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn group<'a>(criterion: &'a mut Criterion, name: &str, amount: Throughput) -> Group<'a> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(amount).sampling_mode(SamplingMode::Flat);
    group
}

fn fill(path: &Path, size: usize) {
    std::fs::write(path, noise(size as u64, size)).expect("there is room");
}

/// Does it with each runtime's server and client.
fn each(servers: &[Server], mut run: impl FnMut(&str, &Server, &dyn Fn(bool) -> Box<dyn Session>)) {
    for (runtime, server) in RUNTIMES.iter().zip(servers) {
        let port = server.port;
        run(runtime, server, &move |protected| match *runtime {
            "std" => Box::new(Connection::<Std>::open(port, protected)),
            "smol" => Box::new(Connection::<Futures<Smol>>::open(port, protected)),
            _ => Box::new(Connection::<Futures<AsyncStd>>::open(port, protected)),
        });
    }
}

/// A client's session, whatever drives it.
trait Session {
    fn get(&mut self, names: &[String], manner: Manner);
    fn put(&mut self, path: &Path, names: &[String], manner: Manner);
    fn enter(&mut self, directory: &str);
    fn list(&mut self);
    fn close(self: Box<Self>);
}

impl<L: Link> Session for Connection<L> {
    fn get(&mut self, names: &[String], manner: Manner) {
        Self::get(self, names, manner);
    }

    fn put(&mut self, path: &Path, names: &[String], manner: Manner) {
        Self::put(self, path, names, manner);
    }

    fn enter(&mut self, directory: &str) {
        Self::enter(self, directory);
    }

    fn list(&mut self) {
        Self::list(self, ListFormat::Facts);
    }

    fn close(self: Box<Self>) {
        Self::close(*self);
    }
}

fn transfers(criterion: &mut Criterion) {
    let programs = programs();
    let servers: Vec<Server> = RUNTIMES
        .iter()
        .map(|runtime| {
            serve(&programs(runtime), |root| {
                fill(&root.join("large"), LARGE);
                fill(&root.join("small"), SMALL);
                (0..FILES).for_each(|at| fill(&root.join(format!("f{at}")), SMALL));
                let listed = root.join("listed");
                std::fs::create_dir(&listed).expect("the folder is ours");
                (0..ENTRIES).for_each(|at| drop(File::create(listed.join(format!("file number {at}.txt")))));
            })
        })
        .collect();
    let root = servers[0].root().to_owned();
    let own = folder();
    let [large, small] = ["large", "small"].map(|name| {
        std::fs::copy(root.join(name), own.path().join(name)).expect("there is room");
        own.path().join(name)
    });

    for (name, puts) in [("64 MiB down", false), ("64 MiB up", true)] {
        let mut group = group(criterion, name, Throughput::Bytes(LARGE as u64));
        each(&servers, |runtime, server, open| {
            for (kind, protected) in [("", false), (" TLS", true)] {
                let (mut session, file) = (open(protected), server.root().join("large"));
                group.bench_function(format!("{runtime}{kind}"), |bencher| {
                    bencher.iter(|| match puts {
                        false => session.get(&["large".into()], Manner::Plain),
                        true => session.put(&file, &["copy".into()], Manner::Plain),
                    })
                });
                session.close();
            }
        });
        let bare = Bare::start(&large);
        group.bench_function("sendfile", |bencher| bencher.iter(|| if puts { bare.up(&large) } else { bare.down() }));
        let mut tls = BareTls::start(&large, own.path());
        group.bench_function("bare TLS", |bencher| bencher.iter(|| tls.down()));
    }

    let names: Vec<String> = (0..FILES).map(|at| format!("f{at}")).collect();
    for (name, manner, puts) in [
        ("1000 files down, a connection each", Manner::Plain, false),
        ("1000 files down, MODE B", Manner::Many, false),
        ("1000 files up, a connection each", Manner::Plain, true),
        ("1000 files up, MODE B", Manner::Many, true),
    ] {
        let mut group = group(criterion, name, Throughput::Elements(FILES as u64));
        each(&servers, |runtime, server, open| {
            let (mut session, file) = (open(false), server.root().join("small"));
            group.bench_function(runtime, |bencher| {
                bencher.iter(|| match puts {
                    false => session.get(&names, manner),
                    true => session.put(&file, &names, manner),
                })
            });
            session.close();
        });
        let bare = Bare::start(&small);
        group.bench_function("sendfile", |bencher| {
            bencher.iter(|| match puts {
                false => bare.small(FILES),
                true => (0..FILES).for_each(|_| bare.up(&small)),
            })
        });
    }

    let mut listing = group(criterion, "listing of 50000 entries", Throughput::Elements(ENTRIES as u64));
    each(&servers, |runtime, _, open| {
        let mut session = open(false);
        session.enter("listed");
        listing.bench_function(runtime, |bencher| bencher.iter(|| session.list()));
        session.close();
    });
    listing.bench_function("readdir and stat", |bencher| bencher.iter(|| list(&root.join("listed"))));
    listing.finish();

    for (name, protected) in [("sessions", false), ("sessions TLS", true)] {
        let mut group = group(criterion, name, Throughput::Elements(1));
        each(&servers, |runtime, _, open| {
            group.bench_function(runtime, |bencher| bencher.iter(|| open(protected).close()));
        });
        let bare = Bare::start(&small);
        group.bench_function("lines", |bencher| bencher.iter(|| bare.session(LINES)));
    }
}

criterion_group! {
    name = benches;
    config = longshore_benches::criterion();
    targets = transfers
}
criterion_main!(benches);
