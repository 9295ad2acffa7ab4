/**
 * Responses of 8 MB that clients read slowly or not at all: memory, and who is cut.
 */
import { acceptedConnections } from '../client-sockets.ts';
import { exactly, figure, healthyFigures } from '../figure.ts';
import type { Scene } from '../scene.ts';

const BODY_BYTES = 8 * 2 ** 20;
const REQUEST = 'GET /8m HTTP/1.1\r\nHost: soak\r\n\r\n';
const FILL_MS = 1_000;
/** Who is not cut then, on however busy a machine, is not cut at all. */
const PATIENCE_MS = 10_000;
const ALL_BYTES_MS = 20_000;
/** Whoever does not read does not see that he is cut: the kernel knows, by this address. */
const STALLED = '127.0.0.3';

export const SLOW_READERS: Scene = {
  name: 'slow-readers',
  title: '200 clients and responses of 8 MB: half of them read 1 MB per second, half nothing',
  async play(lab) {
    // The kernel tells of room when a third of its megabytes is free: slow readers must have time for that.
    const writeTimeoutMs = lab.size(5_000, 3_000);
    await lab.startProxy({ writeTimeoutMs });
    const clients = lab.steady({ clients: 10, perSecond: 400 });
    const before = await lab.alone(clients);
    const resident = lab.residentBytes();
    const count = lab.size(100, 15);
    const members = { count, perSecond: 100, send: REQUEST };
    await lab.crowd({ ...members, from: STALLED, read: 'none' });
    const sipping = await lab.crowd({ ...members, read: { bytes: 65_536, everyMs: lab.size(60, 30) } });
    // The kernel takes megabytes for each at first: that is a burst of traffic, and no slow reader yet.
    await lab.pause(FILL_MS);
    clients.reset();
    const grown = lab.residentBytes() - resident;
    // Cirque notices within twice the time that nothing has moved.
    await lab.until(() => acceptedConnections(lab.port, STALLED) === 0, 2 * writeTimeoutMs + PATIENCE_MS);
    const left = acceptedConnections(lab.port, STALLED);
    const { receivedBytes } = await sipping.until((report) => report.receivedBytes >= count * BODY_BYTES, ALL_BYTES_MS);
    return [
      ...healthyFigures(before, clients.seen(), lab.size(20, 1_000)),
      figure('memory per slow reader', grown / (2 * count) / 1_024, 'KB', { most: lab.size(320, 1_024) }),
      figure('slow readers: received', (receivedBytes / (count * BODY_BYTES)) * 100, '%', { least: 100 }),
      exactly('readers of nothing that are left', left, 0),
      ...(await lab.leftovers()),
    ];
  },
};
