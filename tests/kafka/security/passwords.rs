//! Passwords that are wrong, and clients that bring none.

use super::{LATE, SOON, place, refused_by_all};
use crate::support::secured::{PASSWORD, USERS};

const LOOK: &str =
    "look at `sasl.mechanism`, `sasl.username` and the variable of `sasl.password` in `[kafka.common]`";

/// Which is not said either: a mistyped one is nearly the right one.
fn wrong() -> String {
    format!("{PASSWORD}s")
}

pub fn a_wrong_one_is_said_at_once() {
    let place = place("wrong", |secured| secured.by_password(USERS[0]).with_password(&wrong()));
    refused_by_all(&place, SOON, ": ADDRESS does not let us in: SASL authentication error: ", LOOK);
}

pub fn a_wrong_one_is_said_at_once_over_tls() {
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let place = place("wrong", |secured| secured.by_both(mechanism, USERS[0]).with_password(&wrong()));
        refused_by_all(&place, SOON, ": ADDRESS does not let us in: SASL authentication error: ", LOOK);
    }
}

pub fn a_client_without_one_is_told_what_may_be_missing() {
    let place = place("without", |secured| secured.by_password(USERS[0]).unprepared());
    refused_by_all(
        &place,
        LATE,
        ": ADDRESS hangs up at once",
        "look at `security.protocol` in `[kafka.common]`",
    );
}
