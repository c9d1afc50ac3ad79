//! What sound expressions come to.

use super::*;

fn check(text: &str, expected: &str) {
    match evaluated(text) {
        Ok((_, value)) => assert_eq!(value, expected, "{text}"),
        Err(reason) => assert_eq!(format!("fails: {reason}"), expected, "{text}"),
    }
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
    check("!up", "false");
    check("big + 1", "fails: integer overflow in `big + 1`");
    check("count % (count - 42)", "fails: division by zero in `count % (count - 42)`");
    check("sensor_id == \"sensor-7\"", "true");
    check("sensor_id == \"\"", "false");
    check("sensor_id != label", "false");
    check("sensor_id + \"/\" + str(count)", "\"sensor-7/42\"");
    check(
        "if(temperature >= 80.0, \"critical\", if(temperature >= 60.0, \"warning\", \"normal\"))",
        "\"critical\"",
    );
    check("if(is_set(humidity), humidity, 1.5)", "1.5");
    check("coalesce(humidity, 2)", "2.0");
    check("humidity", "absent");
    check("payload.temp", "-0.5");
    check("field(\"user-id\")", "\"u-1\"");
}
