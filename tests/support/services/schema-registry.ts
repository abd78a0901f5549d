import path from 'node:path';
import { cachedDirectory } from './cache.js';
import { containerOr, startContainer } from './docker.js';
import { freePorts, run, startOwned, temporaryDirectory, untilReady } from './processes.js';
import { unavailable } from './unavailable.js';
import type { Unavailable } from './unavailable.js';

const APICURIO_VERSION = '2.6.13.Final'; // 3.x wants Java 21

/** A registry in memory with Confluent's API; new versions of a subject must be backward compatible. */
export interface RunningSchemaRegistry {
  url: string;
  stop(): Promise<void>;
}

export async function startSchemaRegistry(): Promise<RunningSchemaRegistry | Unavailable> {
  try {
    return await containerOr(startInContainer, startFromJars);
  } catch (error) {
    return unavailable('The schema registry', error);
  }
}

async function startFromJars(): Promise<RunningSchemaRegistry> {
  const home = await cachedDirectory(`apicurio-${APICURIO_VERSION}`, install);
  const [port = 0] = await freePorts(1);
  const { directory, remove } = temporaryDirectory('schema-registry');
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  const args = [
    '-Xmx512m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Dquarkus.http.host=127.0.0.1',
    `-Dquarkus.http.port=${port}`,
    // Without this rule the registry accepts whatever it is given.
    '-Dregistry.rules.global.compatibility=BACKWARD',
    '-jar',
    path.join(home, `apicurio-registry-app-${APICURIO_VERSION}-runner.jar`),
  ];
  const owned = startOwned('java', args, directory);
  const stop = async () => {
    await owned.kill();
    remove();
  };
  try {
    await untilReady(owned, directory, 60_000, () => subjects(url));
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function install(home: string): Promise<void> {
  const artifact = `io.apicurio:apicurio-registry-app:${APICURIO_VERSION}:tar.gz:all`;
  await run('mvn', ['-q', '-B', '-C', 'dependency:copy', `-Dartifact=${artifact}`, '-DoutputDirectory=.', '-Dmdep.useBaseVersion=true'], home);
  const archive = path.join(home, `apicurio-registry-app-${APICURIO_VERSION}-all.tar.gz`);
  await run('tar', ['-xzf', archive, '-C', home]);
  await run('rm', [archive]);
}

async function startInContainer(): Promise<RunningSchemaRegistry> {
  const [port = 0] = await freePorts(1);
  const container = await startContainer({
    image: `apicurio/apicurio-registry-mem:${APICURIO_VERSION}`,
    ports: [{ container: 8080, host: port }],
    env: { JAVA_OPTIONS: '-Dregistry.rules.global.compatibility=BACKWARD' },
  });
  return { url: `http://localhost:${port}/apis/ccompat/v7`, stop: container.stop };
}

export async function subjects(url: string): Promise<void> {
  const answer = await fetch(`${url.replace(/\/$/, '')}/subjects`, { signal: AbortSignal.timeout(2_000) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status} when asked for its subjects.`);
}
