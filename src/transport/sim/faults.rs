//! Faults on demand: the n-th call of a transport fails, before its effect or after it.

/// When a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Nothing has happened.
    Before,
    /// It has happened, and the reply is lost.
    After,
    /// Nothing has happened, and whoever called cannot know: as `Before`, but for calls that say which of the two.
    Doubt,
}

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which call, counted from 0.
    pub call: u64,
    /// When it fails.
    pub when: When,
    /// Whether every call from there on fails.
    pub for_good: bool,
}

/// The faults of a transport, and the calls so far.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    planned: Vec<Fault>,
    calls: u64,
}

impl Faults {
    /// These, and no others.
    pub fn new(planned: Vec<Fault>) -> Self {
        Faults { planned, calls: 0 }
    }

    /// One more call: whether it is to fail, and when.
    pub fn call(&mut self) -> Option<When> {
        let call = self.calls;
        self.calls += 1;
        let hit = |fault: &&Fault| fault.call == call || (fault.for_good && call > fault.call);
        self.planned.iter().find(hit).map(|fault| fault.when)
    }

    /// How many calls there have been.
    pub fn calls(&self) -> u64 {
        self.calls
    }
}
