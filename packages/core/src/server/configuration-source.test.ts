import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { silentLogger } from '../logger.ts';
import { ConfigurationError } from './conf-error.ts';
import { parseConfiguration } from './conf-file.ts';
import { ConfigurationSource } from './configuration-source.ts';
import { serverConfiguration } from './server-conf.ts';

function file(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'cirque-source-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'conf.yaml'), text);
  return join(folder, 'conf.yaml');
}

const warned = () => {
  const warn = vi.fn();
  return { warn, logger: { ...silentLogger, warn } };
};

describe('ConfigurationSource', () => {
  test('has the defaults, and nothing to read again, where nothing is said', () => {
    const source = new ConfigurationSource({}, undefined, silentLogger);
    expect(source.load()).toEqual(serverConfiguration());
    expect(source.reload()).toBeUndefined();
  });

  test('reads a file at first and again', () => {
    const conf = file('version: 1\nmax_retries: 3\n');
    const source = new ConfigurationSource({ conf }, undefined, silentLogger);
    expect(source.load().maxRetries).toBe(3);
    writeFileSync(conf, 'version: 1\nmax_retries: 4\n');
    expect(source.reload()?.maxRetries).toBe(4);
    writeFileSync(conf, 'version: 2\n');
    expect(() => source.reload()).toThrow(ConfigurationError);
  });

  test('asks readConfiguration in the place of the file, and logs what it warns of', () => {
    let retries = 5;
    const { warn, logger } = warned();
    const readConfiguration = () => parseConfiguration(`max_retries: ${retries}\nmax_retrys: 1\n`, 'mine.yaml');
    const source = new ConfigurationSource({ conf: '/nowhere/at/all', readConfiguration }, undefined, logger);
    expect(source.load().maxRetries).toBe(5);
    retries = 6;
    expect(source.reload()?.maxRetries).toBe(6);
    expect(warn.mock.calls).toEqual([
      ['mine.yaml:2:1: max_retrys is not a known key; did you mean max_retries?'],
      ['mine.yaml:2:1: max_retrys is not a known key; did you mean max_retries?'],
    ]);
    retries = -1;
    expect(() => source.reload()).toThrow('mine.yaml:1:14: max_retries: must be');
  });

  test('prints problems and ends the process where there is a command line, at the start only', () => {
    const stderr = { write: vi.fn() };
    const exit = vi.fn();
    const io = { stdout: stderr, stderr, exit };
    const readConfiguration = () => parseConfiguration('max_retries: -1\n', 'mine.yaml');
    const source = new ConfigurationSource({ io, readConfiguration }, undefined, silentLogger);
    expect(() => source.load()).toThrow(ConfigurationError);
    expect(exit).toHaveBeenCalledExactlyOnceWith(1);
    expect(stderr.write).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('mine.yaml:1:14: max_retries'));
    expect(() => source.reload()).toThrow(ConfigurationError);
    expect(exit).toHaveBeenCalledTimes(1);
  });

  test('takes settings from code before everything else', () => {
    const { warn, logger } = warned();
    const readConfiguration = vi.fn();
    const source = new ConfigurationSource({ conf: '/nowhere', readConfiguration }, { maxRetries: 2 }, logger);
    expect(source.load().maxRetries).toBe(2);
    expect(source.reload()).toBeUndefined();
    expect(readConfiguration).not.toHaveBeenCalled();
    expect(warn).toHaveBeenCalledTimes(1);
  });
});
