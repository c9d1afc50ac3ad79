//! What the tables of all workers hold together, and the bound that the file sets to it.

use crate::runtime::{Stopped, Worker};
use crate::transport::Transport;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a worker's tables hold, as a part of what all hold.
#[derive(Debug, Default)]
pub struct Memory {
    most: Option<u64>,
    all: Arc<AtomicU64>,
    own: u64,
}

impl Memory {
    /// A bound for workers that are still to come: each has a clone.
    pub fn new(most: Option<u64>) -> Self {
        Memory { most, ..Memory::default() }
    }

    /// Tables that outgrow what they may hold end the engine with a word, before the kernel ends it without one. What
    /// is not committed then is done again by whoever comes next.
    pub fn check<T: Transport>(&mut self, worker: &Worker<T>) -> Result<(), Stopped> {
        let Some(most) = self.most else { return Ok(()) };
        let now: usize = worker.running().map(|(_, task)| task.stores.bytes()).sum();
        let own = std::mem::replace(&mut self.own, now as u64);
        // Less is more, going round: what others hold does not matter for the difference.
        let change = self.own.wrapping_sub(own);
        let held = self.all.fetch_add(change, Ordering::Relaxed).wrapping_add(change);
        if held <= most {
            return Ok(());
        }
        Err(Stopped::fatal(format!("the tables hold {held} bytes, and `memory` in `[run]` allows {most}")).hint(
            format!(
                "nothing is lost; the largest table is that of `{}`: raise `memory`, or run more processes to \
                 share its keys",
                largest(worker)
            ),
        ))
    }
}

impl Clone for Memory {
    fn clone(&self) -> Self {
        Memory { most: self.most, all: self.all.clone(), own: 0 }
    }
}

fn largest<T: Transport>(worker: &Worker<T>) -> &str {
    let tables = worker.running().flat_map(|(_, task)| task.stores.iter().zip(&task.plan().stores));
    let largest = tables.max_by_key(|(store, _)| store.bytes());
    largest.map_or("", |(_, declared)| declared.name.as_str())
}
