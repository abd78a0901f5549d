import type * as core from '@tensorflow/tfjs-core';
import type { Journal, Metrics } from '../../pipeline/core/metrics.js';

export const BACKENDS = ['native', 'wasm', 'cpu'] as const;
export type Backend = (typeof BACKENDS)[number];

export interface Tensorflow {
  readonly backend: Backend;
  readonly tf: typeof core;
}

/** TensorFlow.js's own names. */
const NAMES: Readonly<Record<Backend, string>> = { native: 'tensorflow', wasm: 'wasm', cpu: 'cpu' };

/** By variable, so that the build passes where this optional package was not installed. */
const NATIVE_PACKAGE: string = '@tensorflow/tfjs-node';

/** What was loaded, and why not something faster. */
export interface Loaded extends Tensorflow {
  readonly failures: readonly string[];
}

/**
 * TensorFlow.js on the fastest backend that works here: the native library, else WebAssembly, else plain JavaScript.
 * Loading takes one to five seconds: only what trains calls this, and never the thread that answers requests.
 */
export async function loadFastest(): Promise<Loaded> {
  const failures: string[] = [];
  for (const backend of BACKENDS) {
    try {
      return { ...await loadBackend(backend), failures };
    } catch (error) {
      failures.push(`${backend}: ${error instanceof Error ? error.message.split('\n', 1)[0] : String(error)}`);
    }
  }
  throw new Error(`No backend of TensorFlow works here: ${failures.join('; ')}`);
}

/** Says in the log and the metrics which backend trains; to be called once a process. */
export function tellBackend({ backend, failures }: { readonly backend: Backend; readonly failures: readonly string[] }, { metrics, journal }: { metrics: Metrics; journal: Journal }): void {
  for (const other of BACKENDS) {
    metrics.gauge('millrace_tensorflow_backend', other === backend ? 1 : 0, { backend: other });
    if (other !== 'native') metrics.gauge('millrace_fallback', other === backend ? 1 : 0, { kind: other });
  }
  if (failures.length === 0) journal.info({ backend }, 'TensorFlow is loaded.');
  else journal.warn({ backend, failures }, 'TensorFlow\'s native library does not load here; `npm run tensorflow:native` builds it. Training is slower, results are the same.');
}

/** A certain backend, proven by a product; the last one loaded is in use. @throws Error where it does not work */
export async function loadBackend(backend: Backend): Promise<Tensorflow> {
  // The library greets on stderr unless told not to; what the environment says already stands.
  Object.assign(process.env, { TF_CPP_MIN_LOG_LEVEL: '2', ...process.env });
  const tf = await import('@tensorflow/tfjs-core');
  // The core has no slopes by itself, and no door to register them; the layers' bundle does so when it loads.
  await import('@tensorflow/tfjs-layers');
  // Else it advertises its own native package on stderr, and checks every result twice.
  tf.enableProdMode();
  switch (backend) {
    case 'native':
      await import(NATIVE_PACKAGE);
      break;
    case 'wasm':
      await import('@tensorflow/tfjs-backend-wasm');
      break;
    case 'cpu':
      await import('@tensorflow/tfjs-backend-cpu');
      break;
  }
  const isSet = await tf.setBackend(NAMES[backend]);
  const product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync()[0]);
  if (!isSet || product !== 11) throw new Error(`The ${backend} backend does not compute.`);
  return { backend, tf };
}
