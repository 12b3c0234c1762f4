//! What the benches share: a client session of each runtime as a library, which moves files without looking at them. The servers are
//! the programs themselves.
//!
//! | module | what |
//! |---|---|
//! | [`hot`] | the core's hot paths |
//! | [`dialogues`] | what clients and servers say |
//! | [`client`] | sessions with a server |
//! | [`servers`] | the server programs |
//! | [`yardsticks`] | what the system, and TLS alone, can do |

pub mod client;
pub mod dialogues;
pub mod hot;
pub mod servers;
pub mod yardsticks;

use std::time::Duration;

/// How Criterion measures here: briefly, since what is told are ratios of one run.
pub fn criterion() -> criterion::Criterion {
    let criterion = criterion::Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(500));
    criterion.measurement_time(Duration::from_secs(2)).configure_from_args()
}
