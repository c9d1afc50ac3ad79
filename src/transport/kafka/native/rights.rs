//! What a user may do, as the cluster tells whoever asks for it.

use rdkafka::bindings as c;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use std::ffi::{CStr, CString, c_char};
use std::ptr::NonNull;
use std::slice;
use std::time::Duration;

/// What a user may do with a topic or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Read it; join it, if it is a group.
    pub read: bool,
    /// Write it.
    pub write: bool,
    /// Delete it, or records of it.
    pub delete: bool,
}

/// Topics or groups with what may be done with them; none: the cluster does not say.
pub type Found = Vec<(String, Option<Rights>)>;

type Admin = c::rd_kafka_admin_op_t;
type Answer<T> = Result<T, RDKafkaErrorCode>;

/// What the user of a client may do with topics.
pub fn topic_rights<C: ConsumerContext>(
    asker: &BaseConsumer<C>,
    topics: &[&str],
    within: Duration,
) -> Answer<Found> {
    let client = asker.client().native_ptr();
    let names = Names::of(topics)?;
    let mut pointers = names.pointers();
    // SAFETY: the client lives. The names are copied. The collection is destroyed here, and nobody keeps it. What the
    // event's result points to lives as long as the event, which is destroyed behind its last use.
    unsafe {
        let asking = Asking::new(client, Admin::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, within)?;
        let topics = c::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        c::rd_kafka_DescribeTopics(client, topics, asking.options.as_ptr(), asking.queue.as_ptr());
        c::rd_kafka_TopicCollection_destroy(topics);
        let answer = asking.answer(within)?;
        let (result, mut count) = (c::rd_kafka_event_DescribeTopics_result(answer.0.as_ptr()), 0);
        if result.is_null() {
            return Err(RDKafkaErrorCode::Fail);
        }
        let found = c::rd_kafka_DescribeTopics_result_topics(result, &mut count);
        Ok(all(found, count)
            .iter()
            .map(|topic| {
                let mut count = 0;
                let operations = c::rd_kafka_TopicDescription_authorized_operations(*topic, &mut count);
                (text(c::rd_kafka_TopicDescription_name(*topic)), rights(operations, count))
            })
            .collect())
    }
}

/// What the user of a client may do with a group.
pub fn group_rights<C: ConsumerContext>(
    asker: &BaseConsumer<C>,
    group: &str,
    within: Duration,
) -> Answer<Option<Rights>> {
    let client = asker.client().native_ptr();
    let names = Names::of(&[group])?;
    let mut pointers = names.pointers();
    // SAFETY: as above.
    unsafe {
        let asking = Asking::new(client, Admin::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, within)?;
        let (options, queue) = (asking.options.as_ptr(), asking.queue.as_ptr());
        c::rd_kafka_DescribeConsumerGroups(client, pointers.as_mut_ptr(), pointers.len(), options, queue);
        let answer = asking.answer(within)?;
        let (result, mut count) = (c::rd_kafka_event_DescribeConsumerGroups_result(answer.0.as_ptr()), 0);
        if result.is_null() {
            return Err(RDKafkaErrorCode::Fail);
        }
        let found = c::rd_kafka_DescribeConsumerGroups_result_groups(result, &mut count);
        Ok(all(found, count).first().and_then(|group| {
            let mut count = 0;
            let operations = c::rd_kafka_ConsumerGroupDescription_authorized_operations(*group, &mut count);
            rights(operations, count)
        }))
    }
}

/// Names as C has them.
struct Names(Vec<CString>);

impl Names {
    fn of(names: &[&str]) -> Answer<Self> {
        let names = names.iter().map(|name| CString::new(*name)).collect::<Result<_, _>>();
        names.map(Names).map_err(|_| RDKafkaErrorCode::InvalidArgument)
    }

    fn pointers(&self) -> Vec<*const c_char> {
        self.0.iter().map(|name| name.as_ptr()).collect()
    }
}

/// A question that is being asked: its options, and the queue that the answer comes to.
struct Asking {
    options: NonNull<c::rd_kafka_AdminOptions_t>,
    queue: NonNull<c::rd_kafka_queue_t>,
}

impl Asking {
    /// # Safety
    /// The client outlives this.
    unsafe fn new(client: *mut c::rd_kafka_t, question: Admin, within: Duration) -> Answer<Self> {
        // SAFETY: the client lives; both are destroyed when this is dropped. No text of an error is asked for. An
        // error of an option is null or ours.
        unsafe {
            let options = NonNull::new(c::rd_kafka_AdminOptions_new(client, question));
            let queue = NonNull::new(c::rd_kafka_queue_new(client));
            let asking = Asking {
                options: options.ok_or(RDKafkaErrorCode::InvalidArgument)?,
                queue: queue.ok_or(RDKafkaErrorCode::InvalidArgument)?,
            };
            let options = asking.options.as_ptr();
            let ms = within.as_millis() as i32;
            c::rd_kafka_AdminOptions_set_request_timeout(options, ms, std::ptr::null_mut(), 0);
            super::outcome(c::rd_kafka_AdminOptions_set_include_authorized_operations(options, 1))
                .map_err(|error| error.code)?;
            Ok(asking)
        }
    }

    fn answer(&self, within: Duration) -> Answer<Event> {
        // SAFETY: the queue is ours; the event becomes ours. librdkafka keeps to the time that the options say, so a
        // little longer is enough.
        unsafe {
            let event = c::rd_kafka_queue_poll(self.queue.as_ptr(), within.as_millis() as i32 + 1_000);
            let event = Event(NonNull::new(event).ok_or(RDKafkaErrorCode::OperationTimedOut)?);
            match c::rd_kafka_event_error(event.0.as_ptr()) {
                c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(event),
                code => Err(code.into()),
            }
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // SAFETY: both are ours, and nobody else has them: a question that is still open holds the queue by a count.
        unsafe {
            c::rd_kafka_AdminOptions_destroy(self.options.as_ptr());
            c::rd_kafka_queue_destroy(self.queue.as_ptr());
        }
    }
}

/// An answer.
struct Event(NonNull<c::rd_kafka_event_t>);

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: it is ours, and nothing of it is used any more.
        unsafe { c::rd_kafka_event_destroy(self.0.as_ptr()) }
    }
}

/// # Safety
/// As many pointers stand there as are counted, or none.
unsafe fn all<'a, T>(found: *mut *const T, count: usize) -> &'a [*const T] {
    // SAFETY: as the caller says.
    if found.is_null() { &[] } else { unsafe { slice::from_raw_parts(found, count) } }
}

/// # Safety
/// A text of C's, or null.
unsafe fn text(text: *const c_char) -> String {
    // SAFETY: as the caller says; it is copied.
    if text.is_null() {
        String::new()
    } else {
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }
}

/// # Safety
/// As many operations stand there as are counted, or none.
unsafe fn rights(operations: *const c::rd_kafka_AclOperation_t, count: usize) -> Option<Rights> {
    if operations.is_null() || count == 0 {
        return None;
    }
    // SAFETY: as the caller says. They are looked at as the numbers that they are in C: a newer broker may know more of
    // them than the binding.
    let operations = unsafe { slice::from_raw_parts(operations.cast::<i32>(), count) };
    let may = |operation: c::rd_kafka_AclOperation_t| operations.contains(&(operation as i32));
    Some(Rights {
        read: may(c::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_READ),
        write: may(c::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_WRITE),
        delete: may(c::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_DELETE),
    })
}
