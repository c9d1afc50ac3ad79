//! streamrun on real brokers: it is killed, frozen, replaced and cut off, its brokers too, and what comes out is
//! judged by somebody who shares no code with it.
//!
//! The brokers are started by the script beside this file, which needs Java 17 and, once, Maven. Without them these
//! tests are reported as ignored, and under `CI=true` as failed. `STREAMRUN_TEST_KAFKA=HOST:PORT` names a cluster to
//! use instead; what needs power over the brokers is then left out, as is what needs TLS without the feature `tls`.

// The lint knows unit tests; all of this is tests, too.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use libtest_mimic::{Arguments, Trial};
use security::{certificates, passwords, permissions, secrets};
use std::collections::BTreeMap;
use std::process::ExitCode;
use support::{broker, proxy, secured};
use trials::{broken_brokers, frozen, killed, members, network, silence, twins};

mod back_fill;
mod commands;
mod dropped;
mod poison;
mod restart;
mod same_output;
mod security;
mod support;
mod trials;
mod verify;
mod workload;

/// What a test needs of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// A cluster, whoever else uses it.
    Cluster,
    /// Brokers that it may harm.
    Power,
    /// The same, and a program with TLS.
    Tls,
}

type Test = (&'static str, Needs, fn());

const TESTS: &[Test] = &[
    ("tools::verdict::sound_logs_are_found_sound", Needs::Nothing, verify::tests::sound_logs_are_found_sound),
    ("tools::verdict::whatever_is_wrong_is_found", Needs::Nothing, verify::tests::whatever_is_wrong_is_found),
    (
        "tools::verdict::it_holds_on_the_embedded_log",
        Needs::Nothing,
        same_output::the_verdict_holds_on_the_embedded_log,
    ),
    ("tools::proxy::frames_pass_both_ways", Needs::Nothing, proxy::tests::frames_pass_both_ways),
    (
        "tools::proxy::a_reply_is_swallowed_and_its_connection_cut",
        Needs::Nothing,
        proxy::tests::a_reply_is_swallowed_and_its_connection_cut,
    ),
    (
        "tools::proxy::connections_are_cut_and_come_again",
        Needs::Nothing,
        proxy::tests::connections_are_cut_and_come_again,
    ),
    (
        "tools::proxy::a_hole_keeps_what_it_gets_until_it_is_none",
        Needs::Nothing,
        proxy::tests::a_hole_keeps_what_it_gets_until_it_is_none,
    ),
    ("tools::brokers::records_are_read_as_they_were_written", Needs::Cluster, support::tests::as_written),
    ("tools::brokers::open_transactions_are_seen", Needs::Cluster, support::tests::open_transactions),
    ("tools::brokers::they_die_and_come_back", Needs::Power, support::tests::die_and_come_back),
    ("tools::brokers::the_proxy_is_on_the_way", Needs::Power, support::tests::proxied),
    ("commands::what_is_produced_is_inspected", Needs::Cluster, commands::what_is_produced_is_inspected),
    (
        "commands::bytes_of_any_kind_are_shown_and_what_was_taken_back_is_not",
        Needs::Cluster,
        commands::bytes_of_any_kind_are_shown_and_what_was_taken_back_is_not,
    ),
    ("commands::who_follows_sees_what_comes", Needs::Cluster, commands::who_follows_sees_what_comes),
    ("commands::changelogs_are_shown_as_rows", Needs::Cluster, commands::changelogs_are_shown_as_rows),
    (
        "commands::lag_names_what_is_left_and_who_is_at_it",
        Needs::Cluster,
        commands::lag_names_what_is_left_and_who_is_at_it,
    ),
    (
        "commands::the_group_is_one_for_kafkas_own_tools",
        Needs::Power,
        commands::the_group_is_one_for_kafkas_own_tools,
    ),
    (
        "commands::a_long_restore_is_ended_and_begun_again",
        Needs::Cluster,
        commands::a_long_restore_is_ended_and_begun_again,
    ),
    (
        "commands::a_cluster_is_held_against_the_file",
        Needs::Cluster,
        commands::a_cluster_is_held_against_the_file,
    ),
    (
        "commands::a_changelog_that_forgets_stops_the_start",
        Needs::Cluster,
        commands::a_changelog_that_forgets_stops_the_start,
    ),
    (
        "commands::a_place_is_taken_by_one_process_and_found_again",
        Needs::Cluster,
        commands::a_place_is_taken_by_one_process_and_found_again,
    ),
    ("dropped::in_any_state", Needs::Cluster, dropped::in_any_state),
    ("dropped::at_least_once_in_any_state", Needs::Cluster, dropped::at_least_once_in_any_state),
    (
        "dropped::with_the_consumer_protocol_in_any_state",
        Needs::Cluster,
        dropped::with_the_consumer_protocol_in_any_state,
    ),
    ("dropped::before_it_has_answered", Needs::Cluster, dropped::before_it_has_answered),
    (
        "dropped::a_topic_that_is_made_again_has_another_id",
        Needs::Power,
        dropped::a_topic_that_is_made_again_has_another_id,
    ),
    ("dropped::without_a_broker", Needs::Power, dropped::without_a_broker),
    ("dropped::a_changelog_that_breaks_off", Needs::Power, dropped::a_changelog_that_breaks_off),
    ("same_output", Needs::Cluster, same_output::on_kafka_on_the_embedded_log_and_in_memory),
    ("back_fill", Needs::Cluster, back_fill::one_partition_is_a_thousand_times_longer),
    ("poison", Needs::Cluster, poison::each_odd_record_comes_out_once),
    (
        "poison::a_topic_that_takes_less_from_now_on",
        Needs::Power,
        poison::a_topic_that_takes_less_from_now_on,
    ),
    ("poison::a_compacted_topic_and_no_key", Needs::Power, poison::a_compacted_topic_and_no_key),
    ("restart::first_output_after_a_start", Needs::Cluster, restart::first_output_after_a_start),
    ("restart::output_after_a_kill", Needs::Cluster, restart::output_after_a_kill),
    ("killed::exactly_once", Needs::Cluster, killed::exactly_once),
    ("killed::with_two_workers", Needs::Cluster, killed::with_two_workers),
    ("killed::with_the_consumer_protocol", Needs::Cluster, killed::with_the_consumer_protocol),
    ("killed::at_least_once", Needs::Cluster, killed::at_least_once),
    ("frozen::past_its_session", Needs::Cluster, frozen::past_its_session),
    ("frozen::past_its_transaction", Needs::Cluster, frozen::past_its_transaction),
    ("members::terminated_at_any_instant", Needs::Cluster, members::terminated_at_any_instant),
    ("members::come_and_go", Needs::Cluster, members::come_and_go),
    (
        "members::come_and_go_with_the_consumer_protocol",
        Needs::Cluster,
        members::come_and_go_with_the_consumer_protocol,
    ),
    ("twins::one_goes_on", Needs::Cluster, twins::one_goes_on),
    ("twins::a_frozen_one_and_its_successor", Needs::Cluster, twins::a_frozen_one_and_its_successor),
    ("broker::killed_and_restarted", Needs::Power, broken_brokers::killed_and_restarted),
    ("broker::terminated_without_one", Needs::Power, broken_brokers::terminated_without_one),
    ("broker::hung", Needs::Power, broken_brokers::hung),
    ("broker::the_coordinator_of_three_lost", Needs::Power, broken_brokers::the_coordinator_of_three_lost),
    ("broker::an_outage_is_no_silence", Needs::Power, silence::an_outage_is_none),
    ("network::cut", Needs::Power, network::cut),
    ("network::delayed", Needs::Power, network::delayed),
    ("network::swallowed_whole", Needs::Power, network::swallowed_whole),
    ("network::reply_of_the_commit_lost", Needs::Power, network::reply_of_the_commit_lost),
    ("network::no_reply_of_the_commit", Needs::Power, network::no_reply_of_the_commit),
    ("network::reply_of_the_offsets_lost", Needs::Power, network::reply_of_the_offsets_lost),
    ("network::reply_of_a_write_lost", Needs::Power, network::reply_of_a_write_lost),
    (
        "security::passwords::a_wrong_one_is_said_at_once",
        Needs::Power,
        passwords::a_wrong_one_is_said_at_once,
    ),
    (
        "security::passwords::a_wrong_one_is_said_at_once_over_tls",
        Needs::Tls,
        passwords::a_wrong_one_is_said_at_once_over_tls,
    ),
    (
        "security::passwords::a_client_without_one_is_told_what_may_be_missing",
        Needs::Power,
        passwords::a_client_without_one_is_told_what_may_be_missing,
    ),
    (
        "security::permissions::each_one_that_is_missing_is_named",
        Needs::Power,
        permissions::each_one_that_is_missing_is_named,
    ),
    (
        "security::permissions::one_that_is_taken_away_is_named",
        Needs::Power,
        permissions::one_that_is_taken_away_is_named,
    ),
    ("security::permissions::who_has_none_is_told_so", Needs::Power, permissions::who_has_none_is_told_so),
    (
        "security::certificates::a_broker_with_a_sound_one_is_trusted",
        Needs::Tls,
        certificates::a_broker_with_a_sound_one_is_trusted,
    ),
    (
        "security::certificates::an_expired_one_is_said_at_once",
        Needs::Tls,
        certificates::an_expired_one_is_said_at_once,
    ),
    (
        "security::certificates::an_untrusted_one_is_said_at_once",
        Needs::Tls,
        certificates::an_untrusted_one_is_said_at_once,
    ),
    (
        "security::certificates::a_client_without_tls_is_told_what_may_be_missing",
        Needs::Power,
        certificates::a_client_without_tls_is_told_what_may_be_missing,
    ),
    (
        "security::certificates::a_client_with_tls_is_told_that_the_broker_may_have_none",
        Needs::Tls,
        certificates::a_client_with_tls_is_told_that_the_broker_may_have_none,
    ),
    ("security::secrets::by_password", Needs::Power, secrets::by_password),
    ("security::secrets::by_scram_over_tls", Needs::Tls, secrets::by_scram_over_tls),
];

fn main() -> ExitCode {
    let mut args = Arguments::from_args();
    // They watch the clock, and share two cores with the brokers.
    args.test_threads = args.test_threads.or(Some(1));
    let world = World::look(&args);
    let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
    for why in TESTS.iter().filter_map(|(_, needs, _)| world.lacks(*needs)) {
        *left_out.entry(why).or_default() += 1;
    }
    if !args.list {
        for (why, count) in &left_out {
            eprintln!("{count} of {} tests are ignored: {why}", TESTS.len());
        }
        if world.has_no_broker() && std::env::var("CI").is_ok_and(|ci| ci == "true") {
            eprintln!("with CI=true they have to run");
            return ExitCode::FAILURE;
        }
    }
    let trials = TESTS.iter().map(|(name, needs, test)| {
        let test = *test;
        let run = move || {
            test();
            Ok(())
        };
        Trial::test(*name, run).with_ignored_flag(world.lacks(*needs).is_some())
    });
    let conclusion = libtest_mimic::run(&args, trials.collect());
    broker::end_shared();
    secured::end_shared();
    conclusion.exit_code()
}

/// What there is for tests to run on.
struct World {
    has_cluster: bool,
    /// Why no broker can be started here.
    missing: Option<String>,
}

impl World {
    fn look(args: &Arguments) -> Self {
        let missing = if args.list { None } else { broker::missing() };
        World { has_cluster: broker::external().is_some(), missing }
    }

    fn has_no_broker(&self) -> bool {
        !self.has_cluster && self.missing.is_some()
    }

    /// Why a test cannot run, if so.
    fn lacks(&self, needs: Needs) -> Option<&str> {
        match needs {
            Needs::Nothing => None,
            Needs::Cluster if self.has_cluster => None,
            Needs::Power | Needs::Tls if self.has_cluster => {
                Some("they want brokers of their own, and STREAMRUN_TEST_KAFKA is not theirs")
            }
            Needs::Tls if self.missing.is_none() && !cfg!(feature = "tls") => {
                Some("TLS is not built in; `cargo test --features tls --test kafka -- security` runs them")
            }
            Needs::Cluster | Needs::Power | Needs::Tls => self.missing.as_deref(),
        }
    }
}
