// A raw connection application: sends back what it receives.
import type { ServerApp } from '@cirque/core';
import type { Stream } from '@cirque/transport';

export class EchoApp implements ServerApp {
  processNew({ duplex }: Stream): void {
    duplex.pipe(duplex);
  }

  // The server stops: say goodbye with a FIN; what was received before is still sent back.
  shutdownConnection({ duplex }: Stream): void {
    duplex.unpipe(duplex);
    duplex.end(() => duplex.destroy());
  }
}
