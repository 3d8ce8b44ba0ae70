//! Golden manifests: reading cases and signals, writing outputs.

use std::fs;
use std::path::Path;

use ndarray::ArrayD;
use ndarray_npy::WriteNpyExt;
use num_complex::Complex32;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A golden manifest, as far as it is needed here.
#[derive(Debug, Deserialize)]
pub struct Manifest {
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case: an op, its input and parameters, and the outputs that the reference gave.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// Unique name.
    pub id: String,
    /// The signal's file, relative to the manifest.
    #[serde(default)]
    pub input: Option<String>,
    /// Sampling rate of the signal.
    pub sr: u32,
    /// Name of the op.
    pub op: String,
    /// Parameters by the op's own names.
    #[serde(default)]
    pub params: Map<String, Value>,
    /// Outputs of the reference; none where it raises.
    #[serde(default)]
    pub outputs: Vec<Output>,
    /// What the reference raises.
    #[serde(default)]
    pub raises: Option<Value>,
}

/// One output of a case.
#[derive(Debug, Deserialize)]
pub struct Output {
    /// Name within the case.
    pub name: String,
    /// File, relative to the set and to the folder of candidates.
    pub file: String,
}

/// An array of one of the types that .npy files of the golden set hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Array {
    /// Real values.
    Real(ArrayD<f32>),
    /// Complex values.
    Complex(ArrayD<Complex32>),
    /// Real values in double precision.
    Double(ArrayD<f64>),
    /// Whole numbers.
    Integer(ArrayD<i32>),
}

impl Array {
    /// A vector.
    #[must_use]
    pub fn vector(values: Vec<f32>) -> Self {
        Self::Real(ndarray::Array1::from_vec(values).into_dyn())
    }
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// A sentence that names the file and what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::from_str(&text).map_err(|e| format!("{}: not a golden manifest: {e}", path.display()))
    }
}

/// Reads a WAV as the golden set means it: first channel as it is for float, integers divided by their full scale.
///
/// # Errors
/// A sentence that names the file and what is wrong with it.
pub fn read_wav(path: &Path) -> Result<Vec<f32>, String> {
    let error = |e: hound::Error| format!("{}: {e}", path.display());
    let mut reader = hound::WavReader::open(path).map_err(error)?;
    let spec = reader.spec();
    if spec.channels != 1 {
        return Err(format!("{}: {} channels, golden signals are mono", path.display(), spec.channels));
    }
    match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect::<Result<_, _>>().map_err(error),
        hound::SampleFormat::Int => {
            let scale = 1.0 / (1_i64 << (spec.bits_per_sample - 1)) as f32;
            reader
                .samples::<i32>()
                .map(|s| s.map(|v| v as f32 * scale))
                .collect::<Result<_, _>>()
                .map_err(error)
        }
    }
}

/// Writes an array as .npy in C order, with the folders above it.
///
/// # Errors
/// A sentence that names the file and what is wrong with it.
pub fn write_npy(path: &Path, array: &Array) -> Result<(), String> {
    let error = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|e| error(&e))?;
    }
    let file = std::io::BufWriter::new(fs::File::create(path).map_err(|e| error(&e))?);
    let written = match array {
        Array::Real(a) => a.as_standard_layout().write_npy(file),
        Array::Complex(a) => a.as_standard_layout().write_npy(file),
        Array::Double(a) => a.as_standard_layout().write_npy(file),
        Array::Integer(a) => a.as_standard_layout().write_npy(file),
    };
    written.map_err(|e| error(&e))
}

/// Parameters of a case, taken one by one; what is left in the end was not honoured, which is an error.
#[derive(Debug)]
pub struct Params {
    left: Map<String, Value>,
}

impl Params {
    /// The parameters of a case.
    #[must_use]
    pub fn new(params: &Map<String, Value>) -> Self {
        Self { left: params.clone() }
    }

    /// Takes a parameter; none when it is absent or null.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name).filter(|v| !v.is_null())
    }

    /// Whether a parameter is given as null.
    #[must_use]
    pub fn is_null(&self, name: &str) -> bool {
        self.left.get(name).is_some_and(Value::is_null)
    }

    /// Takes a parameter for which null has a meaning of its own; none only when it is absent.
    pub fn take_given(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name)
    }

    /// Takes a number, where "inf", "-inf" and "nan" stand for those values.
    ///
    /// # Errors
    /// When it is something else.
    pub fn number(&mut self, name: &str) -> Result<Option<f64>, String> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = match &value {
            Value::String(s) => match s.as_str() {
                "inf" => Some(f64::INFINITY),
                "-inf" => Some(f64::NEG_INFINITY),
                "nan" => Some(f64::NAN),
                _ => None,
            },
            other => other.as_f64(),
        };
        number.map(Some).ok_or_else(|| format!("{name} is {value}, not a number"))
    }

    /// Takes a number with a default.
    ///
    /// # Errors
    /// When it is something else.
    pub fn number_or(&mut self, name: &str, default: f64) -> Result<f64, String> {
        Ok(self.number(name)?.unwrap_or(default))
    }

    /// Takes a count.
    ///
    /// # Errors
    /// When it is something else.
    pub fn count(&mut self, name: &str) -> Result<Option<usize>, String> {
        let Some(number) = self.number(name)? else { return Ok(None) };
        if number >= 0.0 && number.fract() == 0.0 && number <= 9e15 {
            return Ok(Some(number as usize));
        }
        Err(format!("{name} is {number}, not a count"))
    }

    /// Takes a truth value with a default.
    ///
    /// # Errors
    /// When it is something else.
    pub fn flag_or(&mut self, name: &str, default: bool) -> Result<bool, String> {
        self.take(name)
            .map_or(Ok(default), |v| v.as_bool().ok_or_else(|| format!("{name} is {v}, not true or false")))
    }

    /// Checks that every parameter was honoured.
    ///
    /// # Errors
    /// When some were not: their names.
    pub fn done(self) -> Result<(), String> {
        if self.left.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = self.left.keys().cloned().collect();
        Err(format!("parameters not supported: {}", names.join(", ")))
    }
}

impl From<ndarray::Array2<f32>> for Array {
    fn from(matrix: ndarray::Array2<f32>) -> Self {
        Self::Real(matrix.into_dyn())
    }
}
