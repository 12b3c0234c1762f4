//! Runs one of the core's hot paths once, for whoever counts instructions: `.ci/instructions/count`. Without a name it says what there is.

use longshore_benches::hot;

fn main() {
    let wanted = std::env::args().nth(1);
    for mut path in hot::all() {
        match &wanted {
            None => println!("{}", path.name),
            // Twice, so that nothing is done for the first time when it counts.
            Some(name) if path.name == name => {
                (path.run)();
                counted(&mut path.run);
            }
            Some(_) => {}
        }
    }
}

/// Callgrind counts what happens between the beginning and the end of this function.
#[inline(never)]
#[unsafe(no_mangle)]
fn counted(run: &mut dyn FnMut()) {
    run();
}
