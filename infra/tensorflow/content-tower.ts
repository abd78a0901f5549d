import type * as core from '@tensorflow/tfjs-core';
import { HIDDEN, LEAK, type SlopesOf } from '../../models/content-tower.js';
import { DIMENSIONS } from '../../models/embedding.js';
import type { Tensorflow } from './backend.js';

/** The content tower's loss and slopes, by TensorFlow: the equation at the head of `models/content-tower.ts`. */
export function towerSlopes({ tf }: Tensorflow): SlopesOf {
  return (layers, { items, slots, inputs, bases, targets, weights }) => tf.tidy(() => {
    const x = tf.tensor2d(inputs, [items, slots.length]);
    const b = tf.tensor2d(bases, [items, DIMENSIONS]);
    const v = tf.tensor2d(targets, [items, DIMENSIONS]);
    const w = tf.tensor1d(weights);
    const loss = (first: core.Tensor, firstBias: core.Tensor, second: core.Tensor, secondBias: core.Tensor): core.Scalar => {
      const hidden = tf.leakyRelu(tf.add(tf.matMul(x, first), firstBias), LEAK);
      const said = tf.add(tf.add(tf.matMul(hidden, second), secondBias), b);
      const length = tf.sqrt(tf.add(tf.sum(tf.square(said), 1, true), 1e-12));
      const cosines = tf.sum(tf.mul(tf.div(said, length), v), 1);
      return tf.div<core.Scalar>(tf.sum(tf.mul(tf.sub(1, cosines), w)), items);
    };
    const { value, grads } = tf.valueAndGrads((...given: core.Tensor[]) => loss(given[0], given[1], given[2], given[3]))([
      tf.tensor2d(layers.first, [slots.length, HIDDEN]), tf.tensor1d(layers.firstBias),
      tf.tensor2d(layers.second, [HIDDEN, DIMENSIONS]), tf.tensor1d(layers.secondBias),
    ]);
    const [first, firstBias, second, secondBias] = grads.map((slope) => Float32Array.from(slope.dataSync()));
    return { loss: value.dataSync()[0], first, firstBias, second, secondBias };
  });
}
