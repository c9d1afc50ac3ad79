//! Dice that fall the same way for the same seed, and the settings that repeat or multiply what they decide.

#[allow(dead_code, reason = "shared with the other tests, which use more of it")]
#[path = "../../it/support/random.rs"]
mod dice;

pub use dice::Random;

/// `STREAMRUN_SEED`, or what chance is by default.
pub fn seed() -> u64 {
    setting("STREAMRUN_SEED").unwrap_or(20_260_101)
}

/// So many rounds, times `STREAMRUN_TRIALS`.
pub fn rounds(usually: u64) -> u64 {
    usually * setting("STREAMRUN_TRIALS").unwrap_or(1).max(1)
}

/// A number from the environment.
pub fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}
