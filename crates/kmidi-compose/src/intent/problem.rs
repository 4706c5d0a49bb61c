//! What may be wrong with an intent, and how it is said.

use std::fmt;

use serde::Serialize;

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// No music can be made of it.
    Error,
    /// Music can be made of it, though hardly what is meant.
    Warning,
}

/// Something that is wrong with an intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// Where: `phase_1.tension`; empty for all of it.
    pub field: String,
    /// What.
    pub problem: String,
    /// What to do about it.
    pub next_step: String,
}

impl Problem {
    pub(super) fn error(field: &str, problem: &str, next_step: &str) -> Self {
        let [field, problem, next_step] = [field, problem, next_step].map(str::to_owned);
        Self { severity: Severity::Error, field, problem, next_step }
    }

    pub(super) fn warning(field: &str, problem: &str, next_step: &str) -> Self {
        Self { severity: Severity::Warning, ..Self::error(field, problem, next_step) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{} ", self.field)?;
        }
        write!(f, "{}: {}", self.problem, self.next_step)
    }
}

/// What validating an intent found. `[side B]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Validation {
    /// Whether music can be made of it: no [`Problem`] is an error.
    pub valid: bool,
    /// Errors first, each kind in the order of the fields.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.problems.iter().filter(|problem| problem.severity == Severity::Error).count();
        for problem in &self.problems {
            let kind = if problem.severity == Severity::Error { "error" } else { "warning" };
            writeln!(f, "{kind:<8} {problem}")?;
        }
        match (errors, self.problems.len() - errors) {
            (0, 0) => write!(f, "the intent is complete"),
            (0, warnings) => write!(f, "the intent can become music; warnings: {warnings}"),
            (errors, warnings) => write!(f, "errors: {errors}, warnings: {warnings}"),
        }
    }
}
