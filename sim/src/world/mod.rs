//! Whole sessions from a seed, with all that can go wrong, against a model of what must come of them.
//!
//! A seed stands for a network that cuts and delays bytes, stalls, breaks and ends connections; for a host that is slow, fails, fills up, and
//! whose files change meanwhile; for a client that is told to do errands, is interrupted, or dies. [`run`] carries the session to its end and
//! checks on the way:
//!
//! - *files*: what a client or a server is told is done is done, byte for byte; what is told to have failed has left the old file, or the whole
//!   new one, and never part of one;
//! - *replies*: every command gets one final reply, of a kind that it can have, in order;
//! - *waits*: whatever goes wrong, every errand ends, and so does the session;
//! - *bounds*: nothing that waits to be sent grows past its bound;
//! - *cuts*: where nothing goes wrong, the dialogue is the same however the bytes are cut.
//!
//! | file | what |
//! |---|---|
//! | `errand.rs` | what a client is told to do |
//! | `model.rs` | what must come of it |
//! | `replies.rs` | the dialogue as the server noted it |

mod errand;
mod model;
mod replies;

use std::fmt;
use std::time::Duration;

use longshore_core::client::{self, Job, JobError, JobId, Outcome};
use longshore_core::host::Access;
use longshore_core::machine::Machine;
use longshore_core::server::{self, UNSENT_LIMIT};

use self::errand::Errand;
use self::model::Model;
use crate::{Cuts, Dice, Memory, MemoryHost, Network, Pair, User};

/// How many things may happen in one session: more than it moves bytes, since each may come by itself.
const MOST_STEPS: u64 = 5_000_000;
/// How long one errand may take: every wait has a bound, and an errand has few of them.
const LONGEST: Duration = Duration::from_secs(3600);
/// The longest reply is a listing, and those are short here.
const MOST_UNSENT: usize = 2 * UNSENT_LIMIT;

/// A property that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The seed of the session.
    pub seed: u64,
    /// Which property.
    pub property: &'static str,
    /// What happened.
    pub what: String,
    /// The dialogue up to then, as the server noted it.
    pub dialogue: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}\nreplay: cargo run -p longshore-sim --example world -- {}",
            self.property, self.what, self.seed
        )
    }
}

/// What a session came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Errands that went well.
    pub done: u64,
    /// Errands that failed.
    pub failed: u64,
    /// Sessions that something broke.
    pub broken: u64,
}

/// What may go wrong in a session.
#[derive(Clone, Copy, Debug)]
struct Weather {
    /// Nothing does.
    is_calm: bool,
    /// Files change behind the sessions' backs.
    changes: bool,
    /// Somebody interrupts or dies.
    interrupts: bool,
    /// Connections may look as if they had ended in order.
    has_false_ends: bool,
}

struct World {
    seed: u64,
    dice: Dice,
    weather: Weather,
    pair: Pair,
    memory: Memory,
    model: Model,
    tally: Tally,
    steps: u64,
    /// The session is gone.
    is_broken: bool,
}

/// Carries the session of a seed to its end.
///
/// # Errors
///
/// A property did not hold.
pub fn run(seed: u64) -> Result<Tally, Violation> {
    play(Dice::new(seed), seed)
}

/// The same, for numbers from elsewhere.
///
/// # Errors
///
/// A property did not hold.
pub fn play(dice: Dice, seed: u64) -> Result<Tally, Violation> {
    let mut world = World::new(dice.clone(), seed, None);
    let tally = world.run()?;
    if world.weather.is_calm {
        // The same again, with the bytes cut in no way.
        let mut again = World::new(dice, seed, Some(Cuts::none()));
        again.run()?;
        let (one, other) = (replies::dialogue(&world.pair.notes), replies::dialogue(&again.pair.notes));
        if one != other {
            let (one, other) = (one.0.iter().chain(&one.1), other.0.iter().chain(&other.1));
            let differ = one.zip(other).find(|(one, other)| one != other);
            return Err(world.violation("cuts", format!("the dialogues differ: {differ:?}")));
        }
    }
    Ok(tally)
}

impl World {
    fn new(mut dice: Dice, seed: u64, cuts: Option<Cuts>) -> Self {
        let is_calm = dice.happens(250);
        let mishaps = errand::mishaps(&mut dice);
        let weather = Weather {
            is_calm,
            changes: !is_calm && dice.happens(150),
            interrupts: !is_calm && dice.happens(400),
            has_false_ends: mishaps.ends > 0,
        };
        let (longest, delay) = (*dice.pick(&[1, 7, 100, 1460, 20_000]), Duration::from_millis(dice.below(40)));
        let drawn = Cuts::seeded(dice.roll(), longest, delay);
        let network = Network::new(cuts.unwrap_or(drawn));
        let memory = Memory::fixture();
        let mishap_seed = dice.roll();
        let (failures, failure_seed) = (*dice.pick(&[0, 0, 5, 60]), dice.roll());
        let (capacity, thought, thought_seed) =
            (dice.happens(100), *dice.pick(&[0, 0, 50, 3_000, 90_000]), dice.roll());
        let server_tls =
            *dice.pick(&[server::Tls::Off, server::Tls::Optional, server::Tls::Required, server::Tls::Implicit]);
        let tls = match server_tls {
            server::Tls::Off => client::Tls::Off,
            server::Tls::Optional if dice.happens(500) => client::Tls::Off,
            server::Tls::Optional | server::Tls::Required => client::Tls::Explicit,
            server::Tls::Implicit => client::Tls::Implicit,
        };
        let server = server::Config { dialogue: true, tls: server_tls, ..server::Config::default() };
        let client = client::Config { passive: dice.happens(600), tls, ..client::Config::default() };
        if !is_calm {
            network.upset(mishaps, mishap_seed);
        }
        let user = User { name: "alice", password: Some("secret"), access: Access::Write };
        let mut pair = Pair::over(&network, MemoryHost::new(memory.clone(), vec![user]), server, client);
        if !is_calm {
            memory.fail(failures, failure_seed);
            pair.think(Duration::from_millis(thought), thought_seed);
            if capacity {
                memory.limit(50_000);
            }
        }
        let model = Model::of(&memory);
        Self { seed, dice, weather, pair, memory, model, tally: Tally::default(), steps: 0, is_broken: false }
    }

    fn run(&mut self) -> Result<Tally, Violation> {
        let login = Job::Login { user: "alice".into(), password: Some("secret".into()) };
        let id = self.pair.begin(login, Vec::new());
        let result = self.wait(id)?;
        self.settle_with(result.map(drop), "the login")?;
        for _ in 0..=self.dice.below(8) {
            if self.is_broken {
                break;
            }
            let errand = Errand::draw(&mut self.dice, self.weather.is_calm, !self.weather.has_false_ends);
            self.carry_out(&errand)?;
        }
        if !self.is_broken {
            let id = self.pair.begin(Job::Quit, Vec::new());
            let result = self.wait(id)?;
            self.settle_with(result.map(drop), "the farewell")?;
        }
        self.rest()?;
        self.model.begin(None);
        self.tally.broken = u64::from(self.is_broken);
        self.model.check(&self.memory).map_err(|what| self.violation("files", what))?;
        replies::check(&self.pair.notes, self.weather.is_calm).map_err(|what| self.violation("replies", what))?;
        Ok(self.tally)
    }

    /// A job that in calm weather cannot fail.
    fn settle_with(&mut self, result: Result<(), JobError>, what: &str) -> Result<(), Violation> {
        match result {
            Ok(()) => Ok(()),
            Err(error) if self.weather.is_calm => Err(self.violation("files", format!("{what} failed: {error}"))),
            Err(error) => {
                self.failed(&error);
                // Nothing can be done without a login.
                self.is_broken = true;
                Ok(())
            }
        }
    }

    fn failed(&mut self, error: &JobError) {
        self.tally.failed += 1;
        self.is_broken |= error.is_fatal();
    }

    /// Goes on until a job is over.
    fn wait(&mut self, id: JobId) -> Result<Result<(Outcome, Vec<u8>), JobError>, Violation> {
        let start = self.pair.now;
        loop {
            if let Some(result) = self.pair.outcome(id) {
                return Ok(result);
            }
            if self.pair.client.is_over() {
                // It was killed, and nobody is left to hear of it.
                self.is_broken = true;
                return Ok(Err(JobError::Lost));
            }
            if !self.go_on()? {
                let what = "nothing will ever happen again, and a job is not over";
                return Err(self.violation("waits", what.to_owned()));
            }
            if self.pair.now - start > LONGEST {
                return Err(self.violation("waits", "a job takes for ever".to_owned()));
            }
            self.interfere();
        }
    }

    /// Lets the next thing happen; false where there is none.
    fn go_on(&mut self) -> Result<bool, Violation> {
        self.steps += 1;
        let goes_on = self.pair.step();
        if self.steps > MOST_STEPS {
            return Err(self.violation("waits", "the session does not come to rest".to_owned()));
        }
        let unsent = [self.pair.client.session.transmit().len(), self.pair.server.session.transmit().len()];
        if unsent.iter().any(|count| *count > MOST_UNSENT) {
            return Err(self.violation("bounds", format!("{unsent:?} bytes wait to be sent")));
        }
        Ok(goes_on)
    }

    /// The user interrupts, somebody dies, or a file changes.
    fn interfere(&mut self) {
        if self.weather.interrupts && self.dice.happens(4) {
            match self.dice.below(6) {
                0 => self.pair.client.kill(),
                1 => self.pair.server.kill(),
                2 => self.pair.client.vanish(),
                3 => self.pair.server.vanish(),
                _ => self.pair.client.session.abort(self.pair.now),
            }
        }
        if self.weather.changes && self.dice.happens(5) {
            let (name, content) = (errand::name(&mut self.dice), errand::content(&mut self.dice));
            if self.model.may_change(&name) {
                self.memory.write(&format!("/{name}"), &content.0);
                self.model.changed(&name, content.0);
            }
        }
    }

    /// Both sides come to their end.
    fn rest(&mut self) -> Result<(), Violation> {
        let start = self.pair.now;
        while !self.pair.is_over() && self.go_on()? {
            if self.pair.now - start > LONGEST {
                return Err(self.violation("waits", "a session that is over does not end".to_owned()));
            }
        }
        if !self.pair.is_over() {
            return Err(self.violation("waits", "a session outlives its peer".to_owned()));
        }
        Ok(())
    }

    fn violation(&self, property: &'static str, what: String) -> Violation {
        Violation { seed: self.seed, property, what, dialogue: replies::transcript(&self.pair.notes) }
    }
}

/// What may go wrong with connections, in all weathers but calm ones.
impl World {
    fn carry_out(&mut self, errand: &Errand) -> Result<(), Violation> {
        let ids: Vec<JobId> = errand.jobs().into_iter().map(|(job, data)| self.pair.begin(job, data)).collect();
        self.model.begin(Some(errand));
        let mut results = Vec::new();
        for id in ids {
            let result = self.wait(id)?;
            match &result {
                Ok(_) => self.tally.done += 1,
                Err(error) => self.failed(error),
            }
            results.push(result);
        }
        if self.pair.client.is_over() || self.is_broken {
            // What the server was about to do it does, or it does not.
            self.rest()?;
        }
        let is_calm = self.weather.is_calm;
        self.model
            .judge(errand, &results, &self.memory, is_calm)
            .map_err(|what| self.violation("files", format!("{errand:?}: {what}")))
    }
}
