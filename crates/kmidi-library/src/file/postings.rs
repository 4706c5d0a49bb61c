//! Which items have a term, and how much it says of each: a number of items, then for each how far it is behind the
//! one before, and the weight.

use crate::codec::{Reader, Writer};

/// Most that a term weighs in an item; three bits.
const MAX_WEIGHT: u8 = 8;

/// An item that has a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Posting {
    pub item: u32,
    /// 1..=8: thrice for a name, once for each time in the text.
    pub weight: u8,
}

/// A list that grows, in the form in which it is written.
#[derive(Default)]
pub(crate) struct Postings {
    packed: Writer,
    count: u32,
    /// One behind the last item that is packed.
    next: u32,
    /// Not packed yet: its weight may grow.
    last: Option<Posting>,
}

impl Postings {
    /// A term stands in an item, perhaps once more; items come in their order.
    pub fn add(&mut self, item: u32, weight: u8) {
        match &mut self.last {
            Some(last) if last.item == item => last.weight = last.weight.saturating_add(weight),
            _ => {
                self.pack();
                self.last = Some(Posting { item, weight });
            }
        }
    }

    fn pack(&mut self) {
        let Some(Posting { item, weight }) = self.last.take() else { return };
        let gap = u64::from(item - self.next);
        self.packed.varint(gap << 3 | u64::from(weight.clamp(1, MAX_WEIGHT) - 1));
        (self.count, self.next) = (self.count + 1, item + 1);
    }

    pub fn write(mut self, out: &mut Writer) {
        self.pack();
        out.varint(self.count.into());
        out.0.extend(&self.packed.0);
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
        let mut list = Postings::default();
        for posting in &postings {
            // A weight that comes in parts, and is more than there is room for.
            list.add(posting.item, posting.weight);
            list.add(posting.item, if posting.weight == MAX_WEIGHT { 200 } else { 0 });
        }
        list.write(&mut out);
        let (count, list) = read_postings(&out.0, 1, 70_001).unwrap();
        assert_eq!((count, list.collect::<Vec<_>>()), (4, postings.clone()));
        assert_eq!(read_postings(&out.0, 1, 70_000).unwrap().1.count(), 3, "an item that is not there");
        assert_eq!(read_postings(&out.0[..out.0.len() - 1], 1, 70_001).unwrap().1.count(), 3, "cut");
        assert!(read_postings(&out.0, 1, 3).is_none() && read_postings(&out.0, 99, 9).is_none());
    }
}
