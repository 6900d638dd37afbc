#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Train the bundled sample network: ResNet-20 for Fashion-MNIST, and write it as ONNX.

The network is the CIFAR ResNet-20 of He et al. 2015 (arXiv 1512.03385, section 4.2) for one 28x28 input channel, with
projection shortcuts. Pixels enter as x / 255 (`--preprocess unit`). Batch-norm nodes are kept in the file, so that
folding them is something Quantoscope does, not something the sample hides.

Needs Debian's python3-torch, python3-onnx and dataset-fashion-mnist. Runs on the processor; the same seed and thread
count give the same file. The last line of the log is the top-1 accuracy on the 10,000 test images.
"""

import argparse
import gzip
import sys
import time
from pathlib import Path

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
EPS = 1e-5


def read_idx(path):
    with gzip.open(path, "rb") as f:
        raw = f.read()
    rank = raw[3]
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * rank).reshape(shape)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs, eps=EPS)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs, eps=EPS)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, 0, bias=False) if stride != 1 else None
        self.shortcut_bn = nn.BatchNorm2d(outputs, eps=EPS) if stride != 1 else None

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        s = x if self.shortcut is None else self.shortcut_bn(self.shortcut(x))
        return F.relu(y + s)


class ResNet20(nn.Module):
    WIDTHS = (16, 32, 64)

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16, eps=EPS)
        inputs = 16
        for stage, width in enumerate(self.WIDTHS, 1):
            for block in range(3):
                stride = 2 if stage > 1 and block == 0 else 1
                self.add_module(f"layer{stage}_{block}", Block(inputs, width, stride))
                inputs = width
        self.fc = nn.Linear(64, 10)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out")

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for stage in (1, 2, 3):
            for block in range(3):
                x = getattr(self, f"layer{stage}_{block}")(x)
        return self.fc(x.mean((2, 3)))


def export(net, path):
    """Write the trained network node by node, so that names are short and nothing is folded away."""
    nodes, initializers = [], []

    def constant(name, tensor):
        initializers.append(numpy_helper.from_array(tensor.detach().numpy().astype(numpy.float32), name))
        return name

    def conv_bn(name, conv, bn_name, bn, x):
        k, s = conv.kernel_size[0], conv.stride[0]
        pad = k // 2
        y = f"{name}_out"
        nodes.append(helper.make_node("Conv", [x, constant(f"{name}.weight", conv.weight)], [y], name=name,
                                      kernel_shape=[k, k], strides=[s, s], pads=[pad] * 4))
        z = f"{bn_name}_out"
        params = [constant(f"{bn_name}.{n}", t) for n, t in
                  (("weight", bn.weight), ("bias", bn.bias), ("running_mean", bn.running_mean),
                   ("running_var", bn.running_var))]
        nodes.append(helper.make_node("BatchNormalization", [y] + params, [z], name=bn_name, epsilon=EPS))
        return z

    def relu(name, x):
        nodes.append(helper.make_node("Relu", [x], [f"{name}_out"], name=name))
        return f"{name}_out"

    x = relu("relu1", conv_bn("conv1", net.conv1, "bn1", net.bn1, "image"))
    for stage in (1, 2, 3):
        for b in range(3):
            block, p = getattr(net, f"layer{stage}_{b}"), f"layer{stage}.{b}"
            y = relu(f"{p}.relu1", conv_bn(f"{p}.conv1", block.conv1, f"{p}.bn1", block.bn1, x))
            y = conv_bn(f"{p}.conv2", block.conv2, f"{p}.bn2", block.bn2, y)
            s = x
            if block.shortcut is not None:
                s = conv_bn(f"{p}.shortcut", block.shortcut, f"{p}.shortcut_bn", block.shortcut_bn, x)
            nodes.append(helper.make_node("Add", [y, s], [f"{p}.add_out"], name=f"{p}.add"))
            x = relu(f"{p}.relu2", f"{p}.add_out")
    nodes.append(helper.make_node("GlobalAveragePool", [x], ["pool_out"], name="pool"))
    nodes.append(helper.make_node("Flatten", ["pool_out"], ["features"], name="flatten", axis=1))
    nodes.append(helper.make_node("Gemm", ["features", constant("fc.weight", net.fc.weight),
                                           constant("fc.bias", net.fc.bias)], ["logits"], name="fc", transB=1))
    graph = helper.make_graph(
        nodes, "fashion_resnet20",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="quantoscope-sample")
    model.ir_version = 7
    model.doc_string = "ResNet-20 for Fashion-MNIST, pixels x/255, trained by resources/samples/train_fashion_resnet20.py"
    helper.set_model_props(model, {"classes": ",".join(CLASSES), "preprocess": "unit"})
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def top1(net, x, y):
    net.eval()
    hits = 0
    with torch.no_grad():
        for i in range(0, len(x), 500):
            hits += int((net(x[i : i + 500]).argmax(1) == y[i : i + 500]).sum())
    return 100.0 * hits / len(x)


def augment(batch, generator):
    n = len(batch)
    flip = torch.rand(n, generator=generator) < 0.5
    batch = torch.where(flip[:, None, None, None], batch.flip(3), batch)
    padded = F.pad(batch, (2, 2, 2, 2))
    dx = torch.randint(0, 5, (n,), generator=generator)
    dy = torch.randint(0, 5, (n,), generator=generator)
    rows = dy[:, None] + torch.arange(28)
    cols = dx[:, None] + torch.arange(28)
    return padded[torch.arange(n)[:, None, None], 0, rows[:, :, None], cols[:, None, :]][:, None]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "fashion_resnet20.onnx")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=0, help="stop after this many steps (to time a run)")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    generator = torch.Generator().manual_seed(args.seed)
    images = torch.from_numpy(read_idx(args.data / "train-images-idx3-ubyte.gz").copy()).float()[:, None] / 255
    labels = torch.from_numpy(read_idx(args.data / "train-labels-idx1-ubyte.gz").copy()).long()
    test_images = torch.from_numpy(read_idx(args.data / "t10k-images-idx3-ubyte.gz").copy()).float()[:, None] / 255
    test_labels = torch.from_numpy(read_idx(args.data / "t10k-labels-idx1-ubyte.gz").copy()).long()

    net = ResNet20().to(memory_format=torch.channels_last)
    decay = [p for p in net.parameters() if p.ndim > 1]
    other = [p for p in net.parameters() if p.ndim <= 1]
    optimizer = torch.optim.SGD([{"params": decay, "weight_decay": 5e-4}, {"params": other, "weight_decay": 0.0}],
                                lr=args.lr, momentum=0.9, nesterov=True)
    steps_per_epoch = len(images) // args.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.lr, total_steps=args.epochs * steps_per_epoch,
                                                   pct_start=0.25)
    print(f"torch {torch.__version__}, seed {args.seed}, {args.threads} threads, {args.epochs} epochs, "
          f"batch {args.batch}, lr {args.lr}", flush=True)
    started, step = time.time(), 0
    for epoch in range(1, args.epochs + 1):
        net.train()
        order = torch.randperm(len(images), generator=generator)
        total = 0.0
        for i in range(steps_per_epoch):
            index = order[i * args.batch : (i + 1) * args.batch]
            batch = augment(images[index], generator).contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(net(batch), labels[index])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
            step += 1
            if step == args.steps:
                print(f"{step} steps in {time.time() - started:.1f} s")
                return 0
        print(f"epoch {epoch:2d}  loss {total / steps_per_epoch:.4f}  test top-1 {top1(net, test_images, test_labels):.2f} %  "
              f"{time.time() - started:.0f} s", flush=True)
    export(net, args.out)
    print(f"wrote {args.out.name}, {args.out.stat().st_size} bytes")
    print(f"test top-1 {top1(net, test_images, test_labels):.2f} % on {len(test_images)} images")
    return 0


if __name__ == "__main__":
    sys.exit(main())
