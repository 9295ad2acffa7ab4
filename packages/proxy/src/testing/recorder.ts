/**
 * Writes down what a proxy under test does: which phases it calls, in their order, and what it logs.
 */
import type { Logger } from '@cirque/core';
import type { HttpModules } from '../http-modules.ts';
import { PHASES, type PhaseName } from '../phases.ts';
import type { ProxyPhases } from '../proxy-http.ts';

/** One line of the log. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** The same phases, each call noted in `calls` first. Absent phases stay absent. */
export function recordPhases<Ctx>(phases: ProxyPhases<Ctx>, calls: PhaseName[]): ProxyPhases<Ctx> {
  const recorded: Record<string, unknown> = {};
  for (const { name } of PHASES) {
    const phase: unknown = phases[name];
    if (typeof phase !== 'function') {
      recorded[name] = phase;
      continue;
    }
    recorded[name] = (...values: unknown[]): unknown => {
      calls.push(name);
      return Reflect.apply(phase, phases, values);
    };
  }
  // They belong to no request.
  for (const name of ['initDownstreamModules', 'initUpstreamModules'] as const)
    recorded[name] = (modules: HttpModules) => phases[name]?.(modules);
  return recorded as unknown as ProxyPhases<Ctx>;
}

/** A logger that keeps its lines. */
export function recordingLogger(lines: LogLine[]): Logger {
  const at =
    (level: LogLine['level']) =>
    (facts: object | string, message = ''): void => {
      if (typeof facts === 'string') lines.push({ level, message: facts, facts: {} });
      else lines.push({ level, message, facts: { ...facts } });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
