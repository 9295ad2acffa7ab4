/**
 * Where commands write to. Tests give their own.
 */

/** The outputs of a command. */
export interface CommandIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}
