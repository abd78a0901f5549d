import type * as core from '@tensorflow/tfjs-core';
import { DIMENSIONS } from '../../models/embedding.js';
import { CLICKS, LEAK, SCALE, type SlopesOf } from '../../models/sequence-encoder.js';
import type { Tensorflow } from './backend.js';

const D = DIMENSIONS;

/** The sequence encoder's loss and slopes, by TensorFlow: the equation at the head of `models/sequence-encoder.ts`. */
export function sequenceSlopes({ tf }: Tensorflow): SlopesOf {
  const pooling = Float32Array.from({ length: CLICKS }, (_, j) => 1 / 2 ** j);
  return (weights, { sequences: n, clicks, isClick, targets, targetItems, logShares }) => tf.tidy(() => {
    const e = tf.tensor2d(clicks, [n * CLICKS, D]);
    const present = tf.tensor2d(isClick, [n, CLICKS]);
    const latest = tf.reshape(tf.slice(tf.reshape(e, [n, CLICKS, D]), [0, 0, 0], [n, 1, D]), [n, D]);
    const pooled = tf.sum(tf.mul(tf.reshape(e, [n, CLICKS, D]), tf.reshape(tf.tensor1d(pooling), [1, CLICKS, 1])), 1);
    const v = tf.tensor2d(targets, [n, D]);
    const shares = tf.tensor1d(logShares);
    // The same item as another's target is no negative.
    const twice = tf.tensor2d(Float32Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return i !== j && targetItems[i] === targetItems[j] ? -1e3 : 0;
    }), [n, n]);
    const own = tf.eye(n);
    const loss = (query: core.Tensor, key: core.Tensor, positions: core.Tensor, value: core.Tensor, first: core.Tensor, bias: core.Tensor, second: core.Tensor): core.Scalar => {
      const asked = tf.reshape(tf.matMul(latest, query), [n, 1, D]);
      const keys = tf.add(tf.reshape(tf.matMul(e, key), [n, CLICKS, D]), tf.reshape(positions, [1, CLICKS, D]));
      const parts = tf.mul(tf.exp(tf.div(tf.sum(tf.mul(keys, asked), 2), 8)), present);
      const attention = tf.div(parts, tf.sum(parts, 1, true));
      const attended = tf.sum(tf.mul(tf.reshape(e, [n, CLICKS, D]), tf.reshape(attention, [n, CLICKS, 1])), 1);
      const h = tf.add(pooled, tf.matMul(attended, value));
      const hidden = tf.leakyRelu(tf.add(tf.matMul(h, first), bias), LEAK);
      const said = tf.add(h, tf.matMul(hidden, second));
      const u = tf.div(said, tf.sqrt(tf.add(tf.sum(tf.square(said), 1, true), 1e-12)));
      const logits = tf.add(tf.sub(tf.mul(tf.matMul(u, v, false, true), SCALE), shares), twice);
      const ownLogit = tf.sum(tf.mul(logits, own), 1);
      // Logits stay within ±30, so that no exponential overflows.
      return tf.div<core.Scalar>(tf.sum(tf.sub(tf.log(tf.sum(tf.exp(logits), 1)), ownLogit)), n);
    };
    const { value, grads } = tf.valueAndGrads((...w: core.Tensor[]) => loss(w[0], w[1], w[2], w[3], w[4], w[5], w[6]))([
      tf.tensor2d(weights.query, [D, D]), tf.tensor2d(weights.key, [D, D]), tf.tensor2d(weights.positions, [CLICKS, D]), tf.tensor2d(weights.value, [D, D]),
      tf.tensor2d(weights.first, [D, D]), tf.tensor1d(weights.bias), tf.tensor2d(weights.second, [D, D]),
    ]);
    const [query, key, positions, valueSlope, first, bias, second] = grads.map((slope) => Float32Array.from(slope.dataSync()));
    return { loss: value.dataSync()[0], query, key, positions, value: valueSlope, first, bias, second };
  });
}
