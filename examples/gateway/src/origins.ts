// Two origins for the example: an API that shows what arrives, and a site.
import { createServer } from 'node:http';
import { closeAll, runOrigin } from '@cirque-example/origins';

/** Addresses of the running origins, and how to stop them. */
export interface Origins {
  readonly api: string;
  readonly site: string;
  close(): void;
}

const api = createServer((request, response) => {
  const { authorization = 'none', 'x-forwarded-for': client } = request.headers;
  response.setHeader('X-Powered-By', 'something with holes');
  response.end(`api: ${request.method} ${request.url}, for ${client}, authorization: ${authorization}\n`);
});

const site = createServer((request, response) => response.end(`site: ${request.method} ${request.url}\n`));

export async function startOrigins(): Promise<Origins> {
  const [one, other] = await Promise.all([runOrigin(api), runOrigin(site)]);
  return { api: one.address, site: other.address, close: closeAll([one, other]) };
}
