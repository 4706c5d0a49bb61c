//! Which items have a term, and how much it says of each: a number of items, then for each how far it is behind the
//! one before, and the weight.

use crate::codec::{Reader, Writer};

/// Most that a term weighs in an item; three bits.
pub(crate) const MAX_WEIGHT: u8 = 8;

/// An item that has a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Posting {
    pub item: u32,
    /// 1..=8: thrice for a name, once for each time in the text.
    pub weight: u8,
}

pub(crate) fn write_postings(postings: &[Posting], out: &mut Writer) {
    out.varint(postings.len() as u64);
    let mut next = 0;
    for posting in postings {
        let gap = u64::from(posting.item - next);
        out.varint(gap << 3 | u64::from(posting.weight.clamp(1, MAX_WEIGHT) - 1));
        next = posting.item + 1;
    }
}

/// The postings at a place, and how many there are; damaged ones end the list.
pub(crate) fn read_postings(
    bytes: &[u8],
    at: u64,
    items: u32,
) -> Option<(u32, impl Iterator<Item = Posting> + Clone)> {
    let mut reader = Reader(bytes.get(usize::try_from(at).ok()?..)?);
    let count = u32::try_from(reader.varint()?).ok().filter(|count| *count <= items)?;
    let mut next = 0u64;
    let list = (0..count).map_while(move |_| {
        let packed = reader.varint()?;
        let item = next.checked_add(packed >> 3).filter(|item| *item < u64::from(items))?;
        next = item + 1;
        Some(Posting { item: item as u32, weight: (packed & 7) as u8 + 1 })
    });
    Some((count, list))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postings_come_back_and_damaged_ones_end_early() {
        let postings: Vec<_> =
            [(0, 1), (1, 8), (500, 3), (70_000, 2)].map(|(item, weight)| Posting { item, weight }).into();
        let mut out = Writer::default();
        out.u8(0xff);
        write_postings(&postings, &mut out);
        let (count, list) = read_postings(&out.0, 1, 70_001).unwrap();
        assert_eq!((count, list.collect::<Vec<_>>()), (4, postings.clone()));
        assert_eq!(read_postings(&out.0, 1, 70_000).unwrap().1.count(), 3, "an item that is not there");
        assert_eq!(read_postings(&out.0[..out.0.len() - 1], 1, 70_001).unwrap().1.count(), 3, "cut");
        assert!(read_postings(&out.0, 1, 3).is_none() && read_postings(&out.0, 99, 9).is_none());
    }
}
