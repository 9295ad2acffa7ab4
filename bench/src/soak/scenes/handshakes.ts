/**
 * A flood of TLS handshakes, half of which never end, beside clients that have theirs behind them.
 */
import { clientHello } from '../client-hello.ts';
import { answered, exactly, type Figure, figure, healthyFigures, rangeFigures, timed } from '../figure.ts';
import type { Lab } from '../lab.ts';
import type { Scene } from '../scene.ts';

const REQUEST = 'GET /1k HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n\r\n';

/** How much later than configured a handshake may be cut. */
const LATE_MS = 1_500;
/** Who is not cut then, on however busy a machine, is not cut at all. */
const PATIENCE_MS = 10_000;

/** The delay of the event loop since the last look; of Cirque only. */
async function lagFigures(lab: Lab): Promise<Figure[]> {
  if (!lab.isCirque) return [];
  const { lagP99Ms } = await lab.stats();
  return [timed('event loop p99', lagP99Ms, { most: lab.size(50, 500) })];
}

export const HANDSHAKES: Scene = {
  name: 'handshakes',
  title: '200 TLS handshakes per second, of which half never end',
  async play(lab) {
    const timeoutMs = lab.size(3_000, 1_000);
    await lab.startProxy({ tls: true, headTimeoutMs: timeoutMs });
    const clients = lab.steady({ clients: 10, perSecond: 200 });
    const before = await lab.alone(clients);
    if (lab.isCirque) await lab.stats();
    const count = 100 * lab.options.seconds;
    const members = { count, perSecond: 100 };
    const hello = await clientHello();
    const [ending, hanging] = await Promise.all([
      lab.crowd({ ...members, send: REQUEST }),
      lab.crowd({ ...members, send: hello }, false),
    ]);
    const lag = await lagFigures(lab);
    const during = clients.seen();
    const report = await hanging.until(({ open }) => open === 0, timeoutMs + PATIENCE_MS);
    const bound = { least: timeoutMs - 100, most: timeoutMs + LATE_MS };
    return [
      ...healthyFigures(before, during, lab.size(20, 1_000)),
      ...lag,
      exactly('handshakes answered', answered(await ending.report(), 200), count),
      figure('still hanging', report.open, '', { most: 0 }),
      ...rangeFigures('cut', report.closed, bound),
      ...(await lab.leftovers()),
    ];
  },
};
