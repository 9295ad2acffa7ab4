/**
 * The ports of a page and the free ones that stand for them: pages name fixed ports, tests must not use any.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Behind an address, behind a name that is none (`.example`), and in calls of listen(). */
const PORT = /(?<=127\.0\.0\.1[: \0]|0\.0\.0\.0:|\.example:|listen\()\d+/g;

export class PortMap {
  readonly #ports = new Map<string, string>();

  /** The text with the ports that stand for those in it. */
  translate(text: string): string {
    return text.replace(PORT, (port) => this.#ports.get(port) ?? port);
  }

  /** Finds a free port for each port of the text that has none yet. */
  async reserve(text: string): Promise<void> {
    for (const port of text.match(PORT) ?? []) {
      if (!this.#ports.has(port)) this.#ports.set(port, await freePort());
    }
  }

  /** Takes the ports of a line as it came for those of the line as it was expected. */
  learn(expected: string, actual: string): void {
    const ports = actual.match(PORT) ?? [];
    for (const [at, port] of (expected.match(PORT) ?? []).entries()) this.#ports.set(port, ports[at] ?? port);
  }
}

/** Below the range from which systems take ports by themselves, so that nobody gets it by chance before it is used. */
async function freePort(): Promise<string> {
  while (true) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue; // it is taken: try another
    }
    server.close();
    await once(server, 'close');
    return String(port);
  }
}
