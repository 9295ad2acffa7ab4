// HTTPS on new connections, each of which resumes the TLS session of the one before, as browsers do.
import { request } from 'node:https';
import { answerTo } from './http-load.ts';
import { inLanes, type Pace } from './lanes.ts';
import type { Tally } from './tally.ts';
import { freshPath, type Target } from './target.ts';

/** How many sessions were resumed. */
export class Resumptions {
  offered = 0;
  resumed = 0;
  /** Of the resumed ones those that another process had begun. */
  byAnother = 0;
}

interface Session {
  readonly ticket: Buffer;
  readonly process: number;
}

/** A session that is not resumed fails the request, whatever its answer. */
export function tlsConnections(target: Target, tally: Tally, counts: Resumptions, pace: Pace): Promise<void> {
  return inLanes(pace, () => {
    let known: Session | undefined;
    return () =>
      tally.count(async (signal) => {
        const { process, ticket, resumed } = await ask(target, known?.ticket, signal);
        const before = known;
        known = ticket === undefined ? known : { ticket, process };
        if (before === undefined) return process;
        counts.offered += 1;
        if (!resumed) throw new Error(`process ${process} does not resume a session of process ${before.process}`);
        counts.resumed += 1;
        if (process !== before.process) counts.byAnother += 1;
        return process;
      });
  });
}

interface Answer {
  readonly process: number;
  readonly ticket: Buffer | undefined;
  readonly resumed: boolean;
}

async function ask(target: Target, session: Buffer | undefined, signal: AbortSignal): Promise<Answer> {
  const path = freshPath();
  const options = {
    host: '127.0.0.1',
    servername: 'localhost',
    port: target.tls,
    ca: target.ca,
    agent: false,
  } as const;
  const asked = request({ ...options, path, signal, ...(session === undefined ? {} : { session }) });
  let ticket: Buffer | undefined;
  let resumed = false;
  asked.once('socket', (socket) => {
    socket.on('session', (latest: Buffer) => {
      ticket = latest;
    });
    socket.once('secureConnect', () => {
      resumed = 'isSessionReused' in socket && (socket.isSessionReused as () => boolean)();
    });
  });
  const process = await answerTo(asked, path);
  return { process, ticket, resumed };
}
