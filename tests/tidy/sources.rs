//! `unsafe` only where ARCHITECTURE.md lists it, files of one subject, documented libraries.

use proc_macro2::{TokenStream, TokenTree};

use super::tree::{self, Source};

/// Lines after which a file probably has two subjects: five hundred, and what a formatter may add.
const LONG: usize = 520;

/// Files that are longer with a reason: path, most lines, reason.
const LONG_WITH_REASON: &[(&str, usize, &str)] = &[];

fn has_unsafe(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "unsafe",
        TokenTree::Group(group) => has_unsafe(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Files with `unsafe` outside the folders and files of `allowed`.
fn unsafe_outside(allowed: &[&str], sources: &[Source]) -> Vec<String> {
    let parse = |source: &Source| source.text.parse::<TokenStream>().expect("a source is Rust");
    let outside =
        sources.iter().filter(|source| !allowed.iter().any(|allowed| source.path.starts_with(allowed)));
    outside.filter(|source| has_unsafe(parse(source))).map(|source| source.path.clone()).collect()
}

fn too_long(reasons: &[(&str, usize, &str)], sources: &[Source]) -> Vec<String> {
    let limit = |path: &str| reasons.iter().find(|reason| reason.0 == path).map_or(LONG, |reason| reason.1);
    let lines = |source: &Source| source.text.lines().count();
    let long = sources.iter().filter(|source| lines(source) > limit(&source.path));
    let long = long.map(|source| format!("{}: {} lines", source.path, lines(source)));
    let needless = reasons
        .iter()
        .filter(|reason| !sources.iter().any(|source| source.path == reason.0 && lines(source) > LONG));
    long.chain(needless.map(|reason| format!("{}: listed as long, but is not", reason.0))).collect()
}

/// Crate roots that do not ask the compiler for what every crate must hold to.
fn lax_roots(allowed_unsafe: &[&str], sources: &[Source]) -> Vec<String> {
    let mut problems = Vec::new();
    for source in sources {
        let library = source.path.ends_with("/src/lib.rs");
        if library
            && !["#![warn(missing_docs)]", "#![deny(missing_docs)]"].iter().any(|it| source.text.contains(it))
        {
            problems.push(format!("{}: no #![warn(missing_docs)]", source.path));
        }
        let root = library || (source.path.ends_with("/main.rs") && !source.path.contains("/tests/"));
        let may = allowed_unsafe.iter().any(|allowed| source.path.starts_with(allowed));
        // What is forbidden cannot be allowed further down: where a file of a crate may, the root denies it.
        let folder = source.path.rfind('/').map_or("", |end| &source.path[..=end]);
        let one_may = allowed_unsafe.iter().any(|allowed| allowed.starts_with(folder));
        let forbids = source.text.contains("#![forbid(unsafe_code)]");
        let denies = one_may && source.text.contains("#![deny(unsafe_code)]");
        if root && !may && !forbids && !denies {
            problems.push(format!("{}: unsafe is not forbidden", source.path));
        }
    }
    problems
}

#[test]
fn unsafe_stays_inside_its_list() {
    let architecture = tree::read("ARCHITECTURE.md");
    let allowed = tree::fenced(&architecture, "unsafe");
    assert_eq!(unsafe_outside(&allowed, &tree::sources()), [""; 0]);
    assert_eq!(lax_roots(&allowed, &tree::sources()), [""; 0]);
}

#[test]
fn files_have_one_subject() {
    assert_eq!(too_long(LONG_WITH_REASON, &tree::sources()), [""; 0]);
}

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn control_unsafe_is_seen_in_code_and_not_in_comments_or_names() {
    let sources = [
        source("crates/a/src/x.rs", "fn f() { let _ = || { unsafe { g() } }; }"),
        source(
            "crates/a/src/y.rs",
            "//! unsafe\n#![forbid(unsafe_code)]\nfn f() { \"unsafe {}\"; /* unsafe */ }",
        ),
        source("crates/a/src/z.rs", "unsafe impl Send for A {}"),
        source("crates/sys/src/x.rs", "unsafe fn f() {}"),
    ];
    assert_eq!(unsafe_outside(&["crates/sys/"], &sources), ["crates/a/src/x.rs", "crates/a/src/z.rs"]);
}

#[test]
fn control_a_crate_root_without_its_lints_is_seen() {
    let sources = [
        source("crates/a/src/lib.rs", "#![warn(missing_docs)]"),
        source("crates/sys/src/lib.rs", "#![warn(missing_docs)]"),
        source("crates/b/src/lib.rs", "#![forbid(unsafe_code)]"),
        source("crates/b/src/x.rs", ""),
        source("crates/c/src/lib.rs", "#![warn(missing_docs)]#![deny(unsafe_code)]"),
        source("crates/d/src/lib.rs", "#![warn(missing_docs)]"),
    ];
    assert_eq!(
        lax_roots(&["crates/sys/", "crates/c/src/maps.rs", "crates/d/src/maps.rs"], &sources),
        [
            "crates/a/src/lib.rs: unsafe is not forbidden",
            "crates/b/src/lib.rs: no #![warn(missing_docs)]",
            "crates/d/src/lib.rs: unsafe is not forbidden",
        ]
    );
}

#[test]
fn control_a_long_file_is_seen() {
    let sources = [
        source("long.rs", &"\n".repeat(521)),
        source("short.rs", &"\n".repeat(520)),
        source("table.rs", &"\n".repeat(700)),
    ];
    let reasons = [("table.rs", 700, "one table"), ("short.rs", 600, "was long once")];
    assert_eq!(too_long(&reasons, &sources), ["long.rs: 521 lines", "short.rs: listed as long, but is not"]);
}
