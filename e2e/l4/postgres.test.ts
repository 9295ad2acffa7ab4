/**
 * PostgreSQL behind a TCP listener, asked by psql: copies of 100,000 rows, a cancel request, which is a second connection, and TLS
 * that begins in the middle of a connection.
 */
import { createHash } from 'node:crypto';
import { makeCa } from '@cirque/testing';
import { requireTool } from '@cirque-internal/config/system-tools';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runTool } from '../src/run-tool.ts';
import { PATIENCE_MS } from './src/exchanges.ts';
import { freePort } from './src/free-port.ts';
import type { GatewayProcess } from './src/gateway-process.ts';
import { postgresFolder, startPostgres } from './src/postgres.ts';
import { LIMITS, Site } from './src/site.ts';

vi.setConfig(LIMITS);

const psql = requireTool('psql');
const folder = postgresFolder();
const reason = psql.reason ?? (folder === undefined ? 'there is no PostgreSQL server here' : undefined);
if (folder === undefined) process.stderr.write(`SKIPPED: ${reason}\n`);

const ROWS = 100_000;
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

let site: Site;
let cirque: GatewayProcess;
let port: number;
let caFile: string;

/** The words with which psql connects through the gateway. */
function words(query: string, more = 'sslmode=disable'): string[] {
  const connection = `host=db.test hostaddr=127.0.0.1 port=${port} user=tester dbname=postgres ${more}`;
  return ['-X', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', connection, '-c', query];
}

async function ask(query: string, more?: string, input?: string): Promise<string> {
  const options = { timeoutMs: 60_000, ...(input === undefined ? {} : { input }) };
  const { code, stdout, stderr } = await runTool(psql.path as string, words(query, more), options);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trim();
}

describe.skipIf(reason !== undefined)(`postgres (${reason ?? 'present'})`, () => {
  beforeAll(async () => {
    site = new Site();
    port = await freePort();
    const ca = makeCa('l4');
    const server = await startPostgres(site, folder as string, ca.issue({ names: ['db.test'] }));
    caFile = site.file('ca.pem', ca.cert);
    cirque = await site.gateway(`
listeners: [{ name: db, address: "127.0.0.1:${port}", protocol: tcp, upstream: db }]
upstreams: { db: ["127.0.0.1:${server}"] }
`);
  });
  afterAll(() => site?.close());

  it('copies 100,000 rows out and in', async () => {
    const rows = Array.from({ length: ROWS }, (_, index) => `${index}\t${md5(String(index))}`);
    const query = `copy (select i, md5(i::text) from generate_series(0, ${ROWS - 1}) i) to stdout`;
    expect(md5(await ask(query))).toBe(md5(rows.join('\n')));

    await ask('create table copied (i int, hash text)');
    await ask('copy copied from stdin', undefined, `${rows.join('\n')}\n`);
    const check = `select count(*), md5(string_agg(hash, '' order by i)) from copied`;
    expect(await ask(check)).toBe(`${ROWS}|${md5(rows.map((row) => row.split('\t')[1]).join(''))}`);
  });

  it('cancels a query over a connection of its own', async () => {
    const client = site.program(psql.path as string, words('select pg_sleep(600)'));
    const running = `select count(*) from pg_stat_activity where query = 'select pg_sleep(600)'`;
    await expect.poll(() => ask(running), { timeout: PATIENCE_MS }).toBe('1');
    const before = (await cirque.stat('gateway', 'db', 'connections', 'accepted')) as number;
    client.kill('SIGINT');
    expect(await client.exit).toBe(1);
    expect(client.output).toContain('canceling statement due to user request');
    expect(await cirque.stat('gateway', 'db', 'connections', 'accepted')).toBe(before + 1);
  });

  it.each(['TLSv1.2', 'TLSv1.3'])('passes the request for TLS on, and %s to the end', async (version) => {
    const tls = `sslmode=verify-full sslrootcert=${caFile} ssl_max_protocol_version=${version}`;
    const row = await ask('select ssl, version from pg_stat_ssl where pid = pg_backend_pid()', tls);
    expect(row).toBe(`t|${version}`);
  });
});
