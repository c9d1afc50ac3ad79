//! An expression that fails on a record, in each place where one can stand: the stores are left exactly as they were,
//! and there is one dead letter, with its reason and its node.

use crate::support::scenario::{Act, START};
use crate::support::{Scenario, World, outcome};
use streamrun::runtime::Broken;
use streamrun::store::Store;

const HEAD: &str = r#"
name = "p"
dead_letters = "dead"

[schema.reading]
k = "string"
x = "float"
n = "int?"
s = "string?"
at = "timestamp(ms)"

[source.in]
topic = "in"
schema = "reading"
key = "k"
event_time = "at"
"#;

/// Rows that the commit that is open has touched.
fn touched(world: &World<'_>) -> usize {
    let stores = world.running().flat_map(|task| task.stores.iter());
    let rows = stores.map(|store| match store {
        Store::Table(table) => table.touched(),
        Store::Windows(windows) => windows.touched(),
    });
    rows.sum()
}

fn reading(more: &str) -> String {
    format!(r#"{{"k":"a","x":1.5,"at":{}{more}}}"#, START + 1_000)
}

/// Records that can be used, then one that cannot: what nodes it goes through, what is wrong with it, the reason and
/// the node of its dead letter.
fn check(nodes: &str, wrong: &str, reason: &str, node: &str) {
    let mut scenario = Scenario::new(node, &format!("{HEAD}{nodes}"));
    for more in [r#","n":2,"s":"long enough not to lie in its row"#, r#","n":5,"s":"b"#] {
        scenario = scenario.send("in", "a", 0, &reading(&format!("{more}\"")));
    }
    scenario = scenario.settle().wait(500);
    let mut world = World::new(&scenario, vec![], Broken::Nothing);
    scenario.acts.iter().for_each(|act| world.act(act).unwrap());
    let before = outcome::tables(&scenario.plan, world.running());
    let letters = |world: &World<'_>| world.cluster.records("dead").concat().len();
    assert_eq!((touched(&world), letters(&world)), (0, 0), "{nodes}");
    let failing = Scenario::new(node, &format!("{HEAD}{nodes}")).send("in", "a", 0, &reading(wrong));
    world.act(&failing.acts[0]).unwrap();
    world.act(&Act::Settle).unwrap();
    assert_eq!(touched(&world), 0, "{nodes}");
    world.act(&Act::Wait(500)).unwrap();
    assert_eq!(outcome::tables(&scenario.plan, world.running()), before, "{nodes}");
    let topics = outcome::topics(&scenario.plan, &world.cluster);
    let [letter] = topics["dead"][0].as_slice() else { panic!("{nodes}: {:?}", topics["dead"]) };
    for part in [format!("streamrun-reason={reason} "), format!("streamrun-node={node} "), reading(wrong)] {
        assert!(letter.rest.contains(&part), "{nodes}: no {part:?} in {letter:?}");
    }
}

const COUNT: &str = "\n[count.seen]\nfrom = \"before\"\nby = \"k\"\n";
const TUMBLE: &str = "\n[tumble.ten]\nfrom = \"in\"\nby = \"k\"\nevery = \"10s\"\n";
const ZERO: &str = r#","n":0"#;
const BY_ZERO: &str = "division by zero in `10 / coalesce(n, 1)`";

#[test]
fn in_a_condition_before_a_table() {
    let filter = "\n[filter.before]\nfrom = \"in\"\nwhen = '10 / coalesce(n, 1) > 0'\n";
    check(&format!("{filter}{COUNT}"), ZERO, BY_ZERO, "before");
    let rule = "\n[branch.before]\nfrom = \"in\"\nreject = [{ when = '10 / coalesce(n, 1) > 90', reason = \"r\" }]\n";
    check(&format!("{rule}{COUNT}"), ZERO, BY_ZERO, "before");
    let route =
        "\n[branch.before]\nfrom = \"in\"\nroutes = [{ to = \"big\", when = '10 / coalesce(n, 1) > 90' }]\n";
    check(&format!("{route}{COUNT}"), ZERO, BY_ZERO, "before");
}

#[test]
fn in_a_map_before_a_table() {
    let map = "\n[map.before]\nfrom = \"in\"\nset.a = 'x + 1.0'\nset.n = '10 / coalesce(n, 1)'\n";
    check(&format!("{map}{COUNT}"), ZERO, BY_ZERO, "before");
    let cases = "set.a = [{ when = '10 / coalesce(n, 1) > 1', then = \"big\" }, { otherwise = \"small\" }]";
    let map = format!("\n[map.before]\nfrom = \"in\"\n{cases}\n");
    check(&format!("{map}{COUNT}"), ZERO, BY_ZERO, "before");
    let int = "\n[map.before]\nfrom = \"in\"\nset.i = 'int(if(coalesce(n, 1) == 0, \"x\", \"1\"))'\n";
    check(
        &format!("{int}{COUNT}"),
        ZERO,
        "text that is no integer in `int(if(coalesce(n, 1) == 0, \"x\", \"1\"))`",
        "before",
    );
}

#[test]
fn in_the_argument_of_an_aggregate() {
    let sums = "compute.a = 'sum(10 / coalesce(n, 1))'\n";
    check(&format!("{TUMBLE}{sums}"), ZERO, BY_ZERO, "ten");
    // What stands before it in the file has been evaluated, and must not have been taken in.
    let behind = "compute.c = 'count()'\ncompute.l = 'last(s)'\ncompute.m = 'max(10 / coalesce(n, 1))'\n";
    check(&format!("{TUMBLE}{behind}"), r#","n":0,"s":"other""#, BY_ZERO, "ten");
}

#[test]
fn in_a_sum_that_overflows() {
    let sums = "compute.c = 'count()'\ncompute.l = 'last(s)'\ncompute.a = 'sum(n)'\n";
    let most = r#","n":9223372036854775807,"s":"other""#;
    check(&format!("{TUMBLE}{sums}"), most, "integer overflow in `sum(n)`", "ten");
}

#[test]
fn in_a_number_that_no_sink_can_write() {
    let nodes = "\n[map.huge]\nfrom = \"in\"\nset.y = 'if(coalesce(n, 1) == 0, 1e308, 1.0) * 10.0'\n\
                 \n[sink.out]\nfrom = \"huge\"\ntopic = \"out\"\n";
    check(nodes, ZERO, "y is not finite, and JSON has no such number", "out");
}

/// A row that cannot be computed goes with its window, once; its neighbours come out.
#[test]
fn in_what_a_window_computes() {
    let nodes = format!(
        "{TUMBLE}compute.c = 'count()'\ncompute.r = '10 / (count() - 1)'\n\
                         \n[sink.out]\nfrom = \"ten\"\ntopic = \"out\"\n"
    );
    let scenario = Scenario::new("computes", &format!("{HEAD}{nodes}"))
        .reading("in", "a", 0, "1")
        .reading("in", "b", 1, "1")
        .reading("in", "b", 2, "1")
        .reading("in", "c", 3, "1")
        .reading("in", "c", 4, "1")
        .reading("in", "c", 20_000, "1");
    let found = World::run(&scenario, vec![], Broken::Nothing).unwrap();
    let dead = &found.topics["dead"][0];
    assert_eq!(dead.len(), 1, "{dead:?}");
    let reason = "streamrun-reason=division by zero in `10 / (count() - 1)` streamrun-node=ten ";
    assert!(dead[0].rest.contains(reason) && dead[0].rest.contains("\"k\":\"a\""), "{dead:?}");
    assert_eq!(found.topics["out"][0].len(), 2);
    assert_eq!(found.tables.len(), 1, "only the window that is open: {:?}", found.tables);
}

/// Each look at a row is one dead letter; what has been spoken of stays as it is.
#[test]
fn in_the_condition_of_an_alert() {
    let nodes = "\n[count.seen]\nfrom = \"in\"\nby = \"k\"\n\n[alert.odd]\ntable = \"seen\"\nevery = \"1s\"\nonce = true\n\
                 when = '10 / (count - 2) > 0 || count == 1'\nmessage = \"{k}\"\n\n[sink.out]\nfrom = \"odd\"\ntopic = \"out\"\n";
    let scenario = Scenario::new("alert", &format!("{HEAD}{nodes}"))
        .reading("in", "a", 0, "1")
        .wait(1_500)
        .reading("in", "a", 0, "1")
        .wait(1_000)
        .reading("in", "a", 0, "1")
        .wait(300);
    let found = World::run(&scenario, vec![], Broken::Nothing).unwrap();
    assert_eq!((found.topics["dead"][0].len(), found.topics["out"][0].len()), (1, 1), "{:#?}", found.topics);
    assert!(found.topics["dead"][0][0].rest.contains("`10 / (count - 2)` streamrun-node=odd "), "{found:#?}");
}
