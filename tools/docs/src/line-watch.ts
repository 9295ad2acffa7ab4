/**
 * The lines that a program writes, waited for one by one.
 */
import { withoutChance } from './transcript.ts';

/** How long a line may be waited for, and how long a program may take to end. */
export const PATIENCE_MS = 45_000;

interface Lines {
  rest: string;
  readonly complete: string[];
  /** How many of them were found, or passed over. */
  seen: number;
}

export class LineWatch {
  /** One list for each stream, because the order of lines on different streams is chance. */
  readonly #streams: Map<string, Lines>;
  readonly #inAnyOrder: boolean;
  #closed = false;
  #changed = Promise.withResolvers<void>();

  /**
   * @param streams their names.
   * @param inAnyOrder lines are not passed over: each can be found, once, whatever comes before it. For a stream that
   * several threads write to.
   */
  constructor(streams: readonly string[], inAnyOrder = false) {
    this.#streams = new Map(streams.map((name) => [name, { rest: '', complete: [], seen: 0 }]));
    this.#inAnyOrder = inAnyOrder;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** The complete lines of a stream so far, or of all. */
  text(stream?: string): string {
    const wanted = [...this.#streams].filter(([name]) => stream === undefined || name === stream);
    return wanted.flatMap(([, { complete }]) => complete).join('\n');
  }

  /** Takes what the program has written. */
  push(stream: string, chunk: string): void {
    const lines = this.#streams.get(stream) as Lines;
    const pieces = (lines.rest + chunk).split('\n');
    lines.rest = pieces.pop() ?? '';
    lines.complete.push(...pieces);
    this.#notify();
  }

  /** The program has ended, and everything was taken. */
  close(): void {
    this.#closed = true;
    this.#notify();
  }

  /**
   * Waits for the next line that is like the given one, on any stream, and answers it. Lines before it are passed
   * over. Throws when it does not come.
   */
  async waitFor(line: string): Promise<string> {
    const wanted = withoutChance(line);
    const found = await this.#until(() => {
      for (const lines of this.#streams.values()) {
        const match = this.#take(lines, wanted);
        if (match !== undefined) return match;
      }
      return undefined;
    });
    if (found !== undefined) return found;
    throw new Error(`the program did not write ${JSON.stringify(line)}, but:\n${this.text()}`);
  }

  /** Waits until the program has ended, or patience has. Answers whether it has ended. */
  async closed(): Promise<boolean> {
    await this.#until(() => undefined);
    return this.#closed;
  }

  /** Asks again and again until there is an answer, the program has ended, or it has taken too long. */
  async #until(question: () => string | undefined): Promise<string | undefined> {
    const deadline = performance.now() + PATIENCE_MS;
    const alarm = setTimeout(() => this.#notify(), PATIENCE_MS);
    try {
      while (true) {
        const answer = question();
        if (answer !== undefined || this.#closed || performance.now() >= deadline) return answer;
        await this.#changed.promise;
      }
    } finally {
      clearTimeout(alarm);
    }
  }

  #take(lines: Lines, wanted: string): string | undefined {
    const at = lines.complete.findIndex((line, index) => index >= lines.seen && withoutChance(line) === wanted);
    if (at < 0) return undefined;
    const match = lines.complete[at];
    if (this.#inAnyOrder) lines.complete.splice(at, 1);
    else lines.seen = at + 1;
    return match;
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
