//! LIST lines, which no RFC describes: [`write`] prints ours, [`read`](mod@read) understands everybody's.

mod dialects;
pub mod read;
pub mod write;
