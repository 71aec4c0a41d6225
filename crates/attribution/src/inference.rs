//! A batch of images in a network: every pass is done here, and what it gives is remembered.

use burn::tensor::activation;
use burn::tensor::{DType, FloatDType, Int, Tensor, s};
use burncam_net::layers::{interleaved, plus_zeros, with_leaf};
use burncam_net::{Classifier, Output, Rectifier, Tap, Trace};

use crate::target::indices;
use crate::{AttributionError, Explanation, Question, Random, Score};

/// In half precision, gradients are computed so many times too large, and scaled back in `f32`:
/// below 6e-5, where a channel's mean gradient often is, half precision loses digits.
const HALF_SCALE: f32 = 1024.0;

/// A batch of images in a network, in `f32` whatever the device computes in.
pub struct Inference<'a> {
    pub(crate) classifier: &'a Classifier,
    pub(crate) question: &'a Question<'a>,
    images: Tensor<4>,
    logits: Tensor<2>,
    /// The class that is explained for each image, `[batch, 1]`.
    classes: Tensor<2, Int>,
    activations: Vec<(Tap, Tensor<4>)>,
    gradients: Vec<(Rectifier, Tap, Tensor<4>)>,
}

impl<'a> Inference<'a> {
    /// Runs `images`, `[batch, 3, height, width]`, once forward, and once backward from the logits that
    /// are explained where a method of the question reads gradients. A GPU would stand still while the predicted
    /// class is read, so it chooses the class itself, that of the largest logit, unless `classes` says
    /// which is explained for each image.
    ///
    /// # Errors
    ///
    /// If the network has no such layer or class, was built for other layers, the logit does not depend on
    /// a layer, or the device fails.
    pub fn new(
        classifier: &'a Classifier,
        images: Tensor<4>,
        question: &'a Question<'a>,
        classes: Option<&[usize]>,
    ) -> Result<Self, AttributionError> {
        let [batch, ..] = images.dims();
        let one = question.target.class().map(|class| vec![class; batch]);
        let classes = classes.or(one.as_deref());
        let classes = classes.map(|classes| indices(classes, classifier.device()));
        Self::run(classifier, images, question, classes)
    }

    /// Other images of the same size and number, of which the same classes are explained: one more pass.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); if the user has asked for an end.
    pub(crate) fn of_copies<'b>(
        &mut self,
        images: Tensor<4>,
        question: &'b Question<'b>,
    ) -> Result<Inference<'b>, AttributionError>
    where
        'a: 'b,
    {
        self.count(0)?;
        Inference::run(self.classifier, images, question, Some(self.classes.clone()))
    }

    fn run(
        classifier: &'a Classifier,
        images: Tensor<4>,
        question: &'a Question<'a>,
        classes: Option<Tensor<2, Int>>,
    ) -> Result<Self, AttributionError> {
        let [batch, ..] = images.dims();
        check(classifier, question)?;
        let taps = question.taps();
        let all = [Rectifier::Gradient, Rectifier::Guided, Rectifier::Deconvolution];
        let mut rules = all.into_iter().filter(|rule| !question.gradient_taps(*rule).is_empty());
        // Logits and activations do not depend on the rule, so the first pass has that of the first gradient.
        let rule = rules.next().unwrap_or(Rectifier::Gradient);
        let recorded = question.gradient_taps(rule);
        let pass = |taps: &[Tap], recorded: &[Tap], rule: Rectifier| match recorded.is_empty()
            || classifier.supports_rectifier(rule)
        {
            true => forward(classifier, images.clone(), (taps, recorded), rule),
            false => Err(AttributionError::Rectifier),
        };
        let (logits, tapped) = pass(&taps, &recorded, rule)?;
        let plain = logits.clone().inner().cast(FloatDType::F32);
        let classes = classes.unwrap_or_else(|| plain.clone().argmax(1));
        let mut own = Self {
            classifier,
            question,
            images: images.clone(),
            logits: plain,
            classes,
            activations: Vec::new(),
            gradients: Vec::new(),
        };
        if !recorded.is_empty() {
            let score = own.scores(logits, question.score);
            own.gradients = backward(score, &tapped, rule)?;
        }
        (question.passed)(batch);
        for rule in rules {
            let recorded = question.gradient_taps(rule);
            let (logits, tapped) = pass(&recorded, &recorded, rule)?;
            let score = own.scores(logits, question.score);
            own.gradients.extend(backward(score, &tapped, rule)?);
        }
        let activation = |tapped: Tapped| (tapped.tap, tapped.output.inner().cast(FloatDType::F32));
        own.activations = tapped.into_iter().map(activation).collect();
        Ok(own)
    }

    /// The images, `[batch, 3, height, width]`.
    #[must_use]
    pub fn images(&self) -> Tensor<4> {
        self.images.clone()
    }

    /// The logits, `[batch, classes]`.
    #[must_use]
    pub fn logits(&self) -> Tensor<2> {
        self.logits.clone()
    }

    /// The class that is explained for each image, `[batch, 1]`.
    #[must_use]
    pub fn classes(&self) -> Tensor<2, Int> {
        self.classes.clone()
    }

    /// Output of a layer, `[batch, channels, height, width]`.
    ///
    /// # Errors
    ///
    /// If no method of the question needs the layer.
    pub fn activations(&self, layer: &str) -> Result<Tensor<4>, AttributionError> {
        let tap = Tap::Layer(layer.to_owned());
        let known = self.activations.iter().find(|(known, _)| *known == tap);
        known.map(|(_, activations)| activations.clone()).ok_or_else(|| unread(&tap))
    }

    /// Gradient of each image's target logit at the output of a layer, `[batch, channels, height, width]`.
    ///
    /// # Errors
    ///
    /// If no method of the question needs that gradient.
    pub fn gradients(&self, layer: &str) -> Result<Tensor<4>, AttributionError> {
        self.gradients_at(&Tap::Layer(layer.to_owned()), Rectifier::Gradient)
    }

    /// Output of an explanation's only layer, and the gradient there, both `[batch, channels, height, width]`.
    ///
    /// # Errors
    ///
    /// If it has not one layer, or no method of the question needs either.
    pub fn activations_and_gradients(
        &self,
        explanation: &Explanation,
    ) -> Result<(Tensor<4>, Tensor<4>), AttributionError> {
        let layer = explanation.layer()?;
        Ok((self.activations(layer)?, self.gradients(layer)?))
    }

    /// Gradient of each image's target logit at the network's input, `[batch, 3, height, width]`, with this rule
    /// for rectifiers.
    ///
    /// # Errors
    ///
    /// If no method of the question needs it.
    pub fn input_gradients(&self, rectifier: Rectifier) -> Result<Tensor<4>, AttributionError> {
        self.gradients_at(&Tap::Input, rectifier)
    }

    pub(crate) fn gradients_at(
        &self,
        tap: &Tap,
        rectifier: Rectifier,
    ) -> Result<Tensor<4>, AttributionError> {
        let mut known = self.gradients.iter();
        let known = known.find(|(rule, known, _)| *rule == rectifier && known == tap);
        known.map(|(.., gradients)| gradients.clone()).ok_or_else(|| unread(tap))
    }

    /// What is explained, of the batch's `logits`, `[batch, classes]`: `[batch, 1]`.
    #[must_use]
    pub fn scores(&self, logits: Tensor<2>, score: Score) -> Tensor<2> {
        self.scores_for(logits, score, self.classes.clone())
    }

    /// What is explained of one image of the batch, where copies of it have these `logits`, `[copies, classes]`:
    /// `[copies, 1]`.
    #[must_use]
    pub fn scores_of(&self, image: usize, logits: Tensor<2>, score: Score) -> Tensor<2> {
        let [copies, _] = logits.dims();
        let class = self.classes.clone().slice(s![image..image + 1]);
        self.scores_for(logits, score, class.repeat_dim(0, copies))
    }

    fn scores_for(&self, logits: Tensor<2>, score: Score, classes: Tensor<2, Int>) -> Tensor<2> {
        let values = match score {
            Score::Logit => logits,
            Score::Probability => self.probabilities(logits),
        };
        let own = values.clone().gather(1, classes.clone());
        match self.question.target.other() {
            None => own,
            Some(other) => own - values.gather(1, classes.full_like(other as i64)),
        }
    }

    /// The logits of other images, such as masked ones, `[batch, classes]`: one more pass.
    ///
    /// # Errors
    ///
    /// If the user has asked for an end.
    pub fn pass(&mut self, images: Tensor<4>) -> Result<Tensor<2>, AttributionError> {
        self.count(images.dims()[0])?;
        Ok(self.classifier.logits(images, &mut Trace::none()).cast(FloatDType::F32))
    }

    /// The gradient of what is explained at a place, where other images enter the network, as many as the batch's,
    /// `[batch, channels, height, width]`: one more pass, there and back.
    ///
    /// # Errors
    ///
    /// If the user has asked for an end, or what is explained does not depend on the place.
    pub fn gradients_of(
        &mut self,
        images: Tensor<4>,
        place: &Tap,
    ) -> Result<Tensor<4>, AttributionError> {
        let score = self.question.score;
        self.gradients_by(images, place, |own, logits| own.scores(logits, score))
    }

    /// The same for a score of one's own, made of `[batch, classes]`: `[batch, 1]`.
    ///
    /// # Errors
    ///
    /// As [`gradients_of`](Self::gradients_of).
    pub fn gradients_by(
        &mut self,
        images: Tensor<4>,
        place: &Tap,
        score: impl Fn(&Self, Tensor<2>) -> Tensor<2>,
    ) -> Result<Tensor<4>, AttributionError> {
        self.count(images.dims()[0])?;
        let (taps, rectifier) = (std::slice::from_ref(place), Rectifier::Gradient);
        let (logits, tapped) = forward(self.classifier, images, (taps, taps), rectifier)?;
        let mut gradients = backward(score(self, logits), &tapped, rectifier)?;
        gradients.pop().map(|(.., gradients)| gradients).ok_or_else(|| unread(place))
    }

    /// The gradient at a layer of a score of one's own, made of `[batch, classes]`: `[batch, 1]`, for the images of the
    /// batch: one more pass, of the layers behind that one only if nothing goes past it.
    ///
    /// # Errors
    ///
    /// As [`gradients_of`](Self::gradients_of).
    pub fn layer_gradients_by(
        &mut self,
        layer: &str,
        score: impl Fn(&Self, Tensor<2>) -> Tensor<2>,
    ) -> Result<Tensor<4>, AttributionError> {
        let tap = Tap::Layer(layer.to_owned());
        let (output, leaf) = with_leaf(self.activations(layer)?);
        let Ok(logits) = self.classifier.tail(layer, output) else {
            return self.gradients_by(self.images(), &tap, score);
        };
        self.count(self.images.dims()[0])?;
        let tapped = [Tapped { tap: tap.clone(), output: leaf.clone(), leaf: Some(leaf) }];
        let mut gradients = backward(score(self, logits), &tapped, Rectifier::Gradient)?;
        gradients.pop().map(|(.., gradients)| gradients).ok_or_else(|| unread(&tap))
    }

    /// Probabilities of the classes, `[batch, classes]`, of their logits.
    #[must_use]
    pub fn probabilities(&self, logits: Tensor<2>) -> Tensor<2> {
        match self.classifier.head.config().output() {
            Output::Softmax => activation::softmax(logits, 1),
            Output::Sigmoid => activation::sigmoid(logits),
        }
    }

    /// The logits, `[batch, classes]`, where a layer gives other activations: one more pass, of the layers
    /// behind that one only.
    ///
    /// # Errors
    ///
    /// If the user has asked for an end, or the logits depend on more than this layer.
    pub fn tail(
        &mut self,
        layer: &str,
        activations: Tensor<4>,
    ) -> Result<Tensor<2>, AttributionError> {
        self.count(activations.dims()[0])?;
        let logits = self.classifier.tail(layer, activations);
        logits
            .map(|logits| logits.cast(FloatDType::F32))
            .map_err(|_| AttributionError::Shortcut { layer: layer.to_owned() })
    }

    /// A generator for one image of the batch, which depends on the run's seed and the image alone.
    #[must_use]
    pub fn random(&self, image: usize) -> Random {
        Random::new(self.question.seeds.get(image).copied().unwrap_or_default())
    }

    /// Tells that so many images go through the network, unless the user has asked for an end.
    fn count(&self, images: usize) -> Result<(), AttributionError> {
        if (self.question.interrupted)() {
            return Err(AttributionError::Interrupted);
        }
        (self.question.passed)(images);
        Ok(())
    }
}

fn unread(tap: &Tap) -> AttributionError {
    AttributionError::Unread { layer: tap.to_string() }
}

fn check(classifier: &Classifier, question: &Question<'_>) -> Result<(), AttributionError> {
    let classes = classifier.head.config().classes();
    let asked = question.target.class().into_iter().chain(question.target.other());
    if let Some(class) = asked.into_iter().find(|class| *class >= classes) {
        return Err(AttributionError::UnknownClass { class, classes });
    }
    for one in question.explanations {
        let fit = one.method.needs.network;
        let fits = fit.check(&classifier.layers, classifier.head.config(), &one.layers);
        let method = one.method.title;
        fits.map_err(|needs| AttributionError::Unfit { method, needs })?;
    }
    for tap in question.taps() {
        let layer = tap.to_string();
        if !classifier.has(&tap) {
            return Err(AttributionError::UnknownLayer { layer });
        }
        if !classifier.supports_gradient_at(&tap) {
            return Err(unread(&tap));
        }
    }
    Ok(())
}

/// The output of a layer, or the input: a leaf of the gradient graph, or in the midst of it.
struct Tapped {
    tap: Tap,
    output: Tensor<4>,
    /// What the gradient is read of, where one is recorded.
    leaf: Option<Tensor<4>>,
}

/// A forward pass that keeps what `taps` name, with the way back to `recorded` taps.
fn forward(
    classifier: &Classifier,
    images: Tensor<4>,
    (taps, recorded): (&[Tap], &[Tap]),
    rectifier: Rectifier,
) -> Result<(Tensor<2>, Vec<Tapped>), AttributionError> {
    let mut tapped = Vec::with_capacity(taps.len());
    let mut keep = |tap: Tap, output: Tensor<4>| {
        let is_recorded = recorded.contains(&tap);
        let later = recorded.iter().any(|other| classifier.is_behind(&tap, other));
        let (output, leaf) = match (is_recorded, later) {
            // Nothing before the first leaf is recorded: the network itself is not tracked.
            (true, false) => {
                let (output, leaf) = with_leaf(output);
                (output, Some(leaf))
            }
            // The gradient of a sum is that of each of its terms.
            (true, true) => {
                let (output, leaf) = plus_zeros(output);
                (output, Some(leaf))
            }
            (false, _) => (output, None),
        };
        tapped.push(Tapped { tap, output: output.clone(), leaf });
        output
    };
    let mut images = images;
    if taps.contains(&Tap::Input) {
        images = keep(Tap::Input, interleaved(images));
    }
    let names: Vec<&str> = taps.iter().filter_map(Tap::layer).collect();
    let mut observer = |name: &str, output: Tensor<4>| keep(Tap::Layer(name.to_owned()), output);
    let mut trace = Trace::at(&names, &mut observer).with_rectifier(rectifier);
    let logits = classifier.logits(images, &mut trace);
    match taps.iter().find(|tap| !tapped.iter().any(|known| known.tap == **tap)) {
        Some(tap) => Err(AttributionError::UnknownLayer { layer: tap.to_string() }),
        None => Ok((logits, tapped)),
    }
}

/// The gradients of scores, `[batch, 1]`, at the recorded taps, each `[batch, channels, height, width]` in `f32`.
fn backward(
    scores: Tensor<2>,
    tapped: &[Tapped],
    rectifier: Rectifier,
) -> Result<Vec<(Rectifier, Tap, Tensor<4>)>, AttributionError> {
    let half = scores.dtype() == DType::F16;
    // Images of a batch do not meet in the network, so the sum keeps their gradients apart.
    let sum = scores.sum();
    let gradients = if half { sum * HALF_SCALE } else { sum }.backward();
    let leaves = tapped.iter().filter_map(|tapped| Some((&tapped.tap, tapped.leaf.as_ref()?)));
    let gradient = |(tap, leaf): (&Tap, &Tensor<4>)| {
        let gradient = leaf.grad(&gradients);
        let gradient =
            gradient.ok_or_else(|| AttributionError::NoGradient { layer: tap.to_string() })?;
        let gradient = if half { gradient.cast(FloatDType::F32) / HALF_SCALE } else { gradient };
        Ok((rectifier, tap.clone(), gradient))
    };
    leaves.map(gradient).collect()
}
