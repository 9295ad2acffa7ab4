/**
 * `openssl s_client` as a client: one connection, what it was told to send, what it says of it.
 */
import { CLIENT_FACTS, type ConnectionFacts } from './gateway-setup.ts';
import { factsIn } from './peers-rig.ts';
import { runTool } from './run-tool.ts';

export interface SClientRun {
  /** 0 unless the handshake failed or the connection broke. */
  readonly code: number | undefined;
  /** Everything that it printed: facts about the connection, the answer, errors. */
  readonly text: string;
  /** Undefined when no answer came. */
  readonly facts: ConnectionFacts | undefined;
}

/** A request after whose answer the connection closes. */
export const LAST_REQUEST = 'GET /echo HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n\r\n';

/** Connects to a port of this machine. It stays until the other side closes. */
export async function sClient(
  path: string,
  port: number,
  args: readonly string[],
  input: string = LAST_REQUEST,
): Promise<SClientRun> {
  const all = ['s_client', '-connect', `127.0.0.1:${port}`, '-ign_eof', ...args];
  const { code, stdout, stderr } = await runTool(path, all, { input, timeoutMs: 8_000 });
  const text = `${stdout}\n${stderr}`;
  const field = new RegExp(`^${CLIENT_FACTS}: (.*)\r$`, 'im').exec(text)?.[1];
  return { code, text, facts: field === undefined ? undefined : factsIn(field) };
}
