//! A look at a cluster with a plan in hand: what would keep the pipeline from running there, or from doing what its
//! file says.
//!
//! [`Seen`] is what was found, gathered without writing a record; the judgement of it is pure. A finding is a
//! [`Diagnostic`], at the place of the file that it has to do with; what is as it should be is a fact.

mod keys;
mod rights;
mod seen;
mod settings;
mod topics;

pub use keys::Sample;
pub use seen::{Seen, TopicFacts};

use crate::diagnostic::{Code, Diagnostic, Place, Severity};
use crate::plan::Plan;
use crate::transport::TransportError;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// What is wrong or suspicious.
    pub findings: Vec<Diagnostic>,
    /// What was seen, a line each.
    pub facts: Vec<String>,
}

impl Survey {
    /// A cluster that cannot be looked at.
    pub fn unreachable(error: &TransportError) -> Self {
        Survey { findings: vec![said(Code::ClusterUnreachable, error)], facts: vec![] }
    }

    /// How many findings keep the pipeline from running.
    pub fn errors(&self) -> usize {
        self.findings.iter().filter(|d| d.severity == Severity::Error).count()
    }

    fn fact(&mut self, fact: impl Into<String>) {
        self.facts.push(fact.into());
    }

    fn add(&mut self, finding: Diagnostic, place: Option<Place>) {
        self.findings.push(match place {
            Some(place) => finding.at(place, ""),
            None => finding,
        });
    }
}

/// Judges what was seen.
pub fn judge(plan: &Plan, seen: &Seen) -> Survey {
    let mut survey = Survey::default();
    survey.fact(format!("{} answers", seen.address));
    match &seen.transactions {
        Some(Ok(())) => survey.fact("transactions begin"),
        Some(Err(error)) => survey.findings.push(said(Code::NoTransactions, error)),
        None => survey.fact("at least once: no transactions are needed"),
    }
    match &seen.group {
        Ok(committed) if *committed > 0 => {
            survey.fact(format!("the group `{}` has committed {committed} partitions", plan.settings.name));
        }
        // Who may not see the inputs has not been asked about them.
        Ok(_) if !seen.denied.is_empty() => {}
        Ok(_) => survey.fact(format!("the group `{}` has committed nothing yet", plan.settings.name)),
        Err(error) => survey.findings.push(said(Code::NotPermitted, error)),
    }
    topics::judge(plan, seen, &mut survey);
    rights::judge(plan, seen, &mut survey);
    settings::judge(plan, seen, &mut survey);
    keys::judge(plan, seen, &mut survey);
    for left_out in &seen.left_out {
        survey.fact(format!("not looked at: {left_out}"));
    }
    survey
}

/// What the cluster says, as a finding.
fn said(code: Code, error: &TransportError) -> Diagnostic {
    let finding = Diagnostic::file(code, error.message.clone());
    match &error.hint {
        Some(hint) => finding.help(hint.clone()),
        None => finding,
    }
}

fn warning(code: Code, message: impl Into<String>) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..Diagnostic::file(code, message) }
}

/// "1 record", "2 records".
fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// The command that changes a setting of a topic.
fn configure(topic: &str, setting: &str) -> String {
    format!("`kafka-configs.sh --bootstrap-server HOST:PORT --alter --topic {topic} --add-config {setting}`")
}

#[cfg(test)]
mod tests;
