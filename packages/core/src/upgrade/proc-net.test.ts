import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isOnlyConnected, listeningSocket } from './proc-net.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cirque-proc-'));
  mkdirSync(join(root, 'fd'));
  mkdirSync(join(root, 'net'));
});
afterEach(() => rmSync(root, { recursive: true }));

function descriptor(number: number, target: string): void {
  symlinkSync(target, join(root, 'fd', String(number)));
}

function net(file: string, ...lines: string[]): void {
  writeFileSync(join(root, 'net', file), `  header\n${lines.join('\n')}\n`);
}

/** A line as /proc has it on a little-endian machine. */
function inet(local: string, state: string, inode: number): string {
  return `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0000 100`;
}

describe('listeningSocket', () => {
  test('listeningSocket reads TCP and UDP of both families', () => {
    for (const number of [3, 4, 5, 6]) descriptor(number, `socket:[10${number}]`);
    net('tcp', inet('0100007F:1F90', '0A', 999), inet('0100007F:0050', '0A', 103));
    net('tcp6', inet('00000000000000000000000000000000:01BB', '0A', 104));
    net('udp', inet('00000000:0035', '07', 105));
    net('udp6', inet('B80D0120000000000000000001000000:0035', '07', 106));
    expect([3, 4, 5, 6].map((number) => listeningSocket(number, root))).toEqual([
      { kind: 'tcp', bound: '127.0.0.1:80' },
      { kind: 'tcp', bound: '[::]:443' },
      { kind: 'udp', bound: '0.0.0.0:53' },
      { kind: 'udp', bound: '[2001:db8::1]:53' },
    ]);
  });

  test('listeningSocket reads unix sockets that listen on a path, with spaces in it', () => {
    for (const number of [3, 4, 5, 6]) descriptor(number, `socket:[10${number}]`);
    net(
      'unix',
      '0000000000000000: 00000002 00000000 00010000 0001 01 103 /run/my app.sock',
      '0000000000000000: 00000002 00000000 00010000 0001 01 104 @abstract',
      '0000000000000000: 00000002 00000000 00000000 0002 01 105 /run/datagram.sock',
      '0000000000000000: 00000002 00000000 00000000 0001 03 106 /run/connected.sock',
    );
    expect([3, 4, 5, 6].map((number) => listeningSocket(number, root))).toEqual([
      { kind: 'unix', bound: 'unix:/run/my app.sock' },
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('listeningSocket knows no connections, files, closed descriptors', () => {
    descriptor(3, 'socket:[103]');
    descriptor(4, '/dev/null');
    net('tcp', inet('0100007F:0050', '01', 103));
    expect([3, 4, 5].map((number) => listeningSocket(number, root))).toEqual([undefined, undefined, undefined]);
  });
});

describe('isOnlyConnected', () => {
  test('isOnlyConnected tells ports of which all sockets are connected, and nothing else', () => {
    net('udp', inet('0100007F:0035', '01', 1), inet('0100007F:1F90', '07', 2), inet('0100007F:1F90', '01', 3));
    net('udp6', inet('00000000000000000000000000000000:01BB', '07', 4), inet('0000000000000000:0035', '01', 5));
    expect([53, 8_080, 443, 54].map((port) => isOnlyConnected(port, root))).toEqual([true, false, false, false]);
  });

  test('isOnlyConnected knows nothing where there is nothing to read', () => {
    expect(isOnlyConnected(53, root)).toBe(false);
  });
});
