// The change itself: hides what looks like an e-mail address, and says that it did.

/** The rewritten body; the same bytes when they are no JSON after all. */
export function rewrite(body: Buffer): Buffer {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return body;
  }
  const data = JSON.parse(JSON.stringify(value), (_key, inner: unknown) =>
    typeof inner === 'string' && /^\S+@\S+$/.test(inner) ? '(hidden)' : inner,
  ) as unknown;
  return Buffer.from(`${JSON.stringify({ data, note: 'addresses were hidden on the way' })}\n`);
}
