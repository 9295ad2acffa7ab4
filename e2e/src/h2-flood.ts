/**
 * Plays floods: sends as fast as the proxy takes it, until it ends the connection or everything is out.
 */
import type { H2Client } from './h2-client.ts';

/** Frames that are written at once. */
const FRAMES_AT_ONCE = 500;

/** Octets that may wait in this process for the proxy to take them. */
const UNSENT_BYTES = 1_048_576;

/** Sends the frames of all rounds, unless the connection ends before; `make` is asked for one round after the other. */
export async function flood(
  client: H2Client,
  rounds: number,
  make: (count: number) => readonly Buffer[],
): Promise<void> {
  let frames: Buffer[] = [];
  for (let count = 0; count < rounds && !client.isClosed; count++) {
    frames.push(...make(count));
    if (frames.length < FRAMES_AT_ONCE && count + 1 < rounds) continue;
    client.send(...frames);
    frames = [];
    await client.until(() => client.isClosed || client.wire.unsentSize < UNSENT_BYTES, 'the proxy to read', 10_000);
    // Other sockets get their turn.
    await new Promise(setImmediate);
  }
}
