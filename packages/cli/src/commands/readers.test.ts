import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GatewayConfigError } from '../config/gateway-config-error.ts';
import { fileReader, quickReader } from './readers.ts';

const folder = mkdtempSync(join(tmpdir(), 'cirque-readers-'));

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

describe('fileReader', () => {
  it('fileReader reads the same file again after a change of directory, as it is then', () => {
    const write = (upstream: string): void =>
      writeFileSync(
        `${folder}/cirque.yaml`,
        `listeners: [{ address: "unix:web.sock", upstream: a }]\nupstreams: { ${upstream}: ["127.0.0.1:1"], b: ["127.0.0.1:2"] }\n`,
      );
    write('a');
    vi.spyOn(process, 'cwd').mockReturnValue(folder);
    const read = fileReader('cirque.yaml');
    vi.restoreAllMocks();
    const { config, warnings } = read();
    expect(config.listeners[0]?.address).toBe(`unix:${folder}/web.sock`);
    expect(warnings).toEqual([expect.stringMatching(/upstreams\.b is used by no listener/)]);
    write('c');
    expect(read).toThrow(GatewayConfigError);
  });
});

describe('quickReader', () => {
  it('quickReader passes everything on to the servers of the command line', () => {
    const { config, warnings } = quickReader({ upstream: ['127.0.0.1:1', '127.0.0.1:2'] })();
    expect(config.listeners.map(({ address }) => address)).toEqual(['[::]:8080']);
    expect(config.upstreams).toMatchObject({ upstream: { discovery: { servers: [{}, {}] } } });
    expect(warnings).toEqual([]);
    expect(quickReader({ upstream: ['nonsense'] })).toThrow(GatewayConfigError);
  });
});
