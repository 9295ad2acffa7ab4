/**
 * Turns a shape into a wrk command line, and wrk's result line into numbers.
 *
 * The numbers come from a line that `wrk/load.lua` writes, not from wrk's table: its latency rows look alike.
 */
import { fileURLToPath } from 'node:url';
import {
  type LoadCommand,
  type LoadGenerator,
  type LoadResult,
  type LoadTarget,
  urlOf,
  wholeSeconds,
} from './load-generator.ts';
import { requestFields, type Shape } from './shapes.ts';

const SCRIPT = fileURLToPath(new URL('../wrk/load.lua', import.meta.url));

/** Different heads that the `varied` shape sends in turn. */
const VARIED_HEADS = 256;

export const WRK: LoadGenerator = { program: 'wrk', command, parse };

function command(shape: Shape, { port, durationMs }: LoadTarget): LoadCommand {
  const fields = requestFields(shape).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const size = ['-t', '1', '-c', String(shape.connections), '-d', `${wholeSeconds(durationMs)}s`, '--timeout', '10s'];
  return {
    args: [...size, '-s', SCRIPT, ...fields, urlOf(shape, port)],
    env: {
      BENCH_POST_BYTES: String(shape.postBytes),
      BENCH_VARIED: String(shape.variedHeads ? VARIED_HEADS : 0),
    },
  };
}

/** Reads the one line that starts with `bench-result`. */
function parse(output: string): LoadResult {
  const line = /^bench-result (.+)$/m.exec(output)?.[1];
  if (line === undefined)
    throw new Error(`wrk wrote no result line; it said: ${output.trim().slice(-300) || 'nothing'}`);
  const values = new Map(line.split(' ').map((pair) => pair.split('=') as [string, string]));
  const number = (key: string): number => {
    const text = values.get(key);
    if (text === undefined || !/^\d+$/.test(text)) throw new Error(`wrk's result line lacks ${key}: ${line}`);
    return Number(text);
  };
  return {
    requests: number('requests'),
    durationUs: number('duration_us'),
    bytes: number('bytes'),
    p50Us: number('p50_us'),
    p99Us: number('p99_us'),
    errors: ['connect', 'read', 'write', 'status', 'timeout'].reduce((sum, key) => sum + number(key), 0),
  };
}
