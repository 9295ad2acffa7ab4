/**
 * The rules of RFC 9110 and RFC 9112 for an HTTP/1.1 gateway, each with the cases of the corpus that show it.
 *
 * Names are those of the corpus, so a rule cannot lose its cases unnoticed. What needs a dialogue (retries, deadlines,
 * streams, expectations) has a test file of its own.
 */

export interface ChecklistRow {
  readonly rule: string;
  readonly section: string;
  readonly requests?: readonly string[];
  readonly responses?: readonly string[];
}

export const checklist: readonly ChecklistRow[] = [
  {
    rule: 'the proxy speaks its own version both ways',
    section: 'RFC 9110 2.5',
    requests: ['HTTP/1.2 is treated as 1.1', 'HTTP/1.0 goes upstream as 1.1 and closes'],
    responses: ['a close-delimited body of an HTTP/1.0 origin', 'version 1.2 is treated as 1.1'],
  },
  {
    rule: 'the grammar of the version',
    section: 'RFC 9112 2.3',
    requests: [
      'version with a two-digit minor',
      'version with a leading zero',
      'version in lower case',
      'well-formed version HTTP/2.0',
    ],
  },
  {
    rule: 'one empty line before the request line is ignored',
    section: 'RFC 9112 2.2',
    requests: ['one empty line before the request line', 'one CRLF too many after a body'],
  },
  {
    rule: 'a bare CR is refused',
    section: 'RFC 9112 2.2',
    requests: ['CR inside a field value', 'CR inside the target', 'a bare CR before the request line'],
    responses: ['field line with a CR in the value', 'status line with a CR in the reason'],
  },
  {
    rule: 'white space before the first field is refused',
    section: 'RFC 9112 2.2',
    requests: [
      'white space between the request line and the first field',
      'a tab between the request line and the first field',
    ],
    responses: ['response head with white space before the first field'],
  },
  {
    rule: 'the parts of the request line',
    section: 'RFC 9112 3',
    requests: [
      'two spaces before the target',
      'tab instead of the first space',
      'request line of a method only',
      'a fourth word',
    ],
  },
  {
    rule: 'request lines of 8000 octets are served, endless ones are 414',
    section: 'RFC 9112 3',
    requests: ['a target of 8000 octets', 'a target of 70000 octets'],
  },
  {
    rule: 'origin-form begins with a slash',
    section: 'RFC 9112 3.2.1',
    requests: ['target with no leading slash', 'target with a query without a path'],
  },
  {
    rule: 'the authority of absolute-form replaces Host',
    section: 'RFC 9112 3.2.2',
    requests: [
      'absolute-form http://other.example/path?q=1: its authority becomes Host',
      'absolute-form http://other.example:8080/path: its authority becomes Host',
    ],
  },
  {
    rule: 'authority-form only with CONNECT, CONNECT not at all',
    section: 'RFC 9112 3.2.3; RFC 9110 9.3.6',
    requests: ['authority-form with another method than CONNECT', 'CONNECT'],
  },
  {
    rule: 'asterisk-form only with OPTIONS',
    section: 'RFC 9112 3.2.4',
    requests: ['OPTIONS with asterisk', 'asterisk with GET'],
  },
  {
    rule: 'exactly one valid Host',
    section: 'RFC 9112 3.2',
    requests: ['no Host', 'two equal Hosts', 'two Hosts that differ', 'Host with a space', 'no Host on 1.0'],
  },
  {
    rule: 'white space before the colon: refused in requests, removed in responses',
    section: 'RFC 9112 5.1',
    requests: ['a space before the colon', 'a tab before the colon'],
    responses: ['a space before the colon is removed', 'a tab before the colon is removed'],
  },
  {
    rule: 'folded lines: refused in requests, joined in responses',
    section: 'RFC 9112 5.2',
    requests: ['a fold by space', 'a fold by tab', 'a folded Transfer-Encoding'],
    responses: ['a fold becomes a space', 'a fold by tab becomes a space'],
  },
  {
    rule: 'a field name is a token',
    section: 'RFC 9110 5.1, 5.6.2',
    requests: [...'"(),/;<=>?@[\\]{}'].map((octet) => `field name with ${JSON.stringify(octet)}`),
    responses: ['field line with a delimiter in the name', 'field line with a space inside the name'],
  },
  {
    rule: 'no NUL, CR or LF in a field value',
    section: 'RFC 9110 5.5',
    requests: ['NUL inside a field value', 'CR hiding a second field', 'LF hiding a second field'],
    responses: ['field line with a NUL in the value', 'field line with a CR that hides a field'],
  },
  {
    rule: 'fields of one name keep their order, Set-Cookie is never joined',
    section: 'RFC 9110 5.3',
    requests: ['order, case and duplicates of fields stay as they are'],
    responses: ['order, case and duplicates of fields stay as they are', 'Set-Cookie lines are never joined'],
  },
  {
    rule: 'Transfer-Encoding beside Content-Length: refused in requests, wins in responses',
    section: 'RFC 9112 6.1, 6.3',
    requests: ['Transfer-Encoding and Content-Length before it', 'Transfer-Encoding and Content-Length after it'],
    responses: ['chunked beside Content-Length: chunked wins, the length goes'],
  },
  {
    rule: 'the final coding is chunked',
    section: 'RFC 9112 6.3',
    requests: ['Transfer-Encoding with another coding', 'Transfer-Encoding with a coding after chunked'],
    responses: ['Transfer-Encoding "gzip": refused, or read to the end of the connection'],
  },
  {
    rule: 'no Transfer-Encoding with 1.0, 1xx and 204',
    section: 'RFC 9112 6.1',
    requests: ['Transfer-Encoding on 1.0'],
    responses: [
      'Transfer-Encoding on 1.0 is not trusted',
      'a chunked body for an HTTP/1.0 client',
      'Transfer-Encoding of an interim response means nothing',
      '204 with a chunked body all the same',
    ],
  },
  {
    rule: 'an invalid Content-Length is 400 in requests and 502 in responses',
    section: 'RFC 9112 6.3',
    requests: ['Content-Length with a plus sign', 'Content-Length: two lines that differ'],
    responses: ['Content-Length "+5"', 'two Content-Length lines that differ'],
  },
  {
    rule: 'HEAD, 1xx, 204 and 304 have no body, whatever the head says',
    section: 'RFC 9112 6.3',
    responses: [
      'HEAD: a length without a body',
      'HEAD: a body all the same',
      '204 with a body all the same',
      '304 with a body all the same',
      'framing fields of an interim response mean nothing',
    ],
  },
  {
    rule: 'chunks are parsed to the letter',
    section: 'RFC 9112 7.1',
    requests: [
      'chunked body with 0x before the size',
      'chunked body with a size of 2^64 + 5',
      'chunked body with LF after the size',
      'chunked body with more data than the size says',
      'chunked body with several extensions',
    ],
    responses: ['chunked body with nothing after the data', 'several chunks'],
  },
  {
    rule: 'trailers are not merged, forbidden ones vanish',
    section: 'RFC 9110 6.5, RFC 9112 7.1.2',
    requests: ['a trailer is not merged into the head', 'Content-Length as trailer vanishes'],
    responses: ['trailers are not merged into the head', 'forbidden trailers vanish'],
  },
  {
    rule: 'an incomplete message is not made complete',
    section: 'RFC 9112 8',
    responses: [
      'cut by fin inside a body by length',
      'cut by reset inside a body by length',
      'cut by fin between two chunks',
      'a close-delimited body cut by reset: no final chunk for the client',
    ],
  },
  {
    rule: 'hop-by-hop and nominated fields are removed both ways',
    section: 'RFC 9110 7.6.1',
    requests: ['a nominated field: removed', 'Keep-Alive: removed', 'Proxy-Connection: removed'],
    responses: ['a nominated field of the origin is removed', 'Keep-Alive of the origin is removed'],
  },
  {
    rule: 'TE is of this hop only',
    section: 'RFC 9110 10.1.4',
    requests: ['TE that is not nominated: removed', 'only what the client says of trailers is said again'],
  },
  {
    rule: 'only an Upgrade to WebSocket is passed on, 101 is not accepted unasked',
    section: 'RFC 9110 7.8',
    requests: ['Upgrade to another protocol: removed', 'Upgrade on 1.0 is ignored'],
    responses: ['101 that nobody asked for'],
  },
  {
    rule: 'path and query pass untouched',
    section: 'RFC 9110 7.7',
    requests: ['target /../../etc/passwd stays as it is', 'target /%00%0d%0a%2e%2e%2F stays as it is'],
  },
  {
    rule: 'an unknown expectation is 417',
    section: 'RFC 9110 10.1.1',
    requests: ['Expect: nonsense', 'Expect: 100-continue without a body'],
  },
  {
    rule: 'interim responses are passed on, not to 1.0',
    section: 'RFC 9110 15.2',
    responses: ['an interim response is passed on', 'no interim response for an HTTP/1.0 client'],
  },
  {
    rule: 'pipelined requests are answered in order, not after close',
    section: 'RFC 9112 9.3.2, 9.6',
    requests: ['three requests', 'a request after Connection: close is not answered', 'close in the middle of three'],
  },
  {
    rule: 'an unsolicited response reaches nobody',
    section: 'RFC 9112 9.2',
    responses: ['a second response after a body by length', 'more octets after a chunked body'],
  },
  {
    rule: 'Date is added when it is missing',
    section: 'RFC 9110 6.6.1',
    responses: ['a missing Date is added, nothing else', 'a Date of the origin stays'],
  },
];
