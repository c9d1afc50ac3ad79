//! Where the engine's time goes: the sensor pipeline with parts left out, and what each part adds to it.
//!
//! A part that is measured alone has no caches to share and nothing to wait for; so the pipeline grows part by part,
//! in the order in which a record meets them, and a share is the difference that a part makes within a round.

use super::common::median;
use super::readings;
use std::sync::Arc;
use streamrun::plan::{self, Plan};

/// Something has to read the temperature, or it would not be decoded.
const DROPS_ALL: &str = "\n[filter.none]\nfrom = \"readings\"\nwhen = 'temperature > 1000.0'\n";
const RULES: &[&str] = &["[branch.", "[map."];
const STORES: &[&str] = &["[count.", "[alert.", "[tumble."];
const OUTPUTS: &[&str] = &["[sink."];

/// A part of the pipeline, with all parts before it.
pub struct Stage {
    pub name: &'static str,
    pub plan: Arc<Plan>,
}

/// All stages but the last one, which is the whole pipeline.
pub fn stages() -> [Stage; 3] {
    let text = readings::sensor_text();
    let stage = |name, without: &[&[&str]], more: &str| {
        let text = without.concat().iter().fold(text.clone(), |text, table| leave_out(&text, table));
        Stage { name, plan: Arc::new(plan::check(&(text + more), &[]).plan.unwrap()) }
    };
    [
        stage("scan, clock, key, a filter", &[RULES, STORES, OUTPUTS], DROPS_ALL),
        stage("+ rules and grades", &[STORES, OUTPUTS], ""),
        stage("+ count and tumble", &[OUTPUTS], ""),
    ]
}

/// The text without the tables that begin so.
fn leave_out(text: &str, header: &str) -> String {
    let mut leaving = false;
    let kept = text.lines().filter(|line| {
        if line.starts_with('[') {
            leaving = line.starts_with(header);
        }
        !leaving
    });
    kept.map(|line| format!("{line}\n")).collect()
}

/// Prints what each stage adds, of rounds of all of them and the whole.
pub fn print(rounds: &[Vec<f64>]) {
    let whole = median(rounds[rounds.len() - 1].clone());
    let added = |at: usize| {
        let nothing = vec![0.0; rounds[at].len()];
        let before = if at == 0 { &nothing } else { &rounds[at - 1] };
        median(rounds[at].iter().zip(before).map(|(with, without)| with - without).collect())
    };
    let share = |(at, name): (usize, &str)| {
        format!("{name} {:.0} ns ({:.0} %)", added(at), added(at) / whole * 100.0)
    };
    let names = ["scan", "expressions, with their dead letters", "stores, with their changelogs", "output"];
    let shares: Vec<String> = names.into_iter().enumerate().map(share).collect();
    println!("  a share is what a part adds to those before it: {}", shares.join("; "));
}
