import { callDoor } from '../../infra/embedded-log/door.js';
import { deadLetters } from '../../schemas/topics.js';
import type { OffsetRange } from '../core/log.js';
import type { LetterLog, LetterPage } from '../dead-letters.js';

/**
 * The dead letters of the process that runs in a directory, read a page at a time. What is made of a hundred thousand of them is this
 * process's work: in the one that takes events and answers requests it would be a turn of seconds.
 */
export function runningLetters(directory: string): LetterLog {
  const ranges = async (): Promise<readonly OffsetRange[]> => (await callDoor(directory, { kind: 'dead-letter-ranges' })) as OffsetRange[];
  return {
    ranges,
    reader(positions) {
      const places = positions.map(({ partition, offset }) => ({ partition, offset, isOver: false }));
      return {
        async poll() {
          const place = places.find(({ isOver }) => !isOver);
          if (!place) return [];
          const { partition, offset } = place;
          const page = (await callDoor(directory, { kind: 'dead-letter-page', partition, offset })) as LetterPage;
          place.offset = page.next;
          place.isOver = page.isOver;
          return page.values.map((value) => ({ topic: deadLetters.name, partition, offset, key: null, value: Buffer.from(value, 'base64'), tick: null, writtenAt: 0 }));
        },
        lag: () => places.filter(({ isOver }) => !isOver).length,
        close: async () => {},
      };
    },
  };
}
