//! LIST lines, which no RFC describes: [`write`](mod@write) prints ours, [`read`](mod@read) understands everybody's.

mod dialects;
pub mod read;
pub mod write;
