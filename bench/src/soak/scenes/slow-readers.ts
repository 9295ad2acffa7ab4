/**
 * Responses of 8 MB that clients read slowly or not at all: memory, and who is cut.
 */
import { acceptedConnections } from '../client-sockets.ts';
import { exactly, figure, healthyFigures } from '../figure.ts';
import { largeOrigin } from '../own-origins.ts';
import type { Scene } from '../scene.ts';

const BODY_BYTES = 8 * 2 ** 20;
const HEALTHY = 10;
const REQUEST = 'GET /large HTTP/1.1\r\nHost: soak\r\n\r\n';

export const SLOW_READERS: Scene = {
  name: 'slow-readers',
  title: '200 clients and responses of 8 MB: half of them read 64 KB per second, half nothing',
  async play(lab) {
    const origin = lab.keep(await largeOrigin(BODY_BYTES));
    const writeTimeoutMs = lab.size(5_000, 1_500);
    await lab.startProxy({ writeTimeoutMs, routes: { '/large': [origin.port] } });
    const clients = lab.steady({ clients: HEALTHY, perSecond: 400 });
    await clients.measure(500, lab.stage.signal);
    const before = await clients.measure(lab.size(4_000, 1_000), lab.stage.signal);
    const resident = lab.residentBytes();
    clients.reset();
    const count = lab.size(100, 30);
    const members = { count, perSecond: 100, send: REQUEST };
    const sipping = await lab.crowd({ ...members, read: { bytes: 16_384, everyMs: 250 } });
    await lab.crowd({ ...members, read: 'none' });
    await lab.pause(1_000);
    const grown = lab.residentBytes() - resident;
    // Cirque notices within twice the time that nothing has moved.
    await lab.pause(2 * writeTimeoutMs + 1_500);
    const during = clients.seen();
    const report = await sipping.report();
    // A client that does not read does not see that it is cut: the kernel knows.
    const left = acceptedConnections(lab.port) - report.open - HEALTHY;
    return [
      ...healthyFigures(before, during, lab.size(5, 150)),
      figure('memory per slow reader', grown / (2 * count) / 1_024, 'KB', { most: lab.size(256, 1_024) }),
      exactly('slow readers that are served', report.open, count),
      exactly('readers of nothing that are left', left, 0),
      ...(await lab.leftovers()),
    ];
  },
};
