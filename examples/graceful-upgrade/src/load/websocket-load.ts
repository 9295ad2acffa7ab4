// WebSockets: some that are opened at the beginning and live through all upgrades, and some that come and go.
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { inLanes, type Pace } from './lanes.ts';
import type { Tally } from './tally.ts';
import { freshPath, type Target } from './target.ts';

/** One WebSocket for each lane: what it sends in even steps has to come back. One that ends fails, and is not replaced. */
export async function lastingWebSockets(target: Target, tally: Tally, pace: Pace): Promise<void> {
  await Promise.all(
    Array.from({ length: pace.lanes }, async () => {
      let socket: WebSocket | undefined;
      await inLanes({ ...pace, lanes: 1 }, () => () => {
        return tally.count(async (signal) => {
          socket ??= await open(target, signal);
          await echo(socket, signal);
          return undefined;
        });
      });
      socket?.close();
    }),
  );
}

/** Each opens, sends, is answered, and closes. */
export function newWebSockets(target: Target, tally: Tally, pace: Pace): Promise<void> {
  return inLanes(pace, () => () => {
    return tally.count(async (signal) => {
      const socket = await open(target, signal);
      let process: number | undefined;
      try {
        process = servedBy.get(socket);
        await echo(socket, signal);
      } finally {
        socket.close();
      }
      await once(socket, 'close', { signal });
      return process;
    });
  });
}

const servedBy = new WeakMap<WebSocket, number>();

async function open({ http }: Target, signal: AbortSignal): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${http}${freshPath()}`);
  socket.once('upgrade', (response) => servedBy.set(socket, Number(response.headers['x-process'])));
  await once(socket, 'open', { signal });
  socket.on('error', () => {}); // who waits for an answer learns of it
  return socket;
}

/** Resolves when what it sends has come back. */
async function echo(socket: WebSocket, signal: AbortSignal): Promise<void> {
  if (socket.readyState !== socket.OPEN) throw new Error('the WebSocket has ended');
  const text = freshPath();
  const settled = new AbortController();
  const either = AbortSignal.any([settled.signal, signal]);
  try {
    const answer = once(socket, 'message', { signal: either });
    const end = once(socket, 'close', { signal: either });
    socket.send(text);
    const [what] = (await Promise.race([answer, end])) as [unknown];
    if (String(what) !== text) throw new Error(`${String(what)} in answer to ${text}`);
  } finally {
    settled.abort();
  }
}
