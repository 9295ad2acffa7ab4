import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gatewayConfigFromText } from '@cirque/cli';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { L4Context } from './l4-configs.ts';
import { L4_ROWS } from './l4-rows.ts';
import { L4_SHAPES, type L4Duty } from './l4-shapes.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cirque-bench-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const contextOf = (duty: L4Duty): L4Context => ({
  duty,
  listenPort: 4001,
  upstreamPort: 4002,
  secondPort: 4003,
  directory,
  maxDescriptors: 10_500,
});

/** What the row is told: arguments, and the text of its configuration. */
function told(name: string, duty: L4Duty): string {
  const { args } = L4_ROWS.find((row) => row.name === name)?.command(contextOf(duty)) ?? { args: [] };
  const file = args.findLast((arg) => arg.startsWith(directory) && /\.(conf|cfg|yaml)$/.test(arg));
  return file === undefined ? args.join(' ') : readFileSync(file, 'utf8');
}

const carrying = (shape: string): string[] =>
  L4_ROWS.filter((row) => row.carries?.(L4_SHAPES.find(({ name }) => name === shape) as never) ?? true).map(
    ({ name }) => name,
  );

describe('L4_ROWS', () => {
  it('carry what they can', () => {
    expect(carrying('tcp-bulk')).toEqual(['nginx', 'nginx-128k', 'haproxy', 'node-pipe', 'cirque', 'cirque-run']);
    expect(carrying('tcp-short')).toEqual([
      'nginx',
      'haproxy',
      'node-pipe',
      'cirque',
      'cirque-run',
      'cirque-run-young',
    ]);
    expect(carrying('tls-passthrough-sni')).toEqual(['nginx', 'haproxy', 'cirque', 'cirque-run', 'cirque-run-young']);
    expect(carrying('udp-dns')).toEqual(['nginx', 'node-relay', 'cirque', 'cirque-run']);
  });

  it('are told where to listen, where to go, and that a session is over with its answer', () => {
    expect(told('nginx', 'tcp')).toMatch(/listen 127\.0\.0\.1:4001 backlog=4096;[\s\S]*proxy_pass 127\.0\.0\.1:4002;/);
    expect(told('nginx', 'udp-one-answer')).toMatch(/listen 127\.0\.0\.1:4001 udp;[\s\S]*proxy_responses 1;/);
    expect(told('nginx', 'udp')).not.toContain('proxy_responses');
    expect(told('nginx-128k', 'tcp')).toContain('proxy_buffer_size 131072;');
    expect(told('haproxy', 'tcp')).toMatch(
      /maxconn 5000[\s\S]*bind 127\.0\.0\.1:4001 [\s\S]*server only 127\.0\.0\.1:4002/,
    );
    expect(told('node-pipe', 'tcp')).toMatch(/--listen 127\.0\.0\.1:4001 --upstream 127\.0\.0\.1:4002$/);
    expect(told('cirque', 'udp-one-answer')).toMatch(/--upstream 127\.0\.0\.1:4002 --duty udp-one-answer/);
  });

  it('choose by server name', () => {
    expect(told('nginx', 'sni')).toMatch(
      /one\.test 127\.0\.0\.1:4002; two\.test 127\.0\.0\.1:4003;[\s\S]*ssl_preread on;/,
    );
    expect(told('haproxy', 'sni')).toMatch(/use_backend second if \{ req_ssl_sni -i two\.test \}/);
  });

  it.each(['tcp', 'sni', 'udp', 'udp-one-answer'] as const)('give cirque run a file that it accepts: %s', (duty) => {
    const { listeners } = gatewayConfigFromText(told('cirque-run', duty), 'cirque.yaml');
    const protocol = duty === 'tcp' || duty === 'sni' ? 'tcp' : 'udp';
    expect(listeners).toMatchObject([{ name: 'measured', protocol, address: '127.0.0.1:4001' }]);
    if (duty === 'sni') {
      const routes = [
        { sni: ['one.test'], upstream: 'first' },
        { sni: ['two.test'], upstream: 'second' },
      ];
      expect(listeners).toMatchObject([{ routes }]);
    }
    if (protocol === 'udp') expect(listeners).toMatchObject([{ responses: duty === 'udp' ? 0 : 1 }]);
  });
});
