// SPDX-License-Identifier: GPL-3.0-or-later
// Runs ONNX models on one set of images in ONNX Runtime, job after job.
// node serve_models.mjs FOLDER INPUT.f32 SHAPE THREADS
// FOLDER holds node_modules; INPUT.f32 has float32 images one after the other, each of SHAPE ("3x32x32"). Jobs come on standard
// input, a line of JSON each: {"model", "level": "disabled" | "basic" | "extended" | "all", "batch", "images": [first, count],
// "outputs": ["name", ...] or none for all, "write": "PREFIX", "optimized": "FILE" for what it makes of the model}. Output i goes to PREFIX.i.f32, images one after the other, and a line of
// JSON answers: {"outputs": [{"name", "dims"}], "seconds"} or {"error"}.
import { createRequire } from 'node:module';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

const [folder, inputFile, shapeText, threads] = process.argv.slice(2);
const ort = createRequire(resolve(folder, 'package.json'))('onnxruntime-node');
const shape = shapeText.split('x').map(Number);
const size = shape.reduce((a, b) => a * b, 1);
const bytes = readFileSync(inputFile);
const images = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);

async function run({ model, level, batch, images: range, outputs: wanted, write, optimized }) {
    const options = { graphOptimizationLevel: level, intraOpNumThreads: Number(threads), logSeverityLevel: 3 };
    if (optimized)
        options.optimizedModelFilePath = optimized;
    const session = await ort.InferenceSession.create(model, options);
    const names = wanted ?? session.outputNames;
    const files = names.map((_, i) => openSync(`${write}.${i}.f32`, 'w'));
    const [begin, count] = range ?? [0, images.length / size];
    const dims = [];
    const start = performance.now();
    for (let first = begin; first < begin + count; first += batch) {
        const now = Math.min(batch, begin + count - first);
        const feed = new Float32Array(batch * size);
        for (let i = 0; i < batch; ++i) { // the last batch is filled up with its last image
            const source = first + Math.min(i, now - 1);
            feed.set(images.subarray(source * size, (source + 1) * size), i * size);
        }
        const results = await session.run(
            { [session.inputNames[0]]: new ort.Tensor('float32', feed, [batch, ...shape]) }, names);
        names.forEach((name, i) => {
            const { data, dims: extents } = results[name];
            dims[i] = [...extents];
            const used = Float32Array.from(data.subarray(0, data.length / batch * now), Number);
            writeSync(files[i], Buffer.from(used.buffer));
        });
    }
    files.forEach((file) => closeSync(file));
    await session.release();
    return { outputs: names.map((name, i) => ({ name, dims: dims[i] })), seconds: (performance.now() - start) / 1000 };
}

for await (const line of createInterface({ input: process.stdin })) {
    let answer;
    try {
        answer = await run(JSON.parse(line));
    } catch (error) {
        answer = { error: String(error.message ?? error).replaceAll('\n', ' ') };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
}
