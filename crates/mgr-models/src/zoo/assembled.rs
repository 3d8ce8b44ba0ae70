//! What every network of the zoo is assembled from.

use std::fmt::Debug;

use tch::Tensor;

use crate::device::DeviceConfig;
use crate::layers::VggFeatures;
use crate::parameters::Start;
use crate::zoo::check_classes;
use crate::{Error, InputSpec, Mode, Network, Output, Parameters, Randomness};

/// The layers of a network and how they follow each other.
pub(crate) trait Body: Send + Debug {
    /// Logits and code of an input whose shape is checked.
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error>;

    /// Named outputs of inner layers in order, for an input whose shape is checked. Default none.
    fn layers(&self, _input: &Tensor, _mode: Mode) -> Result<Vec<(&'static str, Tensor)>, Error> {
        Ok(Vec::new())
    }
}

/// What a network is beside its layers.
#[derive(Debug)]
pub(crate) struct Plate {
    pub(crate) name: &'static str,
    pub(crate) classes: usize,
    pub(crate) input: InputSpec,
    pub(crate) code_size: Option<usize>,
    pub(crate) randomness: Randomness,
    pub(crate) smallest_training_batch: usize,
}

impl Plate {
    /// A network with batch statistics, without dropout and without a code.
    pub(crate) fn new(name: &'static str, classes: usize, input: InputSpec) -> Self {
        let randomness = Randomness::None;
        Self { name, classes, input, code_size: None, randomness, smallest_training_batch: 2 }
    }

    /// With a code of this length.
    pub(crate) fn with_code(self, size: usize) -> Self {
        Self { code_size: Some(size), ..self }
    }

    /// With dropout of this share.
    pub(crate) fn with_dropout(self, share: f64) -> Self {
        let randomness = if share > 0.0 { Randomness::Generator } else { self.randomness };
        Self { randomness, ..self }
    }

    /// Without batch statistics, so that one example is a batch.
    pub(crate) fn without_batch_statistics(self) -> Self {
        Self { smallest_training_batch: 1, ..self }
    }
}

/// A network of the zoo.
#[derive(Debug)]
pub(crate) struct Assembled {
    plate: Plate,
    parameters: Parameters,
    body: Box<dyn Body>,
}

impl Assembled {
    /// Checks the class count, makes the tensors on the device and puts the network together.
    pub(crate) fn boxed<B: Body + 'static>(
        plate: Plate,
        start: Start,
        device: DeviceConfig,
        body: impl FnOnce(&mut Parameters) -> Result<B, Error>,
    ) -> Result<Box<dyn Network>, Error> {
        check_classes(plate.classes)?;
        let mut parameters = Parameters::starting(start, device.resolve()?);
        let body = Box::new(body(&mut parameters)?);
        Ok(Box::new(Self { plate, parameters, body }))
    }

    fn check_input(&self, input: &Tensor) -> Result<(), Error> {
        let shape: Vec<usize> = input.size().into_iter().map(|axis| axis.max(0) as usize).collect();
        self.plate.input.check(self.plate.name, shape.get(1..).unwrap_or_default())
    }
}

impl Network for Assembled {
    fn name(&self) -> &'static str {
        self.plate.name
    }

    fn classes(&self) -> usize {
        self.plate.classes
    }

    fn input(&self) -> &InputSpec {
        &self.plate.input
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        Ok(self.forward_with_code(input, mode)?.logits)
    }

    fn outputs(&self, input: &Tensor, mode: Mode) -> Result<Vec<(&'static str, Tensor)>, Error> {
        self.check_input(input)?;
        let mut outputs = self.body.layers(input, mode)?;
        outputs.push(("logits", self.body.forward(input, mode)?.logits));
        Ok(outputs)
    }

    fn code_size(&self) -> Option<usize> {
        self.plate.code_size
    }

    fn forward_with_code(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        self.check_input(input)?;
        self.body.forward(input, mode)
    }

    fn randomness(&self) -> Randomness {
        self.plate.randomness
    }

    fn smallest_training_batch(&self) -> usize {
        self.plate.smallest_training_batch
    }
}

/// A body's output without a code.
pub(crate) fn logits(logits: Tensor) -> Output {
    Output { logits, code: None }
}

/// Sizes of pictures that a config may ask for: (channels, bands, frames).
pub(crate) fn check_picture([channels, bands, frames]: [usize; 3]) -> Result<(), Error> {
    check_size("channels", channels, 1, 1024, "1 to 1024")?;
    check_size("bands", bands, 1, 65_536, "1 to 65536")?;
    check_size("frames", frames, 1, 65_536, "1 to 65536")
}

/// Checks the pictures and the trained blocks of a head on VGG; gives the length of the flattened convolutions.
pub(crate) fn check_vgg([height, width]: [usize; 2], trainable_blocks: usize) -> Result<usize, Error> {
    check_size("bands", height, VggFeatures::REDUCTION, 65_536, "32 to 65536")?;
    check_size("frames", width, VggFeatures::REDUCTION, 65_536, "32 to 65536")?;
    check_size("trainable_blocks", trainable_blocks, 0, 5, "0 to 5")?;
    Ok(VggFeatures::CHANNELS * (height / VggFeatures::REDUCTION) * (width / VggFeatures::REDUCTION))
}

/// Checks a whole number of a config.
pub(crate) fn check_size(
    field: &'static str,
    value: usize,
    low: usize,
    high: usize,
    allowed: &'static str,
) -> Result<(), Error> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Error::InvalidConfig { field, value: value.to_string(), allowed })
}

/// Checks the share that dropout takes away.
pub(crate) fn check_dropout(field: &'static str, share: f64) -> Result<(), Error> {
    if (0.0..1.0).contains(&share) {
        return Ok(());
    }
    Err(Error::InvalidConfig { field, value: share.to_string(), allowed: "0 to below 1" })
}

/// Length of an axis after a window without padding and with a stride; an error where none fits.
pub(crate) fn after_window(
    axis: &'static str,
    length: usize,
    window: usize,
    stride: usize,
) -> Result<usize, Error> {
    match length.checked_sub(window) {
        Some(rest) if window > 0 && stride > 0 => Ok(rest / stride + 1),
        _ => Err(Error::InvalidConfig {
            field: axis,
            value: length.to_string(),
            allowed: "enough for the filters and pools of the network, which need 1 and more",
        }),
    }
}

/// A product that a config asks for, or an error where it is absurd.
pub(crate) fn check_product(field: &'static str, factors: &[usize]) -> Result<usize, Error> {
    const LIMIT: usize = 1 << 31;
    let product = factors.iter().try_fold(1_usize, |product, &factor| product.checked_mul(factor));
    match product {
        Some(product) if (1..=LIMIT).contains(&product) => Ok(product),
        _ => {
            let value = format!("{factors:?} multiplied");
            Err(Error::InvalidConfig { field, value, allowed: "a product of 1 to 2147483648" })
        }
    }
}
