//! The named tensors of a network, in a stable order.

use std::collections::BTreeMap;

use tch::{Device, Kind, Tensor};

use crate::Error;
use crate::random::{Random, hash_name};

/// What a tensor is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Changed by the optimiser.
    Trainable,
    /// Recorded in training, such as the running statistics of batch normalisation.
    Buffer,
    /// A weight that stays as it was drawn or loaded.
    Frozen,
}

/// The values of one tensor, apart from libtorch: row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorData {
    /// Length of every axis.
    pub shape: Vec<usize>,
    /// The values; their number is the product of the shape.
    pub values: Vec<f32>,
}

impl TensorData {
    /// Copies a tensor.
    ///
    /// # Errors
    /// [`Error::Torch`] where the tensor is not of 32-bit floats.
    pub fn from_tensor(tensor: &Tensor) -> Result<Self, Error> {
        let shape: Vec<usize> = tensor.size().into_iter().map(|axis| axis.max(0) as usize).collect();
        let mut values = vec![0.0_f32; shape.iter().product()];
        let count = values.len();
        tensor.f_detach()?.f_to(Device::Cpu)?.f_contiguous()?.f_copy_data(&mut values, count)?;
        Ok(Self { shape, values })
    }
}

/// What a network's weights begin as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// Drawn, keyed by this seed.
    Seed(u64),
    /// Zeros, to be loaded.
    Blank,
}

impl Start {
    /// A seed, for small networks, whose weights are drawn in any case.
    pub(crate) fn seed(self) -> u64 {
        match self {
            Self::Seed(seed) => seed,
            Self::Blank => 0,
        }
    }
}

/// The named tensors of a network; names follow PyTorch's `state_dict`.
#[derive(Debug)]
pub struct Parameters {
    start: Start,
    device: Device,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    role: Role,
    tensor: Tensor,
}

impl Parameters {
    /// An empty collection whose initial values are keyed by `seed`.
    #[must_use]
    pub fn new(seed: u64, device: Device) -> Self {
        Self::starting(Start::Seed(seed), device)
    }

    /// An empty collection whose tensors begin as `start` says.
    pub(crate) fn starting(start: Start, device: Device) -> Self {
        Self { start, device, entries: Vec::new() }
    }

    /// The device the tensors live on.
    #[must_use]
    pub fn device(&self) -> Device {
        self.device
    }

    /// Adds a trainable tensor drawn uniformly from [-`bound`, `bound`); the draw depends on the seed and the name only.
    ///
    /// # Errors
    /// [`Error::TensorMismatch`] where the name is taken, [`Error::Torch`].
    pub fn uniform(&mut self, name: &str, shape: &[usize], bound: f64) -> Result<Tensor, Error> {
        let Start::Seed(seed) = self.start else { return self.zeros(name, shape) };
        let mut random = Random::keyed(&[seed, hash_name(name)]);
        let count = shape.iter().product();
        let values = (0..count).map(|_| ((2.0 * random.uniform() - 1.0) * bound) as f32).collect();
        self.add(name, Role::Trainable, TensorData { shape: shape.to_vec(), values })
    }

    /// Adds a trainable tensor drawn from the normal distribution of mean 0 and this standard deviation; the draw depends
    /// on the seed and the name only.
    ///
    /// # Errors
    /// [`Error::TensorMismatch`] where the name is taken, [`Error::Torch`].
    pub fn normal(&mut self, name: &str, shape: &[usize], deviation: f64) -> Result<Tensor, Error> {
        let Start::Seed(seed) = self.start else { return self.zeros(name, shape) };
        let mut random = Random::keyed(&[seed, hash_name(name)]);
        let count: usize = shape.iter().product();
        let mut values = Vec::with_capacity(count + 1);
        while values.len() < count {
            // Box and Muller: two draws from two uniform ones; 1 - u is above 0.
            let radius = (-2.0 * (1.0 - random.uniform()).ln()).sqrt() * deviation;
            let (sin, cos) = (std::f64::consts::TAU * random.uniform()).sin_cos();
            values.extend([(radius * cos) as f32, (radius * sin) as f32]);
        }
        values.truncate(count);
        self.add(name, Role::Trainable, TensorData { shape: shape.to_vec(), values })
    }

    /// Adds a tensor with one value everywhere.
    ///
    /// # Errors
    /// [`Error::TensorMismatch`] where the name is taken, [`Error::Torch`].
    pub fn constant(&mut self, name: &str, shape: &[usize], value: f32, role: Role) -> Result<Tensor, Error> {
        let values = vec![value; shape.iter().product()];
        self.add(name, role, TensorData { shape: shape.to_vec(), values })
    }

    /// Adds a tensor with these values.
    ///
    /// # Errors
    /// [`Error::TensorMismatch`] where the name is taken, [`Error::Torch`].
    pub fn add(&mut self, name: &str, role: Role, data: TensorData) -> Result<Tensor, Error> {
        self.insert(name, role, to_tensor(&data)?.f_to(self.device)?)
    }

    fn zeros(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, Error> {
        let shape: Vec<i64> = shape.iter().map(|&axis| axis as i64).collect();
        self.insert(name, Role::Trainable, Tensor::f_zeros(&shape[..], (Kind::Float, self.device))?)
    }

    fn insert(&mut self, name: &str, role: Role, tensor: Tensor) -> Result<Tensor, Error> {
        if self.entries.iter().any(|entry| entry.name == name) {
            return Err(Error::TensorMismatch {
                name: name.to_string(),
                reason: "the name is taken".to_string(),
            });
        }
        let tensor = tensor.f_set_requires_grad(role == Role::Trainable)?;
        self.entries.push(Entry { name: name.to_string(), role, tensor: tensor.shallow_clone() });
        Ok(tensor)
    }

    /// Lays the kernels of two-dimensional convolutions whose names begin so out as networks want them that keep the channels of a
    /// pixel beside each other: libtorch would do so anew in every step, and again with what the optimiser reads and writes.
    pub(crate) fn channels_last(&mut self, prefix: &str) -> Result<(), Error> {
        for entry in self.entries.iter_mut().filter(|entry| entry.name.starts_with(prefix)) {
            if entry.role != Role::Buffer && entry.tensor.dim() == 4 {
                let laid_out = crate::layers::channels_last(&entry.tensor.f_detach()?)?;
                entry.tensor.set_data(&laid_out);
            }
        }
        Ok(())
    }

    /// Name, role and tensor of every entry, in the order of the layers. The tensors share the network's storage.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Role, &Tensor)> {
        self.entries.iter().map(|entry| (entry.name.as_str(), entry.role, &entry.tensor))
    }

    /// Name and tensor of every trainable entry, in the order of the layers.
    pub fn trainable(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.iter().filter(|(_, role, _)| *role == Role::Trainable).map(|(name, _, tensor)| (name, tensor))
    }

    /// Number of trainable values, the "parameters" of a paper.
    #[must_use]
    pub fn trainable_count(&self) -> usize {
        self.trainable().map(|(_, tensor)| tensor.numel()).sum()
    }

    /// Number of weights, trainable and frozen: the "parameters" of a network whose lower layers are kept.
    #[must_use]
    pub fn weight_count(&self) -> usize {
        self.iter().filter(|(_, role, _)| *role != Role::Buffer).map(|(_, _, tensor)| tensor.numel()).sum()
    }

    /// Keeps every trainable tensor whose name `select` picks as it is: it gets no gradient and no optimiser sees it.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn freeze(&mut self, select: impl Fn(&str) -> bool) -> Result<(), Error> {
        for entry in &mut self.entries {
            if entry.role == Role::Trainable && select(&entry.name) {
                // In place: the layers hold the same tensor.
                entry.tensor = entry.tensor.f_set_requires_grad(false)?;
                entry.role = Role::Frozen;
            }
        }
        Ok(())
    }

    /// Replaces the values of those tensors that `data` has and leaves the others, for instance pretrained layers under a
    /// new head. Returns the names of the tensors that were left.
    ///
    /// # Errors
    /// [`Error::TensorMismatch`] where a tensor of `data` has another shape here or is not of this network; then nothing
    /// changes. [`Error::Torch`].
    pub fn load_part(&self, data: &BTreeMap<String, TensorData>) -> Result<Vec<String>, Error> {
        let mut all = BTreeMap::new();
        let mut left = Vec::new();
        for (name, _, tensor) in self.iter() {
            if let Some(found) = data.get(name) {
                check_shape(name, tensor, found)?;
                all.insert(name.to_string(), tensor.shallow_clone());
            } else {
                left.push(name.to_string());
            }
        }
        if let Some(name) = data.keys().find(|name| !all.contains_key(*name)) {
            return Err(mismatch(name, "not a tensor of this network"));
        }
        tch::no_grad(|| {
            for (name, mut tensor) in all {
                if let Some(found) = data.get(&name) {
                    tensor.f_copy_(&to_tensor(found)?)?;
                }
            }
            Ok(left)
        })
    }

    /// Copies all values, by name.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn to_data(&self) -> Result<BTreeMap<String, TensorData>, Error> {
        self.iter()
            .map(|(name, _, tensor)| Ok((name.to_string(), TensorData::from_tensor(tensor)?)))
            .collect()
    }

    /// Replaces all values. Nothing changes where an error is returned by the check of names and shapes.
    ///
    /// # Errors
    /// [`Error::TensorMismatch`] where a tensor is missing, has another shape, or is not of this network.
    pub fn load_data(&self, data: &BTreeMap<String, TensorData>) -> Result<(), Error> {
        if let Some(name) = data.keys().find(|name| !self.entries.iter().any(|entry| entry.name == **name)) {
            return Err(mismatch(name, "not a tensor of this network"));
        }
        for (name, _, tensor) in self.iter() {
            let found = data.get(name).ok_or_else(|| mismatch(name, "missing"))?;
            check_shape(name, tensor, found)?;
        }
        tch::no_grad(|| {
            for (name, _, tensor) in self.iter() {
                if let Some(found) = data.get(name) {
                    tensor.shallow_clone().f_copy_(&to_tensor(found)?)?;
                }
            }
            Ok(())
        })
    }
}

/// A libtorch tensor on the CPU with these values.
pub(crate) fn to_tensor(data: &TensorData) -> Result<Tensor, Error> {
    let shape: Vec<i64> = data.shape.iter().map(|&axis| axis as i64).collect();
    Ok(Tensor::f_from_slice(&data.values)?.f_reshape(&shape[..])?.f_to_kind(Kind::Float)?)
}

pub(crate) fn check_shape(name: &str, tensor: &Tensor, found: &TensorData) -> Result<(), Error> {
    let expected = tensor.size();
    if found.shape.iter().map(|&axis| axis as i64).eq(expected.iter().copied()) {
        return Ok(());
    }
    Err(mismatch(name, &format!("shape is {:?}, expected {expected:?}", found.shape)))
}

pub(crate) fn mismatch(name: &str, reason: &str) -> Error {
    Error::TensorMismatch { name: name.to_string(), reason: reason.to_string() }
}
