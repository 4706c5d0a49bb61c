//! Prometheus' text format 0.0.4. (Libraries write OpenMetrics, which a scraper must ask for.)

use std::fmt::Write;

/// What a metric does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
}

/// A text in the making.
#[derive(Default)]
pub struct Exposition {
    text: String,
    /// The family that samples belong to.
    name: &'static str,
}

/// What goes as a value: counts and bytes are told in whole numbers.
pub enum Value {
    Whole(u64),
    Real(f64),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Value::Whole(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Value::Whole(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Real(value)
    }
}

impl Exposition {
    /// Begins a family: all its samples follow.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> &mut Self {
        debug_assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
        self.name = name;
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
        self
    }

    /// A sample of the family.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Into<Value>) -> &mut Self {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let name = self.name;
        match value.into() {
            Value::Whole(value) => self.line(format_args!("{name}{labels} {value}")),
            Value::Real(value) => self.line(format_args!("{name}{labels} {}", real(value))),
        }
        self
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("a string takes all");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// As Go reads it.
fn real(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".into(),
        f64::INFINITY => "+Inf".into(),
        f64::NEG_INFINITY => "-Inf".into(),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_the_format_says() {
        let mut text = Exposition::default();
        text.family("a_total", Kind::Counter, "How often.\nA \\ too.");
        text.sample(&[], 3u64).sample(&[("x", "\"\\\n"), ("y", "")], u64::MAX);
        text.family("b", Kind::Gauge, "Of what.").sample(&[], 0.5).sample(&[("x", "1")], f64::INFINITY);
        assert_eq!(
            text.finish(),
            concat!(
                "# HELP a_total How often.\\nA \\\\ too.\n",
                "# TYPE a_total counter\n",
                "a_total 3\n",
                "a_total{x=\"\\\"\\\\\\n\",y=\"\"} 18446744073709551615\n",
                "# HELP b Of what.\n",
                "# TYPE b gauge\n",
                "b 0.5\n",
                "b{x=\"1\"} +Inf\n",
            )
        );
    }

    #[test]
    fn numbers_that_are_none_have_their_names() {
        let names = [f64::NAN, f64::NEG_INFINITY, -0.25, 1e21].map(real);
        assert_eq!(names, ["NaN", "-Inf", "-0.25", "1000000000000000000000"]);
    }
}
