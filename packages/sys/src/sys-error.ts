/**
 * The failure of a system call.
 */

/** Thrown by every native call. `code` is the system's name of the error, such as `EAGAIN`. */
export class SysError extends Error {
  readonly code: string;
  /** The call, such as `sendmsg`. */
  readonly syscall: string;

  constructor(syscall: string, code: string, detail?: string) {
    super(detail === undefined ? `${syscall}: ${code}` : `${syscall}: ${code} (${detail})`);
    this.name = 'SysError';
    this.syscall = syscall;
    this.code = code;
  }
}
