/**
 * The control address of a gateway: on the main thread, and moved when the configuration says another one.
 */
import { httpService, type ListeningService, ServiceGroup } from '@cirque/core';
import { isUnixAddress, parseAddress } from '@cirque/transport';
import { ControlApp, type Controlled } from './control-app.ts';

/** Only the user of the server may use its unix socket. */
const MODE = 0o600;

/** See the file's head. */
export class ControlService {
  /** To be added to the server; without an address it does nothing. */
  readonly group: ServiceGroup = new ServiceGroup('control', { threads: 1 });
  readonly #app: ControlApp;
  #address: string | undefined;
  #service: ListeningService | undefined;

  constructor(controlled: Controlled) {
    this.#app = new ControlApp(controlled);
  }

  /** Tries whether it could answer at this address, and changes nothing. @throws CirqueError of type BindError. */
  async probe(address: string | undefined): Promise<void> {
    if (address !== undefined && address !== this.#address) await this.group.probe(this.#listener(address));
  }

  /** Answers at this address from now on, and at none with undefined. @throws CirqueError of type BindError. */
  async move(address: string | undefined): Promise<void> {
    if (address === this.#address) return;
    const next = address === undefined ? undefined : this.#listener(address);
    if (next !== undefined) await this.group.add(next);
    const old = this.#service;
    this.#service = next;
    this.#address = address;
    if (old !== undefined) await this.group.remove(old);
  }

  #listener(text: string): ListeningService {
    const address = parseAddress(text);
    const service = httpService(`control ${text}`, this.#app, { maxBodyBytes: 64 });
    return isUnixAddress(address) ? service.addUds(address.path, { mode: MODE }) : service.addTcp(address);
  }
}
