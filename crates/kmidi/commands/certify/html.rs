//! Certificates as pages: an index, and a page for each plugin. They need nothing but themselves.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use kmidi_session::certify::{Certificate, Deed, Grade, PhaseReport, Site};

use super::text::{Text, deeds, in_short, instructions, remarks, stack};
use super::write_whole;

const STYLE: &str = "\
:root { color-scheme: light dark; --line: #8884; --green: #1a7f37; --amber: #9a6700; --red: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --green: #3fb950; --amber: #d29922; --red: #ff7b72; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .6rem; border: 1px solid var(--line); border-radius: 4px; }
td code { overflow-wrap: anywhere; }
.grade { font-weight: 600; white-space: nowrap; }
.green { color: var(--green); } .amber { color: var(--amber); } .red { color: var(--red); }
";

/// What all pages begin with, and no others.
const MARK: &str = "<meta name=\"generator\" content=\"kmidi certify\">";
/// Bytes of a page within which the mark is.
const HEAD_BYTES: u64 = 512;

/// Writes all pages into a folder that is there; a page that is there is replaced as a whole.
pub fn write(folder: &Path, certificates: &[Certificate]) -> anyhow::Result<()> {
    for (number, certificate) in certificates.iter().enumerate() {
        write_whole(&folder.join(page_name(number, certificate)), page(certificate)?.as_bytes())?;
    }
    Ok(write_whole(&folder.join("index.html"), index(certificates)?.as_bytes())?)
}

/// Removes pages that an earlier run has written and no index names any more; nothing that is not such a page.
pub fn remove_others(folder: &Path, certificates: &[Certificate]) -> io::Result<()> {
    let named: BTreeSet<String> =
        certificates.iter().enumerate().map(|(number, certificate)| page_name(number, certificate)).collect();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_old = |name: &str| is_page_name(name) && !named.contains(name);
        if name.to_str().is_some_and(is_old) && entry.file_type()?.is_file() && is_marked(&entry.path())? {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether it may be one that [`page_name`] has given.
fn is_page_name(name: &str) -> bool {
    let number = name.split_once('-').map_or("", |(number, _)| number);
    number.len() >= 4 && number.bytes().all(|byte| byte.is_ascii_digit()) && name.ends_with(".html")
}

fn is_marked(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    fs::File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head.windows(MARK.len()).any(|part| part == MARK.as_bytes()))
}

/// A file name that is one everywhere.
fn page_name(number: usize, certificate: &Certificate) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = certificate.name.chars().take(40).map(plain).collect();
    format!("{:04}-{}-{name}.html", number + 1, certificate.id.format)
}

fn start(title: &str) -> Text {
    let mut out = String::new();
    let title = escaped(title);
    writeln!(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{MARK}")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
    writeln!(out, "<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>")?;
    Ok(out)
}

fn grade(grade: Grade) -> String {
    let name = grade.name();
    format!("<span class=\"grade {name}\">{name}</span>")
}

fn index(certificates: &[Certificate]) -> Text {
    let mut out = start("Plugins and the rules of the audio thread")?;
    let count = |grade| certificates.iter().filter(|it| it.grade == grade).count();
    let counts = [Grade::Green, Grade::Amber, Grade::Red].map(|it| format!("{} {}", count(it), grade(it)));
    writeln!(out, "<p>{} plugins: {}.</p>", certificates.len(), counts.join(", "))?;
    writeln!(
        out,
        "<div class=\"wide\"><table>\n<tr><th>plugin</th><th>format</th><th>grade</th><th>what for</th>\
         <th class=\"n\">KiB at rest</th><th class=\"n\">level</th></tr>"
    )?;
    for (number, it) in certificates.iter().enumerate() {
        writeln!(
            out,
            "<tr><td><a href=\"{}\">{}</a><br><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            page_name(number, it),
            escaped(&it.name),
            escaped(&it.id.name),
            it.id.format,
            grade(it.grade),
            it.reasons.first().map_or(String::new(), |reason| escaped(&in_short(reason))),
            it.resting_bytes() / 1024,
            it.level,
        )?;
    }
    writeln!(out, "</table></div>\n</body>\n</html>")?;
    Ok(out)
}

fn page(certificate: &Certificate) -> Text {
    let mut out = start(&certificate.name)?;
    let Certificate { id, path, level, seed, sha256, .. } = certificate;
    writeln!(out, "<p>{} at level {level}, seed {seed}</p>", grade(certificate.grade))?;
    writeln!(out, "<p><code>{}</code><br>", escaped(&id.to_string()))?;
    writeln!(
        out,
        "<code>{}</code><br>SHA-256 <code>{}</code></p>",
        escaped(&path.display().to_string()),
        escaped(sha256)
    )?;
    if !certificate.reasons.is_empty() {
        writeln!(out, "<h2>What for</h2>\n<ul>")?;
        for reason in &certificate.reasons {
            writeln!(out, "<li>{}{}</li>", escaped(&in_short(reason)), calls(&reason.call, &reason.stack))?;
        }
        writeln!(out, "</ul>")?;
    }
    out += &phases(certificate)?;
    for line in instructions(certificate) {
        writeln!(out, "<p>{}</p>", escaped(&line))?;
    }
    if !certificate.sees_system_calls {
        writeln!(out, "<p>System calls that go past the C library were not seen.</p>")?;
    }
    writeln!(out, "<p><a href=\"index.html\">All plugins</a></p>\n</body>\n</html>")?;
    Ok(out)
}

fn calls(call: &str, calls: &[String]) -> String {
    match stack(call, calls).as_slice() {
        [] => String::new(),
        calls => format!("<pre>{}</pre>", escaped(&calls.join("\n"))),
    }
}

fn phases(certificate: &Certificate) -> Text {
    let mut out = String::new();
    let heads = ["blocks", "deeds", "faults", "waits", "KiB held", "median µs", "worst µs", "peak"];
    let heads: String = heads.iter().map(|it| format!("<th class=\"n\">{it}</th>")).collect();
    writeln!(out, "<h2>Phases</h2>\n<div class=\"wide\"><table>\n<tr><th>phase</th>{heads}</tr>")?;
    for report in &certificate.phases {
        let us = |ns: u64| format!("{:.1}", ns as f64 / 1e3);
        let (median, worst) =
            report.times.map_or((String::new(), String::new()), |it| (us(it.median_ns), us(it.worst_ns)));
        let cells = [
            report.blocks.to_string(),
            deeds(report).to_string(),
            (report.tally.minor_faults + report.tally.major_faults).to_string(),
            report.tally.voluntary_switches.to_string(),
            (report.held.live_bytes / 1024).to_string(),
            median,
            worst,
            format!("{:.3}", report.sound.peak),
        ];
        let cells: String = cells.iter().map(|it| format!("<td class=\"n\">{it}</td>")).collect();
        let remarks: String = remarks(report).iter().map(|it| format!("<br>{}", escaped(it))).collect();
        writeln!(out, "<tr><td>{}{remarks}</td>{cells}</tr>", report.phase)?;
    }
    writeln!(out, "</table></div>")?;
    for report in certificate.phases.iter().filter(|it| it.phase.is_real_time()) {
        out += &sites(report)?;
    }
    Ok(out)
}

/// All that was done in a phase, by its place.
fn sites(report: &PhaseReport) -> Text {
    let mut out = String::new();
    if report.tally.sites.is_empty() {
        return Ok(out);
    }
    writeln!(out, "<h2>What it did: {}</h2>\n<ul>", report.phase)?;
    for Site { deed, count, bytes, call, stack } in &report.tally.sites {
        let bytes = if *deed == Deed::Allocation { format!(", {bytes} bytes") } else { String::new() };
        let words = deed.words(*count);
        writeln!(out, "<li>{count} {words}{bytes}{}</li>", calls(call, stack))?;
    }
    writeln!(out, "</ul>")?;
    Ok(out)
}

/// Text of a plugin, which can be anything.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_an_earlier_run_go_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let page = start("Gone").unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        for name in ["0001-clap-Gone.html", "0002-lv2-Gone-too.html", "12345-vst3-.html"] {
            put(name, &page);
        }
        // Not of the name, not marked, marked too late, a folder, a link.
        put("index.html", &page);
        put("notes.html", &page);
        put("0003-clap-Mine.txt", &page);
        put("0003-clap-Mine.html", &page.replace(MARK, ""));
        put("0004-clap-Mine.html", &format!("{}{page}", "x".repeat(600)));
        fs::create_dir(folder.path().join("0005-clap-Folder.html")).unwrap();
        std::os::unix::fs::symlink("index.html", folder.path().join("0006-clap-Link.html")).unwrap();
        remove_others(folder.path(), &[]).unwrap();
        let mut left: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(
            left,
            [
                "0003-clap-Mine.html",
                "0003-clap-Mine.txt",
                "0004-clap-Mine.html",
                "0005-clap-Folder.html",
                "0006-clap-Link.html",
                "index.html",
                "notes.html",
            ]
        );
    }

    #[test]
    fn what_a_plugin_calls_itself_is_text_and_nothing_else() {
        assert_eq!(escaped("<b a=\"&\">"), "&lt;b a=&quot;&amp;&quot;&gt;");
    }
}
