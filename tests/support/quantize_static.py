#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quantizes a small CNN the way the static quantizer of ONNX Runtime lays models out, with arithmetic of its own.

quantize_static.py MODEL RANGES.json OUT.onnx qdq|operators channel|tensor

RANGES.json maps activations to [low, high]. Batch norm is folded first. Activations become uint8 asymmetric, weights int8
symmetric, biases int32 at s_x s_w; a Relu before a quantizer goes, since the quantizer clamps at zero. `qdq` puts pairs of
QuantizeLinear and DequantizeLinear around operators, with the names ONNX Runtime gives them; `operators` writes QLinearConv
and those of com.microsoft. Needs python3-onnx and python3-numpy.
"""
import json
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper


class Network:
    def __init__(self, model):
        self.graph = model.graph
        self.constants = {i.name: numpy_helper.to_array(i) for i in self.graph.initializer}
        self.nodes = list(self.graph.node)
        self.output = self.graph.output[0].name
        self.image = next(i.name for i in self.graph.input if i.name not in self.constants)

    def readers(self, name):
        return [n for n in self.nodes if name in n.input]

    def fold_batch_norm(self):
        for norm in [n for n in self.nodes if n.op_type == 'BatchNormalization']:
            conv = next(n for n in self.nodes if norm.input[0] in n.output)
            gain, shift, mean, variance = (self.constants[i].astype(np.float64) for i in norm.input[1:5])
            epsilon = next((a.f for a in norm.attribute if a.name == 'epsilon'), 1e-5)
            factor = gain / np.sqrt(variance + epsilon)
            weight = self.constants[conv.input[1]].astype(np.float64)
            bias = self.constants[conv.input[2]].astype(np.float64) if len(conv.input) > 2 else 0
            self.constants[conv.input[1]] = (weight * factor.reshape(-1, 1, 1, 1)).astype(np.float32)
            name = conv.input[2] if len(conv.input) > 2 else conv.input[1] + '_bias'
            self.constants[name] = ((bias - mean) * factor + shift).astype(np.float32)
            conv.input[:] = [conv.input[0], conv.input[1], name]
            conv.output[0] = norm.output[0]
            self.nodes.remove(norm)

    def drop_relus(self):
        for relu in [n for n in self.nodes if n.op_type == 'Relu']:
            source = next(n for n in self.nodes if relu.input[0] in n.output)
            if self.readers(relu.input[0]) == [relu]:
                source.output[0] = relu.output[0]
                self.nodes.remove(relu)


class Quantizer:
    def __init__(self, network, ranges, per_channel):
        self.network = network
        self.ranges = ranges
        self.per_channel = per_channel
        self.initializers = {}
        self.nodes = []
        self.same = {}  # data movement: output -> input, which share an encoding
        for node in network.nodes:
            if node.op_type in ('Flatten', 'MaxPool', 'Reshape'):
                self.same[node.output[0]] = node.input[0]

    def source(self, name):
        while name in self.same:
            name = self.same[name]
        return name

    def add(self, name, array):
        self.initializers.setdefault(name, numpy_helper.from_array(np.array(array), name))
        return name

    def activation(self, name):
        """Scale and zero point, as names of initializers and as numbers."""
        low, high = self.ranges[self.source(name)]
        low, high = min(np.float32(low), np.float32(0)), max(np.float32(high), np.float32(0))
        scale = np.float32((np.float64(high) - np.float64(low)) / 255)
        zero = np.uint8(np.clip(np.rint(-np.float64(low) / np.float64(scale)), 0, 255))
        return self.add(name + '_scale', scale), self.add(name + '_zero_point', zero), scale

    def weight(self, node):
        name = node.input[1]
        values = self.network.constants[name].astype(np.float64)
        transposed = any(a.name == 'transB' and a.i for a in node.attribute)
        axis = 0 if node.op_type == 'Conv' or transposed else 1
        others = tuple(i for i in range(values.ndim) if i != axis)
        largest = np.abs(values).max(axis=others if self.per_channel else None)
        scale = np.maximum(largest / 127, 1e-12).astype(np.float32)
        shape = [-1 if i == axis else 1 for i in range(values.ndim)]
        step = scale.reshape(shape) if self.per_channel else scale
        integers = np.clip(np.rint(values / step), -127, 127).astype(np.int8)
        self.add(name + '_quantized', integers)
        self.add(name + '_scale', scale)
        self.add(name + '_zero_point', np.zeros(scale.shape, np.int8))
        return name, scale, axis

    def bias(self, name, x_scale, w_scale):
        scale = (np.float32(x_scale) * w_scale).astype(np.float32)
        integers = np.rint(self.network.constants[name].astype(np.float64) / scale).astype(np.int32)
        self.add(name + '_quantized', integers.reshape(-1))
        self.add(name + '_quantized_scale', scale)
        self.add(name + '_quantized_zero_point', np.zeros(scale.shape, np.int32))
        return name + '_quantized'

    def node(self, op, inputs, outputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, outputs, name=name, **attributes))

    def keep_attributes(self, node):
        self.nodes[-1].attribute.extend(node.attribute)


class PairsQuantizer(Quantizer):
    """QuantizeLinear and DequantizeLinear around the operators."""

    def pair(self, name):
        scale, zero, _ = self.activation(name)
        is_output = name == self.network.output
        source = name + '_QuantizeLinear_Input' if is_output else name
        result = name if is_output else name + '_DequantizeLinear_Output'
        levels = name + '_QuantizeLinear_Output'
        self.node('QuantizeLinear', [source, scale, zero], [levels], name + '_QuantizeLinear')
        self.node('DequantizeLinear', [levels, scale, zero], [result], name + '_DequantizeLinear')

    def run(self):
        self.pair(self.network.image)
        for node in self.network.nodes:
            inputs = [i + '_DequantizeLinear_Output' for i in node.input]
            if node.op_type in ('Conv', 'Gemm'):
                name, w_scale, axis = self.weight(node)
                along = {'axis': axis} if self.per_channel else {}
                self.node('DequantizeLinear', [name + '_quantized', name + '_scale', name + '_zero_point'],
                          [inputs[1]], name + '_DequantizeLinear', **along)
                if len(node.input) > 2:
                    _, _, x_scale = self.activation(node.input[0])
                    bias = self.bias(node.input[2], x_scale, w_scale)
                    along = {'axis': 0} if self.per_channel else {}
                    self.node('DequantizeLinear', [bias, bias + '_scale', bias + '_zero_point'], [inputs[2]],
                              node.input[2] + '_DequantizeLinear', **along)
            result = node.output[0]
            self.node(node.op_type, inputs,
                      [result + '_QuantizeLinear_Input' if result == self.network.output else result], node.name)
            self.keep_attributes(node)
            self.pair(result)
        return []


class OperatorsQuantizer(Quantizer):
    """Operators that compute with integers."""

    def run(self):
        image = self.network.image
        self.node('QuantizeLinear', [image, *self.activation(image)[:2]], [image + '_quantized'], image + '_QuantizeLinear')
        for node in self.network.nodes:
            levels = [i + '_quantized' for i in node.input]
            result = node.output[0] + '_quantized'
            x = self.activation(node.input[0])
            y = self.activation(node.output[0])
            if node.op_type in ('Conv', 'Gemm'):
                name, w_scale, _ = self.weight(node)
                inputs = [levels[0], *x[:2], levels[1], name + '_scale', name + '_zero_point']
                bias = [self.bias(node.input[2], x[2], w_scale)] if len(node.input) > 2 else []
                if node.op_type == 'Conv':
                    self.node('QLinearConv', inputs + list(y[:2]) + bias, [result], node.name + '_quant')
                else:
                    self.node('QGemm', inputs + (bias or ['']) + list(y[:2]), [result], node.name + '_quant',
                              domain='com.microsoft')
                self.keep_attributes(node)
                if node.op_type == 'Gemm':
                    del self.nodes[-1].attribute[:]
                    self.nodes[-1].attribute.extend(a for a in node.attribute if a.name != 'beta')
            elif node.op_type == 'Add':
                b = self.activation(node.input[1])
                self.node('QLinearAdd', [levels[0], *x[:2], levels[1], *b[:2], *y[:2]], [result], node.name + '_quant',
                          domain='com.microsoft')
            elif node.op_type == 'GlobalAveragePool':
                self.node('QLinearGlobalAveragePool', [levels[0], *x[:2], *y[:2]], [result], node.name + '_quant',
                          domain='com.microsoft', channels_last=0)
            else:
                self.node(node.op_type, levels[:1], [result], node.name)
                self.keep_attributes(node)
        output = self.network.output
        self.node('DequantizeLinear', [output + '_quantized', *self.activation(output)[:2]], [output],
                  output + '_DequantizeLinear')
        return [helper.make_opsetid('com.microsoft', 1)]


def main(source, ranges, target, layout, granularity):
    model = onnx.load(source)
    network = Network(model)
    network.fold_batch_norm()
    network.drop_relus()
    with open(ranges, encoding='utf-8') as file:
        quantizer = (PairsQuantizer if layout == 'qdq' else OperatorsQuantizer)(
            network, json.load(file), granularity == 'channel')
    opsets = quantizer.run()
    graph = helper.make_graph(quantizer.nodes, model.graph.name,
                              [i for i in model.graph.input if i.name == network.image], list(model.graph.output),
                              list(quantizer.initializers.values()))
    quantized = helper.make_model(graph, producer_name='another tool', ir_version=model.ir_version,
                                  opset_imports=[helper.make_opsetid('', 13), *opsets])
    onnx.save(quantized, target)


if __name__ == '__main__':
    main(*sys.argv[1:])
