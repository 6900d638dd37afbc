// SPDX-License-Identifier: GPL-3.0-or-later
// Float throughput of Quantoscope and of ONNX Runtime on one model, batch and number of threads, measured in turn in one run.
//
//   packaging/install-onnxruntime.sh build/release/onnxruntime
//   node tests/bench/compare_onnxruntime.mjs build/release MODEL.onnx... [--batch 1,8] [--threads 1,2] [--rounds 7] [--seconds 1]
//
// Quantoscope runs one independent stream a thread. ONNX Runtime is measured both as one session with that many threads and as
// that many sessions of one thread each, and the better of the two counts. Figures are medians over the rounds. Images per second
// of processor time are shown as well: they stay comparable where other work takes part of the processor.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: {
        batch: { type: 'string', default: '1,8' },
        threads: { type: 'string', default: String(cpus().length) },
        rounds: { type: 'string', default: '7' },
        seconds: { type: 'string', default: '1' },
    },
});
const [build, ...models] = positionals;
if (!build || models.length === 0) {
    console.error('usage: node compare_onnxruntime.mjs BUILD_FOLDER MODEL.onnx... [--batch 1,8] [--threads 1,2] [--rounds 7]');
    process.exit(2);
}
const rounds = Math.max(5, Number(options.rounds)); // fewer say nothing about spread
const seconds = Number(options.seconds);
const ort = createRequire(resolve(build, 'onnxruntime/package.json'))('onnxruntime-node');

const median = (values) => {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = Math.floor(sorted.length / 2);
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const spread = (values) => (Math.max(...values) - Math.min(...values)) / median(values);

// What bench_engine says; null where the model does not take this batch. { wall, cpu }: images a second of time and of processor.
function measureOurs(model, batch, threads) {
    const run = spawnSync(resolve(build, 'tests/bench/bench_engine'), [model,
        `--benchmark_filter=^model/float/batch:${batch}/process_time/real_time/threads:${threads}$`, '--benchmark_format=json',
        `--benchmark_min_time=${seconds}`], { encoding: 'utf8' });
    if (run.error || run.status !== 0)
        throw new Error(`bench_engine failed: ${run.error ?? run.stderr}`);
    const row = run.stdout ? JSON.parse(run.stdout).benchmarks[0] : undefined;
    if (row?.error_occurred)
        throw new Error(`bench_engine failed: ${row.error_message}`);
    return row ? { wall: row.items_per_second, cpu: 1e6 * batch / row.cpu_time } : null;
}

async function openPeer(model, batch, sessions, threads) {
    const peers = [];
    for (let i = 0; i < sessions; ++i) {
        const session = await ort.InferenceSession.create(model,
            { graphOptimizationLevel: 'all', intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential' });
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
    const images = batch * counts.reduce((a, b) => a + b, 0);
    const { user, system } = process.cpuUsage(used);
    return { wall: 1000 * images / (performance.now() - start), cpu: 1e6 * images / (user + system) };
}

async function compare(model, batch, threads) {
    const title = `${basename(model)}, batch ${batch}, ${threads} thread${threads > 1 ? 's' : ''}`;
    if (measureOurs(model, batch, threads) === null)
        return void console.log(`${title}: not measured, the model fixes another batch or bench_engine has no such row`);
    const peers = { 'one session': await openPeer(model, batch, 1, threads) };
    if (threads > 1)
        peers['a session a thread'] = await openPeer(model, batch, threads, 1);
    const figures = { ours: [] };
    for (let round = 0; round < rounds; ++round) {
        figures.ours.push(measureOurs(model, batch, threads));
        for (const [name, sessions] of Object.entries(peers))
            (figures[name] ??= []).push(await measurePeer(sessions, batch));
    }
    for (const sessions of Object.values(peers))
        for (const { session } of sessions)
            await session.release();
    report(title, figures);
    return figures;
}

// What each reaches with the batch that suits it best, per processor second: that batch is what Quantoscope runs with.
function reportBest(model, threads, measured) {
    const best = (name) => Math.max(...measured.flatMap((figures) => Object.entries(figures)
        .filter(([key]) => (key === 'ours') === (name === 'ours')).map(([, values]) => median(values.map(({ cpu }) => cpu)))));
    if (measured.length > 1)
        console.log(`${basename(model)}, ${threads} thread${threads > 1 ? 's' : ''}, each with its best batch: ratio per processor `
            + `second ${(best('ours') / best('peer')).toFixed(2)}`);
}

// The peer's best set-up in one unit, and our ratio to it, round by round.
function against(peers, ours, unit) {
    const of = (figures) => figures.map((figure) => figure[unit]);
    const [name, values] = Object.entries(peers).map(([key, figures]) => [key, of(figures)])
        .reduce((a, b) => (median(b[1]) > median(a[1]) ? b : a));
    const ratios = of(ours).map((value, round) => value / values[round]);
    const text = `${median(ratios).toFixed(2)} (rounds ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
    return { name, text, noise: Math.max(spread(of(ours)), spread(values)) };
}

function report(title, { ours, ...peers }) {
    const percent = (value) => `${(100 * value).toFixed(0)} %`;
    const line = (who, figures) => {
        const [wall, cpu] = ['wall', 'cpu'].map((unit) => figures.map((figure) => figure[unit]));
        console.log(`  ${who}: ${median(wall).toFixed(1)} images/s (spread ${percent(spread(wall))}), `
            + `${median(cpu).toFixed(1)} per processor second (spread ${percent(spread(cpu))})`);
    };
    const wall = against(peers, ours, 'wall');
    const cpu = against(peers, ours, 'cpu');
    console.log(`${title}: ratio ${wall.text}; per processor second ${cpu.text}`);
    line('Quantoscope', ours);
    for (const [name, figures] of Object.entries(peers))
        line(`ONNX Runtime, ${name}${name === wall.name ? ' (counts)' : ''}`, figures);
    if (wall.noise > 0.1)
        console.log(`  The machine is noisy: the same measurement varied by ${percent(wall.noise)}, per processor second by `
            + `${percent(cpu.noise)}. Close what else runs, or measure again.`);
}

for (const model of models)
    for (const threads of options.threads.split(',').map(Number)) {
        const measured = [];
        for (const batch of options.batch.split(',').map(Number))
            measured.push(await compare(resolve(model), batch, threads));
        reportBest(model, threads, measured.filter((figures) => figures));
    }
