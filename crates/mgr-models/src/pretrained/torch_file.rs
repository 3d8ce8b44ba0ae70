//! PyTorch files: the zip archives of `torch.save` since 1.6, and the streams of pickles before.
//!
//! Both hold one pickle with the structure and, apart from it, storages with raw little-endian numbers. Storages that lived
//! on a GPU are read like all others.

use std::collections::{BTreeMap, HashMap};

use super::archive::{self, Member};
use super::cursor::Cursor;
use super::element::{Element, count};
use super::pickle::{self, Array, Node, Objects, Storage, TorchTensor};
use super::{WeightError, WeightMap};
use crate::TensorData;

const FORMAT: &str = "PyTorch file";

/// Deepest nesting of dictionaries.
const DEEPEST: usize = 8;

/// The tensors of a zip archive that `torch.save` wrote.
///
/// Where the object is a dictionary with an entry `state_dict` or `model_state_dict`, that entry is read; else all tensors
/// at any depth of dictionaries, their names joined by dots. Values that are no tensors are passed over.
///
/// # Errors
/// Any [`WeightError`]; [`WeightError::Refused`] where the pickle asks for anything but tensors and containers.
pub fn read_zip(bytes: &[u8]) -> Result<WeightMap, WeightError> {
    let members = archive::zip_members(bytes)?;
    let find = |ending: &str| members.iter().find(|member| member.name.ends_with(ending));
    let program = find("/data.pkl").ok_or_else(|| WeightError::malformed(FORMAT, "no data.pkl inside"))?;
    let folder = program.name.trim_end_matches("data.pkl").to_owned();
    if let Some(order) = find("/byteorder").and_then(Member::plain)
        && order != b"little"
    {
        return Err(WeightError::unsupported(FORMAT, "big-endian numbers"));
    }
    let plain = |member: &Member<'_>| member.name.clone();
    let program = program
        .plain()
        .ok_or_else(|| WeightError::unsupported(FORMAT, format!("compressed {}", plain(program))))?;
    let mut storages = HashMap::new();
    for member in &members {
        if let Some(key) = member.name.strip_prefix(&folder).and_then(|name| name.strip_prefix("data/")) {
            let content = member
                .plain()
                .ok_or_else(|| WeightError::unsupported(FORMAT, format!("compressed {}", plain(member))))?;
            storages.insert(key.to_owned(), content);
        }
    }
    let (objects, root) = pickle::run(&mut Cursor::new(program, "data.pkl"))?;
    collect(&objects, root, program, &storages, bytes.len())
}

/// The tensors of a stream that `torch.save` wrote before version 1.6: pickles of a magic number, a version, the system,
/// the object and the list of storages, then the storages, each after its length. As [`read_zip`] otherwise.
///
/// # Errors
/// As [`read_zip`].
pub fn read_legacy(bytes: &[u8]) -> Result<WeightMap, WeightError> {
    let mut cursor = Cursor::new(bytes, "PyTorch stream");
    if !is_legacy(bytes) {
        return Err(WeightError::malformed(FORMAT, "the magic number is missing"));
    }
    pickle::run(&mut cursor)?;
    let (objects, version) = pickle::run(&mut cursor)?;
    if !matches!(objects.get(version), Node::Int(1001)) {
        return Err(WeightError::unsupported(FORMAT, "a protocol other than 1001"));
    }
    pickle::run(&mut cursor)?;
    let (objects, root) = pickle::run(&mut cursor)?;
    let (keys, list) = pickle::run(&mut cursor)?;
    let Node::List(list) = keys.get(list) else {
        return Err(WeightError::malformed(FORMAT, "no list of storages"));
    };
    let elements = objects.storages();
    let mut storages = HashMap::new();
    for &key in list {
        let key = keys.text(key).ok_or_else(|| WeightError::malformed(FORMAT, "a storage without a name"))?;
        let element = *elements
            .get(key)
            .ok_or_else(|| WeightError::malformed(FORMAT, format!("storage {key} belongs to no tensor")))?;
        let length = cursor.u64()?.saturating_mul(element.size() as u64);
        storages.insert(key.to_owned(), cursor.take_u64(length)?);
    }
    collect(&objects, root, bytes, &storages, bytes.len())
}

/// Whether a file begins as those of PyTorch before 1.6.
pub(super) fn is_legacy(bytes: &[u8]) -> bool {
    // PROTO 2, LONG1 of ten bytes: 0x1950a86a20f9469cfc6c.
    bytes.starts_with(&[0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, b'.'])
}

/// The arrays of a pickled dictionary of NumPy arrays, as Flax and others leave them. Names join the levels by dots.
///
/// # Errors
/// Any [`WeightError`]; [`WeightError::Refused`] where the pickle asks for anything but arrays and containers.
pub fn read_pickled_arrays(bytes: &[u8]) -> Result<WeightMap, WeightError> {
    let (objects, root) = pickle::run(&mut Cursor::new(bytes, "pickle"))?;
    collect(&objects, root, bytes, &HashMap::new(), bytes.len())
}

fn collect(
    objects: &Objects,
    root: usize,
    whole: &[u8],
    storages: &HashMap<String, &[u8]>,
    file_length: usize,
) -> Result<WeightMap, WeightError> {
    let mut collector = Collector {
        objects,
        whole,
        storages,
        values: file_length,
        entries: file_length,
        map: WeightMap::default(),
    };
    let mut root = root;
    if let Node::Dictionary(entries) = objects.get(root)
        && let Some(&(_, inner)) = entries.iter().find(|&&(key, value)| {
            matches!(objects.text(key), Some("state_dict" | "model_state_dict"))
                && matches!(objects.get(value), Node::Dictionary(_))
        })
    {
        root = inner;
    }
    collector.visit(root, "", 0)?;
    Ok(collector.map)
}

/// Walks through dictionaries. Many names may share one tensor, so what comes out is held to the length of the file.
struct Collector<'a> {
    objects: &'a Objects,
    whole: &'a [u8],
    storages: &'a HashMap<String, &'a [u8]>,
    /// How many values, and how many entries of dictionaries, may still be read.
    values: usize,
    entries: usize,
    map: WeightMap,
}

impl Collector<'_> {
    fn visit(&mut self, id: usize, name: &str, depth: usize) -> Result<(), WeightError> {
        let objects = self.objects;
        let data = match objects.get(id) {
            Node::Dictionary(entries) => {
                if depth >= DEEPEST {
                    return Err(WeightError::malformed(
                        FORMAT,
                        format!("dictionaries are nested deeper than {DEEPEST}"),
                    ));
                }
                for &(key, value) in entries {
                    // Assigning the same key again overwrites in Python; here it is refused as a name given twice.
                    let key = match objects.get(key) {
                        Node::Text(text) => text.clone(),
                        Node::Int(number) => number.to_string(),
                        _ => continue,
                    };
                    let full = if name.is_empty() { key } else { format!("{name}.{key}") };
                    self.entries = charge(self.entries, full.len().max(1))?;
                    self.visit(value, &full, depth + 1)?;
                }
                return Ok(());
            }
            Node::Tensor(tensor) => self.tensor(tensor, name)?,
            Node::Array(Some(array)) => self.array(array, name)?,
            Node::Array(None) => {
                return Err(WeightError::malformed(FORMAT, format!("array {name} has no content")));
            }
            _ => return Ok(()),
        };
        self.map.insert(FORMAT, name.to_owned(), data)
    }

    fn tensor(&mut self, tensor: &TorchTensor, name: &str) -> Result<TensorData, WeightError> {
        let Storage { element, key, count: announced } = &tensor.storage;
        let bytes = *self
            .storages
            .get(key)
            .ok_or_else(|| WeightError::malformed(FORMAT, format!("storage {key} of {name} is missing")))?;
        let wrong = |reason: &str| {
            let TorchTensor { offset, shape, strides, .. } = tensor;
            let text = format!("{name}: shape {shape:?}, strides {strides:?}, offset {offset}: {reason}");
            WeightError::malformed(FORMAT, text)
        };
        let stored = bytes.len() / element.size();
        if stored < *announced {
            return Err(wrong("the storage is shorter than announced"));
        }
        let count = count(&tensor.shape).ok_or_else(|| wrong("too many values"))?;
        // Also an expanded tensor, whose strides are 0, may not be larger than what is stored.
        if count > stored {
            return Err(wrong("more values than the storage holds"));
        }
        self.values = charge(self.values, count)?;
        if count == 0 {
            return Ok(TensorData { shape: tensor.shape.clone(), values: Vec::new() });
        }
        let steps = tensor.shape.iter().zip(&tensor.strides);
        let last = steps.clone().try_fold(tensor.offset, |sum, (&axis, &stride)| {
            sum.checked_add((axis - 1).checked_mul(stride)?)
        });
        if last.is_none_or(|last| last >= stored) {
            return Err(wrong("it reaches beyond its storage"));
        }
        let part = |start: usize, count: usize| {
            bytes.get(start * element.size()..(start + count) * element.size()).unwrap_or_default()
        };
        let values = if tensor.strides == row_major(&tensor.shape) || count == 1 {
            element.decode(part(tensor.offset, count), false)
        } else {
            let steps: Vec<(usize, usize)> = steps.map(|(&axis, &stride)| (axis, stride)).collect();
            strided(*element, tensor.offset, &steps, count, part)
        };
        Ok(TensorData { shape: tensor.shape.clone(), values })
    }

    fn array(&mut self, array: &Array, name: &str) -> Result<TensorData, WeightError> {
        let bytes = self.objects.bytes(self.whole, array.bytes)?;
        self.values = charge(self.values, bytes.len() / array.element.size())?;
        let data = array
            .element
            .tensor(FORMAT, &array.shape, bytes, array.big_endian)
            .map_err(|error| WeightError::malformed(FORMAT, format!("{name}: {error}")))?;
        if !array.column_major {
            return Ok(data);
        }
        let reversed: Vec<usize> = array.shape.iter().rev().copied().collect();
        let axes: Vec<usize> = (0..reversed.len()).rev().collect();
        Ok(super::layout::permuted(&TensorData { shape: reversed, values: data.values }, &axes))
    }
}

fn charge(budget: usize, amount: usize) -> Result<usize, WeightError> {
    budget.checked_sub(amount).ok_or_else(|| {
        WeightError::malformed(FORMAT, "its tensors share storages so that they hold more than the file")
    })
}

fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis].max(1);
    }
    strides
}

/// The values in row-major order of a view whose largest index has been checked.
fn strided<'a>(
    element: Element,
    offset: usize,
    steps: &[(usize, usize)],
    count: usize,
    part: impl Fn(usize, usize) -> &'a [u8],
) -> Vec<f32> {
    let mut values = Vec::with_capacity(count);
    let mut index = vec![0_usize; steps.len()];
    for _ in 0..count {
        let place: usize = index.iter().zip(steps).map(|(&i, &(_, stride))| i * stride).sum();
        values.extend(element.decode(part(offset + place, 1), false));
        for (i, &(axis, _)) in index.iter_mut().zip(steps).rev() {
            *i += 1;
            if *i < axis {
                break;
            }
            *i = 0;
        }
    }
    values
}

impl Objects {
    /// The number type of every storage, by key.
    fn storages(&self) -> BTreeMap<String, Element> {
        self.iter()
            .filter_map(|node| match node {
                Node::Storage(storage) => Some((storage.key.clone(), storage.element)),
                _ => None,
            })
            .collect()
    }
}
