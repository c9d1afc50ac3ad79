//! Renames see the record as it comes in, and what they hide stays hidden.

use streamrun::{plan, testing};

/// Runs one record through maps; what comes out is to be exactly this.
fn check(maps: &[&str], record: &str, expected: &str) {
    let mut file = String::from(
        "name = \"p\"\n[schema.s]\na = \"int\"\nb = \"int?\"\n[source.s]\ntopic = \"in\"\nschema = \"s\"\n",
    );
    let mut from = "s".to_owned();
    for (at, map) in maps.iter().enumerate() {
        file += &format!("[map.m{at}]\nfrom = \"{from}\"\n{map}\n");
        from = format!("m{at}");
    }
    file += &format!("[sink.out]\nfrom = \"{from}\"\ntopic = \"out\"\n[[test]]\nname = \"t\"\n");
    file += &format!("send.s = ['{record}']\nexpect.out = [{{ _value = '{expected}' }}]\n");
    let checked = plan::check(&file, &[]);
    assert_eq!(checked.errors(), 0, "{:#?}", checked.diagnostics);
    for case in checked.plan.expect("a plan").cases {
        let outcome = testing::run(&file, &[], &case);
        assert!(outcome.passed(), "{maps:?} on {record}: {:#?}", outcome.faults);
    }
}

#[test]
fn two_fields_change_places() {
    check(&["rename = { a = \"b\", b = \"a\" }"], r#"{"a":1,"b":2,"k":3}"#, r#"{"b":1,"a":2,"k":3}"#);
}

#[test]
fn a_chain_of_renames_is_one_step() {
    check(&["rename = { b = \"a\", c = \"b\" }"], r#"{"a":1,"b":2}"#, r#"{"b":1,"c":2}"#);
    check(&["rename = { c = \"b\", b = \"a\" }"], r#"{"a":1,"b":2}"#, r#"{"b":1,"c":2}"#);
}

#[test]
fn what_a_rename_hides_does_not_come_back() {
    check(&["rename = { b = \"a\" }", "drop = [\"b\"]"], r#"{"a":1,"b":2,"k":3}"#, r#"{"k":3}"#);
    check(
        &["rename = { b = \"a\" }", "rename = { c = \"b\" }"],
        r#"{"a":1,"b":2,"k":3}"#,
        r#"{"c":1,"k":3}"#,
    );
    check(
        &["rename = { b = \"a\" }\nset.a = '7'", "drop = [\"b\"]"],
        r#"{"a":1,"b":2,"k":3}"#,
        r#"{"k":3,"a":7}"#,
    );
    check(&["set.b = '7'", "rename = { c = \"b\" }"], r#"{"a":1,"b":2}"#, r#"{"a":1,"c":7}"#);
    check(
        &["rename = { a = \"b\", b = \"a\" }", "drop = [\"a\"]"],
        r#"{"a":1,"b":2,"k":3}"#,
        r#"{"b":1,"k":3}"#,
    );
}

#[test]
fn one_field_is_renamed_once() {
    let file = "name = \"p\"\n[source.s]\ntopic = \"in\"\n[map.m]\nfrom = \"s\"\nrename = { c = \"a\", d = \"a\" }\n\
                [sink.o]\nfrom = \"m\"\ntopic = \"o\"\n";
    let checked = plan::check(file, &[]);
    assert_eq!(checked.diagnostics.len(), 1, "{:#?}", checked.diagnostics);
    assert_eq!(checked.diagnostics[0].message, "`a` is renamed twice");
}

#[test]
fn one_key_in_two_spellings_is_repartitioned() {
    let file = |format: &str| {
        format!(
            "name = \"p\"\n[schema.s]\nid = \"string\"\n[source.a]\ntopic = \"a\"\nschema = \"s\"\nkey = \"id\"\n\
             [source.b]\ntopic = \"b\"\nschema = \"s\"\nkey = \"id\"\nkey_format = \"{format}\"\n\
             [count.c]\nfrom = [\"a\", \"b\"]\nby = \"id\"\n"
        )
    };
    let sources = |format: &str| plan::check(&file(format), &[]).plan.expect("it is sound").sources.len();
    assert_eq!((sources("text"), sources("json")), (2, 3));
}
