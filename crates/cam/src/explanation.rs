//! Logits and Grad-CAM maps of a batch, read from the device at once.

use burn::tensor::{Tensor, Transaction};
use burncam_net::Classifier;
use burncam_net::layers::weighted_sums;

use crate::methods::grad_cam;
use crate::scene::{Forward, indices, rows, targets};
use crate::{CamError, Scene, Target};

/// What a network said of a batch of images, and the Grad-CAM maps of it.
pub struct Explanation {
    /// Logits of each image, one a class.
    pub logits: Vec<Vec<f32>>,
    /// The class whose logit is explained, for each image.
    pub targets: Vec<usize>,
    /// Raw maps, row by row.
    pub maps: Vec<Vec<f32>>,
    /// Height and width of a map.
    pub size: [usize; 2],
}

impl Explanation {
    /// The results of [`Scene::observe`] and [`grad_cam`]. A GPU would stand still while the
    /// predicted class is read, so it chooses the class itself: that of the largest logit. Where
    /// rounding made the probabilities of two classes equal, this may be another one than that which
    /// is [`predicted`](crate::predicted); then the batch is computed again.
    ///
    /// # Errors
    ///
    /// As [`Scene::observe`].
    ///
    /// # Panics
    ///
    /// As [`Scene::observe`].
    pub fn of(
        classifier: &Classifier,
        images: Tensor<4>,
        layer: &str,
        target: Target,
    ) -> Result<Self, CamError> {
        let [batch, ..] = images.dims();
        let forward = Forward::run(classifier, images.clone(), layer, target)?;
        let (tensor, classes, rule) = (forward.logits(), forward.classes, forward.rule);
        let chosen = match target {
            Target::Predicted => tensor.clone().argmax(1),
            Target::Class(class) => indices(&vec![class; batch], classifier.device()),
        };
        let (activations, gradients) = forward.back(chosen.clone(), layer)?;
        let [.., height, width] = activations.dims();
        let read = Transaction::default()
            .register(tensor)
            .register(weighted_sums(activations, gradients))
            .register(chosen)
            .try_execute();
        let failed = |error: &dyn std::fmt::Debug| CamError::read_back("the results", &error);
        let read: [_; 3] = read
            .map_err(|error| failed(&error))?
            .try_into()
            .map_err(|_| failed(&"not all of it came"))?;
        let [logits, maps, chosen] = read;
        let floats = |data: burn::tensor::TensorData| {
            data.try_to_vec::<f32>().map_err(|error| failed(&error))
        };
        let logits = rows(floats(logits)?, classes);
        let targets = targets(&logits, rule, target);
        let chosen = chosen.convert::<i64>().try_to_vec::<i64>().map_err(|error| failed(&error))?;
        let same = chosen.iter().zip(&targets).all(|(own, target)| *own == *target as i64);
        let maps = match same {
            true => rows(floats(maps)?, height * width),
            false => grad_cam(&Scene::observe(classifier, images, layer, target)?)?,
        };
        Ok(Self { logits, targets, maps, size: [height, width] })
    }
}
