/**
 * No descriptors left (EMFILE): the proxy must neither end nor spin, and accept again as soon as there are some.
 */
import { answered, exactly, figure } from '../figure.ts';
import type { Scene } from '../scene.ts';

const DESCRIPTORS = 256;
const CLIENTS = 400;

export const NO_DESCRIPTORS: Scene = {
  name: 'no-descriptors',
  title: '256 descriptors, 400 clients that stay',
  async play(lab) {
    await lab.startProxy({ maxDescriptors: DESCRIPTORS });
    const clients = lab.steady({ clients: 5, perSecond: 50 });
    await clients.measure(500, lab.stage.signal);
    clients.reset();
    const crowd = await lab.crowd({ count: CLIENTS, perSecond: 800, send: 'GET /1k HTTP/1.1\r\nHost: soak\r\n\r\n' });
    await lab.pause(500);
    const cpu = await lab.cpuPercent(lab.size(3_000, 1_500));
    const report = await crowd.report();
    const { errors, reasons } = clients.seen();
    await crowd.leave();
    const resumedMs = await lab.untilServed(5_000);
    return [
      figure('served', answered(report, 200), `of ${CLIENTS}`, { least: 50 }),
      figure('turned away with 503', answered(report, 503), `of ${CLIENTS}`),
      figure('closed without answer', report.closedUnanswered + report.refused, `of ${CLIENTS}`),
      figure('left waiting', report.waiting, `of ${CLIENTS}`),
      figure('CPU meanwhile', cpu, '%', { most: lab.size(20, 40) }),
      figure('accepts again after', resumedMs, 'ms', { most: lab.size(1_000, 3_000) }),
      exactly('errors of those inside', errors, 0, reasons.join('; ')),
      ...(await lab.leftovers()),
    ];
  },
};
