//! Rights: whether the user may read what is read, write what is written, and be one of the group.

use super::{Seen, Survey, said, warning};
use crate::diagnostic::Code;
use crate::plan::{Plan, Role};
use crate::transport::kafka::{Right, lacking};

/// Judges what the cluster says of the user's rights.
pub fn judge(plan: &Plan, seen: &Seen, survey: &mut Survey) {
    if seen.group_rights.is_some_and(|rights| !rights.have(Right::Read)) {
        let lacking = lacking(Right::Read, &format!("the group `{}`", plan.settings.name));
        survey.add(said(Code::NotPermitted, &lacking), None);
    }
    let mut untold = vec![];
    for topic in plan.topics.all() {
        let needed: &[Right] = match topic.role {
            Role::Input => &[Right::Read],
            Role::Output | Role::DeadLetters => &[Right::Write],
            Role::Changelog | Role::Repartition => &[Right::Read, Right::Write],
        };
        let name = &topic.name;
        let Some(rights) = seen.rights.get(name) else {
            untold.extend(seen.topics.contains_key(name).then(|| format!("`{name}`")));
            continue;
        };
        for right in needed.iter().filter(|right| !rights.have(**right)) {
            let lacking = lacking(*right, &format!("the topic `{name}`"));
            survey.add(said(Code::NotPermitted, &lacking), topic.place);
        }
        if topic.role == Role::Repartition && !rights.have(Right::Delete) {
            let lacking = lacking(Right::Delete, &format!("the topic `{name}`"));
            let finding = warning(Code::NotPermitted, format!("{}: it would grow for ever", lacking.message));
            survey.add(lacking.hint.iter().fold(finding, |finding, hint| finding.help(hint)), topic.place);
        }
    }
    if !untold.is_empty() {
        let topics = untold.join(", ");
        survey.fact(format!(
            "not looked at: whether {topics} may be read and written, which the cluster does not tell"
        ));
    }
}
