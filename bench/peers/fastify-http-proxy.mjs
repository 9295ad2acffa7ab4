/**
 * @fastify/http-proxy on fastify: undici towards the origin, logging off.
 */
import fastifyHttpProxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { addresses, BACKLOG, KEEP_ALIVE_MS } from './addresses.mjs';

const { listen, upstream } = addresses();
const app = fastify({ logger: false, keepAliveTimeout: KEEP_ALIVE_MS });

await app.register(fastifyHttpProxy, {
  upstream: `http://${upstream.host}:${upstream.port}`,
  undici: { pipelining: 1, keepAliveTimeout: KEEP_ALIVE_MS },
});
await app.listen({ ...listen, backlog: BACKLOG });
