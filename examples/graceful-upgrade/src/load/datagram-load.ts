// UDP: each datagram from a socket of its own; it has to come back.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { inLanes, type Pace } from './lanes.ts';
import type { Tally } from './tally.ts';
import { freshPath, type Target } from './target.ts';

export function datagrams({ udp }: Target, tally: Tally, pace: Pace): Promise<void> {
  return inLanes(pace, () => () => {
    return tally.count(async (signal) => {
      const socket = createSocket('udp4');
      try {
        const text = freshPath();
        const answer = once(socket, 'message', { signal });
        socket.send(text, udp, '127.0.0.1');
        const [message] = (await answer) as [Buffer];
        if (message.toString() !== text) throw new Error(`${message} in answer to ${text}`);
        return undefined;
      } finally {
        socket.close();
      }
    });
  });
}
