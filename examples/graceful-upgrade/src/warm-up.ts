// What a server may have to do before it can serve: fill a cache, say. The others wait for it, and so does an upgrade: until
// they are ready the old process goes on serving everything.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Service, ServiceContext } from '@cirque/core';

export class WarmUp implements Service {
  readonly name = 'warm-up';
  readonly threads = 1;

  /** Takes as many seconds as the configuration says under `warm_up_seconds`. */
  async start({ configuration, logger, shutdown, ready }: ServiceContext): Promise<void> {
    const seconds = Number(configuration.extra.warm_up_seconds ?? 0);
    if (seconds > 0) logger.info({ seconds }, 'warming up');
    await sleep(seconds * 1_000, undefined, { signal: shutdown }).catch(() => {});
    ready();
  }
}
