//! What sound expressions come to: on the record of `with_record`, which lacks all that may be absent.

use super::*;

fn check(text: &str, expected: &str) {
    match evaluated(text) {
        Ok((_, value)) => assert_eq!(value, expected, "{text}"),
        Err(reason) => assert_eq!(format!("fails: {reason}"), expected, "{text}"),
    }
}

fn check_type(text: &str, expected: &str) {
    let (ty, _) = evaluated(text).unwrap_or_else(|reason| panic!("{text}: {reason}"));
    assert_eq!(ty.to_string(), expected, "{text}");
}

#[test]
fn operators() {
    check("temperature > 80.0", "true");
    check("temperature < coldest", "false");
    check("95.5 == temperature", "true");
    check("temperature >= 95 && count < limit", "true");
    check("1 + 2 * 3", "7");
    check("count * 2 + 1", "85");
    check("count / 4.0", "10.5");
    check("2 ^ 3", "8.0");
    check("-temperature", "-95.5");
    check("-2 ^ 2", "-4.0");
    check("!up", "false");
    check("!up == false", "true");
    check("7 % 4 - 1", "2");
    check("up == (count > 1)", "true");
    check("0x1f + 1e-1", "31.1");
    check("sensor_id == \"sensor-7\"", "true");
    check("sensor_id == \"\"", "false");
    check("\"\" != sensor_id", "true");
    check("sensor_id != label", "false");
    check("sensor_id < \"sensor-8\"", "true");
    check("sensor_id + \"/\" + str(count)", "\"sensor-7/42\"");
    check("\"a\\\"b\\\\\"", "\"a\\\"b\\\\\"");
    check("payload.temp", "-0.5");
    check("field(\"user-id\")", "\"u-1\"");
    check("raw", "\"{\\\"x\\\": 1}\"");
}

#[test]
fn what_fails_says_where() {
    check("big + 1", "fails: integer overflow in `big + 1`");
    check("1 - (-big - 1)", "fails: integer overflow in `1 - (-big - 1)`");
    check("count + big * 2", "fails: integer overflow in `big * 2`");
    check("-(-big - 1)", "fails: integer overflow in `-(-big - 1)`");
    check("math::abs(-big - 1)", "fails: integer overflow in `math::abs(-big - 1)`");
    check("(-big - 1) / (count - 43)", "fails: integer overflow in `(-big - 1) / (count - 43)`");
    check("count / (count - 42)", "fails: division by zero in `count / (count - 42)`");
    check("count % (count - 42)", "fails: division by zero in `count % (count - 42)`");
    check("count / (count - 42) > 1 || up", "fails: division by zero in `count / (count - 42)`");
    check("int(sensor_id)", "fails: text that is no integer in `int(sensor_id)`");
    check("float(sensor_id)", "fails: text that is no number in `float(sensor_id)`");
    check("int(odd)", "fails: float without an integer in `int(odd)`");
    check("int(temperature * 1e300)", "fails: float without an integer in `int(temperature * 1e300)`");
    check("parse_time(sensor_id)", "fails: text that is no time in `parse_time(sensor_id)`");
    check("if(up, count, big + 1)", "42");
    check("up || big + 1 > 0", "true");
    check("!up && big + 1 > 0", "false");
}

#[test]
fn numbers_of_two_kinds() {
    check("1 == 1.0", "true");
    check("count == 42.0", "true");
    check("count > 41.5", "true");
    check("count < 41.5", "false");
    check("count <= 42.5", "true");
    check("count != 42.5", "true");
    check("42.5 == count", "false");
    check("41.5 < count", "true");
    check("big > 9.3e18", "false");
    check("big >= 9223372036854775807", "true");
    check("big > big - 1", "true");
    check("big == 9223372036854775806", "false");
    check("big < 1e300", "true");
    check("temperature > 1.0 / 0.0", "false");
    check("temperature < -1.0 / 0.0", "false");
    check("temperature == 0.0 / 0.0", "false");
    check("temperature != 0.0 / 0.0", "true");
    check("odd == odd", "false");
    check("odd != 1.0", "true");
    check("odd > 1.0 || odd <= 1.0", "false");
    check("!(odd > 1.0)", "true");
    check("count < 1.0 / 0.0", "true");
    check("count > 0.0 / 0.0", "false");
    check_type("if(up, 1, 2.0)", "float");
    check_type("min(1, 2.0)", "float");
    check_type("coalesce(age, 1.5)", "float");
    check("if(up, 1, 2.0)", "1.0");
    check("min(count, 2.0)", "2.0");
    check("coalesce(age, count)", "42");
    check("coalesce(age, 1.5)", "1.5");
    check("if(is_set(age), 1.5, age)", "absent");
}

#[test]
fn absence() {
    check("humidity", "absent");
    check("coalesce(humidity, age)", "absent");
    check("coalesce(humidity, age, 3)", "3.0");
    check("coalesce(count, 7)", "42");
    check("is_set(humidity)", "false");
    check("is_set(count)", "true");
    check("is_set(coalesce(humidity, age))", "false");
    check("is_set(humidity) && humidity > 1.0", "false");
    check("is_set(humidity) && humidity > 1.0 && humidity < 2.0", "false");
    check("!is_set(humidity) || humidity > 1.0", "true");
    check("!(is_set(humidity) && is_set(age)) || humidity > float(age)", "true");
    check("(is_set(humidity) && up) && humidity > 1.0", "false");
    check("if(is_set(humidity), humidity, 1.5)", "1.5");
    check("if(!is_set(humidity), 0.0, humidity + 1.0)", "0.0");
    check("if(is_set(humidity) && is_set(age), humidity + age, 0.0)", "0.0");
    check("if(if(is_set(humidity), up, false), humidity, 0.0)", "0.0");
    check("if(up, humidity, 0.0)", "absent");
    check("coalesce(flag, false)", "false");
    check("coalesce(location, \"nowhere\") + \"!\"", "\"nowhere!\"");
    check("coalesce(seen, at) == at", "true");
    check_type("humidity", "float?");
    check_type("coalesce(humidity, age)", "float?");
    check_type("coalesce(humidity, 1.0)", "float");
    check_type("if(up, humidity, 0.0)", "float?");
    check_type("is_set(humidity) && humidity > 1.0", "bool");
    check_type("if(is_set(humidity), humidity, 1.0)", "float");
}

#[test]
fn constants_are_computed_and_guards_are_believed() {
    let constant = |text: &str| {
        let mut faults = vec![];
        let expression = compile(&Passage::plain(text, 0), &mut readings(), Setting::Record, &mut faults);
        expression.unwrap_or_else(|| panic!("{faults:?}")).constant().map(|constant| constant.to_string())
    };
    let check =
        |text: &str, expected: Option<&str>| assert_eq!(constant(text).as_deref(), expected, "{text}");
    check("limit * 2 + 1", Some("2001"));
    check("debug && count > 3", Some("false"));
    check("!debug || count > 3", Some("true"));
    check("if(debug, count, 3)", Some("3"));
    check("label + \"!\"", Some("\"sensor-7!\""));
    check("seconds(window)", Some("5.0"));
    check("window", Some("5s"));
    check("if(limit == 1000, 1, 1 / (limit - 1000))", Some("1"));
    check("limit == 1000 || 1 / (limit - 1000) > 1", Some("true"));
    check("count > 3", None);
    check("is_set(count)", Some("true"));
    check("typeof(raw)", Some("\"json\""));
}

#[test]
fn what_people_write_needs_no_closure() {
    let debug = |text: &str| {
        let mut faults = vec![];
        let condition = compile_condition(&Passage::plain(text, 0), &mut readings(), &mut faults);
        format!("{:?}", condition.unwrap_or_else(|| panic!("{faults:?}")))
    };
    assert_eq!(debug("temperature >= 60"), "Register(1) in 60.0..=inf");
    assert_eq!(debug("temperature >= coldest && temperature <= 150.0"), "Register(1) in 0.0..=150.0");
    assert_eq!(debug("count > limit"), "Register(4) in 1001..=9223372036854775807");
    assert_eq!(debug("count > 0.5"), "Register(4) in 1..=9223372036854775807");
    assert_eq!(debug("sensor_id == \"\""), "IsEmpty(Register(0))");
    assert_eq!(debug("sensor_id != \"\" && up"), "All([Not(IsEmpty(Register(0))), IsTrue(Register(7))])");
    assert_eq!(debug("is_set(humidity)"), "IsSet(Register(2))");
    assert_eq!(debug("count == 1.5"), "Always(false)");
    assert_eq!(debug("at >= at"), "Closure { fails: false }");
    assert_eq!(debug("count + 1 > 2"), "Closure { fails: true }");
}

#[test]
fn times() {
    check("at", "2026-01-01T13:30:10Z");
    check("at > parse_time(\"2026-01-01T00:00:00Z\")", "true");
    check("at + window", "2026-01-01T13:30:15Z");
    check("window + at", "2026-01-01T13:30:15Z");
    check("at - window", "2026-01-01T13:30:05Z");
    check("at - (at - window)", "5s");
    check("at - (at - window) > window * 2", "false");
    check("window + window", "10s");
    check("-window", "-5s");
    check("seconds(at - (at - window))", "5.0");
    check("seconds_between(at - window, at)", "5.0");
    check("hour(at)", "13");
    check("date(at)", "\"2026-01-01\"");
    check("format_time(at, \"%d.%m.%Y %H:%M\")", "\"01.01.2026 13:30\"");
    check("parse_time(\"01.02.2026\", \"%d.%m.%Y\")", "2026-02-01T00:00:00Z");
    check("parse_time(\"2026-01-01 10:00 +0200\", \"%Y-%m-%d %H:%M %z\")", "2026-01-01T08:00:00Z");
    check("parse_time(\"2026-01-01T02:00:00.5+02:00\")", "2026-01-01T00:00:00.500Z");
    check("parse_time(\"1767274210\", \"%s\")", "2026-01-01T13:30:10Z");
    check("parse_time(\"01/Jan/2026:13:30:10 +0100\", \"%d/%b/%Y:%H:%M:%S %z\")", "2026-01-01T12:30:10Z");
    check("parse_time(\"2026-01-01T13:30:10.250\", \"%Y-%m-%dT%H:%M:%S%.f\")", "2026-01-01T13:30:10.250Z");
    check("int(at)", "1767274210000");
    check("str(at)", "\"2026-01-01T13:30:10Z\"");
    check("str(window)", "\"5s\"");
    check("max(seconds(window), 6)", "6.0");
    check("if(up, at, at - window)", "2026-01-01T13:30:10Z");
}

#[test]
fn texts_at_their_limits() {
    check("len(\"\")", "0");
    check("len(\"grüße\")", "7");
    check("str::to_uppercase(\"grüße\")", "\"GRÜSSE\"");
    check("str::to_lowercase(\"ΟΔΟΣ\")", "\"οδος\"");
    check("str::to_uppercase(sensor_id) + str::to_lowercase(\"AB\")", "\"SENSOR-7ab\"");
    check("str::to_lowercase(str(up) + \"X\")", "\"truex\"");
    check("str::trim(\"\")", "\"\"");
    check("str::trim(\"  \")", "\"\"");
    check("str::trim(\" ü \")", "\"ü\"");
    check("str::substring(\"grüße\", 2, 4)", "\"üß\"");
    check("str::substring(\"grüße\", 3)", "\"ße\"");
    check("str::substring(\"abc\", -5, 2)", "\"ab\"");
    check("str::substring(\"abc\", 2, 1)", "\"\"");
    check("str::substring(\"abc\", 1, big)", "\"bc\"");
    check("str::substring(\"abc\", big, big)", "\"\"");
    check("str::substring(\"\", 0, 1)", "\"\"");
    check("starts_with(\"\", \"\")", "true");
    check("starts_with(\"ü\", \"u\")", "false");
    check("ends_with(sensor_id, \"-7\")", "true");
    check("ends_with(\"\", \"x\")", "false");
    check("matches(\"grüße\", \"^gr.ße$\")", "true");
    check("matches(\"\", \"^$\")", "true");
    check("matches(sensor_id, label)", "true");
    check("int(\"-9223372036854775808\")", "-9223372036854775808");
    check("int(str(big))", "9223372036854775807");
    check("int(-0.9)", "0");
    check("int(-9223372036854775808.0)", "-9223372036854775808");
    check("float(\"1e3\")", "1000.0");
    check("float(big)", "9.223372036854776e18");
    check("str(2.0)", "\"2\"");
    check("str(-0.0)", "\"-0\"");
    check("str(odd)", "\"NaN\"");
    check("str(1.0 / 0.0)", "\"inf\"");
    check("str(\"\")", "\"\"");
    check("str(raw)", "\"{\\\"x\\\": 1}\"");
    // With quotes around it that belong to the list.
    check("str::substring(str(tags), 7, 11)", "\"b\\\\\\\"c\"");
    check("typeof(up)", "\"boolean\"");
    check("typeof(tags)", "\"string[]\"");
    check("typeof((1, 2))", "\"tuple\"");
}

#[test]
fn texts_that_are_no_number_fail() {
    for text in ["", " 1", "1 ", "1.0", "9223372036854775808", "0x10", "ü"] {
        let text = format!("if(up, int(\"{text}\" + str::trim(str::substring(sensor_id, 0, 0))), 0)");
        assert!(evaluated(&text).is_err(), "{text}");
    }
    for text in ["", "inf", "NaN", "1,5", "ü"] {
        let text = format!("float(\"{text}\" + str::substring(sensor_id, 0, 0))");
        assert!(evaluated(&text).is_err(), "{text}");
    }
}

#[test]
fn numbers_at_their_limits() {
    check("round(2.5)", "3.0");
    check("round(-2.5)", "-3.0");
    check("round(odd)", "NaN");
    check("round(temperature, 0)", "96.0");
    check("round(21.456, 2)", "21.46");
    check("round(-21.456, 1)", "-21.5");
    check("round(1234.5, -2)", "1200.0");
    check("round(1.7e308, 10)", "1.7e308");
    check("round(1.5, big)", "1.5");
    check("round(3)", "3.0");
    check("floor(-2.1)", "-3.0");
    check("ceil(-2.1)", "-2.0");
    check("floor(1.0 / 0.0)", "inf");
    check("min(odd, 1.0)", "1.0");
    check("max(odd, odd)", "NaN");
    check("max(1, big, 3)", "9223372036854775807");
    check("min(1, 2, 3, 4, 5, 6, -7)", "-7");
    check("math::abs(-0.5)", "0.5");
    check("math::abs(-big)", "9223372036854775807");
    check("math::is_nan(odd)", "true");
    check("math::is_normal(5e-324)", "false");
    check("math::sqrt(-1)", "NaN");
    check("bitand(big, -1)", "9223372036854775807");
    check("bitnot(big)", "-9223372036854775808");
    check("bitxor(big, big)", "0");
    check("bitor(0, big)", "9223372036854775807");
    check("shl(1, 63)", "-9223372036854775808");
    check("shl(1, 64)", "1");
    check("shr(-1, 63)", "-1");
    check("shr(big, -1)", "0");
}

#[test]
fn lists() {
    check("len(tags)", "3");
    check("len(sizes)", "3");
    check("len((1, 2, 3))", "3");
    check("contains(tags, \"a\")", "true");
    check("contains(tags, \"b\\\"c\")", "true");
    check("contains(tags, \"ü\")", "true");
    check("contains(tags, \"\")", "false");
    check("contains(sizes, 3)", "true");
    check("contains(sizes, -2)", "true");
    check("contains(sizes, 2)", "false");
    check("contains(sizes, 3.0)", "true");
    check("contains((\"a\", sensor_id), label)", "true");
    check("contains((1, 2.5), count)", "false");
    check("contains((41, 42), count)", "true");
    check("contains((41, 42), 42.0)", "true");
    check("contains((up, false), true)", "true");
    check("contains_any((1, 2), (2, 3))", "true");
    check("contains_any((1, 2), (2.5, 3))", "false");
    check("contains_any(tags, (\"x\", \"ü\"))", "true");
    check("contains_any((7, 8), sizes)", "false");
    check("contains_any(tags, tags)", "true");
    check("contains((1, 2), count / (count - 42))", "fails: division by zero in `count / (count - 42)`");
}

#[test]
fn names_of_an_expression() {
    let check = |text: &str, expected: &[&str]| {
        let found: Vec<_> = names_in(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected, "{text}");
    };
    check("temperature > 80 && is_set(humidity)", &["temperature", "humidity"]);
    check("critical", &["critical"]);
    check("too hot", &[]);
    check("a.b + \"c\"", &["a.b"]);
    check("50 % off", &["off"]);
    check("(", &[]);
    check("", &[]);
}

/// The examples are the reference: each is run.
#[test]
fn every_function_shows_what_it_does() {
    for function in FUNCTIONS {
        let example = function.example;
        assert!(example.contains(&format!("{}(", function.name)), "{example} calls {}", function.name);
        assert!(function.summary.ends_with('.'), "{}", function.name);
        match function.stands {
            Stands::Anywhere | Stands::Both => check(example, function.result),
            Stands::Generate => {
                let setting = Setting::Generate(Arc::new(Dice::new(1, AT)));
                let mut faults = vec![];
                compile(&Passage::plain(example, 0), &mut readings(), setting, &mut faults)
                    .unwrap_or_else(|| panic!("{faults:?}"));
            }
            Stands::Compute => {
                let (mut input, mut row) = (readings(), Table::new("the row", &[]));
                let mut faults = vec![];
                compile_compute(&Passage::plain(example, 0), &mut input, &mut row, &mut faults)
                    .unwrap_or_else(|| panic!("{faults:?}"));
            }
        }
    }
    let mut names: Vec<_> = FUNCTIONS.iter().map(|function| function.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FUNCTIONS.len());
}

#[test]
fn compiled_expressions_go_to_any_thread() {
    fn check<T: Send + Sync>() {}
    check::<Expression>();
    check::<Condition>();
}

#[test]
fn signatures_read_well() {
    let signature = |name: &str| {
        FUNCTIONS.iter().find(|function| function.name == name).map(Function::signature).unwrap_or_default()
    };
    assert_eq!(signature("str::substring"), "str::substring(text: string, start: int, end?: int) -> string");
    assert_eq!(signature("min"), "min(x: number, y: number, …) -> number");
    assert_eq!(signature("count"), "count(x?: any?) -> int");
    assert_eq!(signature("now"), "now() -> timestamp");
}
