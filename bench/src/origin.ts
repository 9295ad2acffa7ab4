/**
 * The origin behind every proxy: one nginx worker that answers as cheaply as it can.
 *
 * Each run has bodies of its own, so that an answer with the right bytes can only have come from this origin.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxFrame } from './nginx-frame.ts';
import type { OriginProtocol } from './traffic.ts';

/** The bodies of one run, by path. */
export interface OriginContent {
  readonly bodies: ReadonlyMap<string, Buffer>;
}

/** Longest body that stands in the nginx configuration itself; longer ones are files. */
const INLINE_LIMIT = 1024;

const SIZES: readonly (readonly [string, number])[] = [
  ['/100b', 100],
  ['/1k', 1024],
  ['/chunked', 1024],
  ['/64k', 65_536],
  ['/1m', 1_048_576],
  ['/8m', 8_388_608],
  ['/grpc', 64],
];

/** Printable bytes that differ from run to run and from path to path. */
export function createContent(): OriginContent {
  const bodies = new Map<string, Buffer>();
  for (const [path, size] of SIZES) {
    const text = randomBytes(Math.ceil(size / 2))
      .toString('hex')
      .slice(0, size);
    bodies.set(path, Buffer.from(text, 'latin1'));
  }
  return { bodies };
}

/** What `/check` answers, so that a proxy that loses header fields is found out: see `verify.ts`. */
const CHECK_ANSWER =
  'method=$request_method;uri=$request_uri;length=$content_length;agent=$http_user_agent;cookie=$http_cookie;hooks=$http_x_bench_filter,$http_x_bench_hook';

/** Writes configuration and files under `directory`; answers the arguments for nginx. */
export function writeOrigin(
  directory: string,
  ports: Readonly<Record<OriginProtocol, number>>,
  content: OriginContent,
): string[] {
  const files = join(directory, 'files');
  mkdirSync(files, { recursive: true });
  const locations: string[] = [];
  for (const [path, body] of content.bodies) {
    const inline = path !== '/chunked' && body.length <= INLINE_LIMIT;
    const trailer = path === '/grpc' ? 'default_type application/grpc; add_trailer grpc-status 0; ' : '';
    if (inline) locations.push(`location = ${path} { ${trailer}return 200 "${body.toString('latin1')}"; }`);
    else writeFileSync(join(files, path.slice(1)), body);
  }
  return nginxFrame(directory, {
    http: `
      sendfile on; tcp_nopush on; open_file_cache max=16 inactive=1h; open_file_cache_valid 1h;
      default_type text/html; root ${files};
      server {
        listen 127.0.0.1:${ports.http} backlog=4096;
        listen 127.0.0.1:${ports.h2c} http2 backlog=4096;
        # Server-side includes clear the length of the file, so nginx answers in chunks.
        location = /chunked { ssi on; }
        location = /check { return 200 "${CHECK_ANSWER}"; }
        ${locations.join('\n        ')}
      }`,
  });
}
