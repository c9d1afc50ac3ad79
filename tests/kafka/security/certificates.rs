//! Certificates that nobody should trust, and clients that look at none.

use super::{CHECK, LATE, RUN, SOON, fine, place, refused, refused_by_all};
use crate::support::secured::Door;

const PROTOCOL: &str = "look at `security.protocol` in `[kafka.common]`";
const UNTRUSTED: &str = ": no TLS connection to ADDRESS: its certificate cannot be verified";

pub fn a_broker_with_a_sound_one_is_trusted() {
    let place = place("sound", |secured| secured.by_certificate());
    fine(&place, CHECK);
    fine(&place, RUN);
}

pub fn an_expired_one_is_said_at_once() {
    let place = place("expired", |secured| secured.by_expired_certificate());
    refused_by_all(&place, SOON, UNTRUSTED, "it has expired, or ");
    refused(&place, RUN, UNTRUSTED, "`openssl s_client -connect ADDRESS ");
}

pub fn an_untrusted_one_is_said_at_once() {
    let place = place("untrusted", |secured| secured.by_certificate().with("\"ssl.ca.location\"", "#"));
    refused_by_all(&place, SOON, UNTRUSTED, "`ssl.ca.location` in `[kafka.common]`");
}

pub fn a_client_without_tls_is_told_what_may_be_missing() {
    let place = place("clear", |secured| secured.by_certificate().unprepared());
    refused_by_all(&place, LATE, ": ADDRESS hangs up at once", PROTOCOL);
}

pub fn a_client_with_tls_is_told_that_the_broker_may_have_none() {
    let place = place("tls", |secured| {
        let address = secured.cluster.bootstrap().to_owned();
        Door { address, ..secured.by_certificate() }
    });
    refused_by_all(&place, LATE, ": ADDRESS hangs up at once", PROTOCOL);
}
