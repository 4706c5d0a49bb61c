//! What a recording says of itself: ID3, Vorbis comments, RIFF INFO.

use std::io::BufReader;
use std::path::Path;

use lofty::config::ParseOptions;
use lofty::file::TaggedFileExt;
use lofty::probe::Probe;
use lofty::tag::ItemKey;

use crate::Key;

/// Longest text of one tag that counts, in bytes.
const MAX_TAG_BYTES: usize = 300;

#[derive(Debug, Default)]
pub(super) struct Tags {
    pub text: String,
    pub key: Option<Key>,
    pub bpm: Option<f32>,
}

/// The tags that say what a recording is; none of a file whose tags cannot be read.
pub(super) fn read(path: &Path) -> Tags {
    let mut tags = Tags::default();
    let Ok(file) = std::fs::File::open(path) else { return tags };
    let mut options = ParseOptions::new();
    options.read_properties(false).read_cover_art(false);
    let probe = Probe::new(BufReader::new(file)).options(options).guess_file_type();
    // Parsers are large bodies of code fed with whatever a file holds.
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| probe.ok()?.read().ok()));
    let Ok(Some(tagged)) = read else { return tags };
    for item in tagged.tags().iter().flat_map(|tag| tag.items()) {
        let Some(text) = item.value().text() else { continue };
        match item.key() {
            ItemKey::InitialKey => tags.key = tags.key.or_else(|| text.parse().ok()),
            ItemKey::Bpm | ItemKey::IntegerBpm => {
                let bpm = text.trim().parse().ok().filter(|bpm| (20.0..=400.0).contains(bpm));
                tags.bpm = tags.bpm.or(bpm);
            }
            key if says_what_it_is(key) => {
                let text: String = text.chars().take(MAX_TAG_BYTES).collect();
                if !tags.text.contains(&text) {
                    tags.text.push_str(&text);
                    tags.text.push_str(". ");
                }
            }
            _ => {}
        }
    }
    tags
}

fn says_what_it_is(key: ItemKey) -> bool {
    matches!(
        key,
        ItemKey::TrackTitle
            | ItemKey::TrackSubtitle
            | ItemKey::AlbumTitle
            | ItemKey::TrackArtist
            | ItemKey::Composer
            | ItemKey::Genre
            | ItemKey::Mood
            | ItemKey::ContentGroup
            | ItemKey::Comment
            | ItemKey::Description
    )
}
