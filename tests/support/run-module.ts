import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SCRIPT = 'const { runnerImport } = await import(\'vite\'); const { module } = await runnerImport(process.argv[1]); await module[process.argv[2]](...process.argv.slice(3));';

/** Arguments of a Node that runs a function of a module from its source. */
export const running = (module: URL, run: string, ...given: string[]): string[] => ['--input-type=module', '-e', SCRIPT, fileURLToPath(module), run, ...given];

/** Runs `run(directory)` of a module in a process of its own, and kills it so many ms after it has said a word for the first time; answers its whole lines. */
export function killed(module: URL, directory: string, word: string, afterMs: number): Promise<string[]> {
  const child = spawn(process.execPath, running(module, 'run', directory), { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  let isDoomed = false;
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString();
    if (isDoomed || !said.includes(word)) return;
    isDoomed = true;
    setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  return new Promise((resolve) => void child.stdout.on('close', () => resolve(said.split('\n').slice(0, -1))));
}
