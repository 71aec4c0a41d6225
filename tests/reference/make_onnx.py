"""ONNX files of Keras models, as tf2onnx writes them:

    python make_onnx.py model.h5 out.onnx [--opset 13]

`--unfolded` leaves batch normalisation as its own operator: tf2onnx's optimizers do not run.
`--nchw` exports an input of [batch, 3, height, width], as PyTorch has it.
`--skeleton` leaves out the numbers of the weights; the tests of Burncam put reproducible ones in.
`--check` runs the file in ONNX Runtime and prints how far its output is from Keras's.

Needs what requirements-onnx.txt lists.
"""

import argparse
import os
from unittest import mock

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

# Tensors of fewer numbers are settings: shapes, axes, scales.
SMALLEST_WEIGHT = 8


def convert(model, opset, unfolded, nchw):
    """The ONNX model of a Keras model with one input of [batch, height, width, channels]."""
    signature = [tf.TensorSpec([None, *model.inputs[0].shape[1:]], tf.float32, name="input")]
    kept = mock.patch("tf2onnx.optimizer.optimize_graph", lambda graph, *_, **__: graph)
    with kept if unfolded else mock.MagicMock():
        return tf2onnx.convert.from_keras(
            model,
            input_signature=signature,
            opset=opset,
            inputs_as_nchw=["input"] if nchw else None,
        )[0]


def check(model, proto, nchw):
    """The largest difference between ONNX Runtime's output and Keras's on random input."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    x = np.random.default_rng(0).uniform(-1, 1, (2, *model.inputs[0].shape[1:]))
    x = x.astype(np.float32)
    fed = x.transpose(0, 3, 1, 2) if nchw else x
    found = session.run(None, {session.get_inputs()[0].name: fed})[0]
    return float(np.abs(found - model(x, training=False).numpy()).max())


def strip(proto):
    """Takes the numbers of the weights out."""
    del proto.graph.value_info[:]
    for tensor in proto.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) >= SMALLEST_WEIGHT:
            tensor.ClearField("raw_data")
            tensor.ClearField("float_data")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--opset", type=int, default=13)
    for option in ("--unfolded", "--nchw", "--skeleton", "--check"):
        parser.add_argument(option, action="store_true")
    args = parser.parse_args()
    model = tf.keras.models.load_model(args.model, compile=False)
    proto = convert(model, args.opset, args.unfolded, args.nchw)
    if args.check:
        print(f"{args.out}: outputs differ by {check(model, proto, args.nchw):.2e}")
    if args.skeleton:
        strip(proto)
    onnx.save(proto, args.out)


if __name__ == "__main__":
    main()
