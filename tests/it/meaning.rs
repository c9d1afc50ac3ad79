//! What a file means: text in, the plan as `check` prints it out.

use streamrun::diagnostic::{Code, Report, Style};
use streamrun::plan::{self, Override, Plan};

const HEAD: &str = r#"
name = "p"

[schema.order]
id = "string"
customer = "string"
amount = "float"
items = "int"
note = "string?"
at = "timestamp"

[source.orders]
topic = "orders"
schema = "order"
key = "customer"
event_time = "at"
"#;

fn plan(body: &str) -> Plan {
    planned(&format!("{HEAD}{body}"), &[])
}

fn planned(source: &str, overrides: &[Override]) -> Plan {
    let checked = plan::check(source, overrides);
    let report = Report { path: "p.toml", source, diagnostics: &checked.diagnostics }.text(Style::Plain);
    checked.plan.unwrap_or_else(|| panic!("{report}"))
}

/// The codes of what is wrong with a file, in its order.
fn codes(body: &str) -> Vec<Code> {
    plan::check(&format!("{HEAD}{body}"), &[]).diagnostics.iter().map(|d| d.code).collect()
}

/// The names of the fields that a node hands on.
fn fields(plan: &Plan, node: &str) -> String {
    let (_, node) = plan.node(node).unwrap();
    let shape = node.output.as_ref().unwrap();
    shape.fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
}

fn set(name: &str, value: &str) -> Override {
    Override { name: name.to_owned(), value: value.to_owned(), source: "`--set`".to_owned() }
}

#[test]
fn a_map_renames_then_keeps_or_drops_then_sets() {
    let plan = plan(
        r#"
[map.kept]
from = "orders"
keep = ["id", "total"]
rename = { total = "amount" }
set.double = 'amount * 2.0'

[map.less]
from = "orders"
drop = ["note", "at"]
set.note = '"new"'

[map.dotted]
from = "orders"
set."address.city" = '"x"'
set.address.zip = '"y"'

[map.whole]
from = "dotted"
set.address = '"flat"'
"#,
    );
    assert_eq!(fields(&plan, "kept"), "id total double");
    assert_eq!(fields(&plan, "less"), "id customer amount items note");
    assert_eq!(fields(&plan, "dotted"), "id customer amount items note at address.city address.zip");
    assert_eq!(fields(&plan, "whole"), "id customer amount items note at address");
}

#[test]
fn a_field_that_was_dropped_or_renamed_is_no_longer_there() {
    let after = |map: &str, when: &str| {
        codes(&format!(
            "[map.m]\nfrom = \"orders\"\n{map}\n[filter.f]\nfrom = \"m\"\nwhen = '{when}'\n[sink.o]\nfrom = \"f\"\n\
             topic = \"o\"\n"
        ))
    };
    assert_eq!(after("drop = [\"amount\"]", "amount > 1.0"), [Code::UnknownField]);
    assert_eq!(after("keep = [\"amount\"]", "amount > 1.0"), []);
    assert_eq!(after("keep = [\"id\"]", "amount > 1.0"), [Code::UnknownField]);
    assert_eq!(after("rename.total = \"amount\"", "amount > 1.0"), [Code::UnknownField]);
    assert_eq!(after("rename.total = \"amount\"", "total > 1.0"), []);
    assert_eq!(after("set.amount = '\"much\"'", "amount > 1.0"), [Code::TypeMismatch]);
    assert_eq!(after("set.note = 'coalesce(note, \"\")'", "len(note) > 1"), []);
    assert_eq!(after("set.id = 'note'", "len(id) > 1"), [Code::MayBeAbsent]);
}

#[test]
fn a_merge_has_the_fields_of_all_and_what_one_lacks_may_be_absent() {
    let merged = |when: &str| {
        codes(&format!(
            "[map.a]\nfrom = \"orders\"\nset.kind = '\"a\"'\nset.score = '1'\n\
             [map.b]\nfrom = \"orders\"\nset.kind = '\"b\"'\n\
             [filter.f]\nfrom = [\"a\", \"b\"]\nwhen = '{when}'\n[sink.o]\nfrom = \"f\"\ntopic = \"o\"\n"
        ))
    };
    assert_eq!(merged("kind == \"a\""), [Code::TwicePassed]);
    assert_eq!(merged("score > 1"), [Code::MayBeAbsent]);
    assert_eq!(merged("coalesce(score, 0) > 1"), [Code::TwicePassed]);
}

#[test]
fn routes_exclude_each_other_unless_they_look_further() {
    let merged = |all: &str| {
        codes(&format!(
            "[branch.b]\nfrom = \"orders\"\nroutes = [{{ to = \"large\", when = 'amount > 9.0'{all} }}]\n\
             [sink.o]\nfrom = [\"b\", \"b.large\"]\ntopic = \"o\"\n"
        ))
    };
    assert_eq!(merged(""), []);
    assert_eq!(merged(", all = true"), [Code::TwicePassed]);
}

/// What a file repartitions, and by what.
fn cuts(body: &str) -> Vec<String> {
    let plan = plan(body);
    let cuts = plan.sources.iter().filter_map(|source| source.cut.as_ref());
    cuts.map(|cut| format!("{} by {}", cut.node, cut.by.join(", "))).collect()
}

#[test]
fn keyed_ness_follows_the_field_and_not_its_name() {
    let counted = |map: &str, by: &str| {
        cuts(&format!("[map.m]\nfrom = \"orders\"\n{map}\n[count.c]\nfrom = \"m\"\nby = {by}\n"))
    };
    let none: [&str; 0] = [];
    assert_eq!(counted("set.x = '1'", "\"customer\""), none);
    assert_eq!(counted("set.customer = '\"x\"'", "\"customer\""), ["c by customer"]);
    assert_eq!(counted("rename.buyer = \"customer\"", "\"buyer\""), none);
    assert_eq!(counted("rename.buyer = \"customer\"", "[\"id\", \"buyer\"]"), none);
    let turned = "rename = { buyer = \"customer\", customer = \"id\" }";
    assert_eq!(counted(turned, "\"customer\""), ["c by customer"]);
    assert_eq!(counted("set.copy = 'customer'", "\"copy\""), ["c by copy"]);
    assert_eq!(counted("set.x = '1'", "[\"id\", \"customer\"]"), none);
    assert_eq!(counted("set.x = '1'", "\"id\""), ["c by id"]);
}

#[test]
fn the_rows_of_a_window_are_keyed_by_their_group() {
    let body = r#"
[tumble.w]
from = "orders"
by = ["customer", "id"]
every = "1m"
compute.n = 'count()'
compute.least = 'min(amount)'

[count.c]
from = "w"
by = "BY"
"#;
    let windowed = plan(&body.replace("BY", "customer"));
    assert_eq!(fields(&windowed, "w"), "customer id window_start window_end n least");
    assert_eq!(cuts(&body.replace("BY", "customer")).len(), 0);
    assert_eq!(cuts(&body.replace("BY", "id")), ["c by id"]);
}

#[test]
fn what_is_repartitioned_stays_so() {
    let body = r#"
[count.first]
from = "orders"
by = "id"
[filter.some]
from = "first"
when = 'count > 1'
[tumble.second]
from = "some"
by = ["id", "customer"]
every = "1m"
compute.n = 'count()'
"#;
    assert_eq!(cuts(body), ["first by id"]);
    assert_eq!(plan(body).parts, 2);
}

/// One that is fed from both sides of a repartition would wait for what it has yet to write.
#[test]
fn a_node_that_is_fed_from_both_sides_of_a_repartition_has_one_of_its_own() {
    let body = r#"
[count.first]
from = "orders"
by = "id"
[map.again]
from = "first"
keep = ["id", "customer"]
[count.both]
from = ["again", "orders"]
by = "customer"
[sink.out]
from = ["first", "orders"]
topic = "out"
"#;
    assert_eq!(cuts(body), ["first by id", "both by customer"]);
    let plan = plan(body);
    assert_eq!(plan.parts, 3);
    // The sink keeps nothing: it runs on both sides.
    let (out, _) = plan.node("out").unwrap();
    let runs_it = |at: usize| plan.runs[at].steps.iter().any(|step| step.node == out);
    let running: Vec<_> = (0..plan.sources.len()).filter(|at| runs_it(*at)).collect();
    assert_eq!(
        running.iter().map(|at| plan.sources[*at].name.as_str()).collect::<Vec<_>>(),
        ["orders", "first-repartition"]
    );
}

#[test]
fn a_table_keeps_its_topic_under_another_name() {
    let renamed = plan("[count.now]\nfrom = \"orders\"\nby = \"customer\"\nwas = \"then\"\n");
    assert_eq!(renamed.creates(), ["p-then-changelog"]);
    let named = plan("[count.now]\nfrom = \"orders\"\nby = \"customer\"\n");
    assert_eq!(named.creates(), ["p-now-changelog"]);
    let (old, new) = (&renamed.nodes[0].table.as_ref().unwrap(), &named.nodes[0].table.as_ref().unwrap());
    assert_eq!(old.fingerprint, new.fingerprint);
}

#[test]
fn a_param_may_stand_for_a_duration_or_a_number() {
    let source = format!(
        "{HEAD}{}",
        r#"
[params]
window = "90s"
late = "5s"
least = 3
few = 2

[tumble.w]
from = "orders"
by = "customer"
every = "window"
compute.n = 'count()'

[filter.f]
from = "w"
when = 'n > least'

[sink.o]
from = "f"
topic = "o"
partitions = "few"

[run]
commit_every = "late"
workers = "few"
"#
    );
    let given = planned(&source, &[]);
    assert_eq!(given.settings.commit_every, 5_000);
    assert_eq!(given.settings.workers, Some(2));
    let sink = given.topics.all().iter().find(|t| t.name == "o").unwrap();
    assert_eq!(sink.partitions, Some(2));
    assert!(given.explain("p.toml").contains("90s by customer"), "{}", given.explain("p.toml"));
    let longer = planned(&source, &[set("window", "2m"), set("few", "7")]);
    assert!(longer.explain("p.toml").contains("2m by customer"), "{}", longer.explain("p.toml"));
    assert_eq!(longer.settings.workers, Some(7));
}

#[test]
fn an_override_keeps_the_type_of_its_param() {
    let source = "name = \"p\"\n[params]\ni = 1\nf = 1.0\nb = true\nt = \"x\"\nd = \"5s\"\n[source.s]\ntopic = \"t\"\n\
                  [filter.k]\nfrom = \"s\"\nwhen = 'i > 0 && f > 0.0 && b && t == \"x\" && seconds(d) > 0.0'\n\
                  [sink.o]\nfrom = \"k\"\ntopic = \"o\"\n";
    let given = |name: &str, value: &str| -> Vec<Code> {
        plan::check(source, &[set(name, value)]).diagnostics.iter().map(|d| d.code).collect()
    };
    for (name, value) in
        [("i", "7"), ("i", "-1_000"), ("f", "2"), ("f", "2.5"), ("b", "false"), ("t", "12"), ("d", "1h")]
    {
        assert_eq!(given(name, value), [], "{name}={value}");
    }
    for (name, value) in [
        ("i", "1.5"),
        ("i", "x"),
        ("f", "inf"),
        ("f", "much"),
        ("b", "1"),
        ("d", "5"),
        ("d", "soon"),
        ("i", ""),
    ] {
        assert_eq!(given(name, value), [Code::BadValue], "{name}={value}");
    }
    assert_eq!(given("missing", "1"), [Code::UnknownParam]);
}

#[test]
fn the_last_override_wins() {
    let source = "name = \"p\"\n[params]\nevery = 100\n[source.s]\ntopic = \"t\"\n[sink.o]\nfrom = \"s\"\ntopic = \"o\"\n\
                  [run]\nworkers = \"every\"\n";
    let plan = planned(source, &[set("every", "3"), set("every", "4")]);
    assert_eq!(plan.settings.workers, Some(4));
}

#[test]
fn the_sensor_pipeline_is_explained() {
    let source = include_str!("../../pipelines/sensor.toml");
    let expected = "\
pipelines/sensor.toml is sound: 1 source, 5 nodes, 2 sinks, exactly once

  readings         source  sensor-readings                     keyed by sensor_id, time from timestamp
  ├ valid          branch  3 rules → sensor-dead-letter
  │ ├ enriched     map     + status string                     → enriched-readings
  │ ├ per_sensor   count   + count int    table, by sensor_id
  │ │ └ busy       alert   every 30s
  │ └ per_minute   tumble  60s by sensor_id, late by 5s        → window-aggregates

  creates: sensor-metrics-per_sensor-changelog, sensor-metrics-per_minute-changelog
";
    assert_eq!(planned(source, &[]).explain("pipelines/sensor.toml"), expected);
}

#[test]
fn what_is_long_is_said_within_a_line() {
    let renames: String = (0..3_000).map(|i| format!("rename.new_name_{i} = \"{i}\"\n")).collect();
    let plan = plan(&format!("[map.m]\nfrom = \"orders\"\n{renames}"));
    let said = plan.explain("p.toml");
    assert!(said.lines().all(|line| line.chars().count() < 200), "{said}");
}
