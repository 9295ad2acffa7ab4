/**
 * Chromium without a window, driven by its DevTools protocol.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { DevTools } from './dev-tools.ts';
import { ScratchFolder } from './scratch-folder.ts';

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 5_000;

export interface ChromiumOptions {
  /** Host names that lead to this machine, as `*.test`. */
  readonly localNames: string;
  /** A certificate (PEM) whose key is trusted, whoever issued it. */
  readonly trusted: string;
}

export class Chromium {
  readonly #child: ChildProcess;
  readonly #profile: ScratchFolder;
  readonly #tools: DevTools;

  private constructor(child: ChildProcess, profile: ScratchFolder, tools: DevTools) {
    this.#child = child;
    this.#profile = profile;
    this.#tools = tools;
  }

  /** @throws what it said when it does not start. */
  static async start(path: string, options: ChromiumOptions): Promise<Chromium> {
    const profile = await ScratchFolder.make();
    const child = spawn(path, flags(profile.path('profile'), options), {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true, // a group of its own, which can be ended as a whole
    });
    try {
      return new Chromium(child, profile, await DevTools.connect(await debuggerUrl(child)));
    } catch (error) {
      await end(child);
      await profile.remove();
      throw error;
    }
  }

  /** Loads a page and waits for its load event. */
  async visit(url: string): Promise<void> {
    const loaded = this.#tools.event('Page.loadEventFired');
    const { errorText } = await this.#tools.call<{ errorText?: string }>('Page.navigate', { url });
    if (errorText !== undefined) throw new Error(`${url}: ${errorText}`);
    await loaded;
  }

  /** Evaluates an expression on the page and waits for its promise. @throws what the page throws. */
  async evaluate<T>(expression: string): Promise<T> {
    const wish = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.#tools.call<{
      result: { value: T };
      exceptionDetails?: { exception?: { description?: string }; text: string };
    }>('Runtime.evaluate', wish);
    if (exceptionDetails === undefined) return result.value;
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }

  async stop(): Promise<void> {
    this.#tools.close();
    await end(this.#child);
    await this.#profile.remove();
  }
}

function flags(profile: string, { localNames, trusted }: ChromiumOptions): readonly string[] {
  const key = new X509Certificate(trusted).publicKey.export({ type: 'spki', format: 'der' });
  return [
    '--headless=new',
    '--no-sandbox', // tests may run as root, where there is none
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-extensions',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    '--no-proxy-server',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
    `--host-resolver-rules=MAP ${localNames} 127.0.0.1`,
    `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`,
    'about:blank',
  ];
}

/** Where its DevTools listen, which it says on its standard error. */
async function debuggerUrl(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let said = '';
  const failed = (why: string): void => reject(new Error(`Chromium ${why}: ${said.slice(-2_000)}`));
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    const url = /DevTools listening on (ws:\/\/\S+)/.exec(said)?.[1];
    if (url !== undefined) resolve(url);
  });
  child.once('error', (error) => failed(error.message));
  child.once('exit', (code, signal) => failed(`ended (${signal ?? code})`));
  const timer = setTimeout(() => failed('did not start'), START_TIMEOUT_MS);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** Ends it with all the processes that it started. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const signal = (name: NodeJS.Signals): void => {
    try {
      process.kill(-(child.pid as number), name);
    } catch {
      // none of them is left
    }
  };
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    signal('SIGTERM');
    await Promise.race([exited, pause(STOP_TIMEOUT_MS, undefined, { ref: false })]);
  }
  signal('SIGKILL');
  child.stderr?.destroy();
}
