extern crate alloc;
use burn::prelude::*;
use burn::nn::BatchNorm;
use burn::nn::BatchNormConfig;
use burn::nn::Linear;
use burn::nn::LinearConfig;
use burn::nn::PaddingConfig2d;
use burn::nn::pool::MaxPool2d;
use burn::nn::pool::MaxPool2dConfig;


#[derive(Module, Debug)]
pub struct Model {
    batchnormalization1: BatchNorm,
    maxpool2d1: MaxPool2d,
    linear1: Linear,
    #[module(skip)]
    device: Device,
}

impl Model {
    #[allow(unused_variables)]
    pub fn new(device: &Device) -> Self {
        let batchnormalization1 = BatchNormConfig::new(8)
            .with_epsilon(0.000009999999747378752f64)
            .with_momentum(1f64)
            .init(device);
        let maxpool2d1 = MaxPool2dConfig::new([2, 2])
            .with_strides([2, 2])
            .with_padding(PaddingConfig2d::Valid)
            .with_dilation([1, 1])
            .with_ceil_mode(false)
            .init();
        let linear1 = LinearConfig::new(128, 3).with_bias(true).init(device);
        Self {
            batchnormalization1,
            maxpool2d1,
            linear1,
            device: device.clone(),
        }
    }

    #[allow(clippy::let_and_return, clippy::approx_constant)]
    pub fn forward(&self, relu_2: Tensor<4>) -> Tensor<2> {
        let batchnormalization1_out1 = self.batchnormalization1.forward(relu_2);
        let maxpool2d1_out1 = self.maxpool2d1.forward(batchnormalization1_out1);
        let reshape1_out1 = maxpool2d1_out1.reshape([-1, 128]);
        let linear1_out1 = self.linear1.forward(reshape1_out1);
        linear1_out1
    }
}
