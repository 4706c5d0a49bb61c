//! The parent's side: one child process after the other, until every plugin of a file has been asked.

use std::ffi::OsString;
use std::sync::atomic::AtomicBool;

use super::folders::Candidate;
use super::index::{Failure, FileEntry};
use super::report::Report;
use super::stamp::Stamp;
use super::{PROBE, ScanSettings};
use crate::child::{Heard, Run};
use crate::{Format, PluginId, Preset};

/// Presets of one plugin that are noted, and how long a key and a name may be.
const MAX_PRESETS: usize = 16_384;
const MAX_KEY_BYTES: usize = 4096;
const MAX_NAME_BYTES: usize = 1024;

/// Asks all plugins of a file; `None` if the scan was stopped before that.
pub(super) fn ask(candidate: &Candidate, settings: &ScanSettings, stop: &AtomicBool) -> Option<FileEntry> {
    let stamp = Stamp::of(&candidate.path).unwrap_or_default();
    let presets = (candidate.format != Format::Lv2).then(Vec::new);
    let (format, plugins, failures) = (candidate.format, Vec::new(), Vec::new());
    let mut entry = FileEntry { format, stamp, plugins, presets, failures };
    loop {
        let done = entry.plugins.len() + entry.failures.len();
        match Run::start(&settings.probe, arguments(candidate, &entry)) {
            Ok(run) => match follow(run, settings, &mut entry, stop) {
                End::Whole => break,
                End::Stopped => return None,
                // What it died of has been noted; unless that was no plugin's fault, the others are asked.
                End::Died { blamed: true } if entry.plugins.len() + entry.failures.len() > done => {}
                End::Died { .. } => break,
            },
            Err(error) => {
                let reason = format!("{PROBE} cannot be started ({}): {error}", settings.probe.display());
                entry.failures.push(Failure { id: None, reason });
                break;
            }
        }
    }
    Some(entry)
}

/// How a child ended.
enum End {
    /// After it had said all.
    Whole,
    /// Because the scan was stopped.
    Stopped,
    /// Of a plugin, or before there was one to blame.
    Died { blamed: bool },
}

fn arguments(candidate: &Candidate, entry: &FileEntry) -> Vec<OsString> {
    let failed = entry.failures.iter().filter_map(|failure| failure.id.as_ref());
    let asked = entry.plugins.iter().map(|description| &description.id).chain(failed);
    let start = ["describe".into(), candidate.format.name().into(), candidate.path.clone().into_os_string()];
    start.into_iter().chain(asked.map(|id| PluginId::to_string(id).into())).collect()
}

/// Notes what it says until it ends.
fn follow(mut run: Run<Report>, settings: &ScanSettings, entry: &mut FileEntry, stop: &AtomicBool) -> End {
    let mut asked: Option<PluginId> = None;
    // It is good, and is asked for its presets: what happens meanwhile costs these alone.
    let mut good: Option<PluginId> = None;
    loop {
        match run.next(settings.limit, stop) {
            Heard::Line(Report::Contents(_)) => {}
            Heard::Line(Report::Begin(id)) => (asked, good) = (Some(id), None),
            // Only the plugin that was asked may answer.
            Heard::Line(Report::Done(description)) if asked.take().as_ref() == Some(&description.id) => {
                good = Some(description.id.clone());
                entry.plugins.push(*description);
            }
            Heard::Line(Report::Presets(presets)) => {
                let Some(id) = good.take() else { continue };
                let noted = entry.presets.get_or_insert_default();
                let kept = presets.into_iter().filter(is_short).take(MAX_PRESETS);
                noted.extend(kept.map(|preset| (id.clone(), preset)));
            }
            Heard::Line(Report::Failed(reason)) => entry.failures.push(Failure { id: asked.take(), reason }),
            Heard::Line(Report::End) => {
                run.kill();
                return End::Whole;
            }
            Heard::Stopped => return End::Stopped,
            Heard::Nonsense | Heard::TooLong | Heard::Ended(_) if good.is_some() => {
                run.kill();
                return End::Died { blamed: true };
            }
            Heard::Line(Report::Done(_)) | Heard::Nonsense => {
                run.kill();
                return blame(entry, asked, "what came back is no answer".to_owned());
            }
            Heard::TooLong => {
                let reason = format!("did not answer within {} s", settings.limit.as_secs_f64());
                return blame(entry, asked, reason);
            }
            Heard::Ended(ended) => return blame(entry, asked, ended.text),
        }
    }
}

/// Whether a preset can be kept: names and keys come from files and plugins.
fn is_short(preset: &Preset) -> bool {
    preset.key.len() <= MAX_KEY_BYTES && preset.name.len() <= MAX_NAME_BYTES
}

fn blame(entry: &mut FileEntry, asked: Option<PluginId>, reason: String) -> End {
    let blamed = asked.is_some();
    entry.failures.push(Failure { id: asked, reason });
    End::Died { blamed }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::{Description, Kind};

    fn description(name: &str) -> Description {
        Description {
            id: PluginId::new(Format::Clap, name),
            name: name.into(),
            vendor: String::new(),
            version: String::new(),
            path: PathBuf::from("/x.clap"),
            kind: Kind::Effect,
            tags: vec![],
            audio_inputs: vec![],
            audio_outputs: vec![],
            event_inputs: vec![],
            event_outputs: vec![],
            parameters: vec![],
        }
    }

    /// What is noted of a file with plugins `a` and `b`, where `of_a` is what the child does when `a` is asked for its presets.
    fn asked(of_a: &str) -> FileEntry {
        let folder = tempfile::tempdir().unwrap();
        let probe = folder.path().join("probe");
        let line = |report: Report| format!("echo '{}'\n", serde_json::to_string(&report).unwrap());
        let tell = |name: &str| {
            line(Report::Begin(PluginId::new(Format::Clap, name)))
                + &line(Report::Done(Box::new(description(name))))
        };
        let preset = |key: &str| Preset { key: key.into(), name: "Warm".into() };
        let presets = line(Report::Presets(vec![preset("b1"), preset(&"x".repeat(MAX_KEY_BYTES + 1))]));
        // Whoever is named behind the file has been asked.
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in *clap:a*) ;; *)\n{}{of_a}\n;; esac\n{}{presets}{}",
            tell("a"),
            tell("b"),
            line(Report::End)
        );
        std::fs::write(&probe, script).unwrap();
        std::fs::set_permissions(&probe, std::fs::Permissions::from_mode(0o755)).unwrap();
        let settings = ScanSettings {
            probe,
            workers: 1,
            limit: Duration::from_secs(2),
            retry_failed: false,
            rescan_all: false,
        };
        let candidate = Candidate { path: "/x.clap".into(), format: Format::Clap };
        ask(&candidate, &settings, &AtomicBool::new(false)).unwrap()
    }

    #[test]
    fn a_plugin_that_dies_of_its_presets_is_good_without_them_and_the_next_one_is_asked() {
        for of_a in ["kill -SEGV $$", "sleep 60", "exit 3", "echo nonsense", "echo '{\"done\":1}'"] {
            let entry = asked(of_a);
            let names: Vec<_> = entry.plugins.iter().map(|it| it.name.as_str()).collect();
            assert_eq!((names, entry.failures), (vec!["a", "b"], vec![]), "{of_a}");
            let b1 = Preset { key: "b1".into(), name: "Warm".into() };
            assert_eq!(entry.presets, Some(vec![(PluginId::new(Format::Clap, "b"), b1)]), "{of_a}");
        }
    }

    #[test]
    fn presets_are_noted_with_their_plugin() {
        let presets = vec![Preset { key: "a1".into(), name: "Loud".into() }];
        let entry = asked(&format!("echo '{}'", serde_json::to_string(&Report::Presets(presets)).unwrap()));
        let keys: Vec<_> =
            entry.presets.unwrap().into_iter().map(|(id, preset)| (id.name, preset.key)).collect();
        assert_eq!(keys, [("a".to_owned(), "a1".to_owned()), ("b".to_owned(), "b1".to_owned())]);
    }
}
