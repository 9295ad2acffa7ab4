/**
 * Responses of 8 MB that clients read slowly or not at all: memory, and who is cut.
 */
import { acceptedConnections } from '../client-sockets.ts';
import { exactly, figure, healthyFigures } from '../figure.ts';
import type { Scene } from '../scene.ts';

const REQUEST = 'GET /8m HTTP/1.1\r\nHost: soak\r\n\r\n';
const FILL_MS = 1_000;
/** Whoever does not read does not see that he is cut: the kernel knows, by these addresses. */
const SIPPING = '127.0.0.2';
const STALLED = '127.0.0.3';

export const SLOW_READERS: Scene = {
  name: 'slow-readers',
  title: '200 clients and responses of 8 MB: half of them read 512 KB per second, half nothing',
  async play(lab) {
    const writeTimeoutMs = lab.size(5_000, 1_500);
    await lab.startProxy({ writeTimeoutMs });
    const clients = lab.steady({ clients: 10, perSecond: 400 });
    const before = await lab.alone(clients);
    const resident = lab.residentBytes();
    const count = lab.size(100, 30);
    const members = { count, perSecond: 100, send: REQUEST };
    await lab.crowd({ ...members, from: STALLED, read: 'none' });
    await lab.crowd({ ...members, from: SIPPING, read: { bytes: lab.size(131_072, 262_144), everyMs: 250 } });
    // The kernel takes megabytes for each at first: that is a burst of traffic, and no slow reader yet.
    await lab.pause(FILL_MS);
    clients.reset();
    const grown = lab.residentBytes() - resident;
    // Cirque notices within twice the time that nothing has moved.
    await lab.until(() => acceptedConnections(lab.port, STALLED) === 0, 2 * writeTimeoutMs + 2_000);
    const served = (): number => acceptedConnections(lab.port, SIPPING);
    await lab.until(() => served() === count, 500);
    return [
      ...healthyFigures(before, clients.seen(), lab.size(5, 1_000)),
      figure('memory per slow reader', grown / (2 * count) / 1_024, 'KB', { most: lab.size(320, 1_024) }),
      exactly('slow readers that are served', served(), count),
      exactly('readers of nothing that are left', acceptedConnections(lab.port, STALLED), 0),
      ...(await lab.leftovers()),
    ];
  },
};
