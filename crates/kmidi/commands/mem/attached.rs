//! What a running kmidi tells when it is asked once.

use std::fmt::Write;

use anyhow::Result;
use kmidi_memory::{BudgetStatus, MIB};

use super::args;
use super::text::{call, first_calls, limit, mib};
use crate::control::client::Attached;
use crate::control::protocol::{Call, Hot, Leaks, NamedLeaks, NamedSite, Order, Request, Sites, Status};
use crate::control::symbols::Symbols;
use crate::output::{print, print_json};
use crate::screens::player::clock;

/// How long a place must be watched before anything can be said of it.
const LEAST_WATCH_SECONDS: f64 = 60.0;

pub fn budget(args: &args::Attach) -> Result<()> {
    let status: Status = Attached::find(args.pid)?.ask(&Request::Snapshot {})?;
    if args.json { print_json(&status) } else { print(budget_text(&status)?.as_bytes()) }
}

fn budget_text(status: &Status) -> Result<String, std::fmt::Error> {
    let memory = &status.memory;
    let mut out = String::new();
    writeln!(
        out,
        "process {}, {}: kmidi {}",
        status.who.pid,
        clock(status.who.uptime_seconds),
        status.who.command
    )?;
    writeln!(out, "MiB           in use    peak  promised   limit  leases  refused")?;
    let mut row = |name: &str, budget: &BudgetStatus, peak_bytes| {
        writeln!(
            out,
            "{name:<10} {:>9} {:>7} {:>9} {:>7} {:>7} {:>8}",
            mib(budget.live_bytes),
            mib(peak_bytes),
            mib(budget.promised_bytes),
            limit(budget.limit_bytes),
            budget.leases,
            budget.refused
        )
    };
    for domain in &memory.domains {
        row(domain.domain.name(), &domain.budget, domain.peak_bytes)?;
    }
    row("total", &memory.total, memory.total_peak_bytes)?;
    if memory.holders.is_empty() {
        writeln!(out, "leases: none")?;
    }
    for holder in &memory.holders {
        writeln!(out, "lease: {} MiB of {} by {}", mib(holder.bytes), holder.domain, holder.name)?;
    }
    let region = memory.region;
    writeln!(
        out,
        "audio region: {} of {} MiB have their pages, {} were used; {} blocks did not fit",
        mib(region.populated_bytes as u64),
        mib(region.reserved_bytes as u64),
        mib(region.highest_bytes as u64),
        region.spills
    )?;
    let violations = memory.violations;
    writeln!(
        out,
        "audio callback: {} allocations and {} frees that it must not do",
        violations.allocations, violations.frees
    )?;
    let process = memory.process;
    writeln!(
        out,
        "process: {} MiB of its own, {} MiB of files, {} MiB shared; pressure: {}",
        mib(process.rss_anon_bytes),
        mib(process.rss_file_bytes),
        mib(process.rss_shmem_bytes),
        memory.pressure.name()
    )?;
    for plugin in &memory.foreign {
        let bytes =
            plugin.estimated_bytes.map_or("an unknown amount".into(), |it| format!("{} MiB", mib(it)));
        writeln!(out, "plugin: {bytes} by {}", plugin.name)?;
    }
    writeln!(
        out,
        "What plugins allocate is counted, not capped; what each holds is an estimate of `kmidi certify`."
    )?;
    Ok(out)
}

pub fn hot(args: &args::Hot) -> Result<()> {
    let request = Request::Sites { top: args.top.into(), by: args.by };
    let attached = Attached::find(args.attach.pid)?;
    let hot = attached.ask::<Sites>(&request)?.named(&mut Symbols::new());
    say_if_nameless(hot.same_program, attached.pid);
    match (args.attach.json, args.collapsed) {
        (true, _) => print_json(&hot),
        (false, true) => print(collapsed(&hot.sites).as_bytes()),
        (false, false) => print(hot_text(&hot, args.by).as_bytes()),
    }
}

fn say_if_nameless(same_program: bool, pid: u32) {
    if !same_program {
        eprintln!(
            "kmidi: process {pid} runs another build of kmidi: for names, /proc/{pid}/exe mem hot --pid {pid}"
        );
    }
}

/// `outermost;...;innermost bytes`.
fn collapsed(sites: &[NamedSite]) -> String {
    let mut out = String::new();
    for site in sites {
        let names: Vec<_> = site.calls.iter().rev().map(|call| call.function.replace(';', ":")).collect();
        out += &format!("{};{} {}\n", site.site.domain, names.join(";"), site.site.live_bytes);
    }
    out
}

fn hot_text(hot: &Hot, by: Order) -> String {
    let sorted = match by {
        Order::Bytes => "bytes in use",
        Order::Count => "allocations so far",
        Order::Average => "bytes of a block",
        Order::Peak => "peaks",
    };
    let mut out = format!("by {sorted}; estimates: one block each 512 KiB is looked at\n");
    if hot.sites.is_empty() {
        out += "nothing has been sampled yet\n";
    }
    for (n, NamedSite { site, calls }) in hot.sites.iter().enumerate() {
        out += &format!(
            "{:>3}. {:<8} {:>8} MiB in {} blocks, peak {} MiB, {} allocations of {} bytes\n",
            n + 1,
            site.domain.name(),
            mib(site.live_bytes),
            site.live_blocks,
            mib(site.peak_bytes),
            site.allocations,
            Order::Average.of(site)
        );
        out += &calls_text(calls);
    }
    if hot.lost_samples > 0 {
        out += &format!("{} samples found no place and are missing here\n", hot.lost_samples);
    }
    out
}

fn calls_text(calls: &[Call]) -> String {
    first_calls(calls).into_iter().map(|it| format!("       {}\n", call(it))).collect()
}

pub fn leaks(args: &args::Leaks) -> Result<()> {
    let request = Request::Leaks { top: args.top.into() };
    let attached = Attached::find(args.attach.pid)?;
    let leaks = attached.ask::<Leaks>(&request)?.named(&mut Symbols::new());
    say_if_nameless(leaks.same_program, attached.pid);
    if args.attach.json { print_json(&leaks) } else { print(leaks_text(&leaks).as_bytes()) }
}

fn leaks_text(leaks: &NamedLeaks) -> String {
    let watched = clock(leaks.watched_seconds);
    if leaks.leaks.is_empty() {
        let young = leaks.watched_seconds < LEAST_WATCH_SECONDS;
        let hint = if young { ": ask again after a minute" } else { "" };
        return format!("nothing goes on growing; watched for {watched}{hint}\n");
    }
    let mut out = format!("{} places go on growing; watched for {watched}\n", leaks.leaks.len());
    for named in &leaks.leaks {
        let leak = &named.leak;
        out += &format!(
            "  {:<8} {:>8} MiB in use, {:+.2} MiB a minute, {:.1} deviations from chance, oldest block {} s\n",
            leak.site.domain.name(),
            mib(leak.site.live_bytes),
            leak.bytes_per_second * 60.0 / MIB as f64,
            leak.score,
            leak.site.oldest_s.unwrap_or(0)
        );
        out += &calls_text(&named.calls);
    }
    out
}

#[cfg(test)]
mod tests {
    use kmidi_memory::{Domain, Leak, Site};

    use super::*;
    use crate::control::protocol::NamedLeak;

    fn site() -> Site {
        Site {
            frames: vec![1, 2],
            domain: Domain::Working,
            allocations: 10,
            allocated_bytes: 1000 << 10,
            live_blocks: 5,
            live_bytes: 3 << 20,
            peak_bytes: 4 << 20,
            oldest_s: Some(99),
        }
    }

    fn calls() -> Vec<Call> {
        let call = |function: &str| Call { function: function.into(), place: Some("/x/src/a.rs:7".into()) };
        vec![call("alloc::raw"), call("kmidi_song::read"), call("main")]
    }

    #[test]
    fn hot_sites_are_told_and_collapsed() {
        let hot = Hot {
            same_program: true,
            sites: vec![NamedSite { site: site(), calls: calls() }],
            lost_samples: 2,
        };
        let text = hot_text(&hot, Order::Peak);
        for part in [
            "by peaks",
            "3.0 MiB in 5 blocks, peak 4.0 MiB, 10 allocations of 102400 bytes",
            "kmidi_song::read (x/src/a.rs:7)",
            "2 samples",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(collapsed(&hot.sites), "working;main;kmidi_song::read;alloc::raw 3145728\n");
    }

    #[test]
    fn leaks_are_told_with_their_pace() {
        let leak = Leak { site: site(), bytes_per_second: 34952.5, score: 3.9, watched_s: 120.0 };
        let leaks = NamedLeaks {
            same_program: true,
            watched_seconds: 120.0,
            leaks: vec![NamedLeak { leak, calls: calls() }],
        };
        let text = leaks_text(&leaks);
        assert!(text.contains("+2.00 MiB a minute") && text.contains("kmidi_song::read"), "{text}");
        assert!(leaks_text(&NamedLeaks::default()).contains("after a minute"));
    }
}
