/**
 * Asks a running gateway for its statistics, at its control address.
 */
import { request } from 'node:http';
import type { ServerStats } from '@cirque/core';
import { isUnixAddress, parseAddress } from '@cirque/transport';

/** How long an answer may take, in milliseconds. */
const TIMEOUT_MS = 5_000;
/** The largest answer: about 100,000 servers. */
const MAX_BYTES = 64 * 1_048_576;

/**
 * The statistics at this moment.
 *
 * @throws Error that names the address and what is wrong.
 */
export function fetchStats(address: string, signal?: AbortSignal): Promise<ServerStats> {
  const target = parseAddress(address);
  const where = isUnixAddress(target) ? { socketPath: target.path } : { host: target.host, port: target.port };
  const host = isUnixAddress(target) || target.host.includes(':') ? 'localhost' : target.host;
  return new Promise((resolve, reject) => {
    const fail = (reason: unknown): void => {
      const why = reason instanceof Error ? reason.message : String(reason);
      reject(new Error(`no statistics from ${address}: ${why}`));
    };
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    const ends = signal === undefined ? limit : AbortSignal.any([limit, signal]);
    const asked = request({ ...where, path: '/stats', headers: { Host: host }, signal: ends }, (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > MAX_BYTES) response.destroy(new Error(`more than ${MAX_BYTES} bytes`));
        else parts.push(part);
      });
      response.on('error', fail);
      response.on('end', () => {
        if (response.statusCode !== 200) return fail(`status ${response.statusCode}`);
        try {
          resolve(JSON.parse(Buffer.concat(parts).toString('utf8')) as ServerStats);
        } catch {
          fail('the answer is not JSON; is this the control address of a gateway?');
        }
      });
    });
    asked.on('error', fail);
    asked.end();
  });
}
