//! Writing an entry's outputs and comparing them with the reference's files.

use std::path::Path;

use ndarray::{Array1, Array2, ArrayD, Axis, Ix2};
use serde_json::{Map, Value, json};

use super::{Outcome, read};
use crate::golden::{Array, write_npy};

/// Relative and absolute tolerance where an entry states none for an output.
const DEFAULT: (f64, f64) = (1e-6, 1e-6);

/// The outputs of one entry.
pub(super) struct Comparison<'a> {
    folder: &'a Path,
    out: &'a Path,
    entry: Value,
    holds: bool,
    lines: Vec<String>,
    json: Map<String, Value>,
}

fn tolerance(entry: &Value, key: &str) -> (f64, f64) {
    let stated = entry.get(key).filter(|t| t.is_object());
    // Probabilities of what is minimised are as near as the weights are.
    let stated = stated.or_else(|| entry.get("coef_tolerance").filter(|t| t.is_object()));
    let number = |name: &str| stated.and_then(|t| t.get(name)).and_then(Value::as_f64);
    match (number("rtol"), number("atol")) {
        (None, None) => DEFAULT,
        (r, a) => (r.unwrap_or(0.0), a.unwrap_or(0.0)),
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn new(folder: &'a Path, out: &'a Path, entry: &Value) -> Self {
        Self { folder, out, entry: entry.clone(), holds: true, lines: Vec::new(), json: Map::new() }
    }

    fn file(&self, key: &str) -> Option<String> {
        self.entry.get(key).and_then(Value::as_str).filter(|f| f.ends_with(".npy")).map(str::to_owned)
    }

    /// Writes an output if the entry names a file for it, and compares.
    pub(super) fn write(
        &mut self,
        key: &str,
        tolerance_key: &str,
        values: ArrayD<f64>,
    ) -> Result<(), String> {
        let Some(file) = self.file(key) else { return Ok(()) };
        write_npy(&self.out.join(&file), &Array::Double(values.clone()))?;
        let Ok(reference) = read(&self.folder.join(&file)) else { return Ok(()) };
        if reference.shape() != values.shape() {
            self.holds = false;
            self.lines.push(format!("{key} has shape {:?}, theirs {:?}", values.shape(), reference.shape()));
            return Ok(());
        }
        let (relative, absolute) = tolerance(&self.entry, tolerance_key);
        let (mut worst, mut beyond) = (0.0_f64, 0_usize);
        for (v, r) in values.iter().zip(&reference) {
            worst = worst.max((v - r).abs());
            beyond += usize::from((v - r).abs() > absolute + relative * r.abs() || v.is_nan());
        }
        self.holds &= beyond == 0;
        self.json.insert(key.to_owned(), json!({ "largest_difference": worst, "beyond_tolerance": beyond }));
        let note = if beyond > 0 { format!(", {beyond} of {} beyond", values.len()) } else { String::new() };
        self.lines.push(format!("{key} {worst:.1e}{note}"));
        Ok(())
    }

    /// As [`Comparison::write`], where each slice along an axis is turned to the sign of the reference for the comparison; the file
    /// has our own signs.
    pub(super) fn up_to_sign(&mut self, key: &str, values: Array2<f64>, axis: Axis) -> Result<(), String> {
        let Some(file) = self.file(key) else { return Ok(()) };
        let mut turned = values.clone();
        if let Ok(reference) = read(&self.folder.join(&file))
            && let Ok(reference) = reference.into_dimensionality::<Ix2>()
            && reference.dim() == values.dim()
        {
            for (mut ours, theirs) in turned.axis_iter_mut(axis).zip(reference.axis_iter(axis)) {
                if ours.dot(&theirs) < 0.0 {
                    ours.mapv_inplace(|v| -v);
                }
            }
        }
        self.write(key, "tolerance", turned.into_dyn())?;
        write_npy(&self.out.join(&file), &Array::Double(values.into_dyn()))
    }

    pub(super) fn predictions(&mut self, key: &str, names: &[i32]) -> Result<(), String> {
        let Some(file) = self.file(key) else { return Ok(()) };
        write_npy(&self.out.join(&file), &Array::Integer(Array1::from(names.to_vec()).into_dyn()))?;
        let Ok(reference) = read(&self.folder.join(&file)) else { return Ok(()) };
        let wrong = reference.iter().zip(names).filter(|(r, n)| **r != f64::from(**n)).count();
        self.holds &= reference.len() == names.len() && wrong as f64 <= 0.01 * names.len() as f64;
        self.json.insert("rows_predicted_otherwise".to_owned(), json!(wrong));
        self.lines.push(format!("{wrong} of {} predicted otherwise", names.len()));
        Ok(())
    }

    pub(super) fn accuracy(&mut self, accuracy: f64) {
        self.json.insert("test_accuracy".to_owned(), json!(accuracy));
    }

    /// Notes a value, and whether the reference has the same.
    pub(super) fn note(&mut self, value: &Value, key: &str) {
        let Some(theirs) = self.entry.get(key) else { return };
        self.lines.push(format!("{key} {}", if theirs == value { "the same" } else { "differs" }));
        self.json.insert(key.to_owned(), value.clone());
    }

    pub(super) fn finish(self) -> Result<Outcome, String> {
        Ok(Outcome { holds: self.holds, text: self.lines.join("; "), json: Value::Object(self.json) })
    }
}
