/**
 * Names for sessions in logs: short, and unique over threads, processes and restarts.
 */
import { randomBytes } from 'node:crypto';

/** Of this thread: no two share it. */
const PREFIX = randomBytes(6).toString('hex');

let sessions = 0;

/** `5f2c9e07a1b4-3k`: 12 hexadecimal digits of the thread, and the number of the session in base 36. */
export function newSessionId(): string {
  sessions += 1;
  return `${PREFIX}-${sessions.toString(36)}`;
}
