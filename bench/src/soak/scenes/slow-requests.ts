/**
 * Slowloris: heads that never end, and bodies that stop, beside healthy clients.
 */
import type { CrowdScript } from '../crowd-script.ts';
import { answered, exactly, type Figure, figure, healthyFigures, rangeFigures } from '../figure.ts';
import type { Lab } from '../lab.ts';
import { patientOrigin } from '../own-origins.ts';
import type { Scene } from '../scene.ts';

/** How much later than configured a connection may be cut. */
const LATE_MS = 1_500;
/** Who is not cut then, on however busy a machine, is not cut at all. */
const PATIENCE_MS = 10_000;

/** What a slow client sends. */
type Slowness = Pick<CrowdScript, 'send' | 'drip'>;

async function play(lab: Lab, slowness: Slowness): Promise<readonly Figure[]> {
  const origin = lab.keep(await patientOrigin());
  const timeoutMs = lab.size(5_000, 1_000);
  await lab.startProxy({ headTimeoutMs: timeoutMs, bodyTimeoutMs: timeoutMs, routes: { '/upload': [origin.port] } });
  const clients = lab.steady({ clients: 10, perSecond: 400 });
  const before = await lab.alone(clients);
  const count = lab.size(500, 200);
  const crowd = await lab.crowd({ count, perSecond: 500, ...slowness });
  const report = await crowd.until(({ open }) => open === 0, timeoutMs + PATIENCE_MS);
  const bound = { least: timeoutMs - 100, most: timeoutMs + LATE_MS };
  return [
    ...healthyFigures(before, clients.seen(), lab.size(5, 1_000)),
    exactly('slow clients', report.connected, count),
    exactly('cut with 408', answered(report, 408), count, JSON.stringify(report)),
    figure('cut without answer', report.closedUnanswered),
    figure('still there', report.open, '', { most: 0 }),
    ...rangeFigures('cut', report.closed, bound),
    ...(await lab.leftovers()),
  ];
}

export const SLOW_HEADS: Scene = {
  name: 'slow-heads',
  title: '500 clients that send a field of their head each second, and never its end',
  play: (lab) =>
    play(lab, {
      send: 'GET /1k HTTP/1.1\r\nHost: soak\r\n',
      drip: { text: 'X-Drip: 1\r\n', everyMs: lab.size(1_000, 300) },
    }),
};

export const SLOW_BODIES: Scene = {
  name: 'slow-bodies',
  title: '500 clients that stop after 3 bytes of a body of 1,000',
  play: (lab) => play(lab, { send: 'POST /upload HTTP/1.1\r\nHost: soak\r\nContent-Length: 1000\r\n\r\nabc' }),
};
