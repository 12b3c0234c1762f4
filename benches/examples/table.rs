//! What `cargo bench` measured, as the table of the README: for every bench its median rate, and how it stands to the yardstick of its group.
//!
//!     cargo run --release -p longshore-benches --example table

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

/// Benches of this name are yardsticks; a group may have one for clear and one for TLS.
const YARDSTICKS: [&str; 5] = ["lines", "copy", "sendfile", "bare TLS", "readdir and stat"];

struct Measured {
    name: String,
    /// Nanoseconds.
    median: f64,
    rate: String,
}

fn main() -> ExitCode {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "target/criterion".into()));
    let mut groups: BTreeMap<String, Vec<Measured>> = BTreeMap::new();
    for bench in folders(&folder).iter().flat_map(|group| folders(group)) {
        if let Some((group, measured)) = read(&bench.join("new")) {
            groups.entry(group).or_default().push(measured);
        }
    }
    if groups.is_empty() {
        eprintln!("{}: nothing was measured; run cargo bench first", folder.display());
        return ExitCode::FAILURE;
    }
    println!("| what | by | rate | to the yardstick |\n|---|---|--:|--:|");
    for (group, measured) in &groups {
        let is_yardstick = |it: &&Measured| YARDSTICKS.contains(&it.name.as_str());
        for it in measured.iter().filter(|it| !is_yardstick(it)) {
            let is_right = |yard: &&Measured| yard.name.ends_with("TLS") == it.name.ends_with("TLS");
            let yardsticks: Vec<&Measured> = measured.iter().filter(is_yardstick).collect();
            let yardstick = yardsticks.iter().copied().find(is_right).or(yardsticks.first().copied());
            let ratio =
                yardstick.map_or(String::new(), |yard| format!("{:.3} of {}", yard.median / it.median, yard.name));
            println!("| {group} | {} | {} | {ratio} |", it.name, it.rate);
        }
        for it in measured.iter().filter(is_yardstick) {
            println!("| {group} | *{}* | {} | |", it.name, it.rate);
        }
    }
    ExitCode::SUCCESS
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn read(bench: &Path) -> Option<(String, Measured)> {
    let parse = |name: &str| serde_json::from_slice::<Value>(&fs::read(bench.join(name)).ok()?).ok();
    let (what, estimates) = (parse("benchmark.json")?, parse("estimates.json")?);
    let median = estimates["median"]["point_estimate"].as_f64()?;
    let rate = match (&what["throughput"]["Bytes"], &what["throughput"]["Elements"]) {
        (Value::Number(bytes), _) => format!("{:.0} MiB/s", bytes.as_f64()? / median * 1e9 / f64::from(1 << 20)),
        (_, Value::Number(count)) => format!("{} a second", grouped(count.as_f64()? / median * 1e9)),
        _ => return None,
    };
    let name = what["function_id"].as_str()?.to_owned();
    Some((what["group_id"].as_str()?.to_owned(), Measured { name, median, rate }))
}

/// Three digits that count, and a comma between thousands.
fn grouped(rate: f64) -> String {
    let scale = 10_f64.powf((rate.log10().floor() - 2.0).max(0.0));
    let digits = format!("{:.0}", (rate / scale).round() * scale);
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
