/**
 * How a daemon and the command that has started it know each other: a variable, a descriptor, and messages of one line.
 *
 * The daemon writes, the command reads. Nothing here opens or starts anything.
 */

/** Tells a process that it is a daemon, by the token that its messages carry. */
export const DAEMON_VARIABLE = 'CIRQUE_DAEMON';
/** The descriptor that the daemon writes to: the first one after the standard streams. */
export const STATUS_DESCRIPTOR = 3;

/** Sentences are cut to this length, so that a message always fits into the buffer of the system. */
const MAX_SENTENCE = 2_048;
/** More than this without the end of a line is not ours. */
const MAX_LINE = 8_192;

/** What a daemon tells. */
export type DaemonMessage =
  | { readonly event: 'started' }
  /** With the process id of the server, which is another one when its predecessor has started it. */
  | { readonly event: 'ready'; readonly pid: number }
  | { readonly event: 'failed'; readonly sentence: string };

/** One message as a line. */
export function messageLine(token: string, message: DaemonMessage): string {
  const short =
    message.event === 'failed' ? { ...message, sentence: message.sentence.slice(0, MAX_SENTENCE) } : message;
  return `${JSON.stringify({ token, ...short })}\n`;
}

/** Finds messages in a stream of bytes; what does not carry the token, or is no message, is left out. */
export class MessageReader {
  readonly #token: string;
  #rest = '';

  constructor(token: string) {
    this.#token = token;
  }

  /** The messages that are complete with this part. */
  push(part: string): readonly DaemonMessage[] {
    const lines = (this.#rest + part).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, MAX_LINE);
    return lines.map((line) => this.#parse(line)).filter((message) => message !== undefined);
  }

  #parse(line: string): DaemonMessage | undefined {
    try {
      const { token, event, pid, sentence } = JSON.parse(line) as Record<string, unknown>;
      if (token !== this.#token) return undefined;
      if (event === 'started') return { event };
      if (event === 'ready') return { event, pid: Number(pid) };
      return event === 'failed' ? { event, sentence: String(sentence) } : undefined;
    } catch {
      return undefined;
    }
  }
}
