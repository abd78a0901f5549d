import { existsSync } from 'node:fs';
import { run } from './processes.js';
import type { StartedTestContainer } from 'testcontainers';

/** What a suite may do to a container that it owns. */
export interface OwnedContainer {
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface ContainerPlan {
  image: string;
  /** Fixed ports outside: an ephemeral one would change at a restart, and a broker must advertise the one it is reached at. */
  ports: { container: number; host: number }[];
  env: Record<string, string>;
}

let answer: Promise<boolean> | undefined;

/** Asked once a process, and of the engine itself: an installed `docker` command without its engine is common. */
function dockerAnswers(): Promise<boolean> {
  answer ??= (async () => {
    const local = !process.env.DOCKER_HOST && !process.env.TESTCONTAINERS_HOST_OVERRIDE;
    if (local && !existsSync('/var/run/docker.sock') && !existsSync(`${process.env.XDG_RUNTIME_DIR ?? '/nowhere'}/docker.sock`)) return false;
    return run('docker', ['version', '--format', '{{.Server.Version}}']).then(
      () => true,
      () => false,
    );
  })();
  return answer;
}

/** A container where an engine answers; the bare machine's way where none does, or where the image cannot be had. */
export async function containerOr<S>(inContainer: () => Promise<S>, bare: () => Promise<S>): Promise<S> {
  if (!(await dockerAnswers())) return bare();
  try {
    return await inContainer();
  } catch (error) {
    process.stderr.write(`A Docker engine answers, but the container did not start (${String(error)}); trying without.\n`);
    return bare();
  }
}

export async function startContainer(plan: ContainerPlan): Promise<OwnedContainer> {
  // Imported only here: it costs half a second, and most machines that run unit tests never need it.
  const { GenericContainer, Wait, getContainerRuntimeClient } = await import('testcontainers');
  const started: StartedTestContainer = await new GenericContainer(plan.image)
    .withExposedPorts(...plan.ports)
    .withEnvironment(plan.env)
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  const client = await getContainerRuntimeClient();
  const handle = client.container.getById(started.getId());
  return {
    kill: async () => {
      await handle.kill({ signal: 'SIGKILL' });
    },
    restart: async () => {
      await handle.start();
    },
    stop: async () => {
      await started.stop({ timeout: 0 });
    },
  };
}
