/**
 * Where things are in the repository.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const BENCH_FOLDER: string = fileURLToPath(new URL('..', import.meta.url));
export const REPOSITORY_FOLDER: string = fileURLToPath(new URL('../..', import.meta.url));
export const PEERS_FOLDER: string = join(BENCH_FOLDER, 'peers');
export const PINGORA_FOLDER: string = join(PEERS_FOLDER, 'pingora');
export const PINGORA_BINARY: string = join(PINGORA_FOLDER, 'target', 'release', 'bench-pingora-proxy');
export const RESULTS_FOLDER: string = join(BENCH_FOLDER, 'results');
/** Where Debian puts nginx's module for TCP and UDP. */
export const NGINX_STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';
