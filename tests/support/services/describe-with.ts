// This file decides for others whether their suite runs, so the rules about how a suite is written do not fit it.
// oxlint-disable vitest/no-conditional-tests, vitest/no-disabled-tests, vitest/valid-title, vitest/expect-expect
import { get } from 'node:http';
import { describe, expect, inject, test } from 'vitest';
import { variables } from './shared.js';
import type { Addresses, ServiceName } from './shared.js';

/**
 * A suite that needs real services, shared by all files of a run (use your own topic prefix and database):
 *
 *     await describeWith(['kafka', 'clickhouse'], 'the sales sink', ({ kafka, clickhouse }) => {
 *       test('…', async () => { … kafka.brokers … clickhouse.url … });
 *     });
 *
 * Where one cannot be had the suite is skipped under a title that says why; with CI=true, or when the environment named
 * an address that does not answer, it fails instead.
 */
export async function describeWith<N extends ServiceName>(names: readonly N[], title: string, body: (services: Pick<Addresses, N>) => void): Promise<void> {
  const found: Partial<Addresses> = {};
  for (const name of names) {
    const answer = await ask(name);
    if ('unavailable' in answer) {
      unavailableSuite(name, title, answer.unavailable);
      return;
    }
    found[name] = answer.address;
  }
  if (!hasAll(found, names)) throw new Error(`Of ${names.join(', ')} only ${Object.keys(found).join(', ')} were given.`);
  const services = found;
  describe(title, () => {
    body(services);
  });
}

function unavailableSuite(name: ServiceName, title: string, reason: string): void {
  if (process.env.CI || process.env[variables[name]]) {
    describe(title, () => {
      test(`needs ${name}`, () => expect.fail(reason));
    });
  } else {
    describe.skip(`${title} (skipped: ${reason})`, () => {
      test(`needs ${name}`, () => undefined);
    });
  }
}

function hasAll<N extends ServiceName>(found: Partial<Addresses>, names: readonly N[]): found is Pick<Addresses, N> & Partial<Addresses> {
  return names.every((name) => found[name] !== undefined);
}

// node:http rather than fetch, which gives up after five minutes without headers: a first download may take longer.
function ask<N extends ServiceName>(name: N): Promise<{ address: Addresses[N] } | { unavailable: string }> {
  const url = `${inject('services')}/${name}`;
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString('utf8'))));
      response.on('error', reject);
    }).on('error', reject);
  });
}
