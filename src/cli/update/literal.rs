//! JSON values as TOML: in a line, in quotes that need no escapes where there are such.

use serde_json::Value as Json;

/// `{ sensor = "a", count = 2 }`
pub fn row(fields: &[(String, Json)]) -> String {
    table(fields.iter().map(|(name, value)| (name.as_str(), value)))
}

fn table<'v>(fields: impl Iterator<Item = (&'v str, &'v Json)>) -> String {
    let fields: Vec<_> =
        fields.map(|(name, value)| format!("{} = {}", key(name), literal(value, '"'))).collect();
    if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { basic(name) }
}

/// A value; texts in these quotes if they can be.
pub fn literal(value: &Json, quote: char) -> String {
    match value {
        Json::String(text) => self::text(text, quote),
        Json::Array(values) => {
            let values: Vec<_> = values.iter().map(|value| literal(value, '"')).collect();
            format!("[{}]", values.join(", "))
        }
        Json::Object(members) => table(members.iter().map(|(name, value)| (name.as_str(), value))),
        other => other.to_string(),
    }
}

/// A text in single quotes if that is wanted or saves escapes, in double quotes otherwise.
fn text(text: &str, quote: char) -> String {
    let raw = !text.contains('\'') && !text.contains(|c: char| c.is_control());
    let escapes = text.contains(['"', '\\']);
    if raw && (quote == '\'' || escapes) { format!("'{text}'") } else { basic(text) }
}

fn basic(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_written_as_toml_says() {
        let is = |value: Json, text: &str| assert_eq!(literal(&value, '"'), text);
        is(json!(1), "1");
        is(json!(20.0), "20.0");
        is(json!(1e300), "1e+300");
        is(json!("a"), "\"a\"");
        is(json!("a \"b\""), "'a \"b\"'");
        is(json!("it's \"b\""), "\"it's \\\"b\\\"\"");
        is(json!("a\u{7f}\n\u{1}"), "\"a\\u007F\\n\\u0001\"");
        is(json!([1, "x", []]), "[1, \"x\", []]");
        is(json!({"a": 1, "b c": {}}), "{ a = 1, \"b c\" = {} }");
        assert_eq!(literal(&json!("a"), '\''), "'a'");
    }
}
