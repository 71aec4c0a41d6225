//! A layer of a head as files hold it: `{"name": …, "class": …, "settings": …}`.

use serde::{Deserialize, Serialize};

use crate::Op;

/// A layer of a head, by name.
#[derive(Serialize, Deserialize)]
pub(crate) struct HeadLayer {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) op: Op,
}
