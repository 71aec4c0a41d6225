"""ONNX files of Keras models, as tf2onnx writes them.

    python make_onnx.py model.h5 out.onnx [--opset 13] [--unfolded] [--nchw] [--logits image.npy out.npy]

`--unfolded` leaves batch normalisation as its own operator: tf2onnx's optimizers do not run.
`--nchw` exports an input of [batch, 3, height, width], as PyTorch has it.
`--check` runs the new file in ONNX Runtime and prints how far its output is from Keras's.
"""

import argparse
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx


def convert(model, opset, unfolded=False, nchw=False):
    """The ONNX model of a Keras model with one input of [batch, height, width, channels]."""
    shape = [None, *model.inputs[0].shape[1:]]
    signature = [tf.TensorSpec(shape, tf.float32, name="input")]
    if unfolded:
        # Without TensorFlow's own passes and tf2onnx's, each layer stays what it was.
        from unittest import mock

        with mock.patch("tf2onnx.optimizer.optimize_graph", lambda graph, *_, **__: graph):
            return tf2onnx.convert.from_keras(model, input_signature=signature, opset=opset)[0]
    names = ["input"] if nchw else None
    return tf2onnx.convert.from_keras(
        model, input_signature=signature, opset=opset, inputs_as_nchw=names
    )[0]


def check(model, proto, nchw):
    """The largest difference between ONNX Runtime's output and Keras's on random input."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    height, width, channels = model.inputs[0].shape[1:]
    x = np.random.default_rng(0).uniform(-1, 1, (2, height, width, channels)).astype(np.float32)
    fed = x.transpose(0, 3, 1, 2) if nchw else x
    found = session.run(None, {session.get_inputs()[0].name: fed})[0]
    return float(np.abs(found - model(x, training=False).numpy()).max())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--opset", type=int, default=13)
    parser.add_argument("--unfolded", action="store_true")
    parser.add_argument("--nchw", action="store_true")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    model = tf.keras.models.load_model(args.model, compile=False)
    proto = convert(model, args.opset, args.unfolded, args.nchw)
    onnx.save(proto, args.out)
    if args.check:
        print(f"{args.out}: outputs differ by {check(model, proto, args.nchw):.2e}")


if __name__ == "__main__":
    main()
