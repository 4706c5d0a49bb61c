//! The list of tensors in a checkpoint of PyTorch's, which is written in Python's pickle format.
//!
//! Pickle is a small machine that may be told to run anything. This one knows the few instructions that such a list is made of, makes
//! nothing but numbers, texts, tables and tensors, and refuses whatever else it is told to.

use std::collections::BTreeMap;

use super::ConvertError;

/// A longer list is none: that of this model has 37 KB.
pub(super) const LONGEST_BYTES: u64 = 1 << 20;
/// Things that it may make, and hold at once.
const MOST_VALUES: usize = 1 << 16;
/// Dimensions of a tensor.
const MOST_DIMENSIONS: usize = 8;

/// Where the numbers of a tensor are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    /// The file of the archive's folder `data`: a number.
    pub file: u32,
    /// Lengths of its dimensions; its numbers lie row by row, and are all that the file has.
    pub shape: Vec<usize>,
}

/// What may be called; the real names are only compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Callable {
    Table,
    Tensor,
    Reals,
}

impl Callable {
    fn named(module: &str, name: &str) -> Result<Self, ConvertError> {
        match (module, name) {
            ("collections", "OrderedDict") => Ok(Callable::Table),
            ("torch._utils", "_rebuild_tensor_v2") => Ok(Callable::Tensor),
            ("torch", "FloatStorage") => Ok(Callable::Reals),
            _ => Err(damaged(format!("its list of tensors wants to call {module}.{name}"))),
        }
    }
}

/// A place among the values: what is known under two names is one thing.
type Place = usize;

#[derive(Clone, Debug)]
enum Value {
    Whole(i64),
    Truth,
    Text(String),
    Callable(Callable),
    Row(Vec<Place>),
    Table(Vec<(Place, Place)>),
    /// Real numbers of 32 bits, in a file.
    Reals {
        file: u32,
        count: usize,
    },
    Tensor(Stored),
}

/// The tensors of the table `state_dict`, by their names.
pub(super) fn tensors(bytes: &[u8]) -> Result<BTreeMap<String, Stored>, ConvertError> {
    let mut machine = Machine {
        left: bytes,
        values: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: BTreeMap::new(),
    };
    let result = machine.run()?;
    let state = machine
        .table(result)?
        .iter()
        .find(|(key, _)| machine.text(*key).is_ok_and(|key| key == "state_dict"));
    let (_, state) = state.ok_or_else(|| damaged("it has no state_dict".to_owned()))?;
    let mut tensors = BTreeMap::new();
    for (key, value) in machine.table(*state)? {
        if let Value::Tensor(stored) = &machine.values[*value] {
            tensors.insert(machine.text(*key)?.to_owned(), stored.clone());
        }
    }
    Ok(tensors)
}

struct Machine<'a> {
    left: &'a [u8],
    values: Vec<Value>,
    stack: Vec<Place>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Place>,
}

impl Machine<'_> {
    /// Runs to the end; what is on top then.
    fn run(&mut self) -> Result<Place, ConvertError> {
        loop {
            let instruction = self.byte()?;
            if instruction == b'.' {
                return self.pop();
            }
            self.step(instruction)?;
            if self.values.len().max(self.stack.len()).max(self.marks.len()) > MOST_VALUES {
                return Err(damaged(format!("more than {MOST_VALUES} things in its list of tensors")));
            }
        }
    }

    fn step(&mut self, instruction: u8) -> Result<(), ConvertError> {
        match instruction {
            0x80 => match self.byte()? {
                2 => Ok(()),
                version => Err(damaged(format!("a list of tensors of version {version}"))),
            },
            b'}' => self.push(Value::Table(Vec::new())),
            b')' => self.push(Value::Row(Vec::new())),
            0x88 | 0x89 => self.push(Value::Truth),
            b'K' => self.whole(1),
            b'M' => self.whole(2),
            b'J' => self.whole(4),
            b'X' => self.read_text(),
            b'c' => self.callable(),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b't' => {
                let row = self.take_to_mark()?;
                self.push(Value::Row(row))
            }
            0x85..=0x87 => self.row(usize::from(instruction - 0x84)),
            b'q' => self.remember(1),
            b'r' => self.remember(4),
            b'h' => self.recall(1),
            b'j' => self.recall(4),
            b's' => {
                let pair = self.take(2)?;
                self.set(&pair)
            }
            b'u' => {
                let pairs = self.take_to_mark()?;
                self.set(&pairs)
            }
            b'R' => self.call(),
            b'Q' => self.file(),
            // What a table is told of itself beside its entries is not needed.
            b'b' => {
                self.pop()?;
                let top = self.top()?;
                self.table(top).map(drop)
            }
            _ => Err(damaged(format!("the instruction 0x{instruction:02x} in its list of tensors"))),
        }
    }

    fn bytes(&mut self, count: usize) -> Result<&[u8], ConvertError> {
        let (bytes, left) = self
            .left
            .split_at_checked(count)
            .ok_or_else(|| damaged("its list of tensors is cut off".to_owned()))?;
        self.left = left;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, ConvertError> {
        Ok(self.bytes(1)?[0])
    }

    /// A number of one, two or four bytes, the lowest first.
    fn number(&mut self, width: usize) -> Result<u32, ConvertError> {
        let bytes = self.bytes(width)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn line(&mut self) -> Result<String, ConvertError> {
        let length = self.left.iter().position(|byte| *byte == b'\n');
        let length = length.ok_or_else(|| damaged("a name without an end".to_owned()))?;
        let text = text_of(self.bytes(length)?)?;
        self.byte()?;
        Ok(text)
    }

    fn push(&mut self, value: Value) -> Result<(), ConvertError> {
        self.stack.push(self.values.len());
        self.values.push(value);
        Ok(())
    }

    fn pop(&mut self) -> Result<Place, ConvertError> {
        Ok(self.take(1)?[0])
    }

    fn top(&self) -> Result<Place, ConvertError> {
        self.stack.last().copied().ok_or_else(too_few)
    }

    /// What was pushed last, the first of it first. Nothing from below the last mark.
    fn take(&mut self, count: usize) -> Result<Vec<Place>, ConvertError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let from = self.stack.len().checked_sub(count).filter(|from| *from >= floor).ok_or_else(too_few)?;
        Ok(self.stack.split_off(from))
    }

    fn take_to_mark(&mut self) -> Result<Vec<Place>, ConvertError> {
        let mark = self.marks.pop().ok_or_else(too_few)?;
        Ok(self.stack.split_off(mark))
    }

    fn row(&mut self, count: usize) -> Result<(), ConvertError> {
        let row = self.take(count)?;
        self.push(Value::Row(row))
    }

    fn whole(&mut self, width: usize) -> Result<(), ConvertError> {
        let number = self.number(width)?;
        let number = if width == 4 { i64::from(number.cast_signed()) } else { i64::from(number) };
        self.push(Value::Whole(number))
    }

    fn read_text(&mut self) -> Result<(), ConvertError> {
        let length = self.number(4)? as usize;
        let text = text_of(self.bytes(length)?)?;
        self.push(Value::Text(text))
    }

    fn callable(&mut self) -> Result<(), ConvertError> {
        let (module, name) = (self.line()?, self.line()?);
        self.push(Value::Callable(Callable::named(&module, &name)?))
    }

    fn remember(&mut self, width: usize) -> Result<(), ConvertError> {
        let (number, top) = (self.number(width)?, self.top()?);
        self.memo.insert(number, top);
        Ok(())
    }

    fn recall(&mut self, width: usize) -> Result<(), ConvertError> {
        let number = self.number(width)?;
        let place =
            self.memo.get(&number).ok_or_else(|| damaged(format!("nothing is remembered as {number}")))?;
        self.stack.push(*place);
        Ok(())
    }

    /// Puts keys and values by turns into the table on top.
    fn set(&mut self, pairs: &[Place]) -> Result<(), ConvertError> {
        let (pairs, odd) = pairs.as_chunks::<2>();
        let top = self.top()?;
        let Value::Table(table) = &mut self.values[top] else { return Err(unlike("a table")) };
        if !odd.is_empty() {
            return Err(unlike("pairs"));
        }
        table.extend(pairs.iter().map(|[key, value]| (*key, *value)));
        Ok(())
    }

    fn call(&mut self) -> Result<(), ConvertError> {
        let pair = self.take(2)?;
        let Value::Callable(callable) = self.values[pair[0]] else { return Err(unlike("a call")) };
        let arguments = self.row_of(pair[1])?.to_vec();
        match (callable, &arguments[..]) {
            (Callable::Table, []) => self.push(Value::Table(Vec::new())),
            (Callable::Tensor, [storage, offset, shape, strides, _, _]) => {
                let stored = self.tensor(*storage, *offset, *shape, *strides)?;
                self.push(Value::Tensor(stored))
            }
            _ => Err(unlike("a call")),
        }
    }

    /// Its numbers lie in a file from the start to the end, row by row.
    fn tensor(
        &self,
        storage: Place,
        offset: Place,
        shape: Place,
        strides: Place,
    ) -> Result<Stored, ConvertError> {
        let Value::Reals { file, count } = self.values[storage] else { return Err(unlike("numbers")) };
        let (shape, strides) = (self.lengths(shape)?, self.lengths(strides)?);
        let mut step = Some(1_usize);
        let mut plain = shape.len() == strides.len() && self.length(offset)? == 0;
        for (length, stride) in shape.iter().zip(&strides).rev() {
            plain &= step == Some(*stride) || *length == 1;
            step = step.and_then(|step| step.checked_mul(*length));
        }
        match plain && step == Some(count) {
            true => Ok(Stored { file, shape }),
            false => Err(damaged(format!("a tensor of the shape {shape:?} is not laid out plainly"))),
        }
    }

    /// What lies outside: `("storage", the kind, the file, the device, how many)`.
    fn file(&mut self) -> Result<(), ConvertError> {
        let place = self.pop()?;
        let [kind, reals, file, _, count] = self.row_of(place)? else { return Err(unlike("a storage")) };
        let is_reals = matches!(self.values[*reals], Value::Callable(Callable::Reals));
        if self.text(*kind)? != "storage" || !is_reals {
            return Err(unlike("a storage"));
        }
        let file = self.text(*file)?;
        let file = file.parse().map_err(|_| damaged(format!("{file:?} is no file of numbers")))?;
        let count = self.length(*count)?;
        self.push(Value::Reals { file, count })
    }

    fn text(&self, place: Place) -> Result<&str, ConvertError> {
        match &self.values[place] {
            Value::Text(text) => Ok(text),
            _ => Err(unlike("a text")),
        }
    }

    fn row_of(&self, place: Place) -> Result<&[Place], ConvertError> {
        match &self.values[place] {
            Value::Row(row) => Ok(row),
            _ => Err(unlike("a row")),
        }
    }

    fn table(&self, place: Place) -> Result<&[(Place, Place)], ConvertError> {
        match &self.values[place] {
            Value::Table(table) => Ok(table),
            _ => Err(unlike("a table")),
        }
    }

    fn length(&self, place: Place) -> Result<usize, ConvertError> {
        match self.values[place] {
            Value::Whole(number) => usize::try_from(number).map_err(|_| unlike("a length")),
            _ => Err(unlike("a length")),
        }
    }

    fn lengths(&self, place: Place) -> Result<Vec<usize>, ConvertError> {
        let row = self.row_of(place)?;
        if row.len() > MOST_DIMENSIONS {
            return Err(unlike("a shape"));
        }
        row.iter().map(|length| self.length(*length)).collect()
    }
}

fn text_of(bytes: &[u8]) -> Result<String, ConvertError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| unlike("a text"))
}

fn too_few() -> ConvertError {
    damaged("its list of tensors takes more than there is".to_owned())
}

fn unlike(what: &str) -> ConvertError {
    damaged(format!("where its list of tensors should have {what} there is something else"))
}

fn damaged(what: String) -> ConvertError {
    ConvertError::Package(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list as PyTorch writes it: a tensor of 2 × 3 numbers in the file `0`.
    fn list(name: &str, strides: &[u8]) -> Vec<u8> {
        let text =
            |text: &str| [b"X".as_slice(), &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
        let parts: [&[u8]; 17] = [
            b"\x80\x02}q\x00",
            &text("state_dict"),
            b"q\x01ccollections\nOrderedDict\nq\x02)Rq\x03(",
            &text(name),
            b"ctorch._utils\n_rebuild_tensor_v2\nq\x04((",
            &text("storage"),
            b"ctorch\nFloatStorage\n",
            &text("0"),
            &text("cpu"),
            b"K\x06tQ",
            b"K\x00K\x02K\x03\x86",
            strides,
            b"\x86\x89h\x02)RtR",
            b"u}",
            &text("_metadata"),
            b"h\x02)Rsb",
            b"s.",
        ];
        parts.concat()
    }

    const STRIDES: &[u8] = b"K\x03K\x01";

    fn refused(bytes: &[u8], told: &str) {
        match tensors(bytes) {
            Err(ConvertError::Package(reason)) => assert!(reason.contains(told), "{told}: {reason}"),
            other => panic!("{told}: {other:?}"),
        }
    }

    #[test]
    fn tensors_are_found_by_their_names() {
        let tensors = tensors(&list("layer.weight", STRIDES)).unwrap();
        let expected = Stored { file: 0, shape: vec![2, 3] };
        assert_eq!(tensors, BTreeMap::from([("layer.weight".to_owned(), expected)]));
    }

    #[test]
    fn what_would_run_something_is_refused() {
        refused(b"\x80\x02cos\nsystem\n(X\x04\x00\x00\x00truetR.", "wants to call os.system");
        refused(b"\x80\x02cbuiltins\neval\n.", "builtins.eval");
        refused(b"\x80\x02ctorch\nload\n.", "torch.load");
        // Other ways to call: INST, OBJ, NEWOBJ, EXT1, STACK_GLOBAL.
        for instruction in [b'i', b'o', 0x81, 0x82, 0x93] {
            refused(&[0x80, 2, instruction, b'.'], "the instruction");
        }
        // A table that is called, and a call with arguments that it does not take.
        refused(b"\x80\x02})R.", "a call");
        refused(b"\x80\x02ccollections\nOrderedDict\n}\x85R.", "a call");
    }

    #[test]
    fn what_is_cut_off_or_makes_no_sense_is_refused_at_every_byte() {
        let whole = list("layer.weight", STRIDES);
        for length in 0..whole.len() {
            assert!(tensors(&whole[..length]).is_err(), "{length} bytes");
        }
        // Whatever a byte is changed to, it ends, and says something.
        for place in 0..whole.len() {
            for byte in [0, b'(', b'.', b't', b'h', b'Q', b'R', 0xff] {
                let mut changed = whole.clone();
                changed[place] = byte;
                let _ = tensors(&changed);
            }
        }
        refused(b"", "cut off");
        refused(b"\x80\x04.", "version 4");
        refused(b"\x80\x02}h\x09.", "remembered as 9");
        refused(b"\x80\x02X\xff\xff\xff\xffabc", "cut off");
        refused(b"\x80\x02}(K\x01u.", "pairs");
        refused(b"\x80\x02K\x01(s.", "takes more");
        refused(b"\x80\x02}.", "no state_dict");
    }

    #[test]
    fn tensors_that_are_turned_or_overlap_are_refused() {
        refused(&list("layer.weight", b"K\x01K\x02"), "not laid out plainly");
        refused(&list("layer.weight", b"K\x00K\x01"), "not laid out plainly");
        refused(&list("layer.weight", b"K\x03J\xff\xff\xff\xff"), "a length");
    }

    #[test]
    fn a_list_that_grows_without_end_is_given_up() {
        let many = [b"\x80\x02".as_slice(), &[b'}'; 100_000]].concat();
        refused(&many, "more than 65536");
        refused(&[b"\x80\x02".as_slice(), &[b'('; 100_000]].concat(), "more than 65536");
        // A table that holds itself is no reason to go round in circles.
        refused(b"\x80\x02}q\x00h\x00h\x00s.", "no state_dict");
    }
}
