/**
 * Slowloris: heads that never end, and bodies that stop, beside healthy clients.
 */
import type { CrowdScript } from '../crowd-script.ts';
import { answered, exactly, type Figure, figure, healthyFigures, rangeFigures } from '../figure.ts';
import type { Lab } from '../lab.ts';
import type { Scene } from '../scene.ts';

/** Later than the configured time that a connection may be cut. */
const TOLERANCE_MS = 1_100;

async function play(lab: Lab, send: string, drip?: CrowdScript['drip']): Promise<readonly Figure[]> {
  const timeoutMs = lab.size(5_000, 1_500);
  await lab.startProxy({ headTimeoutMs: timeoutMs, bodyTimeoutMs: timeoutMs });
  const clients = lab.steady({ clients: 10, perSecond: 400 });
  await clients.measure(500, lab.stage.signal);
  const before = await clients.measure(lab.size(4_000, 1_000), lab.stage.signal);
  clients.reset();
  const count = lab.size(500, 200);
  const crowd = await lab.crowd({ count, perSecond: 500, send, ...(drip === undefined ? {} : { drip }) });
  await lab.pause(timeoutMs + TOLERANCE_MS + 500);
  const during = clients.seen();
  const report = await crowd.report();
  const bound = { least: timeoutMs - 100, most: timeoutMs + lab.size(TOLERANCE_MS, 2_000) };
  return [
    ...healthyFigures(before, during, lab.size(5, 150)),
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
    play(lab, 'GET /1k HTTP/1.1\r\nHost: soak\r\n', { text: 'X-Drip: 1\r\n', everyMs: lab.size(1_000, 300) }),
};

export const SLOW_BODIES: Scene = {
  name: 'slow-bodies',
  title: '500 clients that stop after 3 bytes of a body of 1,000',
  play: (lab) => play(lab, 'POST /1k HTTP/1.1\r\nHost: soak\r\nContent-Length: 1000\r\n\r\nabc'),
};
