/**
 * Turns a shape into an h2load command line (nghttp2's load generator, for HTTP/2 clients), and its summary into numbers.
 *
 * It prints no percentiles, so these shapes have none.
 */
import {
  type LoadCommand,
  type LoadGenerator,
  type LoadResult,
  type LoadTarget,
  urlOf,
  wholeSeconds,
} from './load-generator.ts';
import { requestFields, type Shape } from './shapes.ts';

export const H2LOAD: LoadGenerator = { program: 'h2load', command, parse };

function command(shape: Shape, { port, durationMs, bodyFile }: LoadTarget): LoadCommand {
  const fields = requestFields(shape).flatMap(([name, value]) => ['-H', `${name.toLowerCase()}: ${value}`]);
  const size = ['-t', '1', '-c', String(shape.connections), '-m', String(shape.streams)];
  const time = ['-D', String(wholeSeconds(durationMs)), '-N', '10s'];
  const body = shape.postBytes > 0 ? ['-d', bodyFile] : [];
  return { args: [...size, ...time, ...fields, ...body, urlOf(shape, port)], env: {} };
}

function parse(output: string): LoadResult {
  const number = (what: string, pattern: RegExp): number => {
    const text = pattern.exec(output)?.[1];
    if (text === undefined)
      throw new Error(`h2load told no ${what}; it said: ${output.trim().slice(-300) || 'nothing'}`);
    return Number(text);
  };
  const requests = number('requests', /^requests: .* (\d+) succeeded,/m);
  const rate = number('rate', /^finished in .*, ([\d.]+) req\/s,/m);
  return {
    requests,
    durationUs: rate > 0 ? (requests / rate) * 1e6 : 0,
    bytes: number('traffic', /^traffic: .* \((\d+)\) total,/m),
    p50Us: undefined,
    p99Us: undefined,
    // Failed ones include those that broke off and those with a status of 400 or above.
    errors: number('failures', /^requests: .* (\d+) failed,/m),
  };
}
