//! One value against one rule.

use super::table::Rule;
use crate::diagnostic::did_you_mean;

/// Why a text is not a value of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// librdkafka would not take it.
    Bad {
        /// What it takes.
        expected: String,
        /// What may have been meant.
        close: Option<&'static str>,
    },
    /// librdkafka would, but streamrun's guarantee rests on another.
    Refused {
        /// What it has to be.
        expected: String,
        /// Why.
        why: &'static str,
        /// What to write.
        instead: &'static str,
    },
}

/// The value as librdkafka spells it.
pub fn fit(rule: Rule, text: &str) -> Result<String, Misfit> {
    let fits = match rule {
        Rule::Int(from, to) => whole(text, from, to),
        Rule::Float(from, to) => {
            text.parse::<f64>().ok().filter(|x| (from..=to).contains(x)).map(|x| x.to_string())
        }
        Rule::Bool => one_of(&["true", "false"], text),
        Rule::OneOf(values) => one_of(values, text),
        Rule::Flags(values) => flags(values, text)?,
        Rule::Fixed(values, why) => {
            let refused = || Misfit::Refused {
                expected: format!("stay `{}`", values[0]),
                why,
                instead: "remove it: this is what streamrun sets",
            };
            return one_of(values, text).ok_or_else(refused);
        }
        Rule::Guarded(from, to, why) => {
            let refused = || Misfit::Refused {
                expected: format!("be {}", range(from, to)),
                why,
                instead: "remove it, and streamrun chooses",
            };
            return whole(text, from, to).ok_or_else(refused);
        }
        // A C string ends at its first NUL.
        _ => Some(text.to_owned()).filter(|text| !text.contains('\0')),
    };
    fits.ok_or_else(|| Misfit::Bad { expected: expected(rule), close: close(rule, text) })
}

/// What a rule takes, in words.
pub fn expected(rule: Rule) -> String {
    match rule {
        Rule::Int(from, to) | Rule::Guarded(from, to, _) => format!("an integer {}", range(from, to)),
        Rule::Float(from, to) => format!("a number from {from} to {to}"),
        Rule::Bool => "`true` or `false`".to_owned(),
        Rule::OneOf(values) => format!("one of `{}`", values.join("`, `")),
        Rule::Fixed(values, _) => format!("`{}`", values[0]),
        Rule::Flags(values) => format!("some of `{}`, with commas between", values.join("`, `")),
        _ => "a text".to_owned(),
    }
}

/// A range; the largest 32-bit integer is no limit that anyone means.
fn range(from: i64, to: i64) -> String {
    match to {
        _ if to == i64::from(i32::MAX) => format!("from {from} up"),
        _ => format!("from {from} to {to}"),
    }
}

/// librdkafka reads `10s` as 10, and 0x10 as 16; here a number is decimal, and all of the text.
fn whole(text: &str, from: i64, to: i64) -> Option<String> {
    text.parse::<i64>().ok().filter(|n| (from..=to).contains(n)).map(|n| n.to_string())
}

fn one_of(values: &[&str], text: &str) -> Option<String> {
    values.iter().find(|value| value.eq_ignore_ascii_case(text)).map(|value| (*value).to_owned())
}

fn flags(values: &'static [&'static str], text: &str) -> Result<Option<String>, Misfit> {
    let unknown = text.split(',').map(str::trim).find(|flag| !values.contains(flag));
    match unknown {
        Some(flag) => Err(Misfit::Bad {
            expected: expected(Rule::Flags(values)),
            close: did_you_mean(flag, values.iter().copied()),
        }),
        None => Ok(Some(text.replace(char::is_whitespace, ""))),
    }
}

fn close(rule: Rule, text: &str) -> Option<&'static str> {
    match rule {
        Rule::OneOf(values) => did_you_mean(text, values.iter().copied()),
        Rule::Bool => did_you_mean(text, ["true", "false"]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: Rule, text: &str, expected: Option<&str>) {
        assert_eq!(fit(rule, text).ok().as_deref(), expected, "{rule:?} {text}");
    }

    #[test]
    fn a_value_is_all_of_the_text_and_leaves_in_one_spelling() {
        check(Rule::Int(1, 10), "10", Some("10"));
        check(Rule::Int(1, 10), "+5", Some("5"));
        check(Rule::Int(1, 10), "11", None);
        check(Rule::Int(1, 10), "0x5", None);
        check(Rule::Int(1, 10), "5s", None);
        check(Rule::Int(1, 10), "", None);
        check(Rule::Float(0.0, 1.0), "0.50", Some("0.5"));
        check(Rule::Float(0.0, 1.0), "NaN", None);
        check(Rule::Bool, "TRUE", Some("true"));
        check(Rule::Bool, "yes", None);
        check(Rule::OneOf(&["GSSAPI", "PLAIN"]), "plain", Some("PLAIN"));
        check(Rule::Flags(&["broker", "msg"]), "broker, msg", Some("broker,msg"));
        check(Rule::Flags(&["broker", "msg"]), "broker,mgs", None);
        check(Rule::Fixed(&["all", "-1"], ""), "-1", Some("-1"));
        check(Rule::Fixed(&["all", "-1"], ""), "1", None);
        check(Rule::Guarded(1, 5, ""), "5", Some("5"));
        check(Rule::Guarded(1, 5, ""), "6", None);
        check(Rule::Text, "a\0b", None);
    }
}
