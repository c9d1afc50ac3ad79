//! For the terminal: the tree that `check` shows, and the topics.

use super::Role;
use crate::plan::Plan;

/// A plan as text.
pub fn text(plan: &Plan) -> String {
    let names = |role: Role| -> String {
        let topics = plan.topics.all().iter().filter(|topic| topic.role == role);
        let names: Vec<&str> = topics.map(|topic| topic.name.as_str()).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    format!(
        "{}: {}\n\n{}\n  reads:    {}\n  writes:   {}\n  rejects:  {}\n  creates:  {}\n",
        plan.settings.name,
        plan.summary(),
        plan.tree(),
        names(Role::Input),
        names(Role::Output),
        plan.settings.dead_letters,
        plan.creates().join(", "),
    )
}
