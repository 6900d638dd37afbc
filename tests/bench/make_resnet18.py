#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes ResNet-18 at 224x224 (He et al., arXiv:1512.03385, table 1) with random weights, batch norm folded, for measuring speed.

usage: /usr/bin/python3 tests/bench/make_resnet18.py resnet18.onnx
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Network:
    def __init__(self):
        self.random = np.random.default_rng(18)
        self.nodes = []
        self.constants = []

    def constant(self, name, shape, deviation):
        values = self.random.normal(0, deviation, shape).astype(np.float32)
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def add(self, kind, name, inputs, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def convolution(self, name, source, inputs, outputs, extent, stride, gain=1.0):
        # He's initialization keeps the variance through a ReLU.
        weight = self.constant(f"{name}.weight", (outputs, inputs, extent, extent), gain * (2 / (inputs * extent * extent)) ** 0.5)
        bias = self.constant(f"{name}.bias", (outputs,), 0.1)
        return self.add("Conv", name, [source, weight, bias], kernel_shape=[extent] * 2, strides=[stride] * 2, pads=[extent // 2] * 4)

    def block(self, name, source, inputs, outputs, stride):
        first = self.add("Relu", f"{name}.relu1", [self.convolution(f"{name}.conv1", source, inputs, outputs, 3, stride)])
        second = self.convolution(f"{name}.conv2", first, outputs, outputs, 3, 1, gain=0.5)
        shortcut = source if stride == 1 else self.convolution(f"{name}.downsample", source, inputs, outputs, 1, stride, gain=0.7)
        return self.add("Relu", f"{name}.relu2", [self.add("Add", f"{name}.add", [second, shortcut])])


def make():
    network = Network()
    tensor = network.add("Relu", "relu", [network.convolution("conv1", "image", 3, 64, 7, 2)])
    tensor = network.add("MaxPool", "pool", [tensor], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for stage in range(4):
        outputs = 64 << stage
        for index in range(2):
            stride = 2 if stage > 0 and index == 0 else 1
            tensor = network.block(f"layer{stage + 1}.{index}", tensor, channels, outputs, stride)
            channels = outputs
    tensor = network.add("Flatten", "features", [network.add("GlobalAveragePool", "mean", [tensor])])
    weight = network.constant("fc.weight", (1000, 512), 512 ** -0.5)
    network.add("Gemm", "logits", [tensor, weight, network.constant("fc.bias", (1000,), 0.1)], transB=1)
    graph = helper.make_graph(
        network.nodes, "resnet18",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 224, 224])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1000])], network.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="make_resnet18")
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    onnx.save(make(), sys.argv[1])
