//! What a topic is beside its settings: the id that only this making of it has, and what the user may do with it.

use rdkafka::ClientContext;
use rdkafka::bindings as c;
use rdkafka::client::Client;
use rdkafka::error::RDKafkaErrorCode;
use std::ffi::{CStr, CString};
use std::ptr;
use std::time::Duration;

/// What is said of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// Its id; none: the cluster has none for it.
    pub id: Option<String>,
}

/// Asks about a topic. Nothing is said of one that is not there.
pub fn describe<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    within: Duration,
) -> Result<Described, RDKafkaErrorCode> {
    let Ok(name) = CString::new(topic) else { return Ok(Described::default()) };
    let mut names = [name.as_ptr()];
    let within = within.as_millis() as i32;
    // SAFETY: the client lives for the call. What is made here is destroyed here, the event behind the last look at
    // what it owns, and the queue last; what is read out of the event is copied. A null event: time has passed.
    unsafe {
        let client = client.native_ptr();
        let queue = c::rd_kafka_queue_new(client);
        let topics = c::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
        let options =
            c::rd_kafka_AdminOptions_new(client, c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
        c::rd_kafka_AdminOptions_set_request_timeout(options, within, ptr::null_mut(), 0);
        c::rd_kafka_DescribeTopics(client, topics, options, queue);
        c::rd_kafka_AdminOptions_destroy(options);
        c::rd_kafka_TopicCollection_destroy(topics);
        let event = c::rd_kafka_queue_poll(queue, within);
        let answer = match event.is_null() {
            true => Err(RDKafkaErrorCode::OperationTimedOut),
            false => answer(event),
        };
        if !event.is_null() {
            c::rd_kafka_event_destroy(event);
        }
        c::rd_kafka_queue_destroy(queue);
        answer
    }
}

/// What an event says of the one topic that was asked about.
///
/// # Safety
/// `event` is an event that the caller owns.
unsafe fn answer(event: *mut c::rd_kafka_event_t) -> Result<Described, RDKafkaErrorCode> {
    // SAFETY: everything that is looked at belongs to the event, which lives; texts end in a zero and are copied.
    unsafe {
        let error = c::rd_kafka_event_error(event);
        if error != c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(error.into());
        }
        let result = c::rd_kafka_event_DescribeTopics_result(event);
        let (mut count, mut id) = (0, None);
        if !result.is_null() {
            let topics = c::rd_kafka_DescribeTopics_result_topics(result, &mut count);
            let found = (count > 0).then(|| *topics);
            let uuid = found.map_or(ptr::null(), |topic| c::rd_kafka_TopicDescription_topic_id(topic));
            if !uuid.is_null() && c::rd_kafka_Uuid_most_significant_bits(uuid) != 0 {
                let text = c::rd_kafka_Uuid_base64str(uuid);
                id = (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned());
            }
        }
        Ok(Described { id })
    }
}
