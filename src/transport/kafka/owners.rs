//! Who of a group reads which partition, as the group's coordinator tells it.

use super::Outcome;
use super::cluster::{Cluster, QUESTION};
use super::fault;
use rdkafka::consumer::Consumer;
use std::collections::BTreeMap;

/// Members by topic and partition.
pub type Owners = BTreeMap<(String, u32), String>;

impl Cluster {
    /// Who of a group reads what. A group whose partitions the server shares out does not tell in this way, nor one
    /// that is just being shared out anew.
    pub fn owners(&self, group: &str) -> Outcome<Owners> {
        let list = self.asker().client().fetch_group_list(Some(group), QUESTION);
        let list = list.map_err(|e| fault::asking("the members of the group cannot be listed", &e))?;
        let mut owners = Owners::new();
        for member in list.groups().iter().flat_map(|group| group.members()) {
            let name = owner(member.id(), member.client_host());
            for place in member.assignment().and_then(decode).unwrap_or_default() {
                owners.insert(place, name.clone());
            }
        }
        Ok(owners)
    }
}

/// `p-1f3c-0-6f9619ff-8b86-d011-b42d-00cf4fc964ff` at `/10.0.0.7` is `p-1f3c-0 (10.0.0.7)`: a member with a place of
/// its own is called by it, and by something random behind it.
fn owner(id: &str, host: &str) -> String {
    let random = |text: &str| text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let split = id.len().checked_sub(37).and_then(|at| Some((id.get(..at)?, id.get(at + 1..)?)));
    let place = split.filter(|(_, end)| random(end)).map_or(id, |(place, _)| place);
    format!("{place} ({})", host.trim_start_matches('/'))
}

/// The partitions of an assignment in the consumers' own protocol: a version, then each topic with its partitions.
fn decode(mut bytes: &[u8]) -> Option<Vec<(String, u32)>> {
    let mut found = vec![];
    take::<2>(&mut bytes)?;
    for _ in 0..u32::from_be_bytes(take(&mut bytes)?) {
        let len = u16::from_be_bytes(take(&mut bytes)?) as usize;
        let (name, behind) = bytes.split_at_checked(len)?;
        bytes = behind;
        let topic = str::from_utf8(name).ok()?;
        for _ in 0..u32::from_be_bytes(take(&mut bytes)?) {
            found.push((topic.to_owned(), u32::from_be_bytes(take(&mut bytes)?)));
        }
    }
    Some(found)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, behind) = bytes.split_first_chunk()?;
    *bytes = behind;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_read_and_a_broken_one_is_none() {
        let bytes = b"\0\x01\0\0\0\x02\0\x01a\0\0\0\x02\0\0\0\0\0\0\0\x07\0\x02bc\0\0\0\x01\0\0\0\x01\xff\xff\xff\xff";
        let place = |topic: &str, partition| (topic.to_owned(), partition);
        assert_eq!(decode(bytes), Some(vec![place("a", 0), place("a", 7), place("bc", 1)]));
        for end in 0..bytes.len() - 4 {
            assert_eq!(decode(&bytes[..end]), None, "{end}");
        }
        assert_eq!(decode(b"\0\0\xff\xff\xff\xff"), None);
    }

    #[test]
    fn a_member_is_called_by_its_place() {
        let random = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";
        assert_eq!(owner(&format!("p-1-0-{random}"), "/10.0.0.7"), "p-1-0 (10.0.0.7)");
        assert_eq!(owner("streamrun-p", "/::1"), "streamrun-p (::1)");
        assert_eq!(owner(random, ""), format!("{random} ()"));
    }
}
