import { createServer } from 'node:http';
import { starters } from './shared.js';
import type { ServiceName, Shared } from './shared.js';
import type { TestProject } from 'vitest/node';

/**
 * Owns the services of one vitest run. Nothing starts here: the first test file that asks for a service starts it, the
 * others get the same address, and the end of the run stops it. A run without integration tests costs one idle socket.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = new Map<ServiceName, Promise<Shared<ServiceName>>>();
  const start = (name: ServiceName) => {
    const running = started.get(name) ?? starters[name]();
    started.set(name, running);
    return running;
  };
  const server = createServer((request, response) => {
    const name = serviceNames.find((known) => request.url === `/${known}`);
    if (name === undefined) {
      response.writeHead(404).end();
      return;
    }
    void start(name)
      .catch((error: unknown) => ({ unavailable: String(error) }))
      .then((shared) => response.end(JSON.stringify('unavailable' in shared ? shared : { address: shared.address })));
  });
  // A cold machine downloads 43 MB of jars before it can answer.
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port.');
  project.provide('services', `http://127.0.0.1:${address.port}`);

  return async () => {
    const services = await Promise.all(started.values());
    await Promise.all(services.map((service) => ('unavailable' in service ? undefined : service.stop())));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    // After the runner's own lines: a skipped suite must not pass for a tested one.
    for (const service of services) if ('unavailable' in service) process.stderr.write(`\nNOT TESTED: ${service.unavailable}\n`);
  };
}

const serviceNames: ServiceName[] = ['kafka', 'clickhouse', 'schemaRegistry'];
