/**
 * How often a request is sent on a connection that its upstream is just closing, directly and with care.
 *
 * The worst case by design: an origin that closes 4 ms after each answer, and a next request after 3 to 5.5 ms; once in a
 * quiet event loop, once in one that was busy until then. Run with `node --conditions=@cirque/source`.
 */

import type { CirqueError } from '@cirque/error';
import { HttpConnector, HttpPeer } from '../src/index.ts';
import { startClosingOrigin } from '../test/closing-origin.ts';
import { exchange } from '../test/exchange.ts';

const ROUNDS = 1_000;
const CLOSE_AFTER_MS = 4;

/** Waits with the loop turning, or not turning. */
function pause(ms: number, busy: boolean): Promise<void> | undefined {
  const end = performance.now() + ms;
  if (!busy) {
    return new Promise((resolve) => {
      const look = (): void => {
        if (performance.now() >= end) resolve();
        else setTimeout(look, 0);
      };
      look();
    });
  }
  while (performance.now() < end);
  return undefined;
}

async function measure(careful: boolean, busy: boolean): Promise<void> {
  const origin = await startClosingOrigin(CLOSE_AFTER_MS);
  const connector = new HttpConnector();
  const peer = new HttpPeer(origin.address);
  let [reused, raced, retryable] = [0, 0, 0];
  for (let i = 0; i < ROUNDS; i += 1) {
    // One that is left over from the round before may be closing as well.
    while (!(await exchange(connector, peer).catch(() => undefined)));
    await pause(3 + Math.random() * 2.5, busy);
    try {
      if ((await exchange(connector, peer, { careful })).reused) reused += 1;
    } catch (error) {
      raced += 1;
      if ((error as CirqueError).retry === 'ReusedOnly') retryable += 1;
    }
  }
  connector.close();
  await origin.close();
  const fresh = ROUNDS - reused - raced;
  console.log(
    `${busy ? 'busy ' : 'quiet'} loop, ${careful ? 'careful' : 'direct '}: ${raced} raced (${retryable} without a byte of response), ${reused} reused, ${fresh} fresh`,
  );
}

for (const busy of [false, true]) for (const careful of [false, true]) await measure(careful, busy);
