import { closeSync, fdatasync, openSync, write } from 'node:fs';

/** A file to which bytes are appended durably: what comes while one write is on its way goes into the next. */
export function appendFile(path: string): { append(bytes: Buffer): Promise<void>; close(): void } {
  const fd = openSync(path, 'a');
  let waiting: { bytes: Buffer; done: (error: Error | null) => void }[] = [];
  let busy = false;
  const next = (): void => {
    const group = waiting;
    waiting = [];
    busy = group.length > 0;
    if (!busy) return;
    const finish = (error: Error | null): void => {
      for (const { done } of group) done(error);
      next();
    };
    write(fd, Buffer.concat(group.map(({ bytes }) => bytes)), (error) => (error ? finish(error) : fdatasync(fd, finish)));
  };
  return {
    append: (bytes) => new Promise((resolve, reject) => {
      waiting.push({ bytes, done: (error) => (error ? reject(error) : resolve()) });
      if (!busy) {
        busy = true;
        setImmediate(next);
      }
    }),
    close: () => closeSync(fd),
  };
}
