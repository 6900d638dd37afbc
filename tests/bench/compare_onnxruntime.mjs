// SPDX-License-Identifier: GPL-3.0-or-later
// Throughput of Quantoscope and of ONNX Runtime on the same models and images, measured in turn in one run.
//
//   packaging/install-onnxruntime.sh build/release/onnxruntime
//   node tests/bench/compare_onnxruntime.mjs build/release [MODEL.onnx...] [--batch 1,8] [--threads 1,2] [--rounds 5] [--seconds 0.5] [--grid 0[:NAME]]
//
// The bundled sample is always measured; make_resnet18.py writes a ResNet-18 with random weights. Every network runs in
// float32 and with 8-bit weights and activations, but for Quantoscope's fake-quantization, which 12-bit ones get (8-bit ones
// are computed in integers; to the peer it is the same):
//
//   Quantoscope   float; fake (compute scope, simulated in float32); integers (compute scope); all-integers (integer scope)
//   ONNX Runtime  fp32; off (QDQ on inputs and weights of compute layers, graph optimisation off); noqdq (the same model,
//                 optimised, session.disable_quant_qdq=1: its fastest true fake-quantization); qfull (QDQ on every tensor: its
//                 8-bit kernels)
//
// With --grid N, the sweep of 2 to 8 bits for weights and activations (49 points) over N images is compared as well: with 49
// times what each of the peer's networks takes for N images, qfull standing for 8 bits only. --grid N:NAME does so for the
// networks whose file names begin with NAME.
//
// Quantoscope runs one independent stream a thread. ONNX Runtime is measured both as one session with that many threads and as
// that many sessions of one thread each, and the better of the two counts. Ratios are medians over the rounds. Those of images
// per second of processor time stay comparable where other work takes part of the processor.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const usage = 'usage: node compare_onnxruntime.mjs BUILD_FOLDER [MODEL.onnx...] [--batch 1,8] [--threads 1,2] [--rounds 5] '
    + '[--seconds 0.5] [--grid 0[:NAME]]';
const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: {
        batch: { type: 'string', default: '1,8' },
        threads: { type: 'string', default: String(cpus().length) },
        rounds: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '0.5' },
        grid: { type: 'string', default: '0' },
    },
});
const [build, ...given] = positionals;
if (!build) {
    console.error(usage);
    process.exit(2);
}
const [gridImages, gridNetworks = ''] = options.grid.split(':');
const rounds = Math.max(5, Number(options.rounds)); // fewer say nothing about spread
const seconds = Number(options.seconds);
const ort = createRequire(resolve(build, 'onnxruntime/package.json'))('onnxruntime-node');
const sample = fileURLToPath(new URL('../../resources/samples/fashion_resnet20.onnx', import.meta.url));

const ourKinds = ['float', 'fake', 'integers', 'all-integers'];
const peerKinds = {
    fp32: { file: 'model', options: { graphOptimizationLevel: 'all' } },
    off: { file: 'compute', options: { graphOptimizationLevel: 'disabled' } },
    noqdq: { file: 'compute', options: { graphOptimizationLevel: 'all', extra: { session: { disable_quant_qdq: '1' } } } },
    qfull: { file: 'integer', options: { graphOptimizationLevel: 'all' } },
};

// What is compared with what, and what it should reach at least; floors of single networks by a part of their name.
const comparisons = [
    { ours: 'float', peer: 'fp32', floor: 1.0 },
    { ours: 'fake', own: 'float', floor: 0.95 },
    { ours: 'fake', peer: 'off' },
    { ours: 'fake', peer: 'noqdq', floors: { resnet20: 1.15, resnet18: 1.05 } },
    { ours: 'integers', peer: 'off' },
    { ours: 'integers', peer: 'noqdq' },
    { ours: 'all-integers', peer: 'off', floors: { resnet20: 5.5, resnet18: 5, mobilenetv2: 6 } },
    { ours: 'all-integers', peer: 'noqdq', floors: { resnet20: 4.5, resnet18: 3.7, mobilenetv2: 4.3 } },
    { ours: 'all-integers', peer: 'qfull', floors: { resnet20: 1.25, resnet18: 1.1, mobilenetv2: 1.05 } },
];

const median = (values) => {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = Math.floor(sorted.length / 2);
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const spread = (values) => (Math.max(...values) - Math.min(...values)) / median(values);
const percent = (value) => `${(100 * value).toFixed(0)} %`;

// measure_network as a function: ask('float 8 2 0.5') -> its answer.
async function startOurs(model, folder) {
    const child = spawn(resolve(build, 'tests/bench/measure_network'), [model, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async () => {
        const { value, done } = await lines.next();
        if (done)
            throw new Error('measure_network ended');
        return JSON.parse(value);
    };
    child.on('error', (error) => { throw error; });
    await next(); // the fake-quantized models are written
    return {
        ask: (request) => { child.stdin.write(`${request}\n`); return next(); },
        stop: () => child.stdin.end(),
    };
}

async function openPeer(file, sessionOptions, batch, sessions, threads) {
    const peers = [];
    for (let i = 0; i < sessions; ++i) {
        const session = await ort.InferenceSession.create(file,
            { ...sessionOptions, intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential', logSeverityLevel: 3 });
        const { name, shape } = session.inputMetadata[0];
        const extents = shape.map((extent, axis) => (axis === 0 ? batch : extent));
        const data = Float32Array.from({ length: extents.reduce((a, b) => a * b, 1) }, () => 2 * Math.random() - 1);
        const feeds = { [name]: new ort.Tensor('float32', data, extents) };
        for (let warmUp = 0; warmUp < 2; ++warmUp)
            await session.run(feeds);
        peers.push({ session, feeds });
    }
    return peers;
}

async function measurePeer(peers, batch) {
    const start = performance.now();
    const used = process.cpuUsage();
    const end = start + 1000 * seconds;
    const counts = await Promise.all(peers.map(async ({ session, feeds }) => {
        let runs = 0;
        for (; performance.now() < end; ++runs)
            await session.run(feeds);
        return runs;
    }));
    const { user, system } = process.cpuUsage(used);
    const images = batch * counts.reduce((a, b) => a + b, 0);
    return figure(images, (performance.now() - start) / 1000, (user + system) / 1e6);
}

// Images a second of time and of processor, and how many processors it had.
const figure = (images, time, processor) => ({ wall: images / time, cpu: images / processor, had: processor / time });

// Everything in turn, round after round: { name: [figure, ...] }, names of the peer's with the number of sessions.
async function measureInTurn(ours, files, batch, threads) {
    const peers = {};
    for (const [kind, { file, options: sessionOptions }] of Object.entries(peerKinds))
        for (const sessions of threads > 1 ? [1, threads] : [1])
            peers[`${kind} x${sessions}`] = await openPeer(files[file], sessionOptions, batch, sessions, threads / sessions);
    const figures = {};
    for (let round = 0; round < rounds; ++round) {
        for (const kind of ourKinds) {
            const { images, seconds: time, processorSeconds } = await ours.ask(`${kind} ${batch} ${threads} ${seconds}`);
            (figures[kind] ??= []).push(figure(images, time, processorSeconds));
        }
        for (const [name, sessions] of Object.entries(peers))
            (figures[name] ??= []).push(await measurePeer(sessions, batch));
    }
    for (const sessions of Object.values(peers))
        for (const { session } of sessions)
            await session.release();
    return figures;
}

// Of the peer's set-ups for `kind` the one that is best in `unit`.
function best(figures, kind, unit) {
    const names = Object.keys(figures).filter((name) => name === kind || name.startsWith(`${kind} x`));
    const of = (name) => median(figures[name].map((one) => one[unit]));
    return names.reduce((a, b) => (of(b) > of(a) ? b : a));
}

// Ratios round by round, in both units.
function ratios(figures, { ours, own, peer }) {
    return Object.fromEntries(['wall', 'cpu'].map((unit) => {
        const other = figures[own ?? best(figures, peer, unit)];
        return [unit, figures[ours].map((one, round) => one[unit] / other[round][unit])];
    }));
}

function floorOf({ floor, floors }, model) {
    const named = Object.entries(floors ?? {}).find(([part]) => basename(model).startsWith(part));
    return named?.[1] ?? floor;
}

function report(model, title, figures, threads) {
    console.log(`${title}\n${''.padEnd(28)}${'images/s'.padStart(10)}${'spread'.padStart(9)}${'per processor second'.padStart(22)}`);
    for (const [name, values] of Object.entries(figures)) {
        const [wall, cpu] = ['wall', 'cpu'].map((unit) => values.map((one) => one[unit]));
        const [kind, sessions] = name.split(' x');
        const who = sessions ? `ONNX Runtime ${kind}${threads > 1 ? `, ${sessions === '1' ? 'one session' : `${sessions} sessions`}` : ''}`
            : `Quantoscope ${kind}`;
        console.log(`  ${who.padEnd(32)}${median(wall).toFixed(1).padStart(8)}${percent(spread(wall)).padStart(8)}`
            + `${median(cpu).toFixed(1).padStart(16)}${percent(spread(cpu)).padStart(8)}`);
    }
    console.log(`  ratio${' '.repeat(31)}images/s (rounds)     per processor second`);
    for (const comparison of comparisons) {
        const { wall, cpu } = ratios(figures, comparison);
        const text = (values) => `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)}-${Math.max(...values).toFixed(2)})`;
        const floor = floorOf(comparison, model);
        const verdict = floor === undefined ? '' : `  at least ${floor.toFixed(2)}: ${median(wall) >= floor ? 'met' : 'missed'}`
            + `, ${median(cpu) >= floor ? 'met' : 'missed'}`;
        console.log(`    ${`${comparison.ours} / ${comparison.own ? 'own ' : ''}${comparison.own ?? comparison.peer}`.padEnd(30)}`
            + `${text(wall).padEnd(22)}${text(cpu).padEnd(22)}${verdict}`);
    }
    reportNoise(figures, threads);
}

// Noisy: the same measurement came out differently, or threads that never wait did not get a processor each.
function reportNoise(figures, threads) {
    const noise = Math.max(...Object.values(figures).map((values) => spread(values.map((one) => one.wall))));
    const had = median(ourKinds.flatMap((kind) => figures[kind].map((one) => one.had))) / threads;
    if (noise > 0.1 || had < 0.95)
        console.log(`  The machine is noisy: the same measurement varied by up to ${percent(noise)}, and each thread had `
            + `${percent(had)} of a processor (load average ${loadavg()[0].toFixed(1)}). Trust the right column, or measure again alone.`);
}

// What each reaches with the batch that suits it best, per processor second: that batch is what Quantoscope runs with.
function reportBest(model, threads, measured) {
    if (measured.length < 2)
        return;
    const reached = (kind) => Math.max(...measured.map((figures) => median(figures[best(figures, kind, 'cpu')].map(({ cpu }) => cpu))));
    const texts = comparisons.map(({ ours, own, peer }) =>
        `${ours} / ${own ? 'own ' : ''}${own ?? peer} ${(reached(ours) / reached(own ?? peer)).toFixed(2)}`);
    console.log(`${basename(model)}, ${threads} thread${threads > 1 ? 's' : ''}, each with its best batch, per processor second: `
        + texts.join(', '));
}

// The sweep of a grid against as many runs of each of the peer's networks, with the batch and set-up that suit it best.
function reportGrid(model, threads, measured, grid) {
    const own = figure(grid.images, grid.seconds, grid.processorSeconds);
    const floors = comparisons.filter(({ ours, peer }) => ours === 'all-integers' && peer);
    const texts = floors.map((comparison) => {
        const ratio = Object.fromEntries(['wall', 'cpu'].map((unit) => {
            const peers = measured.map((figures) => median(figures[best(figures, comparison.peer, unit)].map((one) => one[unit])));
            return [unit, own[unit] / Math.max(...peers)];
        }));
        const floor = floorOf(comparison, model);
        const verdict = floor === undefined ? '' : `, at least ${floor.toFixed(2)}: ${ratio.wall >= floor ? 'met' : 'missed'}, `
            + `${ratio.cpu >= floor ? 'met' : 'missed'}`;
        return `${comparison.peer} ${ratio.wall.toFixed(2)} (per processor second ${ratio.cpu.toFixed(2)}${verdict})`;
    });
    console.log(`${basename(model)}, ${threads} thread${threads > 1 ? 's' : ''}, 7 x 7 grid over ${gridImages} images: `
        + `${grid.seconds.toFixed(1)} s, ${own.wall.toFixed(0)} images/s; over ${texts.join('; ')}`);
}

async function compare(model) {
    const folder = mkdtempSync(join(tmpdir(), 'compare-onnxruntime-'));
    const files = { model, compute: join(folder, 'compute.onnx'), integer: join(folder, 'integer.onnx') };
    const ours = await startOurs(model, folder);
    try {
        for (const threads of options.threads.split(',').map(Number)) {
            const measured = [];
            for (const batch of options.batch.split(',').map(Number)) {
                const title = `${basename(model)}, batch ${batch}, ${threads} thread${threads > 1 ? 's' : ''}`;
                const { error } = await ours.ask(`float ${batch} ${threads} 0`);
                if (error) {
                    console.log(`${title}: not measured, ${error}`);
                    continue;
                }
                measured.push(await measureInTurn(ours, files, batch, threads));
                report(model, title, measured.at(-1), threads);
            }
            reportBest(model, threads, measured);
            if (Number(gridImages) > 0 && basename(model).startsWith(gridNetworks) && measured.length > 0)
                reportGrid(model, threads, measured, await ours.ask(`grid ${gridImages} ${threads} 0`));
        }
    } finally {
        ours.stop();
        rmSync(folder, { recursive: true });
    }
}

for (const model of new Set([sample, ...given.map((path) => resolve(path))]))
    await compare(model);
