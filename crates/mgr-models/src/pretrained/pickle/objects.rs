//! What a pickle builds.

use std::ops::Range;

use super::super::WeightError;
use super::super::element::Element;
use super::malformed;

/// The place of an object. References are places, so that an object named a thousand times is stored once.
pub(in super::super) type Id = usize;

/// Most objects of one pickle. A state dictionary has some ten for a tensor.
const MOST: usize = 4_000_000;

/// Most axes of a tensor.
const MOST_AXES: usize = 32;

/// One object.
#[derive(Debug, Clone)]
pub(in super::super) enum Node {
    /// None, a float, a set, an object whose value does not matter.
    Other,
    /// A whole number or a truth value.
    Int(i64),
    Text(String),
    /// A part of the pickle's own bytes.
    Bytes(Range<usize>),
    /// Bytes that a pickle of protocol 2 wrote as text.
    OwnedBytes(Vec<u8>),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dictionary(Vec<(Id, Id)>),
    /// A function or class of the known ones.
    Global(Global),
    Storage(Storage),
    Tensor(TorchTensor),
    /// The number type of an array.
    Type {
        element: Element,
        big_endian: bool,
    },
    /// A NumPy array; none before its state has been set.
    Array(Option<Array>),
}

/// The functions and classes that a pickle may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildTensorV2,
    RebuildParameter,
    StorageType(Element),
    ReconstructArray,
    ReconstructJax,
    ArrayClass,
    TypeClass,
    Scalar,
    Encode,
}

impl Global {
    pub(super) fn named(module: &str, name: &str) -> Result<Self, WeightError> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensorV2,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", storage) => Self::StorageType(match storage {
                "FloatStorage" => Element::F32,
                "DoubleStorage" => Element::F64,
                "HalfStorage" => Element::F16,
                "BFloat16Storage" => Element::Bf16,
                "LongStorage" => Element::I64,
                "IntStorage" => Element::I32,
                "ShortStorage" => Element::I16,
                "CharStorage" => Element::I8,
                "ByteStorage" => Element::U8,
                "BoolStorage" => Element::Bool,
                _ => return Err(refused(module, name)),
            }),
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => Self::ReconstructArray,
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Self::Scalar,
            ("numpy", "ndarray") => Self::ArrayClass,
            ("numpy", "dtype") => Self::TypeClass,
            ("_codecs", "encode") => Self::Encode,
            (module, "_reconstruct_array") if module == "jax" || module.starts_with("jax.") => {
                Self::ReconstructJax
            }
            _ => return Err(refused(module, name)),
        })
    }
}

fn refused(module: &str, name: &str) -> WeightError {
    // A name may be as long as the file.
    let name: String = format!("{module}.{name}").chars().take(200).collect();
    WeightError::Refused { name }
}

/// The values behind one or more tensors, which lie elsewhere in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Storage {
    pub(in super::super) element: Element,
    pub(in super::super) key: String,
    pub(in super::super) count: usize,
}

/// A view of a storage.
#[derive(Debug, Clone)]
pub(in super::super) struct TorchTensor {
    pub(in super::super) storage: Storage,
    pub(in super::super) offset: usize,
    pub(in super::super) shape: Vec<usize>,
    pub(in super::super) strides: Vec<usize>,
}

/// A NumPy array with its bytes.
#[derive(Debug, Clone)]
pub(in super::super) struct Array {
    pub(in super::super) element: Element,
    pub(in super::super) big_endian: bool,
    pub(in super::super) shape: Vec<usize>,
    /// Whether the first index runs fastest.
    pub(in super::super) column_major: bool,
    /// The object that holds the bytes.
    pub(in super::super) bytes: Id,
}

/// All objects of one pickle.
#[derive(Debug, Default)]
pub(in super::super) struct Objects {
    nodes: Vec<Node>,
}

impl Objects {
    pub(super) fn add(&mut self, node: Node) -> Result<Id, WeightError> {
        if self.nodes.len() >= MOST {
            return Err(malformed(format!("more than {MOST} objects")));
        }
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    pub(in super::super) fn get(&self, id: Id) -> &Node {
        self.nodes.get(id).unwrap_or(&Node::Other)
    }

    pub(in super::super) fn iter(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    pub(super) fn get_mut(&mut self, id: Id) -> Result<&mut Node, WeightError> {
        self.nodes.get_mut(id).ok_or_else(|| malformed("an object is missing"))
    }

    pub(in super::super) fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A count or length: a number from 0.
    pub(super) fn size(&self, id: Id) -> Result<usize, WeightError> {
        match self.get(id) {
            &Node::Int(value) => {
                usize::try_from(value).map_err(|_| malformed(format!("{value} as a length")))
            }
            other => Err(malformed(format!("{} as a length", other.kind()))),
        }
    }

    /// A shape or strides: a tuple or list of numbers from 0.
    pub(super) fn sizes(&self, id: Id) -> Result<Vec<usize>, WeightError> {
        match self.get(id) {
            Node::Tuple(items) | Node::List(items) if items.len() <= MOST_AXES => {
                items.iter().map(|&item| self.size(item)).collect()
            }
            other => Err(malformed(format!("{} as a shape", other.kind()))),
        }
    }

    pub(super) fn tuple(&self, id: Id) -> Result<&[Id], WeightError> {
        match self.get(id) {
            Node::Tuple(items) => Ok(items),
            other => Err(malformed(format!("{} where a tuple was expected", other.kind()))),
        }
    }

    /// The bytes of an object that has some; `whole` is the pickle that was read.
    pub(in super::super) fn bytes<'a>(&'a self, whole: &'a [u8], id: Id) -> Result<&'a [u8], WeightError> {
        match self.get(id) {
            Node::Bytes(range) => whole.get(range.clone()).ok_or_else(|| malformed("bytes outside the file")),
            Node::OwnedBytes(bytes) => Ok(bytes),
            // Bytes of Python 2 that happen to be text, such as zeros.
            Node::Text(text) => Ok(text.as_bytes()),
            other => Err(malformed(format!("{} where bytes were expected", other.kind()))),
        }
    }
}

impl Node {
    pub(in super::super) fn kind(&self) -> &'static str {
        match self {
            Self::Other => "a plain value",
            Self::Int(_) => "a whole number",
            Self::Text(_) => "text",
            Self::Bytes(_) | Self::OwnedBytes(_) => "bytes",
            Self::List(_) => "a list",
            Self::Tuple(_) => "a tuple",
            Self::Dictionary(_) => "a dictionary",
            Self::Global(_) => "a function",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a tensor",
            Self::Type { .. } => "a number type",
            Self::Array(_) => "an array",
        }
    }
}
