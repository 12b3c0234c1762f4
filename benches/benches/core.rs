//! The core by itself: what is read and written, turned and decided, without a socket. Beside each path is a yardstick: finding the ends of
//! the same lines, or copying the same bytes.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use longshore_benches::hot::{self, Amount};

fn core(criterion: &mut Criterion) {
    for mut path in hot::all() {
        let mut group = criterion.benchmark_group(path.name.replace('/', " "));
        group.throughput(match path.amount {
            Amount::Items(count) => Throughput::Elements(count),
            Amount::Bytes(count) => Throughput::Bytes(count),
        });
        group.bench_function("core", |bencher| bencher.iter(&mut path.run));
        let mut output = Vec::new();
        let name = format!("{:?}", path.yardstick).to_lowercase();
        group.bench_function(name, |bencher| bencher.iter(|| path.yardstick.run(&path.input, &mut output)));
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = longshore_benches::criterion();
    targets = core
}
criterion_main!(benches);
