//! `kmidi teach`: short lessons.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::Result;
use clap::Args;
use kmidi_compose::theory::Key;
use kmidi_compose::theory::teach::{Lesson, lesson, topics};
use serde::Serialize;

use crate::exit::Unreadable;
use crate::output::{print, print_json};

#[derive(Debug, Args)]
pub struct Teach {
    /// What the lesson is about; without it, all topics are listed
    #[arg(value_name = "TOPIC")]
    pub topic: Vec<String>,
    /// Key of the examples
    #[arg(long, default_value = "C")]
    pub key: Key,
    /// Ask questions instead (answers are typed on a terminal, and printed otherwise)
    #[arg(short, long)]
    pub quiz: bool,
    /// Print one JSON object on stdout
    #[arg(long, conflicts_with = "quiz")]
    pub json: bool,
}

#[derive(Serialize)]
struct Topic {
    topic: &'static str,
    title: &'static str,
}

#[derive(Serialize)]
struct Topics {
    topics: Vec<Topic>,
}

pub fn run(args: Teach) -> Result<()> {
    if args.topic.is_empty() {
        return list(args.json);
    }
    let lesson = lesson(&args.topic.join(" "), args.key).map_err(|error| Unreadable(error.into()))?;
    match (args.json, args.quiz) {
        (true, _) => print_json(&lesson),
        (false, true) => quiz(&lesson),
        (false, false) => print(lesson.to_string().as_bytes()),
    }
}

fn list(json: bool) -> Result<()> {
    let topics: Vec<_> = topics().map(|(topic, title)| Topic { topic, title }).collect();
    if json {
        return print_json(&Topics { topics });
    }
    let lines = topics.iter().map(|it| format!("{:<22} {}\n", it.topic, it.title));
    print(lines.collect::<String>().as_bytes())
}

/// On a terminal somebody answers; elsewhere the answers stand behind the questions.
fn quiz(lesson: &Lesson) -> Result<()> {
    let mut input = std::io::stdin().is_terminal().then(|| std::io::stdin().lock());
    let mut right = 0;
    for question in &lesson.quiz {
        print(format!("{}\n", question.question).as_bytes())?;
        let Some(input) = &mut input else {
            print(format!("  {}: {}\n", question.answer, question.why).as_bytes())?;
            continue;
        };
        print(b"> ")?;
        std::io::stdout().flush()?;
        let mut typed = String::new();
        if input.read_line(&mut typed)? == 0 {
            return Ok(());
        }
        let is_right = question.accepts(&typed);
        right += usize::from(is_right);
        let verdict = if is_right { "yes" } else { "no" };
        print(format!("  {verdict}: {}. {}\n", question.answer, question.why).as_bytes())?;
    }
    match input {
        Some(_) => print(format!("{right} of {}\n", lesson.quiz.len()).as_bytes()),
        None => Ok(()),
    }
}
