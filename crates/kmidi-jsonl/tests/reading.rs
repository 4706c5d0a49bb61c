//! What is read, whatever is on the lines and however they come.

use std::io::{self, Read};

use kmidi_jsonl::{MOST_BAD_LINES, Reader, Reason};
use serde_json::Value;

#[path = "../../../fuzz/checks/jsonl.rs"]
mod jsonl;

/// Numbers and values of the good lines, and what is said of the others.
fn read(text: &[u8]) -> (Vec<(u64, String)>, Vec<String>) {
    let mut reader = Reader::<_, Value>::with_capacity(16, text).most_line_bytes(30);
    let good = reader.by_ref().map(|record| record.expect("memory does not fail"));
    let good = good.map(|record| (record.line, record.value.to_string())).collect();
    assert_eq!(reader.bad_lines(), reader.first_bad_lines().len() as u64);
    (good, reader.first_bad_lines().iter().map(ToString::to_string).collect())
}

fn check(text: &[u8], good: &[(u64, &str)], bad: &[&str]) {
    let (read_good, read_bad) = read(text);
    let read_good: Vec<_> = read_good.iter().map(|(line, value)| (*line, value.as_str())).collect();
    assert_eq!(read_good, good, "{}", text.escape_ascii());
    assert_eq!(read_bad, bad, "{}", text.escape_ascii());
    jsonl::check(text);
}

#[test]
fn every_way_to_end_a_line() {
    check(b"1\n2\n", &[(1, "1"), (2, "2")], &[]);
    check(b"1\r\n2", &[(1, "1"), (2, "2")], &[]);
    check(b"\n\r\n \t\n1\n\n", &[(4, "1")], &[]);
    check(b"", &[], &[]);
    check(b"\n                              \n1", &[(3, "1")], &[]);
}

#[test]
fn a_bad_line_costs_no_other() {
    check(b"1\n{\n2\n", &[(1, "1"), (3, "2")], &["line 2: EOF while parsing an object at column 1"]);
    check(b"1 2\n3", &[(2, "3")], &["line 1: trailing characters at column 3"]);
    check(b"[\"a\xffb\"]\n3", &[(2, "3")], &["line 1: not UTF-8"]);
    check(
        b"{\"a\":1\n}\n",
        &[],
        &["line 1: EOF while parsing an object at column 6", "line 2: expected value at column 1"],
    );
}

#[test]
fn a_line_longer_than_the_buffer_is_read_and_one_longer_than_the_limit_is_not() {
    let line = |length: usize| format!("[{}1]", "1,".repeat((length - 3) / 2));
    for length in [15, 17, 29, 31, 33, 99] {
        let text = format!("{0}\n2\n{0}", line(length));
        let value = line(length);
        if length <= 30 {
            check(text.as_bytes(), &[(1, &value), (2, "2"), (3, &value)], &[]);
        } else {
            let bad = ["line 1: longer than 30 bytes", "line 3: longer than 30 bytes"];
            check(text.as_bytes(), &[(2, "2")], &bad);
        }
    }
}

#[test]
fn characters_cut_by_the_buffer_are_whole_and_cut_by_the_line_are_not() {
    for pause in 0..16 {
        let text = format!("\"{}äöü€😀\"", "-".repeat(pause));
        check(text.as_bytes(), &[(1, &text)], &[]);
        let cut = &text.as_bytes()[..text.len() - 2];
        check(&[cut, b"\n7"].concat(), &[(2, "7")], &["line 1: not UTF-8"]);
    }
}

#[test]
fn a_byte_order_mark_is_allowed_at_the_start_only() {
    check(b"\xef\xbb\xbf1\n2", &[(1, "1"), (2, "2")], &[]);
    check(b"\xef\xbb\xbf[1,2,3,4,5,6,7,8,9]\n2", &[(1, "[1,2,3,4,5,6,7,8,9]"), (2, "2")], &[]);
    check(b"1\n\xef\xbb\xbf2", &[(1, "1")], &["line 2: expected value at column 1"]);
}

#[test]
fn of_many_bad_lines_the_first_are_told_and_all_are_counted() {
    let text = "no\n".repeat(1000) + "1";
    let mut reader = Reader::<_, u32>::new(text.as_bytes());
    assert_eq!(reader.next().unwrap().unwrap().line, 1001);
    assert_eq!((reader.bad_lines(), reader.first_bad_lines().len()), (1000, MOST_BAD_LINES));
}

#[test]
fn what_is_quoted_in_a_reason_is_short() {
    let text = format!("\"{}\"", "é".repeat(100_000));
    let mut reader = Reader::<_, u32>::new(text.as_bytes());
    assert!(reader.next().is_none());
    let Reason::Json { text, .. } = &reader.first_bad_lines()[0].reason else { panic!("it is JSON") };
    assert!((150..=200).contains(&text.len()), "{} bytes", text.len());
}

/// Fails after its bytes.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::ErrorKind::ConnectionReset.into()),
            bytes => Ok(bytes),
        }
    }
}

#[test]
fn an_error_of_the_input_is_passed_on_once() {
    for text in ["1\n2", "1\n[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9", "1\nx,2,3,4,5,6,7,8,9,0,1,2,3,4"] {
        let mut reader = Reader::<_, Value>::with_capacity(16, Failing(text.as_bytes()));
        assert_eq!(reader.next().unwrap().unwrap().value, 1);
        assert_eq!(reader.next().unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert!(reader.next().is_none());
    }
}

#[test]
fn any_lines_read_in_any_pieces_give_the_same_records() {
    const PARTS: [&[u8]; 16] = [
        b"\n",
        b"\r\n",
        b" ",
        b"\"",
        b"\\",
        b"[",
        b"]",
        b",",
        b"{",
        b"}",
        b"\"a\":",
        b"12.5e3",
        b"null",
        "ä😀".as_bytes(),
        b"\xff",
        b"\xef\xbb\xbf",
    ];
    const LINES: [&[u8]; 4] =
        [b"[1,2]\n", b"{\"key\":[true,\"\\u00e4\"]}\n", b"\"a longer line of words\"\r\n", b"[[[[1]]]]"];
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let parts = random.usize(0..30);
        let part = |random: &mut fastrand::Rng| match random.bool() {
            true => LINES[random.usize(0..LINES.len())],
            false => PARTS[random.usize(0..PARTS.len())],
        };
        let text: Vec<u8> = (0..parts).flat_map(|_| part(&mut random).to_vec()).collect();
        jsonl::check(&text);
    }
}
