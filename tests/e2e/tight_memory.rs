//! Little memory: a song renders and plays to its end within limits of the system's, and a player that is
//! ready takes little.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::support::program::{self, DEADLINE, Outcome};
use crate::support::root;

const MIB: u64 = 1 << 20;
/// What a player with the default SoundFont may take.
const READY_BYTES: u64 = 40 * MIB;

fn song() -> String {
    root().join("assets/midi/freedoom-e1m1.mid").to_str().expect("UTF-8").to_owned()
}

/// A song is rendered as a whole and played to its end.
fn check(run: impl Fn(&Command) -> Outcome) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("out.wav");
    let song = song();
    let rendered =
        run(&program::command(&["render", "--json", "-o", output.to_str().expect("UTF-8"), &song])).success();
    assert!(rendered.json()["duration_seconds"].as_f64() > Some(90.0), "{rendered:#?}");
    let arguments = ["play", "--json", "--audio", "null", "--from", "85s", "--tempo-scale", "4", &song];
    let played = run(&program::command(&arguments)).success();
    assert_eq!(played.json()["state"], "ended", "{played:#?}");
}

/// `RLIMIT_DATA`: all memory that is the process's own, whether it is touched or not.
pub fn with_data_limit(mib: u64, kmidi: &Command) -> Outcome {
    let limit = format!("--data={}", mib * MIB);
    program::spawn(program::behind(&["prlimit", &limit], kmidi)).wait(DEADLINE)
}

fn check_data_limit(mib: u64) {
    check(|kmidi| with_data_limit(mib, kmidi));
}

#[test]
fn a_song_plays_to_its_end_in_512_and_in_128_mib_of_data() {
    check_data_limit(512);
    check_data_limit(128);
}

/// The group's folder, gone with the test.
struct Group(PathBuf);

impl Group {
    /// With this much memory; none where this process may not make any.
    fn new(mib: u64) -> Option<Group> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let own = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
        let name = format!("kmidi-tests-{}-{mib}", std::process::id());
        let group = Group(PathBuf::from("/sys/fs/cgroup").join(own).join(name));
        fs::create_dir(&group.0).ok()?;
        // It is there only where the kernel made the folder a group, and this one may limit memory.
        let limit = group.0.join("memory.max");
        if !limit.exists() {
            return None;
        }
        fs::write(limit, (mib * MIB).to_string()).ok()?;
        Some(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

fn check_group(mib: u64) {
    let Some(group) = Group::new(mib) else {
        eprintln!("no control group with a memory limit can be made here: nothing tested");
        return;
    };
    let enter = format!("echo $$ > '{}/cgroup.procs' && exec \"$@\"", group.0.display());
    check(|kmidi| program::spawn(program::behind(&["sh", "-c", &enter, "sh"], kmidi)).wait(DEADLINE));
}

#[test]
fn a_song_plays_to_its_end_in_a_group_of_512_and_of_128_mib() {
    check_group(512);
    check_group(128);
}

/// A value of `/proc/PID/status` in bytes.
fn status_bytes(id: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel tells");
    line.trim_matches([':', '\t', ' ', 'k', 'B']).parse::<u64>().expect("a number") * 1024
}

#[test]
fn a_player_that_is_ready_takes_little() {
    let player = program::spawn(program::command(&["play", "--audio", "null", &song()]));
    std::thread::sleep(Duration::from_secs(3));
    let bytes = status_bytes(player.id(), "RssAnon") + status_bytes(player.id(), "RssShmem");
    println!("a player takes {:.1} MiB", bytes as f64 / MIB as f64);
    player.signal("INT");
    player.wait(Duration::from_secs(20)).success();
    assert!((MIB..READY_BYTES).contains(&bytes), "{bytes} bytes");
}
