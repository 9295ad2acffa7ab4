/**
 * What is to be seen after the usual kinds of faults; rows say what differs.
 */
import type { Pair, Seen } from './fault.ts';

/** What a row says beside the kind of its outcome. */
export type Detail = Partial<Seen>;

/** An error closes the client's connection, where it is not shared with other requests. */
function afterError({ client }: Pair): Seen['downstream'] {
  return client === 'h2' ? 'kept' : 'ended';
}

/** The proxy gives an upstream request up: HTTP/2 does so for the stream alone. */
export function givenUp({ origin }: Pair): Pick<Seen, 'upstream' | 'idle'> {
  return origin === 'h2' ? { upstream: 'cancelled', idle: 1 } : { upstream: 'closed', idle: 0 };
}

/** The upstream is to blame, and nothing was sent before: an answer of the proxy's own. Not retried. */
export function errorAnswer(pair: Pair, type: string, status: 502 | 504, detail: Detail = {}): Seen {
  return {
    client: `answer ${status}`,
    downstream: afterError(pair),
    upstream: 'closed',
    log: [`error Upstream ${type} ${status}`, `access ${status}, failed`],
    attempts: 1,
    opened: 1,
    idle: 0,
    ...detail,
  };
}

/** The upstream is to blame, and a response had begun: the client sees that it is not whole. */
export function cut(pair: Pair, type: string, body: string, detail: Detail = {}): Seen {
  return {
    client: `cut 200${body === '' ? '' : ` ${body}`}`,
    downstream: afterError(pair),
    upstream: 'closed',
    log: [`error Upstream ${type} 200`, 'access 200, failed'],
    attempts: 1,
    opened: 1,
    idle: 0,
    ...detail,
  };
}

/** The first attempt failed, the second one did not: the client sees nothing of it. */
export function retried(type: string, body: string = 'ok', detail: Detail = {}): Seen {
  return {
    client: `answer 200 ${body}`,
    downstream: 'kept',
    upstream: 'closed',
    log: [`warn Upstream ${type} again`, 'access 200, retries 1'],
    attempts: 2,
    opened: 2,
    idle: 1,
    ...detail,
  };
}

/** All is well. */
export function answered(body: string, detail: Detail = {}): Seen {
  return {
    client: `answer 200 ${body}`,
    downstream: 'kept',
    upstream: 'kept',
    log: ['access 200'],
    attempts: 1,
    opened: 1,
    idle: 1,
    ...detail,
  };
}

/** The client has left: upstream work is given up at once, and nobody is answered. */
export function clientLeft(pair: Pair, type: string, status: 499 | 200 = 499, detail: Detail = {}): Seen {
  const sent = status === 200 ? 200 : 0;
  return {
    client: 'left',
    downstream: 'left',
    ...givenUp(pair),
    log: [`info Downstream ${type} ${sent}`, `access ${status}, failed`],
    attempts: 1,
    opened: 1,
    ...detail,
  };
}

/** There was no request at all. */
export function noRequest(detail: Detail = {}): Seen {
  return {
    client: 'nothing',
    downstream: 'ended',
    upstream: 'none',
    log: [],
    attempts: 0,
    opened: 0,
    idle: 0,
    ...detail,
  };
}
