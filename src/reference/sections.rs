//! What stands beside the nodes: the top of the file, params, schemas, sources, `[kafka]` and the like.

use super::layout::{columns, example, keys as key_list, wrapped};
use crate::operators::KINDS;
use crate::plan::{Key, sections, settings};
use crate::types::Kind;

/// A section: what is not a kind of node.
#[derive(Debug)]
struct Section {
    name: &'static str,
    /// How it stands in the file.
    heading: &'static str,
    summary: &'static str,
    details: &'static str,
    example: &'static str,
}

/// Words and examples for what has no place for them beside its keys.
const SECTIONS: &[Section] = &[
    Section {
        name: "pipeline",
        heading: "the top of the file",
        summary: "the pipeline's name and what it promises",
        details: "These keys stand above the first table.",
        example: "name = \"orders\"\nguarantee = \"at-least-once\"\ndead_letters = \"orders-unusable\"",
    },
    Section {
        name: "params",
        heading: "[params]",
        summary: "the numbers, texts, durations and booleans that people change",
        details: "Expressions use them by their bare names; a key that wants a duration, a size, a number or a \
                  boolean takes a param's name, too. A text that reads as a duration is one. `--set name=value` \
                  comes before STREAMRUN_PARAM_NAME in the environment, and that before the file. A param keeps \
                  its type.",
        example: "[params]\nlimit = 80.0\nwindow = \"1m\"\ndebug = false",
    },
    Section {
        name: "schema",
        heading: "[schema.NAME]",
        summary: "the fields that records of a source are promised to have",
        details: "Each field has a type; a `?` behind it says that the field may be absent. A dotted name reaches \
                  into objects. Fields that no schema names ride along untouched. A record that does not fit \
                  becomes a dead letter.",
        example: "[schema.reading]\nsensor_id = \"string\"\n\"payload.temp\" = \"float\"\nhumidity = \"float?\"\n\
                  tags = \"string[]?\"\nat = \"timestamp\"",
    },
    Section {
        name: "source",
        heading: "[source.NAME]",
        summary: "a topic that is read",
        details: "Records that cannot be decoded or do not fit the schema become dead letters. `event_time` names \
                  the clock that windows follow; `late_by` is how far it stays behind the latest record, and \
                  `idle_after` lets it go on when the topic is quiet, at the price that what comes after such a \
                  silence with an older time is late.",
        example: "[source.readings]\ntopic = \"readings\"\nschema = \"reading\"\nkey = \"sensor_id\"\n\
                  event_time = \"at\"\nlate_by = \"5s\"\nidle_after = \"10s\"",
    },
    Section {
        name: "generate",
        heading: "[generate.SOURCE]",
        summary: "made-up records for a source, for `produce` and `demo`",
        details: "Each field of `set` is an expression, made up anew for each record; random(), random_int(), \
                  random_normal(), pick() and now() stand here only.",
        example: "[generate.readings]\nset.sensor_id = '\"sensor-\" + str(random_int(1, 10))'\n\
                  set.payload.temp = 'random_normal(20.0, 5.0)'\nset.at = 'now()'\nbad = ['not json']\nrate = 100",
    },
    Section {
        name: "test",
        heading: "[[test]]",
        summary: "records that are sent, and the rows they are to become",
        details: "`streamrun test` runs them in virtual time. A table is a JSON record, a text is the raw value; \
                  beside its fields a record may say _key, _timestamp, _partition, _headers and _tombstone. \
                  Expected rows are compared by the fields that they name. Steps happen one after the other, with \
                  waits, commits and crashes between; without steps a test sends once and looks once.",
        example: "[[test]]\nname = \"a cold reading is rejected\"\n\
                  send.readings = [{ sensor_id = \"a\", payload.temp = -300.0, at = \"2026-01-01T00:00:00Z\" }]\n\
                  expect.out = []\nexpect.dead_letters = [{ _reason = \"too cold\" }]",
    },
    Section {
        name: "kafka",
        heading: "[kafka]",
        summary: "the cluster, and librdkafka's properties",
        details: "[kafka.common], [kafka.consumer] and [kafka.producer] take librdkafka's properties; an unknown \
                  one, or one that would break the guarantee, is a fault. A secret stands in the environment: \
                  `{ env = \"NAME\" }`.",
        example: "[kafka]\nbrokers = \"localhost:9092\"\n\n[kafka.common]\n\"security.protocol\" = \"sasl_ssl\"\n\
                  \"sasl.password\" = { env = \"KAFKA_PASSWORD\" }",
    },
    Section {
        name: "run",
        heading: "[run]",
        summary: "how the engine runs",
        details: "The defaults are meant to do. While more than 100,000 records wait for a worker it commits a fifth \
                  as often as `commit_every` says, but not because of that less often than every 500 ms.",
        example: "[run]\ncommit_every = \"1s\"\nworkers = 4",
    },
    Section {
        name: "status",
        heading: "[status]",
        summary: "the status endpoint: tables, counters, health over HTTP",
        details: "It is read-only and listens on this machine alone unless it is told otherwise.",
        example: "[status]\nlisten = \"127.0.0.1:6066\"",
    },
];

/// The names of all sections.
pub fn names() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().map(|section| section.name)
}

/// All there is to say of a section.
pub fn text(name: &str) -> Option<String> {
    let section = SECTIONS.iter().find(|section| section.name == name)?;
    let mut parts =
        vec![wrapped(&format!("{}: {}", section.heading, section.summary), 0), wrapped(section.details, 2)];
    if name == "schema" {
        parts.push(types());
    }
    if let Some(keys) = keys_of(name) {
        parts.push(key_list(keys));
    }
    parts.push(example(section.example));
    Some(parts.join("\n"))
}

fn keys_of(name: &str) -> Option<&'static [Key]> {
    match name {
        "pipeline" => Some(settings::TOP),
        name => sections().into_iter().find(|(known, ..)| *known == name).map(|(_, keys, _)| keys),
    }
}

fn types() -> String {
    let names: Vec<&str> = Kind::NAMES.iter().map(|(name, ..)| *name).collect();
    format!("Types\n\n{}", wrapped(&names.join(", "), 2))
}

/// A line a section.
pub fn list() -> String {
    let others = SECTIONS.iter().filter(|section| section.name != "source");
    columns(others.map(|section| (section.name, section.summary)), 2)
}

/// Every key of every table, with the table it stands in.
pub fn keys() -> Vec<(String, &'static Key)> {
    let mut all = vec![];
    let mut add = |place: String, keys: &'static [Key]| {
        all.extend(keys.iter().map(|key| (place.clone(), key)));
    };
    add("the top of the file".to_owned(), settings::TOP);
    for kind in KINDS {
        add(format!("[{}.NAME]", kind.name), kind.keys);
    }
    for (name, keys, _) in sections() {
        let heading = SECTIONS.iter().find(|section| section.name == name).map(|section| section.heading);
        add(heading.unwrap_or(name).to_owned(), keys);
    }
    all
}

/// What a key does, wherever it may stand.
pub fn key(name: &str) -> Option<String> {
    let places: Vec<_> = keys().into_iter().filter(|(_, key)| key.name == name).collect();
    let rows = places.iter().map(|(place, key)| (place, format!("{} ({})", key.doc, key.form.expects())));
    let rows: Vec<_> = rows.collect();
    let list = columns(rows.iter().map(|(place, text)| (place.as_str(), text.as_str())), 2);
    (!rows.is_empty()).then(|| format!("`{name}` is a key of\n\n{list}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_that_has_keys_has_words_too() {
        for (name, ..) in sections() {
            assert!(SECTIONS.iter().any(|section| section.name == name), "{name}");
        }
    }

    #[test]
    fn the_examples_are_one_sound_pipeline() {
        let examples: Vec<&str> = SECTIONS.iter().map(|section| section.example).collect();
        let nodes = "
            [branch.good]
            from = \"readings\"
            reject = [{ when = 'payload.temp < -273.15 || debug && payload.temp > limit', reason = \"too cold\" }]
            [tumble.per_window]
            from = \"good\"
            by = \"sensor_id\"
            every = \"window\"
            compute.n = 'count()'
            [sink.out]
            from = \"per_window\"
            topic = \"rows\"";
        let text = format!("{}\n{nodes}", examples.join("\n"));
        let checked = crate::plan::check(&text, &[]);
        assert!(checked.diagnostics.is_empty(), "{:#?}", checked.diagnostics);
    }
}
