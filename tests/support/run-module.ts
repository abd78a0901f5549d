import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SCRIPT = 'const module = await import(process.argv[1]); await module[process.argv[2]](...process.argv.slice(3));';
const FROM_SOURCE = ['--import', new URL('from-source.mjs', import.meta.url).href];

/** Arguments of a Node that is a program of TypeScript, whose own arguments follow. */
export const fromSource = (program: URL): string[] => [...FROM_SOURCE, fileURLToPath(program)];

/** Arguments of a Node that runs a function of a module from its source. */
export const running = (module: URL, run: string, ...given: string[]): string[] => [...FROM_SOURCE, '--input-type=module', '-e', SCRIPT, module.href, run, ...given];

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
