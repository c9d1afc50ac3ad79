//! What unsound expressions are told: every fault in a line, as `said` writes it.

use super::*;

fn check(text: &str, expected: &[&str]) {
    assert_eq!(said(text, Setting::Record), expected, "{text}");
}

fn warned(expression: &str) -> String {
    rendered(expression).lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_unknown_field_is_shown_with_what_is_there() {
    let expected = "\
error[unknown-field]: `valid` has no field `temprature`
  --> a.toml:18:9
   |
18 | when = 'temprature >= coldest'
   |         ^^^^^^^^^^ not a field, not a param
   |
   = help: did you mean `temperature`?
   = note: `valid` has sensor_id, temperature, humidity, …
";
    assert_eq!(warned("temprature >= coldest"), expected);
}

#[test]
fn what_may_be_absent_is_shown_with_its_declaration() {
    let expected = "\
error[may-be-absent]: `humidity` may be absent
  --> a.toml:18:9
   |
 3 | humidity = float?
   |            ------ declared optional here
...
18 | when = 'humidity > 80.0'
   |         ^^^^^^^^ needs a value
   |
   = help: `is_set(humidity) && humidity > 80.0`, or `coalesce(humidity, 0.0) > 80.0`
";
    assert_eq!(warned("humidity > 80.0"), expected);
}

#[test]
fn what_is_no_expression() {
    check("", &["expression-syntax «» the expression is empty"]);
    check("  ", &["expression-syntax «  » the expression is empty"]);
    check("a b", &["expression-syntax «b» an operator is missing between `a` and `b`"]);
    check(
        "sensor_id count",
        &["expression-syntax «count» an operator is missing between `sensor_id` and `count`"],
    );
    check("min count", &["expression-syntax «min count» `min` is called with parentheses | `min(count)`"]);
    check("temperature >", &["expression-syntax «>» a value is missing after `>`"]);
    check("> 3", &["expression-syntax «>» a value is missing before `>`"]);
    check("temperature > && up", &["expression-syntax «&&» a value is missing between `>` and `&&`"]);
    check("(temperature > 3", &["expression-syntax «(» `(` is never closed | close it with `)`"]);
    check(
        "temperature > 3)",
        &["expression-syntax «)» `)` closes nothing | take it away, or open it with `(`"],
    );
    check("()", &["expression-syntax «()» nothing stands between the parentheses"]);
    check("len()", &["argument-count «len()» `len` takes 1 argument, found 0 | `len(x: any) -> int`"]);
    check("len(,)", &["expression-syntax «,» a value is missing between `(` and `,`"]);
    check("temperature, 3", &["expression-syntax «,» `,` separates arguments, and this is no call"]);
    check(
        "(1, 2)",
        &[
            "type-mismatch «(1, 2)» a list stands where a value is needed | `contains((…), x)` and `contains_any` take lists",
        ],
    );
}

#[test]
fn habits_of_other_languages() {
    check(
        "sensor_id == 'x'",
        &["expression-syntax «'x'» texts in expressions stand in double quotes | `\"x\"`"],
    );
    check(
        "sensor_id == 'x",
        &["expression-syntax «'x» texts in expressions stand in double quotes | `\"x\"`"],
    );
    check("sensor_id == \"x", &["expression-syntax «\"x» the text has no closing quote | end it with `\"`"]);
    check(
        "sensor_id == \"\\x\"",
        &["expression-syntax «\\x» `\\x` is no escape: only `\\\"` and `\\\\` are"],
    );
    check("temperature > 3 and up", &["expression-syntax «and» `and` is written `&&` | `&&`"]);
    check("temperature > 3 or up", &["expression-syntax «or» `or` is written `||` | `||`"]);
    check("not up", &["expression-syntax «not» `not` is written `!` | `!up`"]);
    check("not(up)", &["expression-syntax «not» `not` is written `!` | `!(…)`"]);
    check(
        "up = true",
        &["expression-syntax «=» `=` would assign: expressions have no effects | `==` compares"],
    );
    check("count += 1", &["expression-syntax «+=» `+=` would assign: expressions have no effects"]);
    check(
        "count; 1",
        &[
            "expression-syntax «;» `;` is no operator: expressions have no effects | one expression, one value",
        ],
    );
    check(
        "count & 1",
        &["expression-syntax «&» `&` is no operator | `&&` is and, `bitand(a, b)` works on bits"],
    );
    check("up | up", &["expression-syntax «|» `|` is no operator | `||` is or, `bitor(a, b)` works on bits"]);
    check("count === 1", &["expression-syntax «===» `===` is no operator | `==`"]);
    check("count <> 1", &["expression-syntax «<>» `<>` is no operator | `!=`"]);
    check("temperature => 3", &["expression-syntax «=>» `=>` is no operator | `>=`"]);
    check("temperature =< 3", &["expression-syntax «=<» `=<` is no operator | `<=`"]);
    check("2 ** 3", &["expression-syntax «**» `**` is no operator | `^`"]);
    check("humidity ?? 0", &["expression-syntax «??» `??` is no operator | `coalesce(x, default)`"]);
    check("up ? 1 : 2", &["expression-syntax «?» `?` is no operator | `if(condition, a, b)` chooses"]);
    check(
        "tags[0]",
        &["expression-syntax «[» `[` is no operator | `contains((\"a\", \"b\"), x)` takes a list"],
    );
    check(
        "temperature // comment",
        &[
            "expression-syntax «// comment» an expression has no comments | put it behind a `#`, outside the expression's quotes",
        ],
    );
    check(
        "/* comment */ temperature",
        &[
            "expression-syntax «/* comment */» an expression has no comments | put it behind a `#`, outside the expression's quotes",
        ],
    );
}

#[test]
fn numbers_and_names() {
    check(
        "inf",
        &[
            "expression-syntax «inf» `inf` is not a name, and no number to compute with | `math::is_nan(x)` and `math::is_infinite(x)` ask for such numbers",
        ],
    );
    check(
        "nan",
        &[
            "expression-syntax «nan» `nan` is not a name, and no number to compute with | `math::is_nan(x)` and `math::is_infinite(x)` ask for such numbers",
        ],
    );
    check(
        "temperature > Infinity",
        &[
            "expression-syntax «Infinity» `Infinity` is not a name, and no number to compute with | `math::is_nan(x)` and `math::is_infinite(x)` ask for such numbers",
        ],
    );
    check("1.2.3", &["expression-syntax «1.2.3» `1.2.3` is not a number"]);
    check("99x", &["expression-syntax «99x» `99x` is not a number"]);
    check("user-id == \"x\"", &["unknown-field «user» `valid` has no field `user` | `field(\"user-id\")`"]);
    check(
        "temp@x > 3",
        &[
            "expression-syntax «temp@x» `temp@x` is not a name | `field(\"temp@x\")` reads a field whose name is no identifier",
        ],
    );
    check(
        "a:b",
        &[
            "expression-syntax «a:b» `a:b` is not a name | `field(\"a:b\")` reads a field whose name is no identifier",
        ],
    );
    check(
        "$x",
        &[
            "expression-syntax «$x» `$x` is not a name | `field(\"$x\")` reads a field whose name is no identifier",
        ],
    );
}

#[test]
fn words_of_other_languages() {
    check(
        "location is null",
        &["expression-syntax «is» `is` is no operator | `==`, or `is_set(x)` for what may be absent"],
    );
    check(
        "location == null",
        &[
            "unknown-field «null» `valid` has no field `null` | `is_set(x)` and `!is_set(x)` ask whether a field is there",
        ],
    );
    check(
        "sensor_id in (\"a\", \"b\")",
        &["expression-syntax «in» `in` is no operator | `contains((…), sensor_id)`"],
    );
    check(
        "sensor_id like \"a%\"",
        &["expression-syntax «like» `like` is no operator | `matches(sensor_id, \"…\")`"],
    );
    check(
        "temperature between 1 and 2",
        &["expression-syntax «between» `between` is no operator | `temperature >= … && temperature <= …`"],
    );
}

#[test]
fn unknown_names() {
    check("True", &["unknown-field «True» `valid` has no field `True` | `true`"]);
    check("up == True", &["unknown-field «True» `valid` has no field `True` | `true`"]);
    check(
        "temprature + humidty",
        &[
            "unknown-field «temprature» `valid` has no field `temprature` | did you mean `temperature`?",
            "unknown-field «humidty» `valid` has no field `humidty` | did you mean `humidity`?",
        ],
    );
    check(
        "temprature > 3 && humidity > 3",
        &["unknown-field «temprature» `valid` has no field `temprature` | did you mean `temperature`?"],
    );
    check(
        "is_set(humidty) && humidity > 3",
        &["unknown-field «humidty» `valid` has no field `humidty` | did you mean `humidity`?"],
    );
    check("normal", &["unknown-field «normal» `valid` has no field `normal` | `'\"normal\"'` is the text"]);
    check("count == normal", &["unknown-field «normal» `valid` has no field `normal`"]);
}

#[test]
fn calls() {
    check("abs(temperature)", &["unknown-function «abs» there is no function `abs` | `math::abs`"]);
    check("lenght(sensor_id)", &["unknown-function «lenght» there is no function `lenght`"]);
    check(
        "math::sqroot(temperature)",
        &["unknown-function «math::sqroot» there is no function `math::sqroot` | did you mean `math::sqrt`?"],
    );
    check(
        "str::regex_matches(sensor_id, \"a\")",
        &["unknown-function «str::regex_matches» there is no function `str::regex_matches` | `matches`"],
    );
    check(
        "foo(bar)",
        &[
            "unknown-function «foo» there is no function `foo`",
            "unknown-field «bar» `valid` has no field `bar`",
        ],
    );
    check(
        "len(1, 2)",
        &["argument-count «len(1, 2)» `len` takes 1 argument, found 2 | `len(x: any) -> int`"],
    );
    check(
        "str::substring(sensor_id)",
        &[
            "argument-count «str::substring(sensor_id)» `str::substring` takes 2 to 3 arguments, found 1 | `str::substring(text: string, start: int, end?: int) -> string`",
        ],
    );
    check(
        "str::substring(1, \"a\", 2)",
        &[
            "type-mismatch «1» `str::substring` needs a string, found int | `str(1)` | `str::substring(text: string, start: int, end?: int) -> string`",
            "type-mismatch «\"a\"» `str::substring` needs an int, found string | `int(\"a\")` | `str::substring(text: string, start: int, end?: int) -> string`",
        ],
    );
    check(
        "if(up, 1)",
        &[
            "argument-count «if(up, 1)» `if` takes 3 arguments, found 2 | `if(condition: bool, then: any?, otherwise: any?) -> as its arms`",
        ],
    );
    check(
        "coalesce(humidity)",
        &[
            "argument-count «coalesce(humidity)» `coalesce` takes at least 2 arguments, found 1 | `coalesce(x: any?, default: any?, …) -> as its arguments`",
        ],
    );
    check(
        "now(1)",
        &[
            "generate-only «now» `now` stands in `[generate]` only | everything else is a function of the record, so that a replay gives the same results",
        ],
    );
    check(
        "count(temperature)",
        &[
            "aggregate-outside-compute «count» `count` summarises many records, and here is one | aggregates stand in `compute` of a window, not inside of each other",
        ],
    );
    check(
        "min(temperature)",
        &[
            "aggregate-outside-compute «min» `min` summarises many records, and here is one | `min(a, b)` compares two values of one record",
        ],
    );
    check(
        "avg(temperature) > 3.0",
        &[
            "aggregate-outside-compute «avg» `avg` summarises many records, and here is one | aggregates stand in `compute` of a window, not inside of each other",
        ],
    );
    check(
        "random_int(1, 2)",
        &[
            "generate-only «random_int» `random_int` stands in `[generate]` only | everything else is a function of the record, so that a replay gives the same results",
        ],
    );
}

#[test]
fn comparisons() {
    check("count > \"5\"", &["type-mismatch «\"5\"» `>` compares int with string | `count > 5`"]);
    check("count > \"five\"", &["type-mismatch «\"five\"» `>` compares int with string"]);
    check("sensor_id > 5", &["type-mismatch «5» `>` compares string with int | `int(sensor_id) > 5`"]);
    check(
        "sensor_id == 5.0",
        &["type-mismatch «5.0» `==` compares string with float | `float(sensor_id) == 5.0`"],
    );
    check("up == \"true\"", &["type-mismatch «\"true\"» `==` compares bool with string | `up == true`"]);
    check("up > false", &["type-mismatch «false» `>` does not compare values of type bool"]);
    check(
        "at > \"2026-01-01T00:00:00Z\"",
        &[
            "type-mismatch «\"2026-01-01T00:00:00Z\"» `>` compares timestamp with string | `at > parse_time(\"2026-01-01T00:00:00Z\")`",
        ],
    );
    check(
        "\"2026-01-01T00:00:00Z\" <= at",
        &[
            "type-mismatch «at» `<=` compares string with timestamp | `parse_time(\"2026-01-01T00:00:00Z\") <= at`",
        ],
    );
    check("at - at > 5", &["type-mismatch «5» `>` compares duration with int | `seconds(at - at) > 5`"]);
    check(
        "at - at > \"5s\"",
        &["type-mismatch «\"5s\"» `>` compares duration with string | `seconds(at - at) > 5.0`, or a param"],
    );
    check(
        "at + 5",
        &[
            "type-mismatch «5» `+` takes two numbers or two strings, found timestamp and int | a param with a duration such as `\"5s\"` can be added and taken away",
        ],
    );
    check("at > 5", &["type-mismatch «5» `>` compares timestamp with int"]);
    check(
        "at + at",
        &["type-mismatch «at» `+` takes two numbers or two strings, found timestamp and timestamp"],
    );
    check("raw == \"x\"", &["type-mismatch «\"x\"» `==` compares json with string"]);
    check("raw == raw", &["type-mismatch «raw» `==` does not compare values of type json"]);
    check(
        "tags == \"a\"",
        &["type-mismatch «\"a\"» `==` compares string[] with string | `contains(tags, \"a\")`"],
    );
    check("tags == tags", &["type-mismatch «tags» `==` does not compare values of type string[]"]);
}

#[test]
fn operands() {
    check(
        "temperature && up",
        &["type-mismatch «temperature» `&&` needs a bool, found float | `temperature != 0`"],
    );
    check(
        "sensor_id || up",
        &["type-mismatch «sensor_id» `||` needs a bool, found string | `sensor_id != \"\"`"],
    );
    check("!count", &["type-mismatch «count» `!` needs a bool, found int | `count != 0`"]);
    check("!sensor_id", &["type-mismatch «sensor_id» `!` needs a bool, found string | `sensor_id != \"\"`"]);
    check(
        "-sensor_id",
        &[
            "type-mismatch «sensor_id» `-` needs a number, found string | `float(sensor_id)`, or `int(sensor_id)`",
        ],
    );
    check(
        "sensor_id + 1",
        &[
            "type-mismatch «1» `+` takes two numbers or two strings, found string and int | `sensor_id + str(1)`",
        ],
    );
    check(
        "1 + sensor_id",
        &[
            "type-mismatch «sensor_id» `+` takes two numbers or two strings, found int and string | `str(1) + sensor_id`",
        ],
    );
    check(
        "sensor_id * 2",
        &["type-mismatch «2» `*` takes two numbers, found string and int | `float(sensor_id) * 2`"],
    );
    check(
        "2 - sensor_id",
        &["type-mismatch «sensor_id» `-` takes two numbers, found int and string | `2 - float(sensor_id)`"],
    );
}

#[test]
fn absence() {
    check(
        "humidity + 1.0",
        &[
            "may-be-absent «humidity» `humidity` may be absent | `if(is_set(humidity), humidity + 1.0, …)`, or `coalesce(humidity, 0.0) + 1.0`",
        ],
    );
    check(
        "humidity > 80.0",
        &[
            "may-be-absent «humidity» `humidity` may be absent | `is_set(humidity) && humidity > 80.0`, or `coalesce(humidity, 0.0) > 80.0`",
        ],
    );
    check(
        "-humidity",
        &[
            "may-be-absent «humidity» `humidity` may be absent | `if(is_set(humidity), -humidity, …)`, or `-coalesce(humidity, 0.0)`",
        ],
    );
    check("flag", &[]);
    check(
        "flag && up",
        &["may-be-absent «flag» `flag` may be absent | `is_set(flag) && flag`, or `coalesce(flag, false)`"],
    );
    check(
        "up && flag",
        &["may-be-absent «flag» `flag` may be absent | `is_set(flag) && flag`, or `coalesce(flag, false)`"],
    );
    check(
        "!flag",
        &["may-be-absent «flag» `flag` may be absent | `is_set(flag) && !flag`, or `!coalesce(flag, false)`"],
    );
    check(
        "coalesce(humidity, humidity) > 1.0",
        &[
            "may-be-absent «coalesce(humidity, humidity)» `coalesce(humidity, humidity)` may be absent | `coalesce(coalesce(humidity, humidity), 0.0) > 1.0`",
        ],
    );
    check(
        "math::sqrt(humidity)",
        &[
            "may-be-absent «humidity» `humidity` may be absent | `if(is_set(humidity), math::sqrt(humidity), …)`, or `math::sqrt(coalesce(humidity, 0.0))`",
        ],
    );
    check(
        "humidity * 2.0 > 5.0",
        &[
            "may-be-absent «humidity» `humidity` may be absent | `is_set(humidity) && humidity * 2.0 > 5.0`, or `coalesce(humidity, 0.0) * 2.0 > 5.0`",
        ],
    );
    check(
        "if(flag, 1, 2)",
        &["may-be-absent «flag» `flag` may be absent | `is_set(flag) && flag`, or `coalesce(flag, false)`"],
    );
    check(
        "if(humidity > 1.0, 1, 2)",
        &[
            "may-be-absent «humidity» `humidity` may be absent | `is_set(humidity) && humidity > 1.0`, or `coalesce(humidity, 0.0) > 1.0`",
        ],
    );
    check(
        "if(is_set(humidity), 1.0, humidity) > 1.0",
        &[
            "may-be-absent «if(is_set(humidity), 1.0, humidity)» `if(is_set(humidity), 1.0, humidity)` may be absent | `coalesce(if(is_set(humidity), 1.0, humidity), 0.0) > 1.0`",
        ],
    );
    check(
        "is_set(humidity) || humidity > 1.0",
        &[
            "may-be-absent «humidity» `humidity` may be absent | `is_set(humidity) && humidity > 1.0`, or `coalesce(humidity, 0.0) > 1.0`",
        ],
    );
    check("seen > at", &["may-be-absent «seen» `seen` may be absent | `is_set(seen) && seen > at`"]);
}

#[test]
fn one_value_one_kind() {
    check(
        "if(up, 1, \"a\")",
        &[
            "type-mismatch «\"a\"» one value of several kinds: int and string | `if(up, 1, \"a\")` has one type, whatever the record",
        ],
    );
    check(
        "coalesce(humidity, \"a\")",
        &[
            "type-mismatch «\"a\"» one value of several kinds: float and string | `coalesce(humidity, \"a\")` has one type, whatever the record",
        ],
    );
    check(
        "if(count, 1, 2)",
        &[
            "type-mismatch «count» `if` needs a bool, found int | `count != 0` | `if(condition: bool, then: any?, otherwise: any?) -> as its arms`",
        ],
    );
}

#[test]
fn integers_and_constants() {
    check(
        "10 / 4",
        &["integer-division «10 / 4» dividing integers drops the fraction | `10 / 4.0`, or `float(10) / 4`"],
    );
    check("10 / 5", &[]);
    check(
        "count / 4",
        &[
            "integer-division «count / 4» dividing integers drops the fraction | `count / 4.0`, or `float(count) / 4`",
        ],
    );
    check(
        "count / big",
        &["integer-division «count / big» dividing integers drops the fraction | `float(count) / big`"],
    );
    check("1 / 0", &["constant-fails «1 / 0» this fails on every record: division by zero in `1 / 0`"]);
    check(
        "count + 1 / 0",
        &["constant-fails «1 / 0» this fails on every record: division by zero in `1 / 0`"],
    );
    check(
        "9223372036854775807 + 1",
        &[
            "constant-fails «9223372036854775807 + 1» this fails on every record: integer overflow in `9223372036854775807 + 1`",
        ],
    );
    check(
        "int(\"x\")",
        &["constant-fails «int(\"x\")» this fails on every record: text that is no integer in `int(\"x\")`"],
    );
    check(
        "if(up, 1 / 0, 2)",
        &["constant-fails «1 / 0» this fails on every record: division by zero in `1 / 0`"],
    );
    check(
        "parse_time(\"x\")",
        &[
            "constant-fails «parse_time(\"x\")» this fails on every record: text that is no time in `parse_time(\"x\")`",
        ],
    );
}

#[test]
fn patterns() {
    check(
        "matches(sensor_id, \"(\")",
        &["bad-pattern «\"(\"» this is no regular expression: unclosed group"],
    );
    check(
        "matches(sensor_id, sensor_id)",
        &[
            "needs-constant «sensor_id» `matches` needs a text that is known before any record is | a text in quotes, or a param",
        ],
    );
    check(
        "matches(5, \"a\")",
        &[
            "type-mismatch «5» `matches` needs a string, found int | `str(5)` | `matches(text: string, pattern: constant string) -> bool`",
        ],
    );
    check("format_time(at, \"%Q\")", &[]);
    check(
        "format_time(at, sensor_id)",
        &[
            "needs-constant «sensor_id» `format_time` needs a text that is known before any record is | a text in quotes, or a param",
        ],
    );
    check(
        "parse_time(sensor_id, \"%H:%M\")",
        &["bad-pattern «\"%H:%M\"» no time can be read in this format: it names no date"],
    );
    check(
        "parse_time(sensor_id, \"%\")",
        &[
            "bad-pattern «\"%\"» no time can be read in this format: strftime formatting failed: invalid format string, expected byte after `%`, but found end of format string",
        ],
    );
}

#[test]
fn lists() {
    check(
        "contains(sensor_id, \"a\")",
        &[
            "type-mismatch «sensor_id» `contains` needs a list, found string | `matches(sensor_id, \"…\")` looks into a text",
        ],
    );
    check(
        "contains((\"a\", 1), \"a\")",
        &[
            "type-mismatch «1» one value of several kinds: string and int | `(\"a\", 1)` has one type, whatever the record",
        ],
    );
    check("contains((\"a\", \"b\"), 1)", &["type-mismatch «1» a list of string never contains int"]);
    check("contains((1, 2.0), count)", &[]);
    check("contains(tags, 1)", &["type-mismatch «1» a list of string never contains int"]);
    check(
        "contains(5, 5)",
        &["type-mismatch «5» `contains` needs a list, found int | `contains((\"a\", \"b\"), x)`"],
    );
    check(
        "contains((humidity, 1.0), 1.0)",
        &[
            "may-be-absent «humidity» `humidity` may be absent | `if(is_set(humidity), humidity, …)`, or `coalesce(humidity, 0.0)`",
        ],
    );
    check("contains_any(tags, (1, 2))", &["type-mismatch «1» a list of string never contains int"]);
    check("contains_any(tags, sizes)", &["type-mismatch «sizes» a list of string never contains int"]);
    check("len(5)", &["type-mismatch «5» `len` needs a string or a list, found int"]);
    check("len(up)", &["type-mismatch «up» `len` needs a string or a list, found bool"]);
    check(
        "len((1, \"a\"))",
        &[
            "type-mismatch «\"a\"» one value of several kinds: int and string | `(1, \"a\")` has one type, whatever the record",
        ],
    );
}

#[test]
fn kinds_of_arguments() {
    check(
        "int(up)",
        &[
            "type-mismatch «up» `int` does not take bool | `int(x: any) -> int`: An int from a float (towards zero), a text or a timestamp (milliseconds).",
        ],
    );
    check(
        "float(at)",
        &[
            "type-mismatch «at» `float` does not take timestamp | `float(x: any) -> float`: A float from an int or a text.",
        ],
    );
    check(
        "math::abs(sensor_id)",
        &[
            "type-mismatch «sensor_id» `math::abs` needs a number, found string | `float(sensor_id)`, or `int(sensor_id)` | `math::abs(x: number) -> as its argument`",
        ],
    );
    check(
        "bitand(1.5, 1)",
        &[
            "type-mismatch «1.5» `bitand` needs an int, found float | `int(1.5)` | `bitand(a: int, b: int) -> int`",
        ],
    );
    check(
        "shl(temperature, 1)",
        &[
            "type-mismatch «temperature» `shl` needs an int, found float | `int(temperature)` | `shl(a: int, distance: int) -> int`",
        ],
    );
    check(
        "hour(\"x\")",
        &[
            "type-mismatch «\"x\"» `hour` needs a timestamp, found string | `parse_time(\"x\")` | `hour(t: timestamp) -> int`",
        ],
    );
    check(
        "hour(5)",
        &["type-mismatch «5» `hour` needs a timestamp, found int | `hour(t: timestamp) -> int`"],
    );
    check(
        "seconds(5)",
        &["type-mismatch «5» `seconds` needs a duration, found int | `seconds(d: duration) -> float`"],
    );
    check(
        "starts_with(count, \"a\")",
        &[
            "type-mismatch «count» `starts_with` needs a string, found int | `str(count)` | `starts_with(text: string, prefix: string) -> bool`",
        ],
    );
    check("typeof(nothing)", &["unknown-field «nothing» `valid` has no field `nothing`"]);
    check(
        "field(sensor_id)",
        &[
            "needs-constant «sensor_id» `field` needs a text that is known before any record is | a text in quotes, or a param",
        ],
    );
    check(
        "field(\"user_id\")",
        &["unknown-field «field(\"user_id\")» `valid` has no field `user_id` | did you mean `user-id`?"],
    );
    check(
        "field(5)",
        &[
            "type-mismatch «5» `field` needs a constant string, found int | `field(name: constant string) -> as declared`",
        ],
    );
}

#[test]
fn calls_that_are_none() {
    check(
        "limit(5)",
        &[
            "unknown-function «limit» there is no function `limit` | `limit` is a field or a param: it takes no arguments",
        ],
    );
    check(
        "temperature(5)",
        &[
            "unknown-function «temperature» there is no function `temperature` | `temperature` is a field or a param: it takes no arguments",
        ],
    );
    check("4(5)", &["expression-syntax «(» an operator is missing between `4` and `(`"]);
    check("(1)(2)", &["expression-syntax «(» an operator is missing between `)` and `(`"]);
    check("\"a\" \"b\"", &["expression-syntax «\"b\"» an operator is missing between `\"a\"` and `\"b\"`"]);
    check(
        "if(up, (1, 2), 3)",
        &[
            "type-mismatch «(1, 2)» a list stands where a value is needed | `contains((…), x)` and `contains_any` take lists",
        ],
    );
    check(
        "1 + (1, 2)",
        &[
            "type-mismatch «(1, 2)» a list stands where a value is needed | `contains((…), x)` and `contains_any` take lists",
        ],
    );
}

#[test]
fn a_name_that_is_both_shows_both_places() {
    let mut table = readings().param("count", ParamValue::Int(1));
    let mut faults = vec![];
    assert!(compile(&Passage::plain("count > 1", 0), &mut table, Setting::Record, &mut faults).is_none());
    assert_eq!(
        line("count > 1", &faults[0]),
        "ambiguous-name «count» `count` is both a field and a param | rename the param"
    );
    assert_eq!(faults[0].secondary.len(), 2);
}

#[test]
fn a_condition_is_a_bool_that_is_there() {
    let check = |text: &str, expected: &str| {
        let mut faults = vec![];
        assert!(compile_condition(&Passage::plain(text, 0), &mut readings(), &mut faults).is_none());
        assert_eq!(line(text, &faults[0]), expected);
    };
    check(
        "temperature",
        "type-mismatch «temperature» a condition is needed, and this is float | `temperature > 0`",
    );
    check(
        "sensor_id",
        "type-mismatch «sensor_id» a condition is needed, and this is string | `sensor_id == \"…\"`",
    );
    check(
        "flag",
        "may-be-absent «flag» `flag` may be absent | `is_set(flag) && flag`, or `coalesce(flag, false)`",
    );
    let mut faults = vec![];
    let condition = compile_condition(&Passage::plain("temperature > 80", 0), &mut readings(), &mut faults);
    assert!(matches!(condition, Some(Condition::Within(_))), "{condition:?} {faults:?}");
}

#[test]
fn size_is_bounded() {
    let check = |text: &str, expected: &str| {
        let said = said(text, Setting::Record);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(expected), "{} does not say {expected}", said[0]);
    };
    let sum = |n: usize| vec!["count"; n].join("+");
    let wrapped = |n: usize, open: &str, close: &str| format!("{}up{}", open.repeat(n), close.repeat(n));
    check(&" ".repeat(4097), "the expression has 4097 bytes, more than 4096");
    check(&sum(501), "the expression has 1001 tokens, more than 1000");
    assert!(said(&sum(500), Setting::Record).is_empty());
    for (open, close) in [("(", ")"), ("!", ""), ("! ! (", ")"), ("if(up,up,", ")")] {
        let levels = 128 / open.matches(['!', '(']).count();
        assert_eq!(said(&wrapped(levels, open, close), Setting::Record), [""; 0], "{open}");
        if open.len() < 6 {
            check(&wrapped(levels + 1, open, close), "nests more than 128 levels deep");
        }
    }
}

/// Checking and compiling recurse as deep as an expression nests. A debug build on half of a thread's usual stack
/// has room for the worst.
#[test]
fn the_deepest_expressions_fit_a_small_stack() {
    let wrapped = |n: usize, open: &str, inside: &str, close: &str| {
        format!("{}{inside}{}", open.repeat(n), close.repeat(n))
    };
    let texts = [
        wrapped(128, "if(up,up,", "up", ")"),
        wrapped(42, "if(up||up&&1.0<2.0+1.0*(-", "1.0", "),1.0,2.0)"),
        wrapped(120, "(1.0+2.0*temperature^", "1.0", ")"),
        wrapped(120, "(up||up&&up==", "up", ")"),
        wrapped(63, "coalesce(humidity,temperature+math::sqrt(", "1.0", "))"),
        wrapped(42, "math::abs(-min(1,temperature+", "1.0", "))"),
        vec!["temperature"; 300].join("+") + ">1.0",
        vec!["up"; 500].join("&&"),
        vec!["str(count)"; 160].join("+"),
    ];
    let all = move || {
        for text in &texts {
            let mut table = readings();
            let mut faults = vec![];
            let expression = compile(&Passage::plain(text, 0), &mut table, Setting::Record, &mut faults);
            let expression = expression.unwrap_or_else(|| panic!("{text}: {faults:?}"));
            assert!(with_record(&table, |frame| expression.value(frame).is_ok()), "{text}");
        }
    };
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(all)
        .expect("a thread")
        .join()
        .expect("no overflow");
}

#[test]
fn the_longest_expressions_are_decided_at_once() {
    let texts = [
        "(".repeat(4096),
        "-".repeat(4096),
        "a ".repeat(2048),
        "\"".repeat(4095),
        "x&&".repeat(300) + "x",
        "f(".repeat(2000),
        "1,".repeat(2000),
    ];
    for text in texts {
        said(&text, Setting::Record);
    }
}
