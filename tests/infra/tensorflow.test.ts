import { describe, expect, test, type TestContext } from 'vitest';
import { BACKENDS, loadBackend, loadFastest, tellBackend, type Backend, type Tensorflow } from '../../infra/tensorflow/backend.js';
import { towerSlopes } from '../../infra/tensorflow/content-tower.js';
import { batchOf, HIDDEN, init, tokensOf, type Based, type Batch, type Layers } from '../../models/content-tower.js';
import { sequenceSlopes } from '../../infra/tensorflow/sequence-encoder.js';
import { DIMENSIONS } from '../../models/embedding.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import * as encoder from '../../models/sequence-encoder.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { plainSlopes } from '../support/tower-slopes.js';

function given(items: number): { layers: Layers; batch: Batch } {
  const random = randomness(items);
  const examples = Array.from({ length: items }, (_, item): Based => {
    const vector = Float32Array.from({ length: DIMENSIONS }, () => uniform(random) - 0.5);
    const length = Math.hypot(...vector);
    return { tokens: tokensOf({ title: `Item ${item % 7} of ${item}`, category: `c${item % 3}`, brand: null, price: item }), vector: vector.map((value) => value / length), clicks: item, base: vector.map((value, d) => value * Math.cos(d)) };
  });
  const batch = batchOf(examples);
  const { layers } = init({ seed: items });
  return { batch, layers: { ...layers, first: layers.first.slice(0, batch.slots.length * HIDDEN) } };
}

/** Sequences of one to ten clicks, two of them with the same target. */
function sequences(count: number): { weights: encoder.Weights; batch: encoder.Batch } {
  const random = randomness(7);
  const unit = (): Float32Array => {
    const vector = Float32Array.from({ length: DIMENSIONS }, () => uniform(random) - 0.5);
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  };
  const batch: encoder.Batch = {
    sequences: count, clicks: new Float32Array(count * encoder.CLICKS * DIMENSIONS), isClick: new Float32Array(count * encoder.CLICKS),
    targets: new Float32Array(count * DIMENSIONS), targetItems: Int32Array.from({ length: count }, (_, n) => n % (count - 1)),
    logShares: Float32Array.from({ length: count }, (_, n) => -3 - n % 4),
  };
  for (let n = 0; n < count; n++) {
    batch.targets.set(unit(), n * DIMENSIONS);
    for (let j = 0; j <= n % encoder.CLICKS; j++) {
      batch.clicks.set(unit(), (n * encoder.CLICKS + j) * DIMENSIONS);
      batch.isClick[n * encoder.CLICKS + j] = 1;
    }
  }
  const { weights } = encoder.init({ seed: 3 });
  for (const name of ['positions', 'value', 'bias', 'second'] as const) for (let i = 0; i < weights[name].length; i++) weights[name][i] = 0.3 * (uniform(random) - 0.5);
  return { weights, batch };
}

/** By the encoder's own prediction, in plain numbers. */
function sequenceLoss(weights: encoder.Weights, { sequences: count, clicks, isClick, targets, targetItems, logShares }: encoder.Batch): number {
  const state = { ...encoder.init(), weights };
  const user = new Float32Array(DIMENSIONS);
  let loss = 0;
  for (let n = 0; n < count; n++) {
    const recent = Int32Array.from({ length: isClick.subarray(n * encoder.CLICKS, (n + 1) * encoder.CLICKS).reduce((a, b) => a + b, 0) }, (_, j) => n * encoder.CLICKS + j);
    encoder.predict(state, recent, (at) => clicks.subarray(at * DIMENSIONS, (at + 1) * DIMENSIONS), user);
    const logits = Array.from({ length: count }, (_, m) => encoder.SCALE * user.reduce((sum, value, d) => sum + value * targets[m * DIMENSIONS + d], 0) - logShares[m]);
    const all = logits.reduce((sum, logit, m) => sum + (m !== n && targetItems[m] === targetItems[n] ? 0 : Math.exp(logit)), 0);
    loss += (Math.log(all) - logits[n]) / count;
  }
  return loss;
}

async function loadedOrSkipped(context: TestContext, backend: Backend): Promise<Tensorflow> {
  try {
    return await loadBackend(backend);
  } catch (error) {
    if (backend !== 'native') throw error;
    context.skip('@tensorflow/tfjs-node does not load here (npm run tensorflow:native builds it).');
    throw error;
  }
}

describe.each(BACKENDS)('on the %s backend', (backend) => {
  test('loss and slopes are those of the cpu backend, and of the equation', async (context) => {
    const own = towerSlopes(await loadedOrSkipped(context, backend));
    for (const items of [2, 24]) {
      const { layers, batch } = given(items);
      await loadBackend(backend);
      const found = own(layers, batch);
      const onCpu = towerSlopes(await loadBackend('cpu'))(layers, batch);
      for (const expected of [onCpu, plainSlopes(layers, batch)]) {
        expect(found.loss).toBeCloseTo(expected.loss, 4);
        for (const name of ['first', 'firstBias', 'second', 'secondBias'] as const) expect(farthest(found[name], expected[name])).toBeLessThan(1e-5);
      }
    }
  });

  test('the sequence encoder\'s loss is that of its equation, and its slopes are those of the cpu backend and of the loss', async (context) => {
    const loaded = await loadedOrSkipped(context, backend);
    const { weights, batch } = sequences(12);
    const found = sequenceSlopes(loaded)(weights, batch);
    expect(found.loss).toBeCloseTo(sequenceLoss(weights, batch), 4);
    const onCpu = sequenceSlopes(await loadBackend('cpu'))(weights, batch);
    for (const name of ['query', 'key', 'positions', 'value', 'first', 'bias', 'second'] as const) {
      expect(farthest(found[name], onCpu[name])).toBeLessThan(1e-5);
      const at = 3 + name.length;
      const moved = (by: number): number => sequenceLoss({ ...weights, [name]: weights[name].map((weight, i) => (i === at ? weight + by : weight)) }, batch);
      expect({ name, off: Math.abs((moved(4e-4) - moved(-4e-4)) / 8e-4 - found[name][at]) > 2e-3 }).toEqual({ name, off: false });
    }
  });

  test('no tensor is left behind', async (context) => {
    const loaded = await loadedOrSkipped(context, backend);
    const { layers, batch } = given(9);
    const slopesOf = towerSlopes(loaded);
    slopesOf(layers, batch);
    const before = loaded.tf.memory().numTensors;
    slopesOf(layers, batch);
    expect(loaded.tf.memory().numTensors).toBe(before);
  });
});

test('what was loaded is told once in the log, and as a metric', async () => {
  const gauges: Record<string, number> = {};
  const sentences: string[] = [];
  const tell = (_fields: object, sentence: string): void => void sentences.push(sentence);
  const loaded = await loadFastest();
  const { backend } = loaded;
  tellBackend(loaded, {
    metrics: { ...noMetrics, gauge: (name, value, labels) => { gauges[`${name} ${labels?.['backend'] ?? labels?.['kind']}`] = value; } },
    journal: { ...silentJournal, info: tell, warn: tell },
  });
  expect(sentences.length).toBe(1);
  expect(gauges).toEqual(Object.fromEntries(BACKENDS.flatMap((one) => {
    const isIt = one === backend ? 1 : 0;
    return [[`millrace_tensorflow_backend ${one}`, isIt], ...(one === 'native' ? [] : [[`millrace_fallback ${one}`, isIt]])];
  })));
});

const farthest = (a: Float32Array, b: Float32Array): number => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), a.length === b.length ? 0 : Infinity);
