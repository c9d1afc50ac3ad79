//! The program from outside: what each command prints and how it ends.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// How a run of the program ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Ended {
    /// Asserts the exit code; the texts for what comes next.
    fn with(self, code: i32) -> (String, String) {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        (self.out, self.err)
    }

    /// What a success printed, and that it said nothing else.
    fn result(self) -> String {
        let (out, err) = self.with(0);
        assert_eq!(err, "");
        out
    }
}

/// Runs the program at the root of the project, without whatever the environment has for it.
fn run(args: &[&str]) -> Ended {
    fed(args, Path::new(env!("CARGO_MANIFEST_DIR")), b"", &[])
}

fn fed(args: &[&str], folder: &Path, input: &[u8], variables: &[(&str, &str)]) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_streamrun"))
        .args(args)
        .current_dir(folder)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // Who reads nothing closes the pipe, and that is all right.
    let _ = child.stdin.take().expect("it has one").write_all(input);
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("all that is printed is text");
    Ended {
        code: output.status.code().expect("no signal"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// A folder with these files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).expect("a file");
    }
    folder
}

fn within(folder: &TempDir, args: &[&str]) -> Ended {
    fed(args, folder.path(), b"", &[])
}

const SENSOR: &str = "pipelines/sensor.toml";
const SOUND: &[u8] = b"name = \"p\"\n[source.a]\ntopic = \"in\"\n[sink.b]\nfrom = \"a\"\ntopic = \"out\"\n";
const FAULTY: &[u8] =
    b"name = \"p\"\n[source.a]\ntopic = \"in\"\n[sink.b]\nfrom = \"a\"\ntopic = \"out\"\nkey = \"k\"\n";
const SUSPICIOUS: &[u8] =
    b"name = \"p\"\n[params]\nidle = 1\n[source.a]\ntopic = \"in\"\n[sink.b]\nfrom = \"a\"\ntopic = \"out\"\n";

// check

#[test]
fn check_says_what_was_understood() {
    let out = run(&["check", SENSOR]).result();
    assert!(
        out.starts_with("pipelines/sensor.toml is sound: 1 source, 5 nodes, 2 sinks, exactly once\n"),
        "{out}"
    );
    assert!(out.contains("  │ ├ enriched     map     + status string"), "{out}");
    assert!(out.contains("  │ ├ per_sensor   count   + count int    table, by sensor_id\n"), "{out}");
}

#[test]
fn check_of_a_file_that_is_not_there_is_bad_usage() {
    let (out, _) = run(&["check", "pipelines/sensr.toml"]).with(2);
    assert!(out.contains("error[unreadable]: there is no such file\n--> pipelines/sensr.toml\n"), "{out}");
    assert!(out.contains("did you mean `pipelines/sensor.toml`?"), "{out}");
    let (out, _) = run(&["check", "pipelines"]).with(2);
    assert!(out.contains("this is a directory"), "{out}");
    let (_, err) = run(&["check"]).with(2);
    assert!(err.contains("required arguments were not provided"), "{err}");
}

#[test]
fn check_of_what_is_no_pipeline_fails() {
    let huge = vec![b'#'; 50 << 20];
    let files: &[(&str, &[u8])] =
        &[("empty.toml", b""), ("latin.toml", b"name = \"p\"\n# \xe4\n"), ("huge.toml", &huge)];
    let folder = folder(files);
    let (out, _) = within(&folder, &["check", "empty.toml"]).with(1);
    assert!(out.contains("error[empty]: the file is empty"), "{out}");
    let (out, _) = within(&folder, &["check", "latin.toml"]).with(1);
    assert!(out.contains("error[not-utf8]: the file is not UTF-8: byte 13 (line 2)"), "{out}");
    let (out, _) = within(&folder, &["check", "huge.toml"]).with(1);
    assert!(out.contains("error[too-large]"), "{out}");
}

#[test]
fn check_reads_standard_input() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = fed(&["check", "-"], root, SOUND, &[]).result();
    assert!(out.starts_with("<stdin> is sound: 1 source, 0 nodes, 1 sink, exactly once\n"), "{out}");
    let (out, _) = fed(&["check", "-"], root, FAULTY, &[]).with(1);
    assert!(out.contains("--> <stdin>:7:8\n"), "{out}");
}

#[test]
fn check_reads_several_files_and_the_worst_decides() {
    let folder = folder(&[("sound.toml", SOUND), ("faulty.toml", FAULTY)]);
    let (out, _) = within(&folder, &["check", "faulty.toml", "sound.toml"]).with(1);
    assert!(out.contains("error: 1 fault in faulty.toml\n"), "{out}");
    assert!(out.contains("sound.toml is sound"), "{out}");
    let (out, _) = within(&folder, &["check", "sound.toml", "gone.toml", "faulty.toml"]).with(2);
    assert!(out.contains("--> faulty.toml:7:8\n"), "{out}");
}

#[test]
fn check_can_fail_on_warnings() {
    let folder = folder(&[("suspicious.toml", SUSPICIOUS)]);
    let (out, _) = within(&folder, &["check", "suspicious.toml"]).with(0);
    assert!(
        out.contains("warning[unused]") && out.contains("warning: 1 warning in suspicious.toml\n"),
        "{out}"
    );
    within(&folder, &["check", "--deny-warnings", "suspicious.toml"]).with(1);
    run(&["check", "--deny-warnings", SENSOR]).result();
}

#[test]
fn check_says_it_in_json_too() {
    let folder = folder(&[("faulty.toml", FAULTY), ("suspicious.toml", SUSPICIOUS), ("sound.toml", SOUND)]);
    let args = ["check", "--format", "json", "faulty.toml", "suspicious.toml", "sound.toml", "gone.toml"];
    let (out, err) = within(&folder, &args).with(2);
    assert_eq!(err, "");
    let entries: Vec<serde_json::Value> = serde_json::from_str(&out).expect("a list");
    let of = |file: &str| entries.iter().find(|entry| entry["file"] == file).expect("an entry");
    assert_eq!(of("gone.toml")["code"], "unreadable");
    assert_eq!(of("suspicious.toml")["severity"], "warning");
    let fault = of("faulty.toml");
    assert_eq!(fault["severity"], "error");
    assert_eq!(fault["code"], "unknown-field");
    let place = ["line", "column", "end_line", "end_column"].map(|key| fault[key].as_u64());
    assert_eq!(place, [Some(7), Some(8), Some(7), Some(9)]);
    assert!(fault["message"].is_string() && fault["help"].is_array() && fault["notes"].is_array(), "{fault}");
    assert!(!entries.iter().any(|entry| entry["file"] == "sound.toml"), "{out}");
    let out = within(&folder, &["check", "--format", "json", "sound.toml"]).result();
    assert_eq!(out, "[]\n");
}

#[test]
fn params_come_from_the_command_line_before_the_environment() {
    let text = b"name = \"p\"\n[params]\nn = 1\n[source.a]\ntopic = \"in\"\n\
        [map.m]\nfrom = \"a\"\nset.n = 'n'\n[sink.b]\nfrom = \"m\"\ntopic = \"out\"\n";
    let folder = folder(&[("p.toml", text)]);
    let check = |args: &[&str], variable: &str| {
        let args = [&["check", "p.toml"], args].concat();
        fed(&args, folder.path(), b"", &[("STREAMRUN_PARAM_N", variable)])
    };
    check(&[], "2").with(0);
    let (out, _) = check(&[], "many").with(1);
    assert!(out.contains("STREAMRUN_PARAM_N cannot set `n` to `many`"), "{out}");
    let (out, _) = check(&["--set", "n=x"], "2").with(1);
    assert!(out.contains("`--set` cannot set `n` to `x`"), "{out}");
    let (out, _) = check(&["--set", "m=1"], "2").with(1);
    assert!(out.contains("`--set` sets `m`, which is no param"), "{out}");
    check(&["--set", "n"], "2").with(2);
}

#[test]
fn colour_is_for_those_who_ask_for_it() {
    let folder = folder(&[("faulty.toml", FAULTY)]);
    let (plain, _) = within(&folder, &["check", "faulty.toml"]).with(1);
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
    let (coloured, _) = within(&folder, &["check", "--color", "always", "faulty.toml"]).with(1);
    assert!(coloured.contains('\u{1b}'), "{coloured:?}");
}

// eval

#[test]
fn eval_prints_type_and_value() {
    let check = |args: &[&str], expected: &str| {
        let args = [&["eval"], args].concat();
        assert_eq!(run(&args).result(), format!("{expected}\n"), "{args:?}");
    };
    check(&["1 + 2 * 3"], "int  7");
    check(&["-1"], "int  -1");
    check(&["\"a\" + \"b\""], "string  \"ab\"");
    check(&["parse_time(\"2026-01-01T00:00:00Z\")"], "timestamp  2026-01-01T00:00:00Z");
    check(&["celsius * 1.8 + 32.0", "--record", r#"{"celsius": 2.0}"#], "float  35.6");
    check(
        &["payload.temp > 1 && tags", "--record", r#"{"payload": {"temp": 2}, "tags": true}"#],
        "bool  true",
    );
    check(&["x", "--record", r#"{"x": null}"#], "json?  absent");
    check(&["x", "--record", r#"{"x": [1, 2.5]}"#], "float[]  [1, 2.5]");
    check(&["x", "--record", r#"{"x": "a\nb\"ü"}"#], r#"string  "a\nb\"ü""#);
    check(&["field(\"user-id\")", "--record", r#"{"user-id": "u"}"#], "string  \"u\"");
}

#[test]
fn eval_takes_params_and_types_from_a_file() {
    let record = r#"{"sensor_id": "a", "temperature": 95, "timestamp": "2026-01-01T03:00:00Z"}"#;
    let check = |args: &[&str], expected: &str| {
        let args = [&["eval", "--file", SENSOR, "--record", record], args].concat();
        assert_eq!(run(&args).result(), format!("{expected}\n"), "{args:?}");
    };
    check(&["temperature > critical_temp"], "bool  true");
    check(&["temperature > critical_temp", "--set", "critical_temp=100"], "bool  false");
    check(&["hour(timestamp)", "--source", "readings"], "int  3");
    check(&["humidity"], "float?  absent");
    check(&["_key"], "string?  \"a\"");
    check(&["_topic + str(_partition) + str(_offset)"], "string  \"sensor-readings00\"");
    check(&["_timestamp == timestamp"], "bool  true");
    let (out, err) = run(&["eval", "temperature", "--file", SENSOR]).with(0);
    assert_eq!(out, "float\n");
    assert!(err.contains("`--record '{…}'`"), "{err}");
}

#[test]
fn eval_underlines_what_is_wrong() {
    let (out, err) = run(&["eval", "1 + temprature", "--record", r#"{"temperature": 2.0}"#]).with(1);
    assert_eq!(out, "");
    assert!(err.contains("error[unknown-field]") && err.contains("--> <expression>:1:5\n"), "{err}");
    assert!(err.contains("did you mean `temperature`?"), "{err}");
    let (_, err) = run(&["eval", "x"]).with(1);
    assert!(err.contains("give a record with it"), "{err}");
    let (_, err) = run(&["eval", "humidity > 1.0", "--file", SENSOR]).with(1);
    assert!(err.contains("error[may-be-absent]") && !err.contains("sensor.toml"), "{err}");
    let (out, err) = run(&["eval", "5 / 2"]).with(0);
    assert_eq!(out, "int  2\n");
    assert!(err.contains("warning[integer-division]"), "{err}");
}

#[test]
fn eval_says_why_a_record_would_be_a_dead_letter() {
    for (expression, record, reason) in [
        ("n * 2", r#"{"n": 9223372036854775807}"#, "integer overflow in `n * 2`"),
        ("n", r#"{"n": "#, "not JSON: expected a value, but it ends at byte 6"),
        ("n", "[1]", "not an object: found list `[1]`"),
        ("int(t)", r#"{"t": "x"}"#, "int(t)"),
    ] {
        let (out, err) = run(&["eval", expression, "--record", record]).with(1);
        assert_eq!(out, "");
        assert!(
            err.starts_with("error: the record would be a dead letter: ") && err.contains(reason),
            "{err}"
        );
    }
    let (_, err) =
        run(&["eval", "temperature", "--file", SENSOR, "--record", r#"{"temperature": "x"}"#]).with(1);
    assert!(err.contains("temperature: expected float, found text `\"x\"`"), "{err}");
}

#[test]
fn eval_wants_to_know_the_source_and_the_file() {
    let two = b"name = \"p\"\n[source.a]\ntopic = \"a\"\nformat = \"text\"\n[source.b]\ntopic = \"b\"\n\
        [sink.c]\nfrom = [\"a\", \"b\"]\ntopic = \"out\"\n";
    let one = b"name = \"p\"\n[source.a]\ntopic = \"a\"\nformat = \"text\"\n[source.b]\ntopic = \"b\"\n\
        [sink.c]\nfrom = \"a\"\ntopic = \"out\"\n[sink.d]\nfrom = \"b\"\ntopic = \"other\"\n";
    let folder = folder(&[("two.toml", one), ("merged.toml", two), ("faulty.toml", FAULTY)]);
    let (_, err) = within(&folder, &["eval", "1", "--file", "two.toml"]).with(2);
    assert!(err.contains("`--source` takes one of a, b"), "{err}");
    let (_, err) = within(&folder, &["eval", "1", "--file", "two.toml", "--source", "c"]).with(2);
    assert!(err.contains("there is no source `c`"), "{err}");
    let args = ["eval", "len(value)", "--file", "two.toml", "--source", "a", "--record", "not json"];
    assert_eq!(within(&folder, &args).result(), "int  8\n");
    let (_, err) = within(&folder, &["eval", "1", "--file", "faulty.toml"]).with(1);
    assert!(err.contains("--> faulty.toml:7:8\n"), "{err}");
    within(&folder, &["eval", "1", "--file", "gone.toml"]).with(2);
    within(&folder, &["eval", "1", "--source", "a"]).with(2);
    within(&folder, &["eval", "1", "--set", "a=1"]).with(2);
}

// graph

#[test]
fn graph_draws_in_four_formats() {
    let text = run(&["graph", SENSOR]).result();
    assert!(text.starts_with("sensor-metrics: 1 source, 5 nodes, 2 sinks, exactly once\n"), "{text}");
    assert!(text.contains("  writes:   enriched-readings, window-aggregates\n"), "{text}");
    assert!(text.contains("  rejects:  sensor-dead-letter\n"), "{text}");
    let mermaid = run(&["graph", SENSOR, "--as", "mermaid"]).result();
    assert!(mermaid.starts_with("flowchart LR\n  t0([\"sensor-readings\"])\n"), "{mermaid}");
    assert!(mermaid.contains(" -.-> "), "{mermaid}");
    let dot = run(&["graph", SENSOR, "--as", "dot"]).result();
    assert!(dot.starts_with("digraph \"sensor-metrics\" {\n") && dot.ends_with("}\n"), "{dot}");
    let svg = run(&["graph", SENSOR, "--as", "svg"]).result();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(svg.contains("<title id=\"title\">sensor-metrics</title>"), "{svg}");
    run(&["graph", SENSOR, "--as", "png"]).with(2);
}

#[test]
fn graph_of_a_faulty_file_says_what_is_wrong() {
    let folder = folder(&[("faulty.toml", FAULTY)]);
    let (out, err) = within(&folder, &["graph", "faulty.toml"]).with(1);
    assert_eq!(out, "");
    assert!(
        err.contains("--> faulty.toml:7:8\n") && err.contains("error: 1 fault in faulty.toml\n"),
        "{err}"
    );
    within(&folder, &["graph", "gone.toml"]).with(2);
}

// help, schema, completions

#[test]
fn help_lists_all_there_is_and_explains_each() {
    let overview = run(&["help"]).result();
    for word in ["check", "completions", "filter", "kafka", "coalesce", "math::sqrt"] {
        assert!(overview.contains(word), "{word}\n{overview}");
    }
    let check = |topic: &str, expected: &str| {
        let text = run(&["help", topic]).result();
        assert!(text.contains(expected), "{topic}\n{text}");
    };
    check("filter", "[filter.NAME]: lets through the records that a condition holds for\n");
    check("round", "round(");
    check("kafka", "  brokers ");
    check("unknown-field", "no field and no param has this name");
    check("error[unknown-field]", "no field and no param has this name");
    check("late_by", "[source.NAME]");
    check("session", "planned");
    check("eval", "Usage: ");
    let (out, err) = run(&["help", "fliter"]).with(2);
    assert_eq!(out, "");
    assert!(
        err.contains("there is nothing called `fliter`") && err.contains("did you mean `filter`?"),
        "{err}"
    );
    assert!(run(&["--help"]).result().contains("Usage: streamrun"));
    assert!(run(&["check", "--help"]).result().contains("--deny-warnings"));
}

#[test]
fn schema_and_completions_are_printed() {
    let schema: serde_json::Value = serde_json::from_str(&run(&["schema"]).result()).expect("JSON");
    assert_eq!(schema["title"], "streamrun pipeline");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell]).result();
        assert!(script.contains("streamrun") && script.contains("deny-warnings"), "{shell}\n{script}");
    }
    run(&["completions", "tcsh"]).with(2);
}

// new

#[test]
fn new_writes_a_pipeline_that_passes_check() {
    let folder = folder(&[]);
    let out = within(&folder, &["new", "my-orders"]).result();
    assert!(out.starts_with("my-orders.toml is written"), "{out}");
    assert!(out.contains("streamrun check my-orders.toml"), "{out}");
    let out = within(&folder, &["check", "--deny-warnings", "my-orders.toml"]).result();
    assert!(out.starts_with("my-orders.toml is sound"), "{out}");
    let text = std::fs::read_to_string(folder.path().join("my-orders.toml")).expect("it is there");
    assert!(text.contains("name = \"my-orders\""), "{text}");
    assert!(text.contains("streamrun check my-orders.toml"), "{text}");
}

#[test]
fn new_writes_over_nothing_and_refuses_names() {
    let folder = folder(&[("taken.toml", SOUND)]);
    let (_, err) = within(&folder, &["new", "taken"]).with(2);
    assert!(err.contains("`taken.toml` is there already"), "{err}");
    assert_eq!(std::fs::read(folder.path().join("taken.toml")).expect("it is there"), SOUND);
    let (_, err) = within(&folder, &["new", "a b"]).with(2);
    assert!(err.contains("`a b` cannot be a pipeline's name"), "{err}");
    let (_, err) = within(&folder, &["new", "gone/x"]).with(2);
    assert!(err.contains("its folder is not there"), "{err}");
    within(&folder, &["new"]).with(2);
    std::fs::create_dir(folder.path().join("sub")).expect("a folder");
    within(&folder, &["new", "sub/x.toml"]).result();
    within(&folder, &["check", "--deny-warnings", "sub/x.toml"]).result();
}

#[test]
fn an_unknown_command_is_bad_usage() {
    let (_, err) = run(&["chekc"]).with(2);
    assert!(err.contains("check"), "{err}");
    run(&[]).with(2);
    assert!(run(&["--version"]).result().starts_with("streamrun "));
}
