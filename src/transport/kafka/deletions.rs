//! Has what was read of repartitions deleted. Nobody waits for it: what came of it is looked at when the next is asked
//! for, and a failure is spoken of once.

use super::cluster::{Cluster, options};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};
use std::fmt::{self, Formatter};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

type Answer = Pin<Box<dyn Future<Output = KafkaResult<TopicPartitionList>> + Send>>;

/// What has been asked for.
#[derive(Default)]
pub struct Deletions(Mutex<Asked>);

#[derive(Default)]
struct Asked {
    answers: Vec<Answer>,
    /// Whether a failure has been spoken of.
    said: bool,
}

impl fmt::Debug for Deletions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deletions").finish_non_exhaustive()
    }
}

impl Deletions {
    /// Looks at what has been answered, and keeps what has not.
    fn look(&self, next: Option<Answer>) {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Asked { answers, said } = &mut *asked;
        answers.extend(next);
        answers.retain_mut(|answer| match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => true,
            Poll::Ready(answer) => {
                if let Some(why) = failure(answer).filter(|_| !std::mem::replace(said, true)) {
                    tracing::warn!(
                        why,
                        "what has been read of repartitions is not deleted: the topics grow for ever"
                    );
                }
                false
            }
        });
    }
}

/// Why something is still there, if it is.
fn failure(answer: KafkaResult<TopicPartitionList>) -> Option<String> {
    match answer {
        Err(error) => Some(error.to_string()),
        Ok(list) => list.elements().iter().find_map(|element| {
            let error = element.error().err()?;
            Some(format!("`{}` {}: {error}", element.topic(), element.partition()))
        }),
    }
}

impl Cluster {
    /// Deletes the records of partitions that lie before an offset.
    pub fn purge(&self, read: &[(String, u32, i64)]) {
        let mut list = TopicPartitionList::with_capacity(read.len());
        for (topic, partition, offset) in read {
            if let Err(error) = list.add_partition_offset(topic, *partition as i32, Offset::Offset(*offset)) {
                return tracing::debug!(%error, topic, "nothing is deleted");
            }
        }
        self.deletions.look(Some(Box::pin(self.admin.delete_records(&list, &options()))));
    }
}
