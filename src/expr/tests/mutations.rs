//! Texts near expressions: none makes anything panic, and every label lies inside of the passage.

use super::*;

const SEED: u64 = 20_260_101;
const BUDGET: usize = 20_000;

const TEXTS: [&str; 14] = [
    "temperature >= coldest && temperature <= 150.0",
    "if(temperature >= 80.0, \"critical\", if(temperature >= 60.0, \"wärning\", \"normal\"))",
    "is_set(humidity) && humidity > 80.0 || !(count % 3 == 1)",
    "coalesce(humidity, age, -1) ^ 2.5e-1",
    "contains((\"a\", \"b\\\"c\", sensor_id), location)",
    "contains_any(tags, (\"x\", \"ü\")) || len(tags) > 0x1f",
    "str::substring(sensor_id, 0, 6) + \"/\" + str(count)",
    "matches(sensor_id, \"^sensor-[0-9]+$\")",
    "format_time(at + window, \"%Y-%m-%d %H:%M\")",
    "parse_time(sensor_id, \"%Y-%m-%d\") < at - window * 2",
    "field(\"user-id\") == \"u-1\" && payload.temp < 0.5",
    "math::log(round(temperature, 2), 2.0) + min(1, 2.0, count)",
    "seconds_between(at, coalesce(seen, at)) > seconds(window)",
    "typeof(raw) == \"json\" && bitand(shl(1, 4), big) != 0",
];

const PIECES: [&str; 40] = [
    "(",
    ")",
    ",",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "&&",
    "||",
    "!",
    "==",
    "=",
    "<",
    ">",
    "\"",
    "'",
    "\\",
    " ",
    ".",
    "::",
    ";",
    "?",
    "&",
    "e-",
    "0x",
    "ü",
    "\u{1F980}",
    "nan",
    "humidity",
    "count",
    "is_set(",
    "if(",
    "sum(",
    "now()",
    "1e999",
    "9223372036854775807",
    "//",
    "\0",
];

const NAMES: [&str; 8] = ["count", "location", "humidity", "label", "tags", "at", "odd", "-big"];

fn mutated(text: &str, dice: &Dice) -> String {
    let mut text = text.to_owned();
    let spot = |text: &str| {
        let at = dice.int(0, text.len() as i64).unwrap_or(0) as usize;
        (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
    };
    for _ in 0..dice.int(1, 3).unwrap_or(1) {
        let (a, b) = (spot(&text), spot(&text));
        let (start, end) = (a.min(b), a.max(b).min(a.min(b) + 12));
        let end = (end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        let piece = PIECES[dice.int(0, PIECES.len() as i64 - 1).unwrap_or(0) as usize];
        match dice.int(0, 5) {
            Some(4) => text = text.replacen("temperature", NAMES[start % NAMES.len()], 1),
            Some(5) => text = text.replacen("sensor_id", NAMES[end % NAMES.len()], 1),
            Some(0) => text.replace_range(start..end, ""),
            Some(1) => text.replace_range(start..end, piece),
            Some(2) => text = format!("{}{}", &text[..end], &text[start..]),
            _ => text.insert_str(start, piece),
        }
    }
    text
}

#[test]
fn mutated_expressions_never_panic() {
    println!("seed {SEED}");
    let dice = Dice::new(SEED, AT);
    let mut sound = 0;
    for round in 0..BUDGET {
        let text = mutated(TEXTS[round % TEXTS.len()], &dice);
        let mut table = readings();
        let mut row = Table::new("the row", &["sensor_id string"]);
        let mut faults = vec![];
        let passage = Passage::plain(text.clone(), 7);
        let expression = match round % 3 {
            0 => compile_compute(&passage, &mut table, &mut row, &mut faults),
            1 => compile(&passage, &mut table, Setting::Generate(Arc::new(Dice::new(1, AT))), &mut faults),
            _ => compile(&passage, &mut table, Setting::Record, &mut faults),
        };
        for fault in &faults {
            let label = fault.primary.as_ref().unwrap_or_else(|| panic!("{text}: {fault:?} has no place"));
            let range = label.place.range();
            assert!(
                range.start >= 7 && range.end <= 7 + text.len() && range.start <= range.end,
                "{text}: {fault:?}"
            );
            assert!(
                text.is_char_boundary(range.start - 7) && text.is_char_boundary(range.end - 7),
                "{text}: {fault:?}"
            );
        }
        let errors = faults.iter().any(|fault| fault.severity == Severity::Error);
        assert_eq!(expression.is_none(), errors, "{text}: {faults:?}");
        if let Some(expression) = expression
            && round % 3 != 0
        {
            sound += 1;
            let _ = with_record(&table, |frame| expression.value(frame).is_ok());
        }
        names_in(&text);
    }
    assert!(sound > BUDGET / 20, "{sound} of {BUDGET} were sound: the mutations are too wild to test much");
}
