//! A layer of a head as files hold it: `{"name": …, "class": …, "settings": …}`.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::{Activation, Op};

/// A layer of a head, by name.
#[derive(Deserialize)]
pub(crate) struct HeadLayer {
    pub(crate) name: String,
    #[serde(flatten, with = "HeadOp")]
    pub(crate) op: Op,
}

impl Serialize for HeadLayer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut layer = serializer.serialize_struct("HeadLayer", 3)?;
        layer.serialize_field("name", &self.name)?;
        layer.serialize_field("class", self.op.class())?;
        layer.serialize_field("settings", &self.op)?;
        layer.end()
    }
}

/// The operations that a head can have. Settings alone do not tell a class, so it stands beside
/// them.
#[derive(Deserialize)]
#[serde(remote = "Op", tag = "class", content = "settings", deny_unknown_fields)]
enum HeadOp {
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    GlobalConcatPooling2D,
    Dense { units: usize, use_bias: bool, activation: Activation },
    BatchNormalization { epsilon: f32, scale: bool, center: bool },
    Activation { activation: Activation },
    LeakyReLU { negative_slope: f32 },
    Generated { output: Vec<usize> },
}
