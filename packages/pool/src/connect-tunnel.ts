/**
 * Asks an HTTP proxy for a tunnel (CONNECT, RFC 9110 section 9.3.6) on a fresh connection to it.
 */
import { CirqueError } from '@cirque/error';
import { HeaderMap, RequestHeader } from '@cirque/http';
import {
  INCOMPLETE,
  parseResponseHead,
  ResponseRules,
  resolveHttp1Limits,
  responseHead,
  serializeRequestHead,
} from '@cirque/http1';
import { Timer } from '@cirque/timeout';
import type { Stream } from '@cirque/transport';

const rules = new ResponseRules(resolveHttp1Limits());

/**
 * Sends CONNECT for `authority` and waits for a 2xx. Afterwards the stream belongs to the caller, paused and unowned.
 *
 * @throws CirqueError ConnectProxyFailure when the proxy refuses or answers nonsense, ConnectTimedout at the deadline.
 */
export function connectTunnel(
  stream: Stream,
  authority: string,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    let open = true;
    const settle = (error?: CirqueError): void => {
      if (!open) return;
      open = false;
      timer.close();
      if (error === undefined) {
        stream.pause();
        resolve();
        return;
      }
      stream.destroy();
      reject(error);
    };
    const timer = new Timer(() =>
      settle(new CirqueError('ConnectTimedout', `CONNECT ${authority}`, { source: 'Upstream' })),
    );
    if (timeoutMs > 0) timer.set(timeoutMs);
    stream.start({
      onRead(buffer, length) {
        received = Buffer.concat([received, buffer.subarray(0, length)]);
        try {
          if (readAnswer(received)) settle();
        } catch (error) {
          settle(failure(authority, CirqueError.from(error).context, error));
        }
      },
      onReadEnd: () => settle(failure(authority, 'the proxy closed the connection')),
      onDrain() {},
      onClose: (error) => settle(failure(authority, 'the proxy closed the connection', error)),
    });
    const fields = HeaderMap.from({ Host: authority, ...headers });
    stream.writeLatin1(serializeRequestHead(new RequestHeader('CONNECT', authority, fields), ''));
  });
}

/** True when the tunnel is open, false while more bytes are needed. */
function readAnswer(received: Buffer): boolean {
  if (received.length > rules.limits.maxHeadBytes) throw new CirqueError('ConnectProxyFailure', 'answer too large');
  const end = parseResponseHead(received, 0, received.length, rules, 'HEAD');
  if (end === INCOMPLETE) return false;
  const { status } = responseHead.header;
  if (status < 200 || status > 299) throw new CirqueError('ConnectProxyFailure', `the proxy answered ${status}`);
  if (responseHead.header.headers.has('Transfer-Encoding')) {
    throw new CirqueError('ConnectProxyFailure', 'the proxy answered with Transfer-Encoding');
  }
  if (end < received.length) throw new CirqueError('ConnectProxyFailure', 'bytes arrived before the tunnel was used');
  return true;
}

function failure(authority: string, what: string, cause?: unknown): CirqueError {
  return CirqueError.upstream('ConnectProxyFailure', `CONNECT ${authority}: ${what}`, cause);
}
