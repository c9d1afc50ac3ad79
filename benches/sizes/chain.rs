//! Cost against the number of nodes that a record passes one after the other.

use super::common::median;
use super::readings::Readings;
use super::rig::{Rig, SOURCE};

const RECORDS: usize = 100_000;
const PARTS: usize = 9;
const FILTER: (&str, &str) = ("filter", "when = 'temperature > -1.0'");
const MAP: (&str, &str) = ("map", "set.temperature = 'temperature + 1.0'");

pub fn table() {
    println!(
        "| nodes in a chain | filters, ns a record | ns a further one | maps, ns a record | ns a further one |"
    );
    println!("|---|---|---|---|---|");
    let readings = Readings::new(RECORDS, 1_000);
    // The first map has the sink write the record anew, which is not the price of a node.
    let one = [ns(&readings, FILTER, 1), ns(&readings, MAP, 1)];
    println!("| 1 | {:.0} | | {:.0} | |", one[0], one[1]);
    for nodes in [2, 5, 10, 20, 30] {
        let all = [ns(&readings, FILTER, nodes), ns(&readings, MAP, nodes)];
        let further = |kind: usize| (all[kind] - one[kind]) / (nodes - 1) as f64;
        println!("| {nodes} | {:.0} | {:.1} | {:.0} | {:.1} |", all[0], further(0), all[1], further(1));
    }
}

fn ns(readings: &Readings, (kind, key): (&str, &str), nodes: usize) -> f64 {
    let (mut text, mut from) = (SOURCE.to_owned(), "readings".to_owned());
    for at in 0..nodes {
        text += &format!("\n[{kind}.n{at}]\nfrom = \"{from}\"\n{key}\n");
        from = format!("n{at}");
    }
    text += &format!("\n[sink.out]\nfrom = \"{from}\"\ntopic = \"out\"\n");
    let mut rig = Rig::new(&text);
    rig.ns(readings);
    median((0..PARTS).map(|_| rig.ns(readings)).collect())
}
