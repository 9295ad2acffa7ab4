import { describe, expect, it } from 'vitest';
import { loadGeneratorFor } from './generator-for.ts';
import { H2LOAD } from './h2load.ts';
import { BROWSER_FIELDS, SHAPES, type Shape } from './shapes.ts';
import { WRK } from './wrk.ts';

const parseLoadResult = (output: string) => WRK.parse(output);
const loadCommand = (shape: Shape, port: number, durationMs: number) =>
  loadGeneratorFor(shape).command(shape, { port, durationMs, bodyFile: 'body' });

function shape(name: string): Shape {
  const found = SHAPES.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(name);
  return found;
}

const LINE =
  'bench-result requests=61300 duration_us=1000421 bytes=79690000 connect=0 read=0 write=0 status=0 timeout=0 p50_us=910 p99_us=6300 max_us=9000';

// What wrk itself prints: rows with percent signs and figures that look like the wanted ones.
const WRK_TEXT = `Running 1s test @ http://127.0.0.1:1/1k
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.02ms    0.99ms  20.00ms   99.00%
  Latency Distribution
     50%    7.77ms
     99%    8.88ms
  61300 requests in 1.00s, 76.00MB read
Requests/sec:  61274.21
`;

describe('parseLoadResult', () => {
  it('reads only the line of the script, whatever stands around it', () => {
    expect(parseLoadResult(`${WRK_TEXT}\n${LINE}\n`)).toEqual({
      requests: 61_300,
      durationUs: 1_000_421,
      bytes: 79_690_000,
      p50Us: 910,
      p99Us: 6300,
      errors: 0,
    });
  });

  it('adds up every kind of error', () => {
    const line = LINE.replace('connect=0', 'connect=1')
      .replace('read=0', 'read=2')
      .replace('write=0', 'write=4')
      .replace('status=0', 'status=8')
      .replace('timeout=0', 'timeout=16');
    expect(parseLoadResult(line).errors).toBe(31);
  });

  it('refuses output without the line, or with the words somewhere inside a line', () => {
    expect(() => parseLoadResult(WRK_TEXT)).toThrow('no result line');
    expect(() => parseLoadResult(`said: ${LINE}`)).toThrow('no result line');
    expect(() => parseLoadResult('')).toThrow('it said: nothing');
  });

  it('refuses a line in which a number is missing or broken', () => {
    expect(() => parseLoadResult(LINE.replace(' p99_us=6300', ''))).toThrow('lacks p99_us');
    expect(() => parseLoadResult(LINE.replace('read=0', 'read=-1'))).toThrow('lacks read');
  });
});

describe('loadCommand', () => {
  it('sends eight fields next to Host in the main shape', () => {
    const { args, env } = loadCommand(shape('1k'), 8080, 1000);
    expect(BROWSER_FIELDS).toHaveLength(8);
    expect(args.filter((arg) => arg === '-H')).toHaveLength(8);
    expect(args.slice(0, 6)).toEqual(['-t', '1', '-c', '64', '-d', '1s']);
    expect(args.at(-1)).toBe('http://127.0.0.1:8080/1k');
    expect(env).toEqual({ BENCH_POST_BYTES: '0', BENCH_VARIED: '0' });
  });

  it('asks for a close where every request has its own connection', () => {
    expect(loadCommand(shape('new-connection'), 1, 1000).args).toContain('Connection: close');
    expect(loadCommand(shape('100b'), 1, 1000).args).not.toContain('-H');
  });

  it('tells the script about request bodies and varied heads', () => {
    expect(loadCommand(shape('post'), 1, 1000).env.BENCH_POST_BYTES).toBe('1024');
    expect(loadCommand(shape('varied'), 1, 1000).env.BENCH_VARIED).toBe('256');
  });

  it('rounds the duration to whole seconds, at least one', () => {
    expect(loadCommand(shape('1k'), 1, 200).args).toContain('1s');
    expect(loadCommand(shape('1k'), 1, 3000).args).toContain('3s');
  });
});

describe('h2load', () => {
  const OUTPUT = `starting benchmark...
finished in 1.00s, 42385.21 req/s, 6.79MB/s
requests: 42400 total, 42480 started, 42400 done, 42399 succeeded, 1 failed, 0 errored, 0 timeout
traffic: 6.79MB (7123456) total, 1.2MB (1200000) headers (space savings 90.00%), 5.00MB (5000000) data
`;

  it('is what loads where clients speak HTTP/2', () => {
    expect(loadGeneratorFor(shape('h2')).program).toBe('h2load');
    expect(loadGeneratorFor(shape('tls')).program).toBe('wrk');
    const { args } = loadCommand(shape('h2-h2'), 8080, 1000);
    expect(args.slice(0, 6)).toEqual(['-t', '1', '-c', '8', '-m', '10']);
    expect(args).toContain('te: trailers');
    expect(args.slice(-3)).toEqual(['-d', 'body', 'http://127.0.0.1:8080/grpc']);
    expect(loadCommand(shape('h2-tls'), 8080, 1000).args.at(-1)).toBe('https://127.0.0.1:8080/1k');
  });

  it('is read by its summary', () => {
    const result = H2LOAD.parse(OUTPUT);
    expect(result).toMatchObject({ requests: 42_399, bytes: 7_123_456, errors: 1, p50Us: undefined });
    expect(result.durationUs).toBeCloseTo(1_000_325, -2);
    expect(() => H2LOAD.parse('usage: h2load')).toThrow('h2load told no requests');
  });
});
