import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock, LeakCheck } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Discovered, FileDiscovery, type FileDiscoveryOptions } from '../src/index.ts';
import { until } from './servers.ts';

let leaks: LeakCheck;
let folder: string;
let clock: FakeClock;
let wheel: TimerWheel;
let stop: AbortController;
beforeEach(() => {
  leaks = LeakCheck.start();
  folder = mkdtempSync(join(tmpdir(), 'cirque-lb-'));
  clock = new FakeClock();
  wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  rmSync(folder, { recursive: true, force: true });
  await leaks.assertClean();
  expect(wheel.size).toBe(0);
});

const addresses = ({ backends }: Discovered): string[] => Array.from(backends, ({ address }) => address);
const chainOf = (result: Promise<unknown>): Promise<string> => result.then(() => 'no failure', String);

function open(name: string, options: FileDiscoveryOptions = {}): FileDiscovery {
  return new FileDiscovery(join(folder, name), { time: { clock, wheel }, ...options });
}

/** As careful writers do it. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

describe('FileDiscovery', () => {
  it('FileDiscovery reads lines, or JSON where the name or the option says so', async () => {
    writeFileSync(join(folder, 'backends'), '10.0.0.1:80 weight=2\n10.0.0.2:80 enabled=false\n');
    const found = await open('backends').discover();
    expect(addresses(found)).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
    expect(found.enabled).toEqual(new Map([['10.0.0.2:80', false]]));
    writeFileSync(join(folder, 'backends.json'), '["10.0.0.3:80"]');
    expect(addresses(await open('backends.json').discover())).toEqual(['10.0.0.3:80']);
    writeFileSync(join(folder, 'list'), '["10.0.0.4:80"]');
    expect(addresses(await open('list', { format: 'json' }).discover())).toEqual(['10.0.0.4:80']);
  });

  it('FileDiscovery says what is wrong with the file, by its name', async () => {
    const path = join(folder, 'backends');
    expect(await chainOf(open('backends').discover())).toMatch(/FileReadError.*backends.*ENOENT/);
    writeFileSync(path, '10.0.0.1:80\n10.0.0.2');
    expect(await chainOf(open('backends').discover())).toContain(
      `the last line of ${path} does not end in a line break`,
    );
    writeFileSync(path, '10.0.0.1:80\nnobody\n');
    expect(await chainOf(open('backends').discover())).toContain(`${path}:2: backend address "nobody" is not valid`);
    writeFileSync(path, '');
    expect(await chainOf(open('backends').discover())).toContain(`${path} has no backends`);
    expect(addresses(await open('backends', { allowEmpty: true }).discover())).toEqual([]);
    writeFileSync(path, `# ${'x'.repeat(100)}\n10.0.0.1:80\n`);
    expect(await chainOf(open('backends', { maxBytes: 100 }).discover())).toContain('it has 115 bytes, more than 100');
  });

  it('FileDiscovery ends with the signal', async () => {
    writeFileSync(join(folder, 'backends'), '10.0.0.1:80\n');
    const result = open('backends').discover(AbortSignal.abort(new Error('shutdown')));
    expect(await chainOf(result)).toMatch(/abort/i);
  });

  it.each<[FileDiscoveryOptions, RegExp]>([
    [{ format: 'yaml' as 'json' }, /^format must be 'json' or 'lines', got yaml$/],
    [{ maxBytes: 0 }, /^maxBytes must be an integer from 1/],
    [{ pollMs: -1 }, /^pollMs must be an integer from 0, got -1$/],
    [{ settleMs: 0 }, /^settleMs must be an integer from 1, got 0$/],
    [{ events: false, pollMs: 0 }, /^pollMs is 0 and events is false: no change would ever be noticed$/],
  ])('FileDiscovery refuses %j', (options, message) => {
    expect(() => new FileDiscovery('backends', options)).toThrow(message);
  });

  it('FileDiscovery refuses an empty path', () => {
    expect(() => new FileDiscovery('')).toThrow('path must be that of a file, got ');
  });
});

/** A discovery that was read once and is watched, and how often it said that something has changed. */
interface Watched {
  readonly discovery: FileDiscovery;
  changes: number;
}

async function watch(name: string, options: FileDiscoveryOptions = {}): Promise<Watched> {
  const discovery = open(name, options);
  await discovery.discover().catch(() => undefined);
  const watched = { discovery, changes: 0 };
  discovery.watch(() => {
    watched.changes += 1;
  }, stop.signal);
  // It has looked once and waits for the next time.
  await until(() => wheel.size === 1);
  return watched;
}

/** Lets an event come, and lets it look. */
async function settle(): Promise<void> {
  await until(() => wheel.size === 2);
  clock.advance(120);
}

describe('FileDiscovery.watch', () => {
  it('FileDiscovery.watch tells of a file that was replaced, rewritten, removed or made', async () => {
    const path = join(folder, 'backends');
    writeFileSync(path, '10.0.0.1:80\n');
    const watched = await watch('backends');
    const steps: [() => void, string[] | undefined][] = [
      [() => replace(path, '10.0.0.2:80\n'), ['10.0.0.2:80']],
      [() => writeFileSync(path, '10.0.0.3:8080\n'), ['10.0.0.3:8080']],
      [() => rmSync(path), undefined],
      [() => writeFileSync(path, '10.0.0.4:80\n'), ['10.0.0.4:80']],
    ];
    for (const [index, [change, expected]] of steps.entries()) {
      change();
      await settle();
      await until(() => watched.changes === index + 1);
      expect(await watched.discovery.discover().then(addresses, () => undefined)).toEqual(expected);
    }
  });

  it('FileDiscovery.watch tells of a half-written file once, and again when it is whole', async () => {
    const path = join(folder, 'backends.json');
    writeFileSync(path, '["10.0.0.1:80"]');
    const watched = await watch('backends.json');
    writeFileSync(path, '["10.0.0.1:80", "10.0.');
    await settle();
    await until(() => watched.changes === 1);
    expect(await chainOf(watched.discovery.discover())).toContain('is not JSON, or half-written');
    writeFileSync(path, '["10.0.0.1:80", "10.0.0.2:80"]');
    await settle();
    await until(() => watched.changes === 2);
    expect(addresses(await watched.discovery.discover())).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
  });

  it('FileDiscovery.watch says nothing of other files, and of a file that stays the same', async () => {
    const path = join(folder, 'backends');
    writeFileSync(path, '10.0.0.1:80\n');
    const watched = await watch('backends');
    writeFileSync(join(folder, 'other'), 'x');
    await settle();
    for (let i = 0; i < 3; i += 1) {
      await until(() => wheel.size === 1);
      clock.advance(5_020);
    }
    await until(() => wheel.size === 1);
    expect(watched.changes).toBe(0);
  });

  it('FileDiscovery.watch follows symbolic links that are exchanged', async () => {
    for (const [name, text] of [
      ['one', '10.0.0.1:80\n'],
      ['two', '10.0.0.2:80\n'],
    ] as const) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'backends'), text);
    }
    symlinkSync('one', join(folder, 'data'));
    symlinkSync('data/backends', join(folder, 'backends'));
    const watched = await watch('backends');
    symlinkSync('two', join(folder, 'data.new'));
    renameSync(join(folder, 'data.new'), join(folder, 'data'));
    await settle();
    await until(() => watched.changes === 1);
    expect(addresses(await watched.discovery.discover())).toEqual(['10.0.0.2:80']);
  });

  it('FileDiscovery.watch notices changes without events, when it looks', async () => {
    const path = join(folder, 'backends');
    writeFileSync(path, '10.0.0.1:80\n');
    const watched = await watch('backends', { events: false, pollMs: 1_000 });
    // Same size, another time: the content is another one.
    writeFileSync(path, '10.0.0.2:80\n');
    utimesSync(path, 1, 1);
    clock.advance(980);
    expect(watched.changes).toBe(0);
    clock.advance(40);
    await until(() => watched.changes === 1);
    expect(addresses(await watched.discovery.discover())).toEqual(['10.0.0.2:80']);
  });

  it('FileDiscovery.watch goes on in a folder that comes later, or anew', async () => {
    const inner = join(folder, 'inner');
    const path = join(inner, 'backends');
    const watched = await watch('inner/backends');
    const read = (): Promise<string[]> => watched.discovery.discover().then(addresses, () => []);
    /** As time goes by, until it has noticed. */
    const noticed = async (expected: string[]): Promise<void> => {
      const before = watched.changes;
      await until(() => {
        clock.advance(100);
        return watched.changes > before;
      }, 20_000);
      expect(await read()).toEqual(expected);
    };
    for (const number of [1, 2]) {
      rmSync(inner, { recursive: true, force: true });
      mkdirSync(inner);
      writeFileSync(path, `10.0.0.${number}:80\n`);
      await noticed([`10.0.0.${number}:80`]);
      // Quiet, and by now the folder is watched that is there: an event tells, not the look at intervals.
      await until(() => {
        if (wheel.size > 1) clock.advance(120);
        return wheel.size === 1;
      });
      const { changes } = watched;
      replace(path, `10.0.0.${number}:81\n`);
      await settle();
      await until(() => watched.changes > changes);
      expect(await read()).toEqual([`10.0.0.${number}:81`]);
    }
  });

  it('FileDiscovery.watch ends with the signal, and does not begin after it', async () => {
    writeFileSync(join(folder, 'backends'), '10.0.0.1:80\n');
    const watched = await watch('backends');
    stop.abort();
    expect(wheel.size).toBe(0);
    replace(join(folder, 'backends'), '10.0.0.2:80\n');
    watched.discovery.watch(() => expect.unreachable(), stop.signal);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(60_000);
    expect([wheel.size, watched.changes]).toEqual([0, 0]);
  });
});
