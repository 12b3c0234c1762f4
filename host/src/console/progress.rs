//! The progress bar: bytes, rate, time left. On a terminal alone.

use std::time::Instant;

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Talk;

pub(super) struct Progress {
    bar: ProgressBar,
    start: Instant,
    offset: u64,
}

impl Progress {
    /// A bar for a file whose size may be known, and of which `offset` bytes are there already.
    pub(super) fn new(name: &str, size: Option<u64>, offset: u64, talk: Talk) -> Self {
        let target = if talk == Talk::Quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(size, target);
        bar.set_style(style(size.is_some()));
        bar.set_message(name.to_owned());
        bar.set_position(offset);
        Self { bar, start: Instant::now(), offset }
    }

    pub(super) fn set_size(&self, size: u64) {
        if self.bar.length().is_none() {
            self.bar.set_length(size);
            self.bar.set_style(style(true));
        }
    }

    pub(super) fn moved(&self, count: u64) {
        self.bar.set_position(self.offset + count);
    }

    /// Takes the bar away, and says what came of it in a few words.
    pub(super) fn finish(self, moved: u64) -> String {
        self.bar.finish_and_clear();
        let seconds = self.start.elapsed().as_secs_f64();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let rate = if seconds > 0.0 { (moved as f64 / seconds) as u64 } else { 0 };
        format!("{moved} bytes in {seconds:.2} s ({}/s)", HumanBytes(rate))
    }
}

/// A bar where the end is known, and a sign of life where it is not.
fn style(sized: bool) -> ProgressStyle {
    let template = if sized {
        "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}"
    } else {
        "{msg} {spinner} {binary_bytes} {binary_bytes_per_sec}"
    };
    // The templates are constants, and fit.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
