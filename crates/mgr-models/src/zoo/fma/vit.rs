//! A vision transformer for spectrograms.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::device::DeviceConfig;
use crate::layers::{Initial, LayerNorm, Linear, zeros_beside};
use crate::parameters::Start;
use crate::zoo::assembled::{
    Assembled, Body, Plate, check_dropout, check_picture, check_product, check_size,
};
use crate::{Axis, Error, InputAxis, InputSpec, Mode, Network, Output, Parameters};

/// How a patch becomes a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PatchProjection {
    /// One linear layer, as in the study and in `vit_pytorch` of its time. The default.
    #[default]
    Linear,
    /// Layer normalisation before and after it, as in later versions of `vit_pytorch`.
    Normed,
}

/// How many positions have a learned vector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum PositionTable {
    /// One for the class token and one for each patch of the configured size. The default.
    #[default]
    Fitted,
    /// So many; a picture of fewer patches uses the first of them. The study's network, made for a square picture of
    /// 1292 x 1292 and used on 128 x 1292, has 323 x 323 + 1 = 104,330.
    Tokens {
        /// Number of vectors, the class token's included.
        count: usize,
    },
}

/// A vision transformer: patches become tokens, a class token goes before them, learned positions are added; layers of
/// multi-head attention and two-layer perceptron (GELU), each after layer normalisation and with a residual; the class token
/// through layer normalisation and a linear layer to the classes.
///
/// Input (batch, channels, bands, frames), both sides whole numbers of patches. Patches are taken row after row, and within a
/// patch the numbers row by row, column by column, channel by channel. A picture may have fewer frames than configured: it
/// then uses the first positions of the table.
///
/// With D = dim, I = heads x `dim_head`, M = `mlp_dim`, P = channels x patch area, T positions and n classes, the parameters are
/// T D + D + P D + D + depth x (2 x 2 D + 4 D I + D + 2 D M + M + D) + 2 D + n (D + 1), and 2 P + 2 D more with a normed
/// projection.
///
/// | | parameters |
/// |---|---|
/// | [`VitConfig::published`] at 8 classes | 157,276,168 |
/// | [`VitConfig::default`] at 8 classes (rectangular, positions fitted) | 61,027,336 |
///
/// Attention is computed in blocks, so that memory grows with the number of tokens and not with its square.
/// Names are those of `vit_pytorch` at the end of 2021: `pos_embedding`, `cls_token`, `to_patch_embedding.1.weight`,
/// `transformer.layers.0.0.fn.to_qkv.weight`, ..., `mlp_head.1.weight`. The code is the class token after layer normalisation.
///
/// Source: Dosovitskiy et al., "An image is worth 16 x 16 words", ICLR 2021.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VitConfig {
    /// Channels, bands (height), frames (width, the most it takes). Default 3, 128, 1292.
    pub input: [usize; 3],
    /// Height and width of a patch. Default 4, 4.
    pub patch: [usize; 2],
    /// Length of a token. Default 1024.
    pub dim: usize,
    /// Number of layers. Default 6.
    pub depth: usize,
    /// Number of attention heads. Default 16.
    pub heads: usize,
    /// Length of a query, key and value of one head. Default 64.
    pub dim_head: usize,
    /// Units of the perceptron. Default 2048.
    pub mlp_dim: usize,
    /// Share that dropout takes after the attention and in the perceptron; of the attention weights none is taken. Default 0.1.
    pub dropout: f64,
    /// Share that dropout takes of the tokens. Default 0.1.
    pub embedding_dropout: f64,
    /// How a patch becomes a token. Default [`PatchProjection::Linear`].
    pub projection: PatchProjection,
    /// How many positions have a vector. Default [`PositionTable::Fitted`].
    pub positions: PositionTable,
}

impl Default for VitConfig {
    fn default() -> Self {
        Self {
            input: [3, 128, 1292],
            patch: [4, 4],
            dim: 1024,
            depth: 6,
            heads: 16,
            dim_head: 64,
            mlp_dim: 2048,
            dropout: 0.1,
            embedding_dropout: 0.1,
            projection: PatchProjection::default(),
            positions: PositionTable::default(),
        }
    }
}

impl VitConfig {
    /// The name in files.
    pub const NAME: &'static str = "vit";

    /// The study's network: the default with a table of positions for a square picture of 1292 x 1292.
    #[must_use]
    pub fn published() -> Self {
        Self { positions: PositionTable::Tokens { count: 323 * 323 + 1 }, ..Self::default() }
    }

    fn check(&self) -> Result<usize, Error> {
        check_picture(self.input)?;
        let [channels, bands, frames] = self.input;
        let [height, width] = self.patch;
        check_size("patch", height, 1, bands, "1 to the picture's side")?;
        check_size("patch", width, 1, frames, "1 to the picture's side")?;
        for (field, side, patch) in [("bands", bands, height), ("frames", frames, width)] {
            if !side.is_multiple_of(patch) {
                let allowed = "a whole number of patches";
                return Err(Error::InvalidConfig { field, value: side.to_string(), allowed });
            }
        }
        for (field, value) in [("dim", self.dim), ("dim_head", self.dim_head), ("mlp_dim", self.mlp_dim)] {
            check_size(field, value, 1, 65_536, "1 to 65536")?;
        }
        check_size("depth", self.depth, 1, 256, "1 to 256")?;
        check_size("heads", self.heads, 1, 1024, "1 to 1024")?;
        check_dropout("dropout", self.dropout)?;
        check_dropout("embedding_dropout", self.embedding_dropout)?;
        check_product("dim", &[self.dim, 3, self.heads, self.dim_head])?;
        check_product("patch", &[channels, height, width, self.dim])?;
        let tokens = (bands / height) * (frames / width) + 1;
        let positions = match self.positions {
            PositionTable::Fitted => tokens,
            PositionTable::Tokens { count } if count >= tokens => count,
            PositionTable::Tokens { count } => {
                let allowed = "at least one for each patch and one for the class token";
                return Err(Error::InvalidConfig { field: "positions", value: count.to_string(), allowed });
            }
        };
        check_product("positions", &[positions, self.dim])?;
        Ok(positions)
    }

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        let positions = self.check()?;
        let [channels, bands, frames] = self.input;
        let width = self.patch[1];
        let input = InputSpec::new(vec![
            InputAxis::exactly(Axis::Channels, channels),
            InputAxis::exactly(Axis::Bands, bands),
            InputAxis { axis: Axis::Frames, minimum: width, maximum: Some(frames), step: width },
        ]);
        let plate = Plate::new(Self::NAME, classes, input)
            .with_code(self.dim)
            .with_dropout(self.dropout.max(self.embedding_dropout))
            .without_batch_statistics();
        Assembled::boxed(plate, start, device, |parameters| Vit::new(*self, parameters, positions, classes))
    }
}

#[derive(Debug)]
struct Vit {
    patch: [i64; 2],
    positions: Tensor,
    class_token: Tensor,
    projection: Projection,
    layers: Vec<Layer>,
    norm: LayerNorm,
    classes: Linear,
    embedding_dropout: f64,
}

impl Vit {
    fn new(
        config: VitConfig,
        parameters: &mut Parameters,
        positions: usize,
        classes: usize,
    ) -> Result<Self, Error> {
        let dim = config.dim;
        let positions = parameters.normal("pos_embedding", &[1, positions, dim], 1.0)?;
        let class_token = parameters.normal("cls_token", &[1, 1, dim], 1.0)?;
        let projection = Projection::new(&config, parameters)?;
        let mut layers = Vec::new();
        for index in 0..config.depth {
            layers.push(Layer::new(&config, parameters, &format!("transformer.layers.{index}"))?);
        }
        Ok(Self {
            patch: config.patch.map(|side| side as i64),
            positions,
            class_token,
            projection,
            layers,
            norm: LayerNorm::new(parameters, "mlp_head.0", dim)?,
            classes: Linear::new(parameters, "mlp_head.1", dim, classes)?,
            embedding_dropout: config.embedding_dropout,
        })
    }

    /// (batch, channels, bands, frames) to (batch, patches, numbers of a patch).
    fn patches(&self, input: &Tensor) -> Result<Tensor, Error> {
        let (_, channels, bands, frames) = input.size4()?;
        let [height, width] = self.patch;
        let (rows, columns) = (bands / height, frames / width);
        let cut = input.f_reshape([-1, channels, rows, height, columns, width])?;
        let ordered = cut.f_permute([0, 2, 4, 3, 5, 1])?;
        Ok(ordered.f_reshape([-1, rows * columns, height * width * channels])?)
    }
}

impl Body for Vit {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let train = mode == Mode::Train;
        let patches = self.projection.forward(&self.patches(input)?)?;
        let (_, count, dim) = patches.size3()?;
        let class_token = zeros_beside(&patches, &[1, dim])?.f_add(&self.class_token)?;
        let tokens = Tensor::f_cat(&[class_token, patches], 1)?;
        let positioned = tokens.f_add(&self.positions.f_narrow(1, 0, count + 1)?)?;
        let mut x = positioned.f_dropout(self.embedding_dropout, train)?;
        for layer in &self.layers {
            x = layer.forward(&x, train)?;
        }
        let code = self.norm.forward(&x.f_select(1, 0)?)?;
        Ok(Output { logits: self.classes.forward(&code)?, code: Some(code) })
    }
}

#[derive(Debug)]
struct Projection {
    /// Before and after the linear layer.
    norms: Option<[LayerNorm; 2]>,
    linear: Linear,
}

impl Projection {
    fn new(config: &VitConfig, parameters: &mut Parameters) -> Result<Self, Error> {
        let [channels, ..] = config.input;
        let numbers = channels * config.patch[0] * config.patch[1];
        let name = |index: usize| format!("to_patch_embedding.{index}");
        // Index 0 is the cutting into patches, which has no weights.
        Ok(match config.projection {
            PatchProjection::Linear => {
                Self { norms: None, linear: Linear::new(parameters, &name(1), numbers, config.dim)? }
            }
            PatchProjection::Normed => {
                let before = LayerNorm::new(parameters, &name(1), numbers)?;
                let linear = Linear::new(parameters, &name(2), numbers, config.dim)?;
                let after = LayerNorm::new(parameters, &name(3), config.dim)?;
                Self { norms: Some([before, after]), linear }
            }
        })
    }

    fn forward(&self, patches: &Tensor) -> Result<Tensor, Error> {
        match &self.norms {
            None => self.linear.forward(patches),
            Some([before, after]) => after.forward(&self.linear.forward(&before.forward(patches)?)?),
        }
    }
}

#[derive(Debug)]
struct Layer {
    attention_norm: LayerNorm,
    queries_keys_values: Linear,
    joined: Linear,
    heads: i64,
    dim_head: i64,
    mlp_norm: LayerNorm,
    mlp: [Linear; 2],
    dropout: f64,
}

impl Layer {
    fn new(config: &VitConfig, parameters: &mut Parameters, name: &str) -> Result<Self, Error> {
        let VitConfig { dim, heads, dim_head, mlp_dim, dropout, .. } = *config;
        let inner = heads * dim_head;
        let sizes = [dim, 3 * inner];
        Ok(Self {
            attention_norm: LayerNorm::new(parameters, &format!("{name}.0.norm"), dim)?,
            queries_keys_values: Linear::with(
                parameters,
                &format!("{name}.0.fn.to_qkv"),
                sizes,
                Initial::FanIn,
                false,
            )?,
            joined: Linear::new(parameters, &format!("{name}.0.fn.to_out.0"), inner, dim)?,
            heads: heads as i64,
            dim_head: dim_head as i64,
            mlp_norm: LayerNorm::new(parameters, &format!("{name}.1.norm"), dim)?,
            mlp: [
                Linear::new(parameters, &format!("{name}.1.fn.net.0"), dim, mlp_dim)?,
                Linear::new(parameters, &format!("{name}.1.fn.net.3"), mlp_dim, dim)?,
            ],
            dropout,
        })
    }

    fn forward(&self, x: &Tensor, train: bool) -> Result<Tensor, Error> {
        let x = self.attention(&self.attention_norm.forward(x)?)?.f_dropout(self.dropout, train)?.f_add(x)?;
        let [first, second] = &self.mlp;
        let hidden = first.forward(&self.mlp_norm.forward(&x)?)?.f_gelu("none")?;
        let out = second.forward(&hidden.f_dropout(self.dropout, train)?)?;
        Ok(out.f_dropout(self.dropout, train)?.f_add(&x)?)
    }

    fn attention(&self, x: &Tensor) -> Result<Tensor, Error> {
        let (_, tokens, _) = x.size3()?;
        let joint = self.queries_keys_values.forward(x)?;
        // (three, batch, heads, tokens, numbers of a head)
        let parts =
            joint.f_reshape([-1, tokens, 3, self.heads, self.dim_head])?.f_permute([2, 0, 3, 1, 4])?;
        let (query, key, value) = (parts.f_select(0, 0)?, parts.f_select(0, 1)?, parts.f_select(0, 2)?);
        let no_mask: Option<&Tensor> = None;
        // The scale is 1 / sqrt(dim_head), the operation's default.
        let seen = Tensor::f_scaled_dot_product_attention(
            &query,
            &key,
            &value,
            no_mask,
            0.0,
            false,
            None::<f64>,
            false,
        )?;
        let seen = seen.f_transpose(1, 2)?.f_reshape([-1, tokens, self.heads * self.dim_head])?;
        self.joined.forward(&seen)
    }
}
