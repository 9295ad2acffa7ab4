/**
 * The whole corpus of hostile and odd requests, by subject. A new case goes into the file of its subject.
 */
import type { RequestCase } from '../src/case.ts';
import { chunkedCases } from './chunked.ts';
import { connectionCases } from './connection.ts';
import { contentLengthCases } from './content-length.ts';
import { fieldCases } from './fields.ts';
import { hostCases } from './hosts.ts';
import { limitCases } from './limits.ts';
import { lineEndCases } from './line-ends.ts';
import { pipelineCases } from './pipelines.ts';
import { requestLineCases } from './request-line.ts';
import { targetCases } from './targets.ts';
import { transferEncodingCases } from './transfer-encoding.ts';

export const requestCorpus: ReadonlyMap<string, readonly RequestCase[]> = new Map([
  ['request line', requestLineCases],
  ['line ends', lineEndCases],
  ['targets', targetCases],
  ['Host', hostCases],
  ['fields', fieldCases],
  ['limits', limitCases],
  ['Content-Length', contentLengthCases],
  ['Transfer-Encoding', transferEncodingCases],
  ['chunked bodies', chunkedCases],
  ['connection options', connectionCases],
  ['pipelines', pipelineCases],
]);
