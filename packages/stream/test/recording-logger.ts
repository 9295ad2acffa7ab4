/**
 * A logger that keeps its lines.
 */
import type { Logger } from '@cirque/core';

/** One line that was logged. */
export interface LogLine {
  readonly level: string;
  readonly facts: Record<string, unknown>;
  readonly message: string;
}

export function recordingLogger(lines: LogLine[], bindings: Record<string, unknown> = {}): Logger {
  const method =
    (level: string) =>
    (facts: object | string, message?: string): void => {
      const text = typeof facts === 'string' ? facts : (message ?? '');
      lines.push({ level, facts: typeof facts === 'string' ? bindings : { ...bindings, ...facts }, message: text });
    };
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    child: (facts) => recordingLogger(lines, { ...bindings, ...facts }),
  };
}
