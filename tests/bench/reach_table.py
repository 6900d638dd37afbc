#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far quantization reaches without retraining: top-1 of CIFAR-10 and ImageNet networks at several word-lengths.

Usage: reach_table.py QUANTOSCOPE_CLI DATA OUT [--models NAME,...] [--scopes compute,integer] [--options "CLI OPTIONS"] [--alone]

DATA is a folder with cifar10/ and imagenet/ as the tests on real models use them. Every cell is one `evaluate --json` whose
answer is kept in OUT and not computed again; the table is printed, in Markdown, from whatever is there. --alone: weights alone and
activations alone, with several sets of options, in the place of the table.
Calibration images come from the calibration sets alone.
"""
import argparse
import json
import pathlib
import shlex
import subprocess
import sys

MODELS = {
    "ResNet-20": ("cifar10", "cifar10/models/resnet20_cifar10.onnx"),
    "ResNet-56": ("cifar10", "cifar10/models/resnet56_cifar10.onnx"),
    "MobileNetV2": ("imagenet", "imagenet/models/mobilenetv2_fc8.onnx"),
    "SqueezeNet": ("imagenet", "imagenet/models/squeezenet1.1_mxnet.onnx"),
}
CELLS = {
    "W8A8": ["--weight-bits", "8", "--activation-bits", "8"],
    "W6A6": ["--weight-bits", "6", "--activation-bits", "6"],
    "W4A8": ["--weight-bits", "4", "--activation-bits", "8"],
    "W4A4": ["--weight-bits", "4", "--activation-bits", "4"],
    "W4A4, first and last at 8": ["--weight-bits", "4", "--activation-bits", "4", "--first-last-bits", "8"],
}
SCOPES = ("compute", "integer")
BEST = "--weight-range mse --activation-range mse --balance --reconstruct"
CORRECTED = "--weight-range mse --gain-correction --bias-correction"
COMPENSATED = CORRECTED + " --compensate"
PER_TENSOR = "--weight-granularity tensor"
ALONE = (
    ("ResNet-56", "3", "float", ("", COMPENSATED, BEST)),
    ("ResNet-20", "3", "float", ("", COMPENSATED, BEST)),
    ("ResNet-20", "2", "float", ("", COMPENSATED, BEST)),
    ("MobileNetV2", "4", "float", ("", CORRECTED, COMPENSATED, BEST)),
    ("MobileNetV2", "6", "float", (PER_TENSOR, PER_TENSOR + " --equalize", PER_TENSOR + " --balance")),
    ("MobileNetV2", "float", "6", ("", "--activation-range mse", "--activation-range mse --balance")),
    ("MobileNetV2", "float", "5", ("", "--activation-range mse", "--activation-range mse --balance")),
    ("MobileNetV2", "float", "4", ("", "--activation-range mse", "--activation-range mse --balance")),
    ("ResNet-20", "float", "4", ("", "--activation-range mse", "--activation-range mse --balance")),
)


def data_options(kind, data):
    if kind == "cifar10":
        return ["--data", data / "cifar10/test_1000.bin", "--calib", data / "cifar10/calib_2000.bin",
                "--calib-count", "512"]
    return ["--data", data / "imagenet/val650", "--crop", "224", "--calib", data / "imagenet/calib300",
            "--calib-resize", "256", "--calib-crop", "224", "--calib-count", "300"]


def measure(cli, data, model, options, file):
    kind, path = MODELS[model]
    command = [cli, "evaluate", data / path, *data_options(kind, data), "--preprocess", "imagenet", *options, "--json"]
    print(f"{file.stem}", file=sys.stderr)
    answer = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=True).stdout
    file.write_bytes(answer)


def table(out):
    print("| model (float) | scope | " + " | ".join(CELLS) + " |")
    print("| --- " * (len(CELLS) + 2) + "|")
    for model in MODELS:
        for scope in SCOPES:
            answers = {cell: out / f"{model}-{scope}-{cell}.json" for cell in CELLS}
            answers = {cell: json.loads(file.read_text()) for cell, file in answers.items() if file.exists()}
            if not answers:
                continue
            exact = next(iter(answers.values()))["float"]["top1"]
            figures = [f"{answers[cell]['quantized']['top1']:.1f}" if cell in answers else "" for cell in CELLS]
            print(f"| {model} ({exact:.1f}) | {scope} | " + " | ".join(figures) + " |")


def alone(cli, data, out):
    print("| model (float) | bits | options | top-1 |")
    print("| --- | --- | --- | --- |")
    for model, weights, activations, sets in ALONE:
        for number, options in enumerate(sets):
            file = out / f"{model}-W{weights}-A{activations}-{number}.json"
            if not file.exists():
                measure(cli, data, model, ["--weight-bits", weights, "--activation-bits", activations,
                                           *shlex.split(options)], file)
            answer = json.loads(file.read_text())
            print(f"| {model} ({answer['float']['top1']:.1f}) | W{weights} A{activations} | {options or 'none'} | "
                  f"{answer['quantized']['top1']:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cli")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--scopes", default=",".join(SCOPES))
    parser.add_argument("--options", default=BEST)
    parser.add_argument("--alone", action="store_true")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    if chosen.alone:
        alone(chosen.cli, chosen.data, chosen.out)
        return
    for model in filter(None, chosen.models.split(",")):
        for scope in chosen.scopes.split(","):
            for cell in CELLS:
                file = chosen.out / f"{model}-{scope}-{cell}.json"
                if not file.exists():
                    options = ["--scope", scope, *CELLS[cell], *shlex.split(chosen.options)]
                    measure(chosen.cli, chosen.data, model, options, file)
    table(chosen.out)


if __name__ == "__main__":
    main()
