/**
 * The command line of `npm run soak`.
 */
import { parseArgs } from 'node:util';
import { asUsage, listOption, requireKnown, wholeNumberOption } from '../options.ts';

export interface SoakOptions {
  /** Small crowds and short times with generous bounds, as in the tests. */
  readonly short: boolean;
  /** Length of the timed parts, in seconds. Default 6, short 2. */
  readonly seconds: number;
  /** Requests of the memory scene. Default 1,000,000, short 50,000. */
  readonly requests: number;
  /** Threads of Cirque. Default 1. */
  readonly threads: number;
  readonly scenes: readonly string[];
  readonly contestants: readonly string[];
  /** Path of the JSON file; undefined means a dated name under bench/results. */
  readonly out: string | undefined;
}

export function soakHelp(scenes: readonly string[], contestants: readonly string[]): string {
  return `npm run soak -- [options]     proxies under stress: what each of them does

  --rows NAME,...      ${scenes.join(', ')}
                       (default: all)
  --only PROXY,...     ${contestants.join(', ')} (default: all)
  --seconds N          length of the timed parts (default 6)
  --requests N         requests of the memory row (default 1000000)
  --threads N          threads of Cirque (default 1)
  --short              small crowds and generous bounds: a minute per proxy
  --out FILE           the JSON file (default bench/results/soak-<date>.json)
  --help`;
}

const MOST_SECONDS = 600;
const MOST_REQUESTS = 1_000_000_000;
const MOST_THREADS = 64;

/** Answers `help` when the help text is wanted. Throws UsageError. */
export function parseSoakOptions(
  argv: readonly string[],
  scenes: readonly string[],
  contestants: readonly string[],
): SoakOptions | 'help' {
  const text = { type: 'string' } as const;
  const list = { type: 'string', multiple: true } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { rows: list, only: list, seconds: text, requests: text, threads: text, short: flag, out: text };
  const { values } = asUsage(() => parseArgs({ args: [...argv], options: { ...options, help: flag } }));
  if (values.help) return 'help';
  const { short } = values;
  const chosen = listOption(values.rows);
  const only = listOption(values.only);
  requireKnown('rows', chosen, scenes);
  requireKnown('only', only, contestants);
  return {
    short,
    seconds: wholeNumberOption('seconds', values.seconds, short ? 2 : 6, 1, MOST_SECONDS),
    requests: wholeNumberOption('requests', values.requests, short ? 50_000 : 1_000_000, 1_000, MOST_REQUESTS),
    threads: wholeNumberOption('threads', values.threads, 1, 1, MOST_THREADS),
    scenes: chosen.length === 0 ? scenes : scenes.filter((name) => chosen.includes(name)),
    contestants: only.length === 0 ? contestants : contestants.filter((name) => only.includes(name)),
    out: values.out,
  };
}
