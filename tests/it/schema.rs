//! The JSON Schema: current, sound, and of one mind with `check`.

use serde_json::{Value, json};
use streamrun::plan::{self, cases::to_json};
use streamrun::spec::{self, Item};
use streamrun::{operators, reference};
use validate::Validator;

mod validate;

fn document(toml: &str) -> Value {
    let mut faults = vec![];
    let root = spec::parse(toml, &mut faults);
    assert!(faults.is_empty(), "{faults:#?}\n{toml}");
    to_json(&Item::Table(root))
}

fn refusals(toml: &str) -> Vec<String> {
    Validator::new(reference::schema()).refusals(&document(toml))
}

/// Every `.toml` in `pipelines`, by name.
fn pipelines() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let entries = std::fs::read_dir(folder)
        .expect("there are pipelines")
        .map(|entry| entry.expect("it can be listed").path());
    let files = entries.filter(|path| path.extension().is_some_and(|e| e == "toml"));
    let mut pipelines: Vec<(String, String)> = files
        .map(|path| (path.display().to_string(), std::fs::read_to_string(path).expect("it is text")))
        .collect();
    pipelines.sort();
    assert!(!pipelines.is_empty());
    pipelines
}

/// Every pipeline that is shown to anybody.
fn shown() -> Vec<(String, String)> {
    let examples = operators::KINDS.iter().map(|kind| (kind.name.to_owned(), kind.example.to_owned()));
    let starter = include_str!("../../src/cli/new/starter.toml").replace("PIPELINE", "orders");
    pipelines().into_iter().chain(examples).chain([("starter".to_owned(), starter)]).collect()
}

#[test]
fn every_pipeline_that_is_shown_has_no_fault_and_no_warning() {
    for (name, text) in shown() {
        let checked = plan::check(&text, &[]);
        assert!(checked.diagnostics.is_empty(), "{name}: {:#?}", checked.diagnostics);
        assert!(checked.plan.is_some(), "{name}");
    }
}

#[test]
fn the_schema_accepts_every_pipeline_that_is_shown() {
    for (name, text) in shown() {
        assert_eq!(refusals(&text), [""; 0], "{name}");
    }
}

#[test]
fn the_file_beside_the_pipelines_is_current() {
    let file = include_str!("../../pipelines/streamrun.schema.json");
    assert!(
        file == reference::schema_text(),
        "write it anew: `cargo run -- schema > pipelines/streamrun.schema.json`"
    );
}

#[test]
fn every_reference_leads_somewhere_and_every_keyword_is_known() {
    Validator::new(reference::schema()).sound();
}

/// What the rest of the file is, so that one table can be looked at.
const AROUND: &str = r#"
name = "p"
[params]
limit = 80.0
window = "1m"
many = 3
often = true
[schema.s]
id = "string"
x = "float"
at = "timestamp"
[source.a]
topic = "in"
schema = "s"
key = "id"
event_time = "at"
[sink.raw]
from = "a"
topic = "raw"
[count.per_id]
from = "a"
by = "id"
"#;

#[test]
fn the_schema_and_check_accept_what_is_sound() {
    for toml in [
        "[filter.f]\nfrom = [\"a\"]\nwhen = 'x > limit'",
        "[map.m]\nfrom = \"a\"\nset.a.b = 'x'\nset.c = [{ when = 'x > 1.0', then_is = 'x' }, { otherwise = 2 }]",
        "[map.m]\nfrom = \"a\"\nrename = { y = \"x\" }\ndrop = \"id\"",
        "[branch.b]\nfrom = \"a\"\nroutes = [{ to = \"r\", when = 'x > 1.0', all = \"often\" }]\n\
         [filter.f]\nfrom = \"b.r\"\nwhen = 'x > 2.0'",
        "[tumble.t]\nfrom = \"a\"\nby = [\"id\"]\nevery = \"window\"\noffset = \"1h30m\"\nlate = \"dead-letter\"\n\
         compute.n.m = 'count()'",
        "[sink.s]\nfrom = \"a\"\ntopic = \"t\"\npartitions = \"many\"\nconfig = { \"cleanup.policy\" = \"delete\" }",
        "[sink.s]\nfrom = \"a\"\ntopic = \"t\"\nconfig.retention.ms = \"1000\"",
        "[run]\nmemory = \"64MiB\"\nmerge_buffer = \"1kB\"\nworkers = 4\ncommit_every = \"window\"",
        "[kafka]\nbrokers = [\"a:1\", \"b:2\"]\n[kafka.producer]\n\"linger.ms\" = 5",
        "[status]\nlisten = \"off\"",
        "[schema.t]\no.p = \"int[]?\"\n\"o.q\" = \"timestamp(ms)\"\n[source.b]\ntopic = \"b\"\nschema = \"t\"\n\
         [sink.t]\nfrom = \"b\"\ntopic = \"t\"",
        "[generate.a]\nset.id = '\"i\"'\nset.x = 'random()'\nset.at = 'now()'\nbad = \"x\"\nrate = 10",
        "[[test]]\nname = \"t\"\nparams = { limit = 1.0 }\npartitions = 2\nat = \"2026-01-01T00:00:00Z\"\n\
         send.a = ['x', { id = \"i\", _key = \"k\", _headers = { h = \"v\" }, _partition = 1, _timestamp = 5 }]\n\
         expect.raw = [{ id = \"i\", _key = \"k\" }, 'x']\nexpect.dead_letters = []",
        "[[test]]\nname = \"t\"\nsteps = [{ send.a = [{ _key = \"i\", _tombstone = true }] }, { crash = true }, \
         { wait = \"90s\" }, { commit = true }, { expect.per_id = [] }]",
    ] {
        let text = format!("{AROUND}{toml}\n");
        assert_eq!(refusals(&text), [""; 0], "{toml}");
        let checked = plan::check(&text, &[]);
        assert_eq!(checked.errors(), 0, "{toml}\n{:#?}", checked.diagnostics);
    }
}

#[test]
fn the_schema_refuses_only_what_check_refuses_too() {
    for (toml, place) in [
        ("[filter.f]\nfrom = \"a\"\nwhen = 'x > 1.0'\nwhere = 'x'", "/filter/f/where"),
        ("[filter.f]\nfrom = \"a\"", "/filter/f"),
        ("[filter.f]\nfrom = \"a\"\nwhen = true", "/filter/f/when"),
        ("[filter.f]\nfrom = \"a\"\nwhen = ''", "/filter/f/when"),
        ("[filter.f]\nfrom = []\nwhen = 'true'", "/filter/f/from"),
        ("[filter.f]\nfrom = [1]\nwhen = 'true'", "/filter/f/from"),
        ("[filter.F]\nfrom = \"a\"\nwhen = 'true'", "/filter"),
        ("[filter.dead_letters]\nfrom = \"a\"\nwhen = 'true'", "/filter"),
        ("[filter]\nfrom = \"a\"", "/filter/from"),
        ("[filtr.f]\nfrom = \"a\"", "/filtr"),
        ("[join.j]\nfrom = \"a\"", "/join"),
        ("[map.m]\nfrom = \"a\"\nset.y = 5", "/map/m/set/y"),
        ("[map.m]\nfrom = \"a\"\nset.y = []", "/map/m/set/y"),
        ("[map.m]\nfrom = \"a\"\nset.y = [{ when = 'x > 1.0' }]", "/map/m/set/y"),
        ("[map.m]\nfrom = \"a\"\nset.y = [{ when = 'x > 1.0', then = 1, then_is = 'x' }]", "/map/m/set/y"),
        ("[map.m]\nfrom = \"a\"\nset.y = [{ wenn = 'x > 1.0', then = 1 }]", "/map/m/set/y"),
        ("[branch.b]\nfrom = \"a\"\nreject = [{ when = 'x > 1.0' }]", "/branch/b/reject/0"),
        ("[branch.b]\nfrom = \"a\"\nreject = { when = 'x > 1.0', reason = \"r\" }", "/branch/b/reject"),
        ("[tumble.t]\nfrom = \"a\"\nby = \"id\"\nevery = 5\ncompute.n = 'count()'", "/tumble/t/every"),
        ("[tumble.t]\nfrom = \"a\"\nby = \"id\"\nevery = \"5 s\"\ncompute.n = 'count()'", "/tumble/t/every"),
        ("[tumble.t]\nfrom = \"a\"\nby = \"id\"\nevery = \"\"\ncompute.n = 'count()'", "/tumble/t/every"),
        (
            "[tumble.t]\nfrom = \"a\"\nby = \"id\"\nevery = \"5s\"\nlate = \"keep\"\ncompute.n = 'count()'",
            "/tumble/t/late",
        ),
        ("[sink.s]\nfrom = \"a\"\ntopic = \"t\"\npartitions = 0", "/sink/s/partitions"),
        ("[sink.s]\nfrom = \"a\"\ntopic = [\"t\"]", "/sink/s/topic"),
        ("[run]\nmemory = \"64 MiB\"", "/run/memory"),
        ("[run]\nworkers = 1.5", "/run/workers"),
        ("[kafka]\ngroup_protocol = \"new\"", "/kafka/group_protocol"),
        ("[kafka]\nsasl = 1", "/kafka/sasl"),
        ("[schema.t]\na = \"str\"", "/schema/t/a"),
        ("[generate.a]\nbad = ['x']", "/generate/a"),
        ("[generate.a]\nset.id = 5", "/generate/a/set/id"),
        ("[map.m]\nfrom = \"a\"\nrename = { y = 5 }", "/map/m/rename/y"),
        (
            "[sink.s]\nfrom = \"a\"\ntopic = \"t\"\nconfig = { \"retention.ms\" = 5 }",
            "/sink/s/config/retention.ms",
        ),
        ("[test]\nname = \"t\"", "/test"),
        ("[[test]]\nname = \"t\"\nsteps = [{ crash = 1 }]", "/test/0/steps/0/crash"),
        ("[[test]]\nsend.a = []", "/test/0"),
        ("[[test]]\nname = \"t\"\nsend.a = []\nsteps = []", "/test/0"),
        ("[[test]]\nname = \"t\"\nsend.a = { id = \"i\" }", "/test/0/send/a"),
        ("[[test]]\nname = \"t\"\nsend.a = [{ _kex = \"i\" }]", "/test/0/send/a/0"),
        ("[[test]]\nname = \"t\"\nsend.a = [5]", "/test/0/send/a/0"),
        ("[[test]]\nname = \"t\"\nexpect.raw = [{ _kex = \"i\" }]", "/test/0/expect/raw/0"),
        ("[[test]]\nname = \"t\"\nsteps = [{ wait = 5 }]", "/test/0/steps/0/wait"),
        ("[[test]]\nname = \"t\"\nsteps = [{ sleep = \"5s\" }]", "/test/0/steps/0/sleep"),
    ] {
        let text = format!("{AROUND}{toml}\n");
        let refused = refusals(&text);
        assert!(refused.iter().any(|r| r.starts_with(&format!("{place}:"))), "{toml}\n{refused:#?}");
        let checked = plan::check(&text, &[]);
        assert!(checked.errors() > 0, "{toml}\n{:#?}", checked.diagnostics);
    }
}

#[test]
fn the_top_of_the_file_is_looked_at_too() {
    for toml in [
        "",
        "version = 2\nname = \"p\"",
        "name = 5",
        "name = \"p\"\nguarantee = \"maybe\"",
        "nam = \"p\"",
        "name = \"p\"\ntest = [5]",
    ] {
        assert!(!refusals(toml).is_empty(), "{toml}");
        assert!(plan::check(toml, &[]).errors() > 0, "{toml}");
    }
    assert_eq!(refusals("version = 1\nname = \"p\""), [""; 0]);
}

#[test]
fn the_validator_refuses_what_it_is_for() {
    let check = |schema: Value, accepted: &[Value], refused: &[Value]| {
        let validator = Validator::new(schema);
        accepted.iter().for_each(|value| assert_eq!(validator.refusals(value), [""; 0], "{value}"));
        refused.iter().for_each(|value| assert!(!validator.refusals(value).is_empty(), "{value}"));
    };
    check(json!({"type": ["string", "integer"]}), &[json!("a"), json!(1)], &[json!(1.5), json!(null)]);
    check(json!({"enum": ["a"]}), &[json!("a")], &[json!("b")]);
    check(json!({"not": {"const": 1}}), &[json!(2)], &[json!(1)]);
    check(json!({"items": {"minimum": 1}, "minItems": 1}), &[json!([1])], &[json!([0]), json!([])]);
    check(json!({"pattern": "^a+$", "maxLength": 2}), &[json!("aa")], &[json!("b"), json!("aaa")]);
    let object = json!({
        "properties": {"a": {"type": "null"}},
        "patternProperties": {"^b": {"type": "string"}},
        "propertyNames": {"minLength": 1},
        "additionalProperties": false,
        "required": ["a"],
    });
    check(
        object,
        &[json!({"a": null, "b1": "x"})],
        &[json!({}), json!({"a": null, "c": 1}), json!({"a": 1})],
    );
    let recursive =
        json!({"$ref": "#/$defs/d", "$defs": {"d": {"additionalProperties": {"$ref": "#/$defs/d"}}}});
    check(recursive, &[json!({"a": {"b": {}}})], &[]);
}
