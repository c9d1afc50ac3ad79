//! Users who may not do what a pipeline has to.
//!
//! The rules deny one right of those that the README names. What is denied may still be seen, so that it is not the
//! look-up that fails but what comes later, when a start has long begun.

use super::{CHECK, LATE, RUN, ends_refused, fine, place, refused, send, verb};
use crate::support::Place;
use crate::support::deadline::until_true;
use crate::support::engine::DEADLINE;
use crate::support::secured::{self, Secured, USERS};

/// What a pipeline needs whose topics all begin with its name, as the README has it: for every name with a beginning.
pub fn grant(secured: &Secured, names: &str, user: &str) {
    let (allow, of) = (format!("--add --allow-principal User:{user}"), "--resource-pattern-type prefixed");
    let all = format!("--topic {names} --group {names} --transactional-id {names} {of}");
    secured.rule(&format!("{allow} --producer --consumer {all}"));
    secured.rule(&format!("{allow} --operation DescribeConfigs --topic {names} {of}"));
}

pub fn each_one_that_is_missing_is_named() {
    let secured = secured::shared();
    grant(&secured, "rules-", "*");
    let place = for_user(USERS[0]);
    let said = fine(&place, CHECK);
    assert!(!said.contains("not looked at"), "{said}");
    fine(&place, RUN);
    let may_not = |user: &str, rule: &str, checked: &str, ran: &str, hint: &str| {
        let place = for_user(user);
        let rule = rule.replace("NAME", &place.name);
        secured.rule(&format!("--add --deny-principal User:{user} {rule}"));
        refused(&place, CHECK, checked, hint);
        refused(&place, RUN, ran, hint);
    };
    may_not(
        "reads-not",
        "--operation Read --topic NAME-in",
        "the user may not read the topic `NAME-in`",
        "error: ADDRESS: the user may not read the topic `NAME-in`",
        "the user needs Read on the topic `NAME-in`",
    );
    may_not(
        "writes-not",
        "--operation Write --topic NAME-out",
        "the user may not write the topic `NAME-out`",
        "error: ADDRESS: the user may not write the topic `NAME-out`",
        "the user needs Write on the topic `NAME-out`",
    );
    may_not(
        "joins-not",
        "--operation Read --group NAME",
        "the user may not read the group `NAME`",
        "error: ADDRESS: the group cannot be read with: group authorization failed",
        "the user needs Read on the group",
    );
    may_not(
        "commits-not",
        "--operation Write --transactional-id NAME --resource-pattern-type prefixed",
        "a transactional producer cannot begin: ",
        "error: a transactional producer cannot begin at ADDRESS: ",
        "the user needs Write on transactional ids that begin with the pipeline's name",
    );
}

/// What was allowed at the start and is no more ends a process, which then names it, too.
pub fn one_that_is_taken_away_is_named() {
    let secured = secured::shared();
    let place = for_user("no-more");
    grant(&secured, &place.name, "no-more");
    let engine = verb(&place, &RUN.replace(" --until-end", ""));
    let reader = place.reader();
    let written = || reader.ends(&place.topic("out")).iter().any(|(committed, _)| *committed > 0);
    until_true("outputs", DEADLINE, written);
    secured
        .rule(&format!("--add --deny-principal User:no-more --operation Write --topic {}-out", place.name));
    send(&place);
    let said = "error: ADDRESS: the user may not write the topic `NAME-out`";
    ends_refused(&place, engine, said, "the user needs Write on the topic `NAME-out`");
}

fn for_user(user: &str) -> Place {
    place("rules", |secured| secured.by_password(user))
}

/// Who may do nothing is not told either what is there.
pub fn who_has_none_is_told_so() {
    let place = place("closed", |secured| secured.by_password("stranger"));
    let words = "topic `NAME-in` cannot be looked up: topic authorization failed";
    refused(&place, RUN, &format!("error: ADDRESS: {words}"), "the user needs Read on inputs");
    let said = verb(&place, CHECK).ended(LATE).with(1);
    for topic in ["in", "out", "dead", "per_id-changelog"] {
        let error = format!("error[not-permitted]: topic `{}` cannot be looked up: ", place.topic(topic));
        assert!(said.contains(&error), "expected {error:?} in\n{said}");
    }
}
