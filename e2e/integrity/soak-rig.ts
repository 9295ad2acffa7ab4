/**
 * The gateway of the soak between its four origins, and what must be true of all of it in the end.
 */
import { fileURLToPath } from 'node:url';
import { LeakCheck, makeCa, type TestCa } from '@cirque/testing';
import { FourOrigins } from '../src/four-origins.ts';
import { Gateway } from '../src/gateway.ts';
import { GATEWAY_NAME } from '../src/peers-rig.ts';
import { KnownOrigin } from './known-origin.ts';

const PROGRAM = fileURLToPath(new URL('./known-gateway.ts', import.meta.url));

export class SoakRig {
  readonly ca: TestCa;
  readonly origin: KnownOrigin;
  readonly gateway: Gateway;
  readonly #origins: FourOrigins;
  readonly #leaks: LeakCheck;

  private constructor(ca: TestCa, origin: KnownOrigin, gateway: Gateway, origins: FourOrigins, leaks: LeakCheck) {
    this.ca = ca;
    this.origin = origin;
    this.gateway = gateway;
    this.#origins = origins;
    this.#leaks = leaks;
  }

  static async start(): Promise<SoakRig> {
    const leaks = LeakCheck.start();
    const ca = makeCa('Test authority');
    const origin = new KnownOrigin();
    const origins = await FourOrigins.listen(origin.app, ca);
    try {
      const certificate = ca.issue({ names: [GATEWAY_NAME], ips: ['127.0.0.1'] });
      const tls = { certificate, alpn: ['h2', 'http/1.1'] } as const;
      const gateway = await Gateway.start({ upstreams: origins.upstreams, tls }, PROGRAM);
      return new SoakRig(ca, origin, gateway, origins, leaks);
    } catch (error) {
      await origins.close();
      throw error;
    }
  }

  /** Fails when a socket or a timer is left, here or in the gateway. */
  async stop(): Promise<void> {
    await this.#origins.close();
    await this.gateway.stop();
    await this.#leaks.assertClean();
  }
}
