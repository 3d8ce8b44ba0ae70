//! The stack machine of pickles, protocols 0 to 5.

use std::collections::HashMap;

use super::super::WeightError;
use super::super::cursor::Cursor;
use super::super::element::Element;
use super::malformed;
use super::objects::{Array, Global, Id, Node, Objects, Storage, TorchTensor};

/// Reads one pickle from the cursor, which then stands behind it. Gives all objects and the place of the root.
///
/// `whole` is what the cursor reads from; the places of bytes are counted in it.
pub(in super::super) fn run<'a>(cursor: &mut Cursor<'a>) -> Result<(Objects, Id), WeightError> {
    let mut machine = Machine { budget: cursor.remaining(), ..Machine::default() };
    loop {
        let code = cursor.u8()?;
        if code == b'.' {
            let root = machine.pop()?;
            return Ok((machine.objects, root));
        }
        machine.step(code, cursor)?;
    }
}

#[derive(Debug, Default)]
struct Machine {
    objects: Objects,
    stack: Vec<Id>,
    /// Heights of the stack at the open marks.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    /// How much may still be copied. Copies of one object by many short instructions would grow with the square of the file.
    budget: usize,
}

impl Machine {
    fn push(&mut self, node: Node) -> Result<(), WeightError> {
        let id = self.objects.add(node)?;
        self.stack.push(id);
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, WeightError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(malformed("an empty stack is popped"));
        }
        self.stack.pop().ok_or_else(|| malformed("an empty stack is popped"))
    }

    fn top(&self) -> Result<Id, WeightError> {
        self.stack.last().copied().ok_or_else(|| malformed("the stack is empty"))
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>, WeightError> {
        let mark = self.marks.pop().ok_or_else(|| malformed("no mark on the stack"))?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn charge(&mut self, amount: usize) -> Result<(), WeightError> {
        let left = self.budget.checked_sub(amount);
        self.budget = left.ok_or_else(|| malformed("more is copied than the file holds"))?;
        Ok(())
    }

    fn pop_text(&mut self) -> Result<String, WeightError> {
        let id = self.pop()?;
        self.objects.text(id).map(str::to_owned).ok_or_else(|| malformed("a name that is no text"))
    }

    fn step(&mut self, code: u8, cursor: &mut Cursor<'_>) -> Result<(), WeightError> {
        match code {
            // Protocol and frame lengths say nothing that is needed.
            0x80 => cursor.skip(1),
            0x95 => cursor.skip(8),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' => self.pop().map(|_| ()),
            b'1' => self.pop_mark().map(|_| ()),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
                Ok(())
            }
            b'N' => self.push(Node::Other),
            0x88 | 0x89 => self.push(Node::Int(i64::from(code == 0x88))),
            b'J' | b'K' | b'M' | 0x8A | 0x8B | b'I' | b'L' | b'G' | b'F' => self.number(code, cursor),
            b'X' | 0x8C | 0x8D | b'U' | b'T' | b'C' | b'B' | 0x8E | b'V' | b'S' => self.string(code, cursor),
            b']' | b')' | b'}' | 0x8F | b'l' | b't' | b'd' | 0x85 | 0x86 | 0x87 | b'a' | b'e' | b's'
            | b'u' => self.container(code),
            b'q' | b'r' | b'p' | 0x94 | b'h' | b'j' | b'g' => self.memory(code, cursor),
            b'c' => {
                let module = String::from_utf8_lossy(cursor.line()?).into_owned();
                let name = String::from_utf8_lossy(cursor.line()?).into_owned();
                self.push(Node::Global(Global::named(&module, &name)?))
            }
            0x93 => {
                let name = self.pop_text()?;
                let module = self.pop_text()?;
                self.push(Node::Global(Global::named(&module, &name)?))
            }
            b'R' | 0x81 => {
                let arguments = self.pop()?;
                let function = self.pop()?;
                let result = self.call(function, arguments)?;
                self.stack.push(result);
                Ok(())
            }
            b'b' => {
                let state = self.pop()?;
                let object = self.top()?;
                self.set_state(object, state)
            }
            b'Q' => {
                let id = self.pop()?;
                let storage = self.storage(id)?;
                self.push(Node::Storage(storage))
            }
            other => Err(malformed(format!("instruction {other:#04x} at byte {}", cursor.at() - 1))),
        }
    }

    fn number(&mut self, code: u8, cursor: &mut Cursor<'_>) -> Result<(), WeightError> {
        let value = match code {
            b'J' => i64::from(cursor.i32()?),
            b'K' => i64::from(cursor.u8()?),
            b'M' => i64::from(cursor.u16()?),
            0x8A | 0x8B => {
                let length = if code == 0x8A { u32::from(cursor.u8()?) } else { cursor.u32()? };
                let bytes = cursor.take_u64(u64::from(length))?;
                match little_endian(bytes) {
                    Some(value) => value,
                    None => return self.push(Node::Other),
                }
            }
            b'I' | b'L' => {
                let line = String::from_utf8_lossy(cursor.line()?).into_owned();
                match line.trim_end_matches('L').parse() {
                    Ok(value) => value,
                    Err(_) => return self.push(Node::Other),
                }
            }
            b'G' => {
                cursor.f64_big_endian()?;
                return self.push(Node::Other);
            }
            _ => {
                cursor.line()?;
                return self.push(Node::Other);
            }
        };
        self.push(Node::Int(value))
    }

    fn string(&mut self, code: u8, cursor: &mut Cursor<'_>) -> Result<(), WeightError> {
        let length = match code {
            b'V' | b'S' => {
                let line = String::from_utf8_lossy(cursor.line()?).into_owned();
                // Protocol 0 puts strings in quotes; escapes do not occur in names of tensors.
                let text = if code == b'S' { line.trim_matches(['\'', '"']).to_owned() } else { line };
                return self.push(Node::Text(text));
            }
            0x8C | b'U' | b'C' => u64::from(cursor.u8()?),
            b'X' | b'T' | b'B' => u64::from(cursor.u32()?),
            _ => cursor.u64()?,
        };
        let start = cursor.at();
        let bytes = cursor.take_u64(length)?;
        match code {
            b'C' | b'B' | 0x8E => self.push(Node::Bytes(start..cursor.at())),
            // Strings of Python 2 are bytes; those that are no text are the contents of arrays.
            b'U' | b'T' => match std::str::from_utf8(bytes) {
                Ok(text) if text.is_ascii() => self.push(Node::Text(text.to_owned())),
                _ => self.push(Node::Bytes(start..cursor.at())),
            },
            _ => {
                let text = std::str::from_utf8(bytes).map_err(|_| malformed("text that is not UTF-8"))?;
                self.push(Node::Text(text.to_owned()))
            }
        }
    }

    fn container(&mut self, code: u8) -> Result<(), WeightError> {
        match code {
            b']' => self.push(Node::List(Vec::new())),
            b')' => self.push(Node::Tuple(Vec::new())),
            b'}' => self.push(Node::Dictionary(Vec::new())),
            0x8F => self.push(Node::Other),
            b'l' => {
                let items = self.pop_mark()?;
                self.push(Node::List(items))
            }
            b't' => {
                let items = self.pop_mark()?;
                self.push(Node::Tuple(items))
            }
            0x85..=0x87 => {
                let mut items = Vec::new();
                for _ in 0x84..code {
                    items.push(self.pop()?);
                }
                items.reverse();
                self.push(Node::Tuple(items))
            }
            b'd' => {
                let items = self.pop_mark()?;
                let pairs = pairs(&items)?;
                self.push(Node::Dictionary(pairs))
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])
            }
            b'e' => {
                let items = self.pop_mark()?;
                self.append(&items)
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set_items(&[(key, value)])
            }
            _ => {
                let items = self.pop_mark()?;
                let pairs = pairs(&items)?;
                self.set_items(&pairs)
            }
        }
    }

    fn append(&mut self, items: &[Id]) -> Result<(), WeightError> {
        let list = self.top()?;
        match self.objects.get_mut(list)? {
            Node::List(list) => {
                list.extend_from_slice(items);
                Ok(())
            }
            other => Err(malformed(format!("items for {}", other.kind()))),
        }
    }

    fn set_items(&mut self, pairs: &[(Id, Id)]) -> Result<(), WeightError> {
        let dictionary = self.top()?;
        match self.objects.get_mut(dictionary)? {
            Node::Dictionary(dictionary) => {
                dictionary.extend_from_slice(pairs);
                Ok(())
            }
            other => Err(malformed(format!("entries for {}", other.kind()))),
        }
    }

    fn memory(&mut self, code: u8, cursor: &mut Cursor<'_>) -> Result<(), WeightError> {
        let place = match code {
            b'q' | b'h' => u64::from(cursor.u8()?),
            b'r' | b'j' => u64::from(cursor.u32()?),
            0x94 => self.memo.len() as u64,
            _ => {
                let line = String::from_utf8_lossy(cursor.line()?).into_owned();
                line.trim().parse().map_err(|_| malformed(format!("memo place {line:?}")))?
            }
        };
        if matches!(code, b'h' | b'j' | b'g') {
            let id = *self.memo.get(&place).ok_or_else(|| malformed(format!("memo {place} is empty")))?;
            self.stack.push(id);
        } else {
            let top = self.top()?;
            self.memo.insert(place, top);
        }
        Ok(())
    }

    fn call(&mut self, function: Id, arguments: Id) -> Result<Id, WeightError> {
        let &Node::Global(function) = self.objects.get(function) else {
            return Err(malformed(format!("{} is called", self.objects.get(function).kind())));
        };
        let arguments: Vec<Id> = self.objects.tuple(arguments)?.iter().copied().take(8).collect();
        let argument = |index: usize| {
            arguments.get(index).copied().ok_or_else(|| malformed(format!("{function:?} lacks arguments")))
        };
        let node = match function {
            Global::OrderedDict => {
                // Python 2 gave the entries as a list of pairs.
                let entries = match arguments.first().map(|&id| self.objects.get(id)) {
                    Some(Node::List(entries)) => entries.clone(),
                    _ => Vec::new(),
                };
                self.charge(entries.len())?;
                let entries = entries.iter().map(|&entry| {
                    let pair = match self.objects.get(entry) {
                        Node::Tuple(pair) | Node::List(pair) => pair.as_slice(),
                        _ => &[],
                    };
                    match pair {
                        &[key, value] => Ok((key, value)),
                        _ => Err(malformed("a dictionary of something other than pairs")),
                    }
                });
                Node::Dictionary(entries.collect::<Result<_, _>>()?)
            }
            Global::RebuildTensor | Global::RebuildTensorV2 => {
                let Node::Storage(storage) = self.objects.get(argument(0)?) else {
                    return Err(malformed("a tensor without a storage"));
                };
                let storage = storage.clone();
                let offset = self.objects.size(argument(1)?)?;
                let shape = self.objects.sizes(argument(2)?)?;
                let strides = self.objects.sizes(argument(3)?)?;
                if shape.len() != strides.len() {
                    return Err(malformed(format!("shape {shape:?} with strides {strides:?}")));
                }
                Node::Tensor(TorchTensor { storage, offset, shape, strides })
            }
            Global::RebuildParameter => return argument(0),
            Global::ReconstructArray => Node::Array(None),
            Global::ReconstructJax => {
                let array = self.call(argument(0)?, argument(1)?)?;
                self.set_state(array, argument(2)?)?;
                return Ok(array);
            }
            Global::TypeClass => self.number_type(argument(0)?)?,
            Global::Encode => {
                let Node::Text(text) = self.objects.get(argument(0)?) else {
                    return Err(malformed("encode of something other than text"));
                };
                let bytes = text.chars().map(|c| u8::try_from(u32::from(c)));
                let bytes: Vec<u8> =
                    bytes.collect::<Result<_, _>>().map_err(|_| malformed("bytes above 255"))?;
                self.charge(bytes.len())?;
                Node::OwnedBytes(bytes)
            }
            Global::Scalar => Node::Other,
            Global::StorageType(_) | Global::ArrayClass => {
                return Err(malformed(format!("{function:?} is called")));
            }
        };
        self.objects.add(node)
    }

    fn number_type(&self, name: Id) -> Result<Node, WeightError> {
        let name = self.objects.text(name).unwrap_or_default();
        let (big_endian, plain) = match name.strip_prefix('>') {
            Some(rest) => (true, rest),
            None => (false, name.trim_start_matches(['<', '=', '|'])),
        };
        let element = match plain {
            "f2" => Element::F16,
            "f4" => Element::F32,
            "f8" => Element::F64,
            "i1" => Element::I8,
            "u1" => Element::U8,
            "i2" => Element::I16,
            "u2" => Element::U16,
            "i4" => Element::I32,
            "u4" => Element::U32,
            "i8" => Element::I64,
            "u8" => Element::U64,
            "b1" => Element::Bool,
            _ => {
                let name: String = name.chars().take(200).collect();
                return Err(WeightError::unsupported(super::FORMAT, format!("number type {name:?}")));
            }
        };
        Ok(Node::Type { element, big_endian })
    }

    fn set_state(&mut self, object: Id, state: Id) -> Result<(), WeightError> {
        match self.objects.get(object) {
            // A state dictionary carries `_metadata`, which no weight depends on.
            Node::Dictionary(_) => Ok(()),
            &Node::Type { element, .. } => {
                let order = self.objects.tuple(state)?.get(1).and_then(|&id| self.objects.text(id));
                let big_endian = order == Some(">");
                *self.objects.get_mut(object)? = Node::Type { element, big_endian };
                Ok(())
            }
            Node::Array(_) => {
                let &[_, shape, number_type, column_major, bytes] = self.objects.tuple(state)? else {
                    return Err(malformed("the state of an array has five parts"));
                };
                let &Node::Type { element, big_endian } = self.objects.get(number_type) else {
                    return Err(malformed("an array without a number type"));
                };
                let shape = self.objects.sizes(shape)?;
                let column_major = matches!(self.objects.get(column_major), Node::Int(1));
                let array = Array { element, big_endian, shape, column_major, bytes };
                *self.objects.get_mut(object)? = Node::Array(Some(array));
                Ok(())
            }
            other => Err(malformed(format!("a state for {}", other.kind()))),
        }
    }

    /// `("storage", type, key, location, count)`, in old files followed by a view.
    fn storage(&self, id: Id) -> Result<Storage, WeightError> {
        let parts = self.objects.tuple(id)?;
        let &[word, kind, key, _, count] = parts.get(..5).unwrap_or_default() else {
            return Err(malformed("a storage has five parts"));
        };
        let (Some("storage"), &Node::Global(Global::StorageType(element)), Some(key)) =
            (self.objects.text(word), self.objects.get(kind), self.objects.text(key))
        else {
            return Err(malformed("a persistent object that is no storage"));
        };
        if let Some(&view) = parts.get(5)
            && !matches!(self.objects.get(view), Node::Other)
        {
            return Err(WeightError::unsupported(super::FORMAT, "a storage that is a view of another"));
        }
        if key.len() > 200 {
            return Err(malformed("a storage with a name of more than 200 bytes"));
        }
        Ok(Storage { element, key: key.to_owned(), count: self.objects.size(count)? })
    }
}

fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>, WeightError> {
    let (pairs, rest) = items.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(malformed("a key without a value"));
    }
    Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
}

/// A two's complement number of up to 8 bytes; longer ones, such as PyTorch's magic number, are not needed as values.
fn little_endian(bytes: &[u8]) -> Option<i64> {
    if bytes.len() > 8 {
        return None;
    }
    let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
    let mut full = [if negative { 0xFF } else { 0 }; 8];
    full.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    Some(i64::from_le_bytes(full))
}
