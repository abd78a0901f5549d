import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Journal } from '../../pipeline/core/metrics.js';
import type { Connection } from './connection.js';
import { failureCodes } from './failures.js';

/** Keeps the id under which this process is a member, for the process after a crash. */
export interface MemberFile {
  /** Take the group's dead member out: it would hold every rebalance up until its session times out. */
  leaveForPredecessor(): Promise<void>;
  keep(memberId: string): void;
  forget(): void;
}

export function memberFile(directory: string, group: string, slot: number, connection: Connection, journal: Journal): MemberFile {
  const file = path.join(directory, `member-${encodeURIComponent(group)}-${slot}`);
  return {
    leaveForPredecessor: async () => {
      const memberId = read(file);
      if (memberId === undefined) return;
      try {
        await connection.leaveFor(group, memberId);
        journal.info({ group }, 'Left the group for the process before this one.');
      } catch (error) {
        // Mostly UNKNOWN_MEMBER_ID: the session is over already. Otherwise the group finds out by itself, only later.
        journal.debug({ group, codes: failureCodes(error) }, 'The process before this one is no member any more.');
      }
      rmSync(file, { force: true });
    },
    keep: (memberId) => {
      try {
        mkdirSync(directory, { recursive: true });
        writeFileSync(file, memberId);
      } catch (error) {
        // It spares a wait, no more: a full disk must not keep the process out of its group.
        journal.warn({ group, error: (error as Error).message }, 'The member id cannot be kept: if this process dies, the group waits for its session to end.');
      }
    },
    forget: () => rmSync(file, { force: true }),
  };
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8') || undefined;
  } catch {
    return undefined;
  }
}
