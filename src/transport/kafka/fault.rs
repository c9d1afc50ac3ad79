//! What librdkafka's errors are to us: who must act.

use super::ear::Ailment;
use super::native::TransactionError;
use crate::transport::{Class, TransportError};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// An error of a class, with what was being done.
pub fn fault(class: Class, doing: &str, error: &KafkaError) -> TransportError {
    let message = match error.rdkafka_error_code() {
        Some(code) => format!("{doing}: {}", words(code)),
        None => format!("{doing}: {error}"),
    };
    let fault = TransportError::new(class, message);
    match error.rdkafka_error_code().and_then(hint) {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}

/// A failed call of a transaction.
pub fn transaction(class: Class, doing: &str, error: &TransactionError) -> TransportError {
    let fault = TransportError::new(class, format!("{doing}: {}", words(error.code)));
    tracing::debug!(code = ?error.code, text = error.text, "{doing}");
    match hint(error.code) {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}

/// A call that asks and changes nothing: it may be made again, unless nobody will ever answer it.
pub fn asking(doing: &str, error: &KafkaError) -> TransportError {
    let heals = error.rdkafka_error_code().is_none_or(|code| !is_final(code));
    fault(if heals { Class::Retry } else { Class::Fatal }, doing, error)
}

/// The client cannot even be made: a property is wrong.
pub fn unmade(error: &KafkaError) -> TransportError {
    let message = match error {
        // The value may be a secret.
        KafkaError::ClientConfig(_, why, name, _) => format!("the Kafka client refuses `{name}`: {why}"),
        KafkaError::ClientCreation(why) => format!("the Kafka client cannot be made: {why}"),
        other => format!("the Kafka client cannot be made: {other}"),
    };
    let needs_tls = ["OpenSSL", "SSL not", "ssl", "SCRAM"].iter().any(|word| message.contains(word));
    match needs_tls && !cfg!(feature = "tls") {
        true => TransportError::fatal(message)
            .hint("this program was built without TLS: `cargo build --release --features tls` builds it in"),
        false => TransportError::fatal(message),
    }
}

/// Nobody answers at the address.
pub fn unreachable(address: &str, ailment: Option<&Ailment>) -> TransportError {
    let Some(ailment) = ailment else {
        return TransportError::new(Class::Retry, format!("no broker answers at {address}"))
            .hint("`docker compose up -d` starts one here; `--local` runs without Kafka");
    };
    let reason = plain(&ailment.reason);
    match ailment.code {
        RDKafkaErrorCode::Authentication
        | RDKafkaErrorCode::SaslAuthenticationFailed
        | RDKafkaErrorCode::UnsupportedSASLMechanism => {
            TransportError::fatal(format!("{address} does not let us in: {reason}")).hint(
                "look at `sasl.mechanism`, `sasl.username` and the variable of `sasl.password` in \
                     `[kafka.common]`",
            )
        }
        RDKafkaErrorCode::SSL if reason.contains("certificate verify failed") => untrusted(address),
        RDKafkaErrorCode::SSL => TransportError::fatal(format!("no TLS connection to {address}: {reason}"))
            .hint("look at `security.protocol` and the `ssl.` keys in `[kafka.common]`"),
        RDKafkaErrorCode::Resolve => {
            TransportError::new(Class::Retry, format!("no broker answers at {address}: {reason}"))
                .hint("look at `brokers` in `[kafka]`, or pass `--kafka HOST:PORT`")
        }
        // Somebody is there, and is spoken to in a way that he does not know.
        _ if reason.contains("Disconnected") => {
            TransportError::new(Class::Retry, format!("{address} hangs up at once")).hint(
                "look at `security.protocol` in `[kafka.common]`: the broker may want TLS, a password, both or neither",
            )
        }
        _ => TransportError::new(Class::Retry, format!("no broker answers at {address}: {reason}"))
            .hint("`docker compose up -d` starts one here; `--local` runs without Kafka"),
    }
}

/// A certificate is not to be trusted. Why, librdkafka does not tell.
fn untrusted(address: &str) -> TransportError {
    let one = address.split(',').next().unwrap_or(address);
    TransportError::fatal(format!("no TLS connection to {address}: its certificate cannot be verified")).hint(format!(
        "it has expired, or is for another name, or nobody has signed it whom `ssl.ca.location` in `[kafka.common]` \
         trusts: `openssl s_client -connect {one} </dev/null | openssl x509 -noout -dates -subject -issuer` shows it"
    ))
}

/// librdkafka's reason without the thread's name before it and the state behind it.
fn plain(reason: &str) -> &str {
    let reason = reason.split_once("]: ").map_or(reason, |(_, rest)| rest);
    let reason = reason.split_once("bootstrap: ").map_or(reason, |(_, rest)| rest);
    reason.split(" (after ").next().unwrap_or(reason)
}

/// Errors that no time heals.
pub fn is_final(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::TransactionalIdAuthorizationFailed
            | RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::UnsupportedSASLMechanism
            | RDKafkaErrorCode::InvalidGroupId
            | RDKafkaErrorCode::UnsupportedVersion
            | RDKafkaErrorCode::InvalidTransactionTimeout
            | RDKafkaErrorCode::InvalidSessionTimeout
            | RDKafkaErrorCode::FencedInstanceId
    )
}

fn hint(code: RDKafkaErrorCode) -> Option<&'static str> {
    Some(match code {
        RDKafkaErrorCode::TopicAuthorizationFailed => {
            "the user needs Read on inputs, Write on outputs, and both and Create on the pipeline's own topics"
        }
        RDKafkaErrorCode::GroupAuthorizationFailed => {
            "the user needs Read on the group, which is named as the pipeline"
        }
        RDKafkaErrorCode::TransactionalIdAuthorizationFailed => {
            "the user needs Write on transactional ids that begin with the pipeline's name, or \
             `guarantee = \"at-least-once\"`"
        }
        RDKafkaErrorCode::ClusterAuthorizationFailed => {
            "the user needs IdempotentWrite, and Create for topics, on the cluster"
        }
        RDKafkaErrorCode::InvalidTransactionTimeout => {
            "the broker's `transaction.max.timeout.ms` is smaller: set `transaction.timeout.ms` in `[kafka.producer]`"
        }
        RDKafkaErrorCode::InvalidSessionTimeout => {
            "the broker allows a session timeout between its `group.min.session.timeout.ms` and \
             `group.max.session.timeout.ms`"
        }
        RDKafkaErrorCode::FencedInstanceId => {
            "another process runs with the same identity: each needs its own `--state-dir`, or its own `--instance`"
        }
        _ => return None,
    })
}

/// An error code in words.
pub fn words(code: RDKafkaErrorCode) -> String {
    let text = code.to_string();
    // "Broker: Topic authorization failed" and "Local: Timed out" name a side that helps nobody.
    let text = ["Broker: ", "Local: "]
        .iter()
        .fold(text.as_str(), |t, side| t.split_once(side).map_or(t, |(_, rest)| rest));
    let mut words: Vec<char> = text.trim_end_matches(')').chars().collect();
    if let Some(first) = words.first_mut() {
        *first = first.to_ascii_lowercase();
    }
    words.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_put_into_words() {
        assert_eq!(words(RDKafkaErrorCode::OperationTimedOut), "timed out");
        assert_eq!(words(RDKafkaErrorCode::TopicAuthorizationFailed), "topic authorization failed");
    }

    #[test]
    fn a_reason_is_shown_without_threads_and_states() {
        let reason = "[thrd:127.0.0.1:1/bootstrap]: 127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: \
                      Connection refused (after 0ms in state CONNECT)";
        assert_eq!(plain(reason), "Connect to ipv4#127.0.0.1:1 failed: Connection refused");
    }

    #[test]
    fn who_is_kept_out_is_told_whether_to_wait() {
        let said = |code, reason: &str| {
            let reason = format!("[thrd:h:1/bootstrap]: h:1/bootstrap: {reason} (after 1ms in state X)");
            let error = unreachable("h:1,i:1", Some(&Ailment { code, reason }));
            (error.class, error.message.clone(), error.hint.unwrap_or_default())
        };
        let (class, message, hint) = said(RDKafkaErrorCode::BrokerTransportFailure, "Disconnected: closed");
        assert_eq!((class, message.as_str()), (Class::Retry, "h:1,i:1 hangs up at once"));
        assert!(hint.contains("`security.protocol`"), "{hint}");
        let (class, message, hint) = said(RDKafkaErrorCode::BrokerTransportFailure, "Connection refused");
        assert_eq!(
            (class, message.as_str()),
            (Class::Retry, "no broker answers at h:1,i:1: Connection refused")
        );
        assert!(hint.contains("`--local`"), "{hint}");
        let (class, message, hint) =
            said(RDKafkaErrorCode::SSL, "SSL handshake failed: certificate verify failed");
        let unverified = "no TLS connection to h:1,i:1: its certificate cannot be verified";
        assert_eq!((class, message.as_str()), (Class::Fatal, unverified));
        assert!(hint.contains("has expired") && hint.contains("`openssl s_client -connect h:1 "), "{hint}");
        let (class, ..) = said(RDKafkaErrorCode::Authentication, "no");
        assert_eq!(class, Class::Fatal);
    }
}
