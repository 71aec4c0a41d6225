//! A resized frame into the values that a network reads.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "places in images whose sizes are known, and arithmetic of pixels"
)]

use burncam_net::{ChannelOrder, InputSpec};

use crate::Frame;

/// The network's input values for `frame`: a plane for each channel, in the network's order.
///
/// # Shapes
///
/// `frame` is `[height, width, 3]`, the result `[channels, height, width]`, both row-major.
///
/// # Panics
///
/// If the frame's size is not the one `spec` asks for.
#[must_use]
pub fn preprocess(frame: &Frame, spec: &InputSpec) -> Vec<f32> {
    assert_eq!(
        (frame.height, frame.width),
        (spec.height, spec.width),
        "the frame must have the size of the network's input"
    );
    let (pixels, _) = frame.rgb.as_chunks::<3>();
    let mut planes = Vec::with_capacity(frame.rgb.len());
    for channel in 0..spec.order.channels() {
        let source = match spec.order {
            // A grey frame has the same number in all channels.
            ChannelOrder::Rgb | ChannelOrder::Grey => channel,
            ChannelOrder::Bgr => 2 - channel,
        };
        // Most pixels are whole numbers, each of which is computed once.
        let whole: [f32; 256] = std::array::from_fn(|level| spec.value(channel, level as f32));
        planes.extend(pixels.iter().map(|pixel| {
            let value = pixel[source];
            let level = value as u8;
            if f32::from(level) == value {
                whole[usize::from(level)]
            } else {
                spec.value(channel, value)
            }
        }));
    }
    planes
}

#[cfg(test)]
mod tests {
    use burncam_net::{ChannelOrder, InputSpec};

    use super::preprocess;
    use crate::Frame;

    fn frame() -> Frame {
        Frame { height: 1, width: 2, rgb: vec![10.0, 20.0, 30.0, 40.0, 50.0, 60.0] }
    }

    fn spec(order: ChannelOrder, divisor: f32) -> InputSpec {
        InputSpec { height: 1, width: 2, ..InputSpec::scaled(1, order, divisor) }
    }

    #[test]
    fn planes_follow_the_networks_order() {
        let rgb = preprocess(&frame(), &spec(ChannelOrder::Rgb, 1.0));
        assert_eq!(rgb, [10.0, 40.0, 20.0, 50.0, 30.0, 60.0]);
        let bgr = preprocess(&frame(), &spec(ChannelOrder::Bgr, 1.0));
        assert_eq!(bgr, [30.0, 60.0, 20.0, 50.0, 10.0, 40.0]);
    }

    #[test]
    fn the_mean_is_in_the_networks_order() {
        let spec = spec(ChannelOrder::Bgr, 1.0).with_mean([93.594, 104.7624, 129.1863]);
        let values = preprocess(&frame(), &spec);
        assert_eq!(values[0], 30.0 - 93.594_f32);
        assert_eq!(values[2], 20.0 - 104.7624_f32);
        assert_eq!(values[4], 10.0 - 129.1863_f32);
    }

    #[test]
    fn division_comes_before_the_mean() {
        let values =
            preprocess(&frame(), &spec(ChannelOrder::Rgb, 127.5).with_mean([1.0, 1.0, 1.0]));
        assert_eq!(values[0], 10.0_f32 / 127.5 - 1.0);
    }

    #[test]
    fn whole_and_broken_numbers_follow_one_rule() {
        let spec = spec(ChannelOrder::Rgb, 255.0).with_mean([0.1, 0.2, 0.3]);
        let rgb = vec![0.0, 255.0, 7.0, 7.5, 254.99, -0.0];
        let found = preprocess(&Frame { height: 1, width: 2, rgb: rgb.clone() }, &spec);
        for (index, value) in rgb.into_iter().enumerate() {
            let (pixel, channel) = (index / 3, index % 3);
            let expected = spec.value(channel, value);
            assert_eq!(found[channel * 2 + pixel].to_bits(), expected.to_bits(), "{value}");
        }
    }

    #[test]
    #[should_panic(expected = "the size of the network's input")]
    fn a_frame_of_another_size_is_refused() {
        let _ = preprocess(&frame(), &InputSpec::scaled(224, ChannelOrder::Rgb, 1.0));
    }
}
