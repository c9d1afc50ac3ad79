//! What the suites of the engine share: scenarios, the clusters they run on, and what came of them.

pub mod counting;
pub mod fleet;
pub mod grammar;
pub mod kinds;
pub mod outcome;
pub mod program;
pub mod random;
pub mod records;
pub mod scenario;
pub mod world;

pub use outcome::{Outcome, Strictness};
pub use random::Random;
pub use scenario::{Act, Scenario, Sent};
pub use world::World;
