// Three services in one server: a TCP echo, a plain HTTP responder and a background ticker that the responder reports.
import {
  backgroundServiceOf,
  httpService,
  ListeningService,
  type PlainRequest,
  type PlainResponse,
  parseArgs,
  Server,
} from '@cirque/core';
import { EchoApp } from './echo-app.ts';
import { Ticker } from './ticker.ts';

const options = parseArgs({
  name: 'echo-services',
  description: 'A TCP echo, an HTTP responder and a background ticker in one server.',
  options: {
    echo: { type: 'string', default: '127.0.0.1:6142', valueName: 'ADDRESS', help: 'where the TCP echo listens' },
    http: { type: 'string', default: '127.0.0.1:6145', valueName: 'ADDRESS', help: 'where the HTTP responder listens' },
  },
});
const server = new Server(options);
server.bootstrap();

const ticker = new Ticker();

async function respond(request: PlainRequest): Promise<PlainResponse> {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8' };
  if (request.target === '/ticks') return { headers, body: `${ticker.ticks} seconds\n` };
  if (request.method === 'POST') return { headers, body: await request.body() };
  return { status: 404, headers, body: 'try GET /ticks, or POST something\n' };
}

const echo = new ListeningService('echo', new EchoApp()).addTcp(options.values.echo);
const http = httpService('http', respond).addTcp(options.values.http);

server.addService(echo);
// The responder starts when the ticker is ready, since it reports what the ticker counts.
server.addService(http).addDependency(server.addService(backgroundServiceOf(ticker)));

server.onPhase((phase) => {
  if (phase !== 'Running') return;
  process.stdout.write(`echo on ${echo.endpoints[0]?.text}\n`);
  process.stdout.write(`http on ${http.endpoints[0]?.text}\n`);
});
await server.runForever();
