//! Each channel of a song in a file of its own.

use std::path::{Path, PathBuf};

use crossbeam_channel::bounded;
use kmidi_device::CallbackSizes;
use serde::Serialize;

use crate::input::check_output;
use crate::job::JobContext;
use crate::offline::Score;
use crate::render::{BLOCK_FRAMES, Jobs, RenderError, RenderProgress, RenderRequest, writer};
use crate::snapshot::dbfs;
use crate::tail::End;

/// One channel's file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stem {
    /// MIDI port, from 1.
    pub port: u8,
    /// Channel, from 1.
    pub channel: u8,
    /// The file, as long as the render of the whole song.
    pub output: PathBuf,
    /// The highest sample.
    pub peak_dbfs: f32,
}

/// Renders every channel that has notes and is not silenced, several at a time.
pub(crate) fn render(
    jobs: &Jobs<'_>,
    folder: &Path,
    request: &RenderRequest,
) -> Result<Vec<Stem>, RenderError> {
    let cannot = |source| RenderError::Stems { path: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let silent = jobs.score.silent();
    let ports = jobs.score.song.sounding.iter().enumerate();
    let heard =
        ports.flat_map(|(port, channels)| (0..16u8).map(move |channel| (port as u8, channels, channel)));
    let heard = heard.filter(|&(_, channels, channel)| (channels & !silent) >> channel & 1 == 1);
    let stems: Vec<(u8, u8)> = heard.map(|(port, _, channel)| (port, channel)).collect();
    for &(port, channel) in &stems {
        let output = folder.join(file_name(port, channel, request.output.as_deref()));
        check_output(&output, request.inputs())?;
    }
    let (results, received) = bounded(stems.len());
    for &(port, channel) in &stems {
        let score = Score { only: Some((port, channel)), ..jobs.score.clone() };
        let (frames, request) = (jobs.frames, request.clone());
        let cancel = jobs.cancel.clone();
        let output = folder.join(file_name(port, channel, request.output.as_deref()));
        let results = results.clone();
        let job = move |context: JobContext| {
            one(&score, (port, channel), output, frames, &request, &context.wanted_by(cancel))
        };
        let deliver = move |result| {
            let _ = results.send(result);
        };
        jobs.spawn(job, deliver)?;
    }
    drop(results);
    let mut done = Vec::with_capacity(stems.len());
    (jobs.on_progress)(RenderProgress::Stems(0.0));
    for result in received {
        done.push(result??);
        (jobs.on_progress)(RenderProgress::Stems(done.len() as f64 / stems.len() as f64));
    }
    done.sort_by_key(|stem| (stem.port, stem.channel));
    Ok(done)
}

/// `channel-10.wav`, or `port-2-channel-10.wav` beyond the first port; of the kind of `output`.
fn file_name(port: u8, channel: u8, output: Option<&Path>) -> String {
    let kind =
        output.and_then(Path::extension).map_or("wav".into(), |kind| kind.to_string_lossy().to_lowercase());
    let port = if port > 0 { format!("port-{}-", port + 1) } else { String::new() };
    format!("{port}channel-{:02}.{kind}", channel + 1)
}

fn one(
    score: &Score,
    (port, channel): (u8, u8),
    output: PathBuf,
    frames: u64,
    request: &RenderRequest,
    context: &JobContext,
) -> Result<Stem, RenderError> {
    let mut file = writer(request, output.clone())?;
    let sizes = &mut CallbackSizes::Constant(BLOCK_FRAMES);
    let pass = score.pass(sizes, End::exactly(frames), context, |block, _| Ok(file.write(block)?));
    let counts = pass.map_err(|error| RenderError::from_pass(&score.song, error))?;
    file.finish()?;
    Ok(Stem { port: port + 1, channel: channel + 1, output, peak_dbfs: dbfs(counts.peak) })
}
