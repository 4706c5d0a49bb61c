//! Weights as `safetensors` has them, read from first to last: a length, a table in JSON, and the numbers.

use std::io::{Read, Take};

use serde_json::Value;

use super::ConvertError;

/// A longer table is none: that of the largest models has half of it.
const LONGEST_TABLE: u64 = 1 << 20;

/// What is read at once.
const PIECE_BYTES: usize = 64 << 10;

/// A tensor of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub name: String,
    pub shape: Vec<usize>,
    /// Whether its numbers are real ones of 32 bits; others are passed over.
    pub is_f32: bool,
    pub bytes: u64,
}

/// The tensors, in the order in which their numbers come.
pub(super) fn table(reader: &mut impl Read) -> Result<Vec<Entry>, ConvertError> {
    let mut length = [0; 8];
    reader.read_exact(&mut length).map_err(ConvertError::reading)?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_TABLE {
        return Err(damaged(format!("a table of {length} bytes")));
    }
    let mut text = Vec::new();
    reader.by_ref().take(length).read_to_end(&mut text).map_err(ConvertError::reading)?;
    let table: serde_json::Map<String, Value> =
        serde_json::from_slice(&text).map_err(|error| damaged(format!("its table: {error}")))?;
    let tensors = table.iter().filter(|(name, _)| *name != "__metadata__");
    let mut entries: Vec<(u64, Entry)> = tensors
        .map(|(name, value)| entry(name, value).ok_or_else(|| damaged(format!("{name} in its table"))))
        .collect::<Result<_, _>>()?;
    entries.sort_by_key(|(from, entry)| (*from, entry.bytes));
    let mut at = 0;
    for (from, entry) in &entries {
        if *from != at {
            return Err(damaged(format!("{} begins at {from}, expected at {at}", entry.name)));
        }
        at += entry.bytes;
    }
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

/// Where it begins, and what it is.
fn entry(name: &str, value: &Value) -> Option<(u64, Entry)> {
    let numbers =
        |key: &str| value.get(key)?.as_array()?.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>();
    let [from, to] = numbers("data_offsets")?[..] else { return None };
    let shape: Vec<usize> =
        numbers("shape")?.into_iter().map(|it| usize::try_from(it).ok()).collect::<Option<_>>()?;
    let is_f32 = value.get("dtype")?.as_str()? == "F32";
    let bytes = to.checked_sub(from)?;
    let expected = shape.iter().try_fold(4_u64, |all, it| all.checked_mul(*it as u64))?;
    // So that no sum of them goes beyond 64 bits.
    let is_right = (!is_f32 || bytes == expected) && to < 1 << 40;
    is_right.then(|| (from, Entry { name: name.to_owned(), shape, is_f32, bytes }))
}

/// Reads the numbers of a tensor, so many at a time; `each` gets them in order, whole rows of `row` numbers.
pub(super) fn rows(
    reader: &mut impl Read,
    entry: &Entry,
    row: usize,
    mut each: impl FnMut(&[f32]) -> Result<(), ConvertError>,
) -> Result<(), ConvertError> {
    let row_bytes = row * 4;
    let mut bytes = vec![0; (PIECE_BYTES / row_bytes).max(1) * row_bytes];
    let mut numbers = Vec::with_capacity(bytes.len() / 4);
    let mut left = reader.by_ref().take(entry.bytes);
    while left.limit() > 0 {
        let count = usize::try_from(left.limit()).map_or(bytes.len(), |it| it.min(bytes.len()));
        left.read_exact(&mut bytes[..count]).map_err(ConvertError::reading)?;
        numbers.clear();
        numbers.extend(bytes[..count].as_chunks::<4>().0.iter().map(|it| f32::from_le_bytes(*it)));
        if numbers.iter().any(|it| !it.is_finite()) {
            return Err(damaged(format!("{} has values that are no numbers", entry.name)));
        }
        for row in numbers.chunks(row) {
            each(row)?;
        }
    }
    Ok(())
}

/// Passes over a tensor.
pub(super) fn skip(reader: &mut impl Read, entry: &Entry) -> Result<(), ConvertError> {
    let mut left: Take<_> = reader.by_ref().take(entry.bytes);
    std::io::copy(&mut left, &mut std::io::sink()).map_err(ConvertError::reading)?;
    match left.limit() {
        0 => Ok(()),
        missing => Err(damaged(format!("it ends {missing} bytes before the end of {}", entry.name))),
    }
}

fn damaged(what: String) -> ConvertError {
    ConvertError::Package(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(table: &str, numbers: &[f32]) -> Vec<u8> {
        let mut bytes = (table.len() as u64).to_le_bytes().to_vec();
        bytes.extend(table.as_bytes());
        bytes.extend(numbers.iter().flat_map(|it| it.to_le_bytes()));
        bytes
    }

    const TABLE: &str = r#"{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,2],"data_offsets":[8,24]},
        "a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#;

    #[test]
    fn tensors_come_in_the_order_of_their_numbers() {
        let bytes = file(TABLE, &[0.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
        let mut reader = &bytes[..];
        let entries = table(&mut reader).unwrap();
        assert_eq!(entries.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        skip(&mut reader, &entries[0]).unwrap();
        let mut all = Vec::new();
        rows(&mut reader, &entries[1], 2, |row| {
            all.push(row.to_vec());
            Ok(())
        })
        .unwrap();
        assert_eq!(all, [[1.0, 2.0], [3.0, 4.0]]);
    }

    #[test]
    fn what_is_no_such_file_is_said_to_be_damaged() {
        let gap = TABLE.replace("[0,8]", "[0,4]");
        let short = TABLE.replace("[2,2]", "[2,3]");
        let long = u64::MAX.to_le_bytes().to_vec();
        let files = [file(&gap, &[]), file(&short, &[]), file("{", &[]), file("[]", &[]), long, vec![1, 2]];
        for bytes in files {
            assert!(matches!(table(&mut &bytes[..]), Err(ConvertError::Package(_))), "{bytes:?}");
        }
        let cut = file(TABLE, &[0.0, 0.0, 1.0]);
        let mut reader = &cut[..];
        let entries = table(&mut reader).unwrap();
        skip(&mut reader, &entries[0]).unwrap();
        assert!(matches!(rows(&mut reader, &entries[1], 2, |_| Ok(())), Err(ConvertError::Package(_))));
        assert!(matches!(skip(&mut &cut[..1], &entries[1]), Err(ConvertError::Package(_))));
        let strange = [f32::NAN; 4].map(f32::to_le_bytes).concat();
        assert!(matches!(rows(&mut &strange[..], &entries[1], 2, |_| Ok(())), Err(ConvertError::Package(_))));
    }
}
