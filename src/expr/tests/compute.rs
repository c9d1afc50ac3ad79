//! `compute` and `[generate]`.

use super::*;

struct Computed {
    expression: Option<Expression>,
    row: Table,
    said: Vec<String>,
}

fn computed(text: &str) -> Computed {
    let (mut input, mut row) = (
        readings(),
        Table::new("the row", &["sensor_id string", "window_start timestamp", "window_end timestamp"]),
    );
    let mut faults = vec![];
    let expression = compile_compute(&Passage::plain(text, 0), &mut input, &mut row, &mut faults);
    Computed { expression, row, said: faults.iter().map(|fault| line(text, fault)).collect() }
}

fn sound(text: &str, ty: &str, calls: &[&str]) {
    let computed = computed(text);
    let expression = computed.expression.unwrap_or_else(|| panic!("{text}: {:?}", computed.said));
    assert_eq!(expression.ty.to_string(), ty, "{text}");
    let found: Vec<_> = computed.row.calls.iter().map(|call| format!("{} {}", call.text, call.ty)).collect();
    assert_eq!(found, calls, "{text}");
}

#[test]
fn aggregates_are_cells_of_the_row() {
    sound("count()", "int", &["count() int"]);
    sound("count( humidity )", "int", &["count(humidity) int"]);
    sound("min(temperature)", "float", &["min(temperature) float"]);
    sound("max(humidity)", "float?", &["max(humidity) float?"]);
    sound("sum(humidity)", "float", &["sum(humidity) float"]);
    sound("sum(count)", "int", &["sum(count) int"]);
    sound("avg(count)", "float", &["avg(count) float"]);
    sound("avg(age)", "float?", &["avg(age) float?"]);
    sound("first(location)", "string?", &["first(location) string?"]);
    sound("last(at) - first(at)", "duration", &["last(at) timestamp", "first(at) timestamp"]);
    sound("max(at)", "timestamp", &["max(at) timestamp"]);
    sound("count() == 1", "bool", &["count() int"]);
    sound("sum(temperature) / count()", "float", &["sum(temperature) float", "count() int"]);
    sound(
        "max(temperature) - min(temperature)",
        "float",
        &["max(temperature) float", "min(temperature) float"],
    );
    sound("max(min(temperature), 0.0)", "float", &["min(temperature) float"]);
    sound("count() + count( )", "int", &["count() int"]);
    sound("max(temperature * 2.0)", "float", &["max(temperature*2.0) float"]);
    sound("if(is_set(max(humidity)), max(humidity), 0.0)", "float", &["max(humidity) float?"]);
    sound("sensor_id + \"!\"", "string", &[]);
    sound("window_end - window_start", "duration", &[]);
    sound("first(\"a b\")", "string", &["first(\"a b\") string"]);
    sound("sum(if(up, 1, 0))", "int", &["sum(if(up,1,0)) int"]);
}

#[test]
fn an_argument_that_is_a_field_is_its_register() {
    let computed = computed("min(temperature)");
    let argument = computed.row.calls[0].argument.as_ref().expect("an argument");
    assert_eq!(argument.register(), Some(Register(1)));
}

#[test]
fn faults_of_compute() {
    let check = |text: &str, expected: &[&str]| assert_eq!(computed(text).said, expected, "{text}");
    check(
        "temperature",
        &[
            "bare-field-in-compute «temperature» `temperature` has a value for each record, and here are many | `first(temperature)`, `last(temperature)`, or add `temperature` to `by`",
        ],
    );
    check(
        "temperature + humidity",
        &[
            "bare-field-in-compute «temperature» `temperature` has a value for each record, and here are many | `first(temperature)`, `last(temperature)`, or add `temperature` to `by`",
            "bare-field-in-compute «humidity» `humidity` has a value for each record, and here are many | `first(humidity)`, `last(humidity)`, or add `humidity` to `by`",
        ],
    );
    check(
        "sum(max(temperature))",
        &[
            "aggregate-outside-compute «max» `max` summarises many records, and here is one | `max(a, b)` compares two values of one record",
        ],
    );
    check("sum(sensor_id)", &["type-mismatch «sensor_id» `sum` needs a number, found string"]);
    check("min(sensor_id)", &["type-mismatch «sensor_id» `min` needs a number or a timestamp, found string"]);
    check("sum()", &["argument-count «sum()» `sum` takes 1 argument, found 0 | `sum(x: any?) -> number`"]);
    check(
        "max(temprature)",
        &["unknown-field «temprature» `valid` has no field `temprature` | did you mean `temperature`?"],
    );
    check(
        "max(humidity) > 1.0",
        &[
            "may-be-absent «max(humidity)» `max(humidity)` may be absent | `is_set(max(humidity)) && max(humidity) > 1.0`, or `coalesce(max(humidity), 0.0) > 1.0`",
        ],
    );
    check(
        "window_stat",
        &["unknown-field «window_stat» the row has no field `window_stat` | did you mean `window_start`?"],
    );
}

#[test]
fn generated_fields() {
    let generated = |text: &str, seed: u64| {
        let mut table = readings();
        let mut faults = vec![];
        let setting = Setting::Generate(Arc::new(Dice::new(seed, AT)));
        let expression = compile(&Passage::plain(text, 0), &mut table, setting, &mut faults);
        let expression = expression.unwrap_or_else(|| panic!("{text}: {faults:?}"));
        assert_eq!(expression.constant(), None, "{text} is drawn anew for each record");
        with_record(&table, |frame| match expression.value(frame) {
            Ok(value) => fold::constant(expression.ty.kind, value, frame).to_string(),
            Err(error) => table.reasons[error.reason.0 as usize].clone(),
        })
    };
    let within = |text: &str, low: f64, high: f64| {
        for seed in 0..50 {
            let value: f64 = generated(text, seed).parse().expect("a number");
            assert!((low..=high).contains(&value), "{text} gave {value}");
        }
    };
    within("random()", 0.0, 1.0);
    within("random(20.0, 90.0)", 20.0, 90.0);
    within("random(5)", 0.0, 5.0);
    within("random_int(1, 10)", 1.0, 10.0);
    within("round(random_normal(55.0, 18.0), 2)", -50.0, 160.0);
    for seed in 0..50 {
        assert!(["\"a\"", "\"b\""].contains(&generated("pick(\"a\", \"b\")", seed).as_str()));
        assert!(["1.0", "2.5"].contains(&generated("pick(1, 2.5)", seed).as_str()));
    }
    assert_eq!(generated("now()", 1), "2026-01-01T13:30:10Z");
    assert_eq!(generated("random_int(10, 1)", 1), "nothing to draw from in `random_int(10, 1)`");
    assert!(generated("\"sensor-\" + str(random_int(1, 10))", 4).starts_with("\"sensor-"));
}
