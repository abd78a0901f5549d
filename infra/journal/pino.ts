import { pino } from 'pino';
import type { Journal } from '../../pipeline/core/metrics.js';

/** Structured log as JSON lines on stderr; stdout belongs to the answers of commands. */
export function pinoJournal(level: 'debug' | 'info' | 'warn' | 'error'): Journal {
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ fd: 2, sync: true }));
  return {
    debug: (fields, sentence) => logger.debug(fields, sentence),
    info: (fields, sentence) => logger.info(fields, sentence),
    warn: (fields, sentence) => logger.warn(fields, sentence),
    error: (fields, sentence) => logger.error(fields, sentence),
  };
}
