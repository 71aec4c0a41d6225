//! Shapes of outputs.

use super::Op;
use crate::Padding;

/// `[height, width, channels]`.
type Shape = [usize; 3];

impl Op {
    /// The shape `[height, width, channels]` of the output for inputs of these shapes.
    ///
    /// # Panics
    ///
    /// If the operation has no output for them.
    #[must_use]
    pub fn output(&self, inputs: &[Shape]) -> Shape {
        let output = self.checked_output(inputs, usize::MAX);
        output.unwrap_or_else(|reason| panic!("{}: {reason}", self.class()))
    }

    /// The same for settings and shapes of which nothing is known: what keeps the operation from having an output
    /// of these inputs, which hold `most` numbers at most.
    ///
    /// # Errors
    ///
    /// What is wrong, in words.
    pub fn checked_output(&self, inputs: &[Shape], most: usize) -> Result<Shape, String> {
        if let Self::InputLayer { height, width, channels } = *self {
            return Ok([height, width, channels]);
        }
        let count = match self {
            Self::Concatenate
            | Self::Add
            | Self::Multiply
            | Self::Average
            | Self::Maximum
            | Self::Minimum => inputs.len() >= 2,
            Self::Subtract | Self::Divide | Self::Dot { .. } | Self::ScaledSum { .. } => {
                inputs.len() == 2
            }
            _ => inputs.len() == 1,
        };
        if !count {
            return Err(format!("it reads {} layers", inputs.len()));
        }
        if self.sizes().into_iter().any(|size| size.contains(&0)) {
            return Err("one of its sizes or steps is 0".to_owned());
        }
        let output = self.shape(inputs)?;
        let numbers = output.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
        match numbers {
            Some(1..) if numbers <= Some(most) => Ok(output),
            Some(0) => Err(format!("nothing is left of {}", shown(&inputs[0]))),
            _ => Err(format!(
                "it makes {} of {}, which is too large",
                shown(&output),
                shown(&inputs[0])
            )),
        }
    }

    /// Windows, steps and gaps.
    fn sizes(&self) -> Vec<[usize; 2]> {
        match *self {
            Self::Conv2D { kernel_size, strides, dilation_rate, .. }
            | Self::DepthwiseConv2D { kernel_size, strides, dilation_rate, .. }
            | Self::SeparableConv2D { kernel_size, strides, dilation_rate, .. } => {
                vec![kernel_size, strides, dilation_rate]
            }
            Self::Conv2DTranspose { kernel_size, strides, .. } => vec![kernel_size, strides],
            Self::MaxPooling2D { pool_size, strides, .. }
            | Self::AveragePooling2D { pool_size, strides, .. } => vec![pool_size, strides],
            _ => Vec::new(),
        }
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let input = inputs[0];
        let [height, width, channels] = input;
        let divided = |groups: usize, filters: usize| {
            let fits =
                groups > 0 && channels.is_multiple_of(groups) && filters.is_multiple_of(groups);
            let reason = || {
                format!("{groups} groups do not divide {channels} channels and {filters} filters")
            };
            if fits { Ok(filters) } else { Err(reason()) }
        };
        let times = |multiplier: usize| {
            channels.checked_mul(multiplier).ok_or_else(|| "it has too many filters".to_owned())
        };
        Ok(match self {
            Self::Conv2D {
                filters, kernel_size, strides, padding, dilation_rate, groups, ..
            } => {
                let windows = windows(input, *kernel_size, *strides, *padding, *dilation_rate);
                with_channels(windows, divided(*groups, *filters)?)
            }
            Self::SeparableConv2D {
                filters,
                kernel_size,
                strides,
                padding,
                dilation_rate,
                depth_multiplier,
                ..
            } => {
                times(*depth_multiplier)?;
                let windows = windows(input, *kernel_size, *strides, *padding, *dilation_rate);
                with_channels(windows, *filters)
            }
            Self::DepthwiseConv2D {
                kernel_size,
                strides,
                padding,
                dilation_rate,
                depth_multiplier,
                ..
            } => {
                let windows = windows(input, *kernel_size, *strides, *padding, *dilation_rate);
                with_channels(windows, times(*depth_multiplier)?)
            }
            Self::Conv2DTranspose { filters, size, .. } => with_channels(*size, *filters),
            Self::MaxPooling2D { pool_size, strides, padding }
            | Self::AveragePooling2D { pool_size, strides, padding } => {
                with_channels(windows(input, *pool_size, *strides, *padding, [1; 2]), channels)
            }
            Self::ZeroPadding2D { padding: [[top, bottom], [left, right]] }
            | Self::ConstantPadding2D { padding: [[top, bottom], [left, right]], .. } => {
                let all =
                    |size: usize, a: usize, b: usize| size.saturating_add(a).saturating_add(b);
                [all(height, *top, *bottom), all(width, *left, *right), channels]
            }
            Self::Resizing { height, width, .. } => [*height, *width, channels],
            Self::Generated { output } if output.len() == 3 => [output[0], output[1], output[2]],
            Self::Concatenate => concatenated(inputs)?,
            Self::Add
            | Self::Multiply
            | Self::Average
            | Self::Maximum
            | Self::Minimum
            | Self::ScaledSum { .. }
            | Self::Subtract
            | Self::Divide => broadcast(inputs)?,
            Self::Dot { .. } if inputs[0] == inputs[1] => [height, width, 1],
            Self::Dot { .. } => return Err(joins(inputs)),
            Self::Affine { scale, offset } => {
                for numbers in [scale, offset] {
                    per_channel(numbers.len(), channels)?;
                }
                input
            }
            Self::Rescaling { scale, .. } => {
                per_channel(scale.len(), channels)?;
                input
            }
            Self::Reduce { axes, .. } => {
                std::array::from_fn(|axis| if axes[axis] { 1 } else { input[axis] })
            }
            Self::Slice { begin, step, size } => {
                let is_inside = |axis: usize| {
                    let last = isize::try_from(size[axis].saturating_sub(1)).ok();
                    let last = last.and_then(|last| last.checked_mul(step[axis]));
                    let end = last.and_then(|last| begin[axis].checked_add_signed(last));
                    begin[axis] < input[axis] && end.is_some_and(|end| end < input[axis])
                };
                match (0..3).all(is_inside) {
                    true => *size,
                    false => {
                        return Err(format!("it takes more than there is of {}", shown(&input)));
                    }
                }
            }
            Self::Permute { dims } => {
                let mut sorted = *dims;
                sorted.sort_unstable();
                match sorted == [0, 1, 2] {
                    true => dims.map(|axis| input[axis]),
                    false => return Err("it is no order of height, width and channels".to_owned()),
                }
            }
            Self::ChannelShuffle { groups } => {
                divided(*groups, channels)?;
                input
            }
            Self::Reshape { target_shape } => {
                let count = |shape: &Shape| {
                    shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size))
                };
                match count(target_shape) == count(&input) {
                    true => *target_shape,
                    false => {
                        return Err(format!(
                            "it makes {} of {}",
                            shown(target_shape),
                            shown(&input)
                        ));
                    }
                }
            }
            Self::Flatten => {
                let numbers =
                    height.checked_mul(width).and_then(|plane| plane.checked_mul(channels));
                [1, 1, numbers.unwrap_or(usize::MAX)]
            }
            Self::GlobalAveragePooling2D | Self::GlobalMaxPooling2D => [1, 1, channels],
            Self::GlobalConcatPooling2D => [1, 1, times(2)?],
            Self::Dense { units, .. } => [height, width, *units],
            Self::GroupNormalization { groups, .. } => {
                divided(*groups, channels)?;
                input
            }
            Self::PReLU { shape } => {
                match shape.iter().zip(input).all(|(&own, size)| own == 1 || own == size) {
                    true => input,
                    false => {
                        return Err(format!(
                            "its slopes are {}, its input {}",
                            shown(shape),
                            shown(&input)
                        ));
                    }
                }
            }
            Self::Dropout
            | Self::BatchNormalization { .. }
            | Self::LayerNormalization { .. }
            | Self::UnitNormalization
            | Self::LayerScale
            | Self::Activation { .. }
            | Self::LeakyReLU { .. }
            | Self::ReLU { .. }
            | Self::ELU { .. }
            | Self::Clip { .. }
            | Self::Power { .. }
            | Self::Absolute => input,
            Self::InputLayer { .. } | Self::Normalization { .. } | Self::Generated { .. } => {
                return Err("it cannot stand there".to_owned());
            }
        })
    }
}

fn shown([height, width, channels]: &Shape) -> String {
    format!("{height} x {width} x {channels}")
}

fn with_channels([height, width]: [usize; 2], channels: usize) -> Shape {
    [height, width, channels]
}

fn windows(
    input: Shape,
    kernel: [usize; 2],
    strides: [usize; 2],
    padding: Padding,
    dilation: [usize; 2],
) -> [usize; 2] {
    [0, 1].map(|axis| {
        let kernel =
            kernel[axis].saturating_sub(1).saturating_mul(dilation[axis]).saturating_add(1);
        padding.windows(input[axis], kernel, strides[axis])
    })
}

fn joins(inputs: &[Shape]) -> String {
    let shapes: Vec<String> = inputs.iter().take(8).map(shown).collect();
    format!("it joins maps of {}", shapes.join(" and "))
}

fn per_channel(numbers: usize, channels: usize) -> Result<(), String> {
    match numbers == 1 || numbers == channels {
        true => Ok(()),
        false => Err(format!("it has {numbers} numbers for {channels} channels")),
    }
}

fn concatenated(inputs: &[Shape]) -> Result<Shape, String> {
    let [height, width, _] = inputs[0];
    if inputs.iter().any(|input| input[..2] != [height, width]) {
        return Err(joins(inputs));
    }
    let channels = inputs.iter().fold(0_usize, |sum, input| sum.saturating_add(input[2]));
    Ok([height, width, channels])
}

/// Along each axis all inputs have one size, or 1.
fn broadcast(inputs: &[Shape]) -> Result<Shape, String> {
    let mut output = inputs[0];
    for (axis, size) in output.iter_mut().enumerate() {
        *size = inputs.iter().map(|input| input[axis]).max().unwrap_or(1);
        if inputs.iter().any(|input| input[axis] != 1 && input[axis] != *size) {
            return Err(joins(inputs));
        }
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concatenation_adds_channels() {
        assert_eq!(Op::Concatenate.output(&[[12, 12, 3], [12, 12, 64]]), [12, 12, 67]);
    }

    #[test]
    fn sizes_that_are_1_are_repeated() {
        assert_eq!(Op::Add.output(&[[1, 1, 8], [4, 5, 8], [4, 5, 1]]), [4, 5, 8]);
        assert!(Op::Add.checked_output(&[[2, 1, 8], [4, 5, 8]], 1000).is_err());
    }

    #[test]
    fn slices_stay_inside() {
        let slice = |begin, step, size| {
            let op = Op::Slice { begin: [0, 0, begin], step: [1, 1, step], size: [4, 4, size] };
            op.checked_output(&[[4, 4, 3]], 1000).is_ok()
        };
        assert!(slice(2, -1, 3) && slice(0, 1, 3) && slice(1, 5, 1) && slice(0, 2, 2));
        assert!(!slice(2, -1, 4) && !slice(0, 1, 4) && !slice(3, 1, 1) && !slice(1, 2, 2));
        assert!(!slice(0, 1, 0));
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let pad = Op::ZeroPadding2D { padding: [[usize::MAX, 1], [0, 0]] };
        assert!(pad.checked_output(&[[4, 4, 3]], 1 << 26).is_err());
        let deep = Op::DepthwiseConv2D {
            kernel_size: [3; 2],
            strides: [1; 2],
            padding: Padding::Same,
            dilation_rate: [usize::MAX; 2],
            depth_multiplier: usize::MAX,
            use_bias: true,
            activation: crate::Activation::Linear,
        };
        assert!(deep.checked_output(&[[4, 4, 3]], 1 << 26).is_err());
        assert!(Op::Dropout.checked_output(&[[4, 4, 3]], 47).is_err());
    }
}
