import { describe, expect, test, type TestContext } from 'vitest';
import { BACKENDS, loadBackend, loadTensorflow, type Backend, type Tensorflow } from '../../infra/tensorflow/backend.js';
import { towerSlopes } from '../../infra/tensorflow/content-tower.js';
import { batchOf, HIDDEN, init, tokensOf, type Batch, type Example, type Layers } from '../../models/content-tower.js';
import { DIMENSIONS } from '../../models/embedding.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { plainSlopes } from '../support/tower-slopes.js';

function given(items: number): { layers: Layers; batch: Batch } {
  const random = randomness(items);
  const examples = Array.from({ length: items }, (_, item): Example => {
    const vector = Float32Array.from({ length: DIMENSIONS }, () => uniform(random) - 0.5);
    const length = Math.hypot(...vector);
    return { tokens: tokensOf({ title: `Item ${item % 7} of ${item}`, category: `c${item % 3}`, brand: null, price: item }), vector: vector.map((value) => value / length), clicks: item };
  });
  const batch = batchOf(examples);
  const { layers } = init({ seed: items });
  return { batch, layers: { ...layers, first: layers.first.slice(0, batch.slots.length * HIDDEN) } };
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
  const { backend } = await loadTensorflow({
    metrics: { ...noMetrics, gauge: (name, value, labels) => { gauges[`${name} ${labels?.['backend']}`] = value; } },
    journal: { ...silentJournal, info: tell, warn: tell },
  });
  expect(sentences.length).toBe(1);
  expect(gauges).toEqual(Object.fromEntries(BACKENDS.map((one) => [`millrace_tensorflow_backend ${one}`, one === backend ? 1 : 0])));
});

const farthest = (a: Float32Array, b: Float32Array): number => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), a.length === b.length ? 0 : Infinity);
