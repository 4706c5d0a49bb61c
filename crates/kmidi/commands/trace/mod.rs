//! `kmidi trace`: the log of what was planned and done.

pub mod args;
mod text;

use std::collections::HashSet;
use std::io::{BufWriter, ErrorKind, Read, Stdout, Write, stdin, stdout};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use kmidi_session::STDIN;
use kmidi_trace::{Draft, Found, MAX_APPEND_BYTES, Record, TraceError, TraceLog, Uuid};
use serde::Serialize;
use serde_json::{Value, json};

use super::progress_bar;
use crate::exit::Unreadable;
use crate::output::{print, print_json};
use crate::trace_flag::log_path;
use args::{Append, Backup, Cat, LogFlag, Query, Tail, Trace, What, Whole};

/// Between two looks at a log that is followed.
const REFRESH: Duration = Duration::from_millis(200);

pub fn run(args: Trace) -> Result<ExitCode> {
    match args.what {
        What::Append(args) => append(&args).map(|()| ExitCode::SUCCESS),
        What::Query(args) => query(&args),
        What::Stats(args) => stats(&args).map(|()| ExitCode::SUCCESS),
        What::Verify(args) => verify(&args),
        What::Tail(args) => tail(&args),
        What::Cat(args) => cat(&args),
        What::Backup(args) => backup(&args).map(|()| ExitCode::SUCCESS),
    }
}

fn log(flag: &LogFlag) -> Result<TraceLog> {
    Ok(TraceLog::new(log_path(flag.file.as_deref())?))
}

/// A log that is read: the user's own may not have been begun, but one that somebody names should be there.
fn log_that_is_there(flag: &LogFlag) -> Result<TraceLog> {
    let log = log(flag)?;
    if log.path().symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        let path = log.path().display();
        let text = format!("there is no log {path}: `--trace` begins one, or name another --trace-file");
        return Err(Unreadable(anyhow!(text)).into());
    }
    Ok(log)
}

/// What can be mended by giving another input is exit code 2.
fn error(error: TraceError) -> anyhow::Error {
    match error {
        TraceError::Write { .. }
        | TraceError::Copy { .. }
        | TraceError::Busy { .. }
        | TraceError::Output(_) => error.into(),
        error => Unreadable(error.into()).into(),
    }
}

fn append(args: &Append) -> Result<()> {
    let (records, given) = if args.record == STDIN {
        read_drafts(stdin().lock(), "standard input")?
    } else {
        read_drafts(args.record.as_bytes(), "RECORD")?
    };
    if records.is_empty() {
        return Err(
            Unreadable(anyhow!("nothing to append: give a record, or one a line on standard input")).into()
        );
    }
    let log = log(&args.log)?;
    if let Some(id) = log.first_known(&given).map_err(error)? {
        let text = format!("{}: there is a record {id} already; nothing was added", log.path().display());
        return Err(Unreadable(anyhow!(text)).into());
    }
    let appended = log.append(&records).map_err(error)?;
    if appended.repaired_bytes > 0 {
        eprintln!("kmidi: warning: a torn last line of {} bytes was taken away", appended.repaired_bytes);
    }
    let ids: Vec<_> = appended.ids.iter().map(ToString::to_string).collect();
    match args.json {
        true => print_json(&json!({ "ids": ids, "repaired_bytes": appended.repaired_bytes })),
        false => print((ids.join("\n") + "\n").as_bytes()),
    }
}

/// All of them, and the ids that some came with: where one is bad, nothing is appended.
fn read_drafts(input: impl Read, name: &str) -> Result<(Vec<Record>, Vec<Uuid>)> {
    let mut bytes = vec![];
    input
        .take(MAX_APPEND_BYTES + 1)
        .read_to_end(&mut bytes)
        .with_context(|| name.to_owned())
        .map_err(Unreadable)?;
    if bytes.len() as u64 > MAX_APPEND_BYTES {
        let most = MAX_APPEND_BYTES >> 20;
        return Err(Unreadable(anyhow!("{name}: more than {most} MiB at once; append it in parts")).into());
    }
    let is_blank = |line: &[u8]| line.iter().all(u8::is_ascii_whitespace);
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..).filter(|(line, _)| !is_blank(line));
    let (mut records, mut given) = (vec![], HashSet::new());
    for (line, number) in lines {
        let record = read_draft(line, &mut given).with_context(|| format!("{name}, line {number}"));
        records.push(record.map_err(Unreadable)?);
    }
    Ok((records, given.into_iter().collect()))
}

fn read_draft(line: &[u8], given: &mut HashSet<Uuid>) -> Result<Record> {
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Err(anyhow!(
            "a record is a JSON object: {{\"kind\": .., ..}}; `kmidi trace --help` shows one"
        ));
    }
    let draft: Draft = serde_json::from_slice(line)?;
    if let Some(id) = draft.id.filter(|id| !given.insert(*id)) {
        return Err(anyhow!("there is a record {id} before it"));
    }
    Ok(draft.finish()?)
}

fn query(args: &Query) -> Result<ExitCode> {
    let log = log_that_is_there(&args.log)?;
    let Some(id) = args.id else {
        let mut query = log.query(args.filter()).map_err(error)?;
        let printed = print_records(&mut query, args.json)?;
        text::warn_of_bad_lines(query.first_bad_lines(), query.bad_lines(), query.torn_bytes());
        return Ok(printed);
    };
    let found = log.by_id(id).map_err(error)?;
    if let kmidi_trace::IndexUse::Unusable(why) = &found.index {
        eprintln!("kmidi: warning: all was looked through, without an index: {why}");
    }
    let record = found.record.filter(|record| args.limit != Some(0) && args.filter().admits(record));
    let Some(record) = record else {
        return Err(anyhow!("{}: there is no record {id} that the flags let through", log.path().display()));
    };
    let mut one = std::iter::once(Ok(Found { line: 0, record }));
    print_records(&mut one, args.json)
}

/// Prints records as they come: one a line, or all in one JSON object, however many there are.
fn print_records(
    records: &mut impl Iterator<Item = Result<Found, TraceError>>,
    json: bool,
) -> Result<ExitCode> {
    let mut output = Records { out: BufWriter::new(stdout()), json, count: 0 };
    let mut failure = None;
    let written = output.start().and_then(|()| {
        for found in records {
            match found {
                Ok(found) => output.write(&found.record)?,
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        output.end(failure.as_ref())
    });
    match (written, failure) {
        // A reader that has seen enough is no error.
        (Err(error), _) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        (Err(error), _) => Err(error.into()),
        (_, Some(failure)) if json => {
            // The object that says so has been printed.
            eprintln!("kmidi: {failure}");
            Ok(ExitCode::from(crate::exit::UNREADABLE))
        }
        (_, Some(failure)) => Err(error(failure)),
        _ => Ok(ExitCode::SUCCESS),
    }
}

struct Records {
    out: BufWriter<Stdout>,
    json: bool,
    count: u64,
}

impl Records {
    fn start(&mut self) -> std::io::Result<()> {
        if self.json { self.out.write_all(b"{\n  \"records\": [") } else { Ok(()) }
    }

    fn write(&mut self, record: &impl Serialize) -> std::io::Result<()> {
        if self.json {
            self.out.write_all(if self.count == 0 { b"\n    " } else { b",\n    " })?;
        }
        self.count += 1;
        serde_json::to_writer(&mut self.out, record)?;
        if self.json { Ok(()) } else { self.out.write_all(b"\n") }
    }

    fn end(&mut self, failure: Option<&TraceError>) -> std::io::Result<()> {
        if self.json {
            write!(self.out, "\n  ],\n  \"count\": {}", self.count)?;
            if let Some(failure) = failure {
                let (text, code) = (Value::from(failure.to_string()), crate::exit::UNREADABLE);
                write!(self.out, ",\n  \"error\": {text},\n  \"exit_code\": {code}")?;
            }
            self.out.write_all(b"\n}\n")?;
        }
        self.out.flush()
    }
}

fn stats(args: &Whole) -> Result<()> {
    let bar = progress_bar();
    let stats = log_that_is_there(&args.log)?.stats(|part| bar.set_position((part * 1000.0) as u64));
    bar.finish_and_clear();
    let stats = stats.map_err(error)?;
    if args.json { print_json(&stats) } else { print(text::stats(&stats).as_bytes()) }
}

fn verify(args: &Whole) -> Result<ExitCode> {
    let (log, bar) = (log_that_is_there(&args.log)?, progress_bar());
    let verdict = log.verify(|part| bar.set_position((part * 1000.0) as u64));
    bar.finish_and_clear();
    let verdict = verdict.map_err(error)?;
    if args.json {
        let lines = verdict.first_bad_lines.iter();
        let lines = lines.map(|bad| json!({ "line": bad.line, "reason": bad.reason.to_string() }));
        print_json(&json!({
            "sound": verdict.is_sound(),
            "records": verdict.records,
            "bytes": verdict.bytes,
            "bad_lines": verdict.bad_lines,
            "first_bad_lines": lines.collect::<Vec<_>>(),
            "torn_bytes": verdict.torn_bytes,
        }))?;
    } else {
        text::warn_of_bad_lines(&verdict.first_bad_lines, verdict.bad_lines, verdict.torn_bytes);
        let word = if verdict.is_sound() { "sound" } else { "not sound" };
        print(format!("{}: {word}, {} records\n", log.path().display(), verdict.records).as_bytes())?;
    }
    Ok(if verdict.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tail(args: &Tail) -> Result<ExitCode> {
    // One that is followed may come later.
    let log = if args.follow { log(&args.log)? } else { log_that_is_there(&args.log)? };
    let mut latest = log.latest(args.records).map_err(error)?;
    let printed = print_records(&mut latest, args.json)?;
    if !args.follow {
        return Ok(printed);
    }
    let mut follow = latest.follow();
    let mut output = Records { out: BufWriter::new(stdout()), json: false, count: 0 };
    loop {
        let mut news = follow.news().map_err(error)?;
        let written = news.try_for_each(|found| match found {
            Ok(found) => output.write(&found.record).map_err(TraceError::Output),
            Err(error) => Err(error),
        });
        match written.and_then(|()| output.out.flush().map_err(TraceError::Output)) {
            Ok(()) => std::thread::sleep(REFRESH),
            Err(TraceError::Output(gone)) if gone.kind() == ErrorKind::BrokenPipe => return Ok(printed),
            Err(failure) => return Err(error(failure)),
        }
    }
}

fn cat(args: &Cat) -> Result<ExitCode> {
    let path = match &args.input {
        Some(path) => path.clone(),
        None => log_that_is_there(&args.log)?.path().to_owned(),
    };
    let copied = match kmidi_trace::copy_lines(&path, &mut BufWriter::new(stdout())) {
        Err(TraceError::Output(gone)) if gone.kind() == ErrorKind::BrokenPipe => {
            return Ok(ExitCode::SUCCESS);
        }
        copied => copied.map_err(error)?,
    };
    text::warn_of_bad_lines(&copied.first_bad_lines, copied.bad_lines, 0);
    let Some(most) = args.max_rss else { return Ok(ExitCode::SUCCESS) };
    let peak = kmidi_memory::process_memory()?.rss_peak_bytes;
    eprintln!("kmidi: {} lines, {} bytes; at most {} KiB resident", copied.lines, copied.bytes, peak >> 10);
    Ok(if peak <= most { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn backup(args: &Backup) -> Result<()> {
    let bytes = log_that_is_there(&args.log)?.back_up(&args.to).map_err(error)?;
    eprintln!("kmidi: wrote {}: {bytes} bytes", args.to.display());
    if args.json { print_json(&json!({ "output": args.to, "bytes": bytes })) } else { Ok(()) }
}
