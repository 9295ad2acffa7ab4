// HTTP/1.1: new connections, kept connections, a unix socket.
import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { inLanes, type Pace } from './lanes.ts';
import { KeptConnectionReset, type Tally } from './tally.ts';
import { freshPath, type Target } from './target.ts';

/** Each request on a connection of its own. */
export function newConnections(target: Target, tally: Tally, pace: Pace, prefix = ''): Promise<void> {
  const options = { host: '127.0.0.1', port: target.http, agent: false } as const;
  return inLanes(pace, () => () => tally.count((signal) => ask({ ...options, signal }, prefix)));
}

/** The same through the unix socket. */
export function unixConnections(target: Target, tally: Tally, pace: Pace): Promise<void> {
  const options = { socketPath: target.unix, agent: false } as const;
  return inLanes(pace, () => () => tally.count((signal) => ask({ ...options, signal })));
}

/** One connection for each lane, kept for as long as the server keeps it. */
export async function keptConnections(target: Target, tally: Tally, pace: Pace): Promise<void> {
  const agents: Agent[] = [];
  await inLanes(pace, () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    agents.push(agent);
    const options = { host: '127.0.0.1', port: target.http, agent };
    return () => tally.count((signal) => ask({ ...options, signal }));
  });
  for (const agent of agents) agent.destroy();
}

function ask(options: RequestOptions, prefix = ''): Promise<number> {
  const path = freshPath(prefix);
  return answerTo(request({ ...options, path }), path);
}

/** Sends it, and answers which process has answered. Rejects unless the whole answer to this very request has come. */
export async function answerTo(asked: ClientRequest, path: string): Promise<number> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve);
    asked.once('error', (error) => reject(asked.reusedSocket ? new KeptConnectionReset(error.message) : error));
    asked.end();
  });
  const body = await response.setEncoding('utf8').reduce((text: string, part: string) => text + part, '');
  check(response.statusCode, body, path);
  return Number(response.headers['x-process']);
}

/** @throws Error when it is not the answer of the origin to this request. */
export function check(status: number | undefined, body: string, path: string): void {
  if (status === 200 && body === `${path}\n`) return;
  throw new Error(`status ${status} and ${JSON.stringify(body)} in answer to ${path}`);
}
