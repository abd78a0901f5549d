import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cachedDirectory } from './cache.js';
import { freePorts, run, startOwned, temporaryDirectory } from './processes.js';
import type { OwnedProcess } from './processes.js';

/** Of the line that docker-compose.yml runs. From 4.3 on a killed broker may lose the markers of a decided transaction (docs/decisions). */
const KAFKA_VERSION = '4.1.2';

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace.tests</groupId><artifactId>broker</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.5</version></dependency>
  </dependencies>
</project>
`;

const LOG4J = `<Configuration status="ERROR">
  <Appenders><Console name="out"><PatternLayout pattern="%d %p %m (%c{1})%n"/></Console></Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
`;

/** A one-node KRaft broker and controller from the released jars, on 127.0.0.1. */
export interface JarBroker {
  address: string;
  directory: string;
  /** Starts the process on the same port and data; the caller waits for the first answer. */
  start(): OwnedProcess;
  remove(): void;
}

/** `changed` answers with the properties that shall differ from the plain ones. */
export async function jarBroker(changed: (plain: Record<string, string>) => Record<string, string> = () => ({})): Promise<JarBroker> {
  const home = await cachedDirectory(`kafka-${KAFKA_VERSION}`, install);
  const [port = 0, controllerPort = 0] = await freePorts(2);
  const { directory, remove } = temporaryDirectory('kafka');
  // Formatting costs a JVM start; every broker is born as a copy of one formatted directory instead.
  cpSync(path.join(home, 'formatted'), path.join(directory, 'data'), { recursive: true });
  const plain = brokerProperties(path.join(directory, 'data'), port, controllerPort);
  writeFileSync(path.join(directory, 'server.properties'), asProperties({ ...plain, ...changed(plain) }));
  const args = [
    '-Xms64m',
    '-Xmx256m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Dlog4j2.configurationFile=${path.join(home, 'log4j2.xml')}`,
    '-cp',
    path.join(home, 'lib', '*'),
    'kafka.Kafka',
    'server.properties',
  ];
  return { address: `127.0.0.1:${port}`, directory, start: () => startOwned('java', args, directory), remove };
}

async function install(home: string): Promise<void> {
  await run('java', ['-version']).catch((error: unknown) => {
    throw new Error('Java 17 or later is needed for a broker from its jars (`java -version` failed).', { cause: error });
  });
  writeFileSync(path.join(home, 'pom.xml'), POM);
  writeFileSync(path.join(home, 'log4j2.xml'), LOG4J);
  await run('mvn', ['-q', '-B', '-C', 'dependency:copy-dependencies', '-DoutputDirectory=lib', '-DincludeScope=runtime'], home);
  const formatted = path.join(home, 'formatted');
  const properties = path.join(home, 'format.properties');
  writeFileSync(properties, asProperties(brokerProperties(formatted, 9092, 9093)));
  const clusterId = 'bWlsbHJhY2UtdGVzdHMtMQ'; // any 16 bytes in base64
  await run('java', ['-Xmx128m', '-cp', path.join(home, 'lib', '*'), 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties], home);
}

function brokerProperties(dataDirectory: string, port: number, controllerPort: number): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': dataDirectory,
    ...singleNode,
    ...quickReturnAfterKill,
    // Small on purpose: two cores are shared with the tests.
    'num.network.threads': '2',
    'num.io.threads': '2',
    'background.threads': '2',
    'num.recovery.threads.per.data.dir': '1',
    'log.cleaner.dedupe.buffer.size': '4194304',
    'log.cleaner.backoff.ms': '500',
  };
}

/** Shared with the container: what a cluster of one needs, and no topic by accident. */
export const singleNode = {
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'share.coordinator.state.topic.num.partitions': '1',
  'group.initial.rebalance.delay.ms': '0',
  'auto.create.topics.enable': 'false',
};

// With the defaults a killed broker waits for its own dead session: 20 s instead of 4.
const quickReturnAfterKill = {
  'broker.session.timeout.ms': '1000',
  'broker.heartbeat.interval.ms': '200',
  'controller.quorum.election.timeout.ms': '200',
  'controller.quorum.fetch.timeout.ms': '1000',
};

function asProperties(properties: Record<string, string>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
