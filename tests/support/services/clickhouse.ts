import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cachedDirectory } from './cache.js';
import { containerOr, startContainer } from './docker.js';
import { freePorts, restartable, run, startOwned, temporaryDirectory } from './processes.js';
import { unavailable } from './unavailable.js';
import type { Unavailable } from './unavailable.js';

/** A ClickHouse server of one's own; user `default`, no password. */
export interface RunningClickHouse {
  url: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** The same address and data again; resolves when queries are answered. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const IMAGE = 'clickhouse/clickhouse-server:25.8'; // as in docker-compose.yml

/** Starts a server: in a container where an engine answers, else out of chdb's library. */
export async function startClickHouse(): Promise<RunningClickHouse | Unavailable> {
  try {
    return await containerOr(startInContainer, startFromLibrary);
  } catch (error) {
    return unavailable('ClickHouse', error);
  }
}

async function startFromLibrary(): Promise<RunningClickHouse> {
  const library = chdbLibrary();
  const launcher = await compiledLauncher();
  const [httpPort = 0, tcpPort = 0] = await freePorts(2);
  const place = temporaryDirectory('clickhouse');
  const url = `http://127.0.0.1:${httpPort}`;
  const args = [
    library,
    '--listen_host=127.0.0.1',
    `--http_port=${httpPort}`,
    `--tcp_port=${tcpPort}`,
    `--path=${path.join(place.directory, 'data')}`,
    '--output-format=TSV',
    "--query=SYSTEM START LISTEN QUERIES ALL; SELECT * FROM file('-', 'LineAsString', 'line String')",
  ];
  return { url, ...(await restartable(place, () => startOwned(launcher, args, place.directory), 60_000, () => ping(url))) };
}

async function startInContainer(): Promise<RunningClickHouse> {
  const [port = 0] = await freePorts(1);
  const container = await startContainer({ image: IMAGE, ports: [{ container: 8123, host: port }], env: { CLICKHOUSE_SKIP_USER_SETUP: '1' } });
  const url = `http://localhost:${port}`;
  const answered = () => pingWithin(url, 30_000);
  await answered();
  return {
    url,
    kill: container.kill,
    restart: async () => {
      await container.restart();
      await answered();
    },
    stop: container.stop,
  };
}

/** The library ships with the optional dependency `chdb`, one package a platform. */
function chdbLibrary(): string {
  const platform = `${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`;
  const name = `@chdb/lib-${platform}`;
  let manifest: string;
  try {
    manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
  } catch (error) {
    throw new Error(`${name} is not installed (\`npm ci\` brings it with chdb where the platform is supported).`, { cause: error });
  }
  const library = path.join(path.dirname(manifest), 'libchdb.so');
  if (!existsSync(library)) throw new Error(`${library} is missing.`);
  return library;
}

async function compiledLauncher(): Promise<string> {
  const source = path.join(path.dirname(fileURLToPath(import.meta.url)), 'clickhouse-server.c');
  const version = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12);
  const directory = await cachedDirectory(`clickhouse-launcher-${version}`, async (draft) => {
    await run('cc', ['-O2', '-o', path.join(draft, 'clickhouse-server'), source, '-ldl']);
  });
  return path.join(directory, 'clickhouse-server');
}

async function ping(url: string): Promise<void> {
  const answer = await fetch(new URL('/?query=SELECT%201', url), { signal: AbortSignal.timeout(2_000) });
  if ((await answer.text()) !== '1\n') throw new Error(`${url} answered ${answer.status} to SELECT 1.`);
}

export async function pingWithin(url: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      await ping(url);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}
