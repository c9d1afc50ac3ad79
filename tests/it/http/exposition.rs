//! Prometheus's text, read as strictly as its own tools do.

use std::collections::{BTreeMap, BTreeSet};

/// All series with their values; panics at whatever Prometheus would not take.
pub fn parse(text: &str) -> BTreeMap<String, f64> {
    let (mut series, mut seen) = (BTreeMap::new(), BTreeSet::new());
    let mut family: Option<(String, String)> = None;
    let mut lines = text.lines();
    assert!(text.ends_with('\n'));
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').expect("a help");
            assert!(help.ends_with('.'), "{line}");
            let ty = lines.next().and_then(|l| l.strip_prefix(&format!("# TYPE {name} "))).expect("its type");
            assert!(["counter", "gauge", "histogram"].contains(&ty), "{line}");
            assert!(seen.insert(name.to_owned()), "{name} comes twice");
            assert_eq!(ty == "counter", name.ends_with("_total"), "{name}");
            family = Some((name.to_owned(), ty.to_owned()));
            continue;
        }
        let (name, value) = line.rsplit_once(' ').expect("a value");
        let (base, labels) = name.split_once('{').unwrap_or((name, "}"));
        let (of, ty) = family.as_ref().expect("a family");
        let suffix = base.strip_prefix(of.as_str()).unwrap_or_else(|| panic!("{line} is not of {of}"));
        match ty.as_str() {
            "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&suffix), "{line}"),
            _ => assert_eq!(suffix, "", "{line}"),
        }
        assert!(base.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{line}");
        well_labelled(labels);
        let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(series.insert(name.to_owned(), value).is_none(), "{name} comes twice");
    }
    series
}

/// `a="x",b="y"}`, with a backslash only before what it may stand before.
fn well_labelled(labels: &str) {
    let mut rest = labels;
    while rest != "}" {
        let (name, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("{labels}"));
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !name.is_empty(), "{labels}");
        let mut escaped = false;
        let end = value.find(|c| {
            let ends = c == '"' && !escaped;
            assert!(!escaped || ['\\', '"', 'n'].contains(&c), "{labels}");
            escaped = c == '\\' && !escaped;
            ends
        });
        rest = &value[end.unwrap_or_else(|| panic!("{labels}")) + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}
