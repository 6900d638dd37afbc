// SPDX-License-Identifier: GPL-3.0-or-later
// Runs an ONNX model on images in ONNX Runtime, without its graph optimisations.
// node run_model.mjs FOLDER MODEL INPUT.f32 SHAPE BATCH OUTPUT.f32
// FOLDER holds node_modules; INPUT.f32 has float32 images one after the other, each of SHAPE ("3x32x32"); the first output of
// every batch of BATCH images is appended to OUTPUT.f32.
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const [folder, model, inputFile, shapeText, batchText, outputFile] = process.argv.slice(2);
const ort = createRequire(resolve(folder, 'package.json'))('onnxruntime-node');
const shape = shapeText.split('x').map(Number);
const batch = Number(batchText);
const size = shape.reduce((a, b) => a * b, 1);

const bytes = readFileSync(inputFile);
const images = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
const session = await ort.InferenceSession.create(model, { graphOptimizationLevel: 'disabled', intraOpNumThreads: 1 });
const parts = [];
for (let first = 0; first < images.length; first += batch * size) {
    const data = images.slice(first, first + batch * size);
    const input = new ort.Tensor('float32', data, [data.length / size, ...shape]);
    const outputs = await session.run({ [session.inputNames[0]]: input });
    const values = outputs[session.outputNames[0]].data;
    parts.push(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
}
writeFileSync(outputFile, Buffer.concat(parts));
