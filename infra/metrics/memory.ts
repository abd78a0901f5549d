import { readFileSync } from 'node:fs';

/** Memory of a process that is in RAM, in bytes. */
export interface ResidentMemory {
  /** Its own, on all threads and of native libraries: what a limit must hold. */
  readonly anonymous: number;
  /** Pages of files that are mapped into it: libraries, and tables as they were read. The system takes them back when somebody needs room. */
  readonly files: number;
}

/** Of this process by default; undefined where the system does not tell the two apart, as only Linux does. */
export function residentMemory(status = statusOf()): ResidentMemory | undefined {
  const bytes = (name: string): number => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN);
  const [anonymous, files] = [bytes('RssAnon'), bytes('RssFile')];
  return Number.isFinite(anonymous) && Number.isFinite(files) ? { anonymous, files } : undefined;
}

function statusOf(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}
